package data

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	ipld "github.com/ipfs/go-ipld-format"
	logging "github.com/ipfs/go-log/v2"
)

// Store keeps blocks and pins on disk. A pin says that a whole DAG is here and
// wanted. What a method acknowledges survives a crash of the process or the
// machine. All methods may be called concurrently.
type Store struct {
	engine  *engine
	blocks  blockstore.Blockstore
	dag     ipld.DAGService // over blocks, for the importers; never the network
	writers writers
	// Clock gives the time of pins; nil is time.Now. It is set before the store is used.
	Clock func() time.Time
	lent  *lent // of a Scratch: content that it does not hold itself
}

// silence mutes the logs that the IPFS libraries write on their own, unless the
// user asked for them with their variable.
var silence = sync.OnceFunc(func() {
	if os.Getenv("GOLOG_LOG_LEVEL") == "" {
		logging.SetAllLoggers(logging.LevelFatal)
	}
})

// OpenStore opens the store in the folder dir and creates it when there is none.
// One process may have it open at a time; for others the error is ErrInUse.
func OpenStore(dir string) (*Store, error) { return openStore(dir, vfs.Default) }

func openStore(dir string, fsys vfs.FS) (*Store, error) {
	silence()
	e, err := openEngine(dir, fsys)
	if err != nil {
		return nil, err
	}
	// Reads check every block against its CID, and writes never skip a block that
	// seems to be there already: so a damaged block is an error, never data, and
	// adding or fetching it again repairs it.
	kept := blockstore.NewBlockstore(e, blockstore.WriteThrough(true))
	return newStore(e, blockstore.NewIdStore(&blockstore.ValidatingBlockstore{Blockstore: kept})), nil
}

func newStore(e *engine, blocks blockstore.Blockstore) *Store {
	service := blockservice.New(blocks, nil, blockservice.WriteThrough(true))
	return &Store{engine: e, blocks: blocks, dag: merkledag.NewDAGService(service), writers: newWriters()}
}

// Close waits for running operations and releases the folder. Later calls of
// other methods return ErrClosed.
func (s *Store) Close() error { return s.engine.Close() }

var pinPrefix = ds.NewKey("/pins")

func pinKey(c cid.Cid) ds.Key { return pinPrefix.ChildString(c.String()) }

// Pin records that the DAG under c is wanted. All of it must be in the store;
// otherwise the error is ErrNotLocal.
func (s *Store) Pin(ctx context.Context, c cid.Cid) error {
	if err := s.writers.enter(ctx); err != nil {
		return err
	}
	defer s.writers.leave()
	missing, err := s.missing(ctx, []cid.Cid{c}, false)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("pin %s: %d blocks missing, first %w", c, len(missing), notLocal(missing[0]))
	}
	return s.pin(ctx, c)
}

// pin is for callers that have just stored the whole DAG, or found that it is here. It notes the time for Collect.
func (s *Store) pin(ctx context.Context, c cid.Cid) error {
	if err := s.engine.Put(ctx, pinKey(c), pinTime(s.now())); err != nil {
		return fmt.Errorf("pin %s: %w", c, err)
	}
	return nil
}

func (s *Store) now() time.Time {
	if s.Clock == nil {
		return time.Now()
	}
	return s.Clock()
}

// Unpin forgets the pin of c, if there is one.
func (s *Store) Unpin(ctx context.Context, c cid.Cid) error {
	if err := s.engine.Delete(ctx, pinKey(c)); err != nil {
		return fmt.Errorf("unpin %s: %w", c, err)
	}
	return nil
}

// Pinned reports whether c itself is pinned, and so complete.
func (s *Store) Pinned(ctx context.Context, c cid.Cid) (bool, error) {
	return s.engine.Has(ctx, pinKey(c))
}

// Pins returns every pinned CID, in no particular order.
func (s *Store) Pins(ctx context.Context) ([]cid.Cid, error) {
	pins, err := s.listed(ctx, pinPrefix)
	if err != nil {
		return nil, fmt.Errorf("list pins: %w", err)
	}
	return pins, nil
}

// listed returns the CIDs of the records below prefix.
func (s *Store) listed(ctx context.Context, prefix ds.Key) ([]cid.Cid, error) {
	results, err := s.engine.Query(ctx, query.Query{Prefix: prefix.String(), KeysOnly: true})
	if err != nil {
		return nil, err
	}
	entries, err := results.Rest()
	if err != nil {
		return nil, err
	}
	cids := make([]cid.Cid, 0, len(entries))
	for _, e := range entries {
		c, err := cid.Decode(strings.TrimPrefix(e.Key, prefix.String()+"/"))
		if err != nil {
			return nil, fmt.Errorf("damaged record %q: %w", e.Key, err)
		}
		cids = append(cids, c)
	}
	return cids, nil
}
