// Package store keeps a node's durable facts: its log of contract events, finished work, offers and jobs.
//
// What a node must still know after a crash is synced to disk before the call returns. Event logs are not: the chain
// has them, and logs and cursor are written in one batch.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// ErrNotFound means that there is no such fact.
var ErrNotFound = errors.New("not in the store")

// Store is one node's database; one process at a time may have it open.
type Store struct {
	db    *pebble.DB
	close func() error // once
	mu    sync.Mutex   // makes NextNonce's read and write one step
	// oldest is a block below which there are no checkpoints.
	oldest atomic.Uint64
}

// Open opens or creates the store in dir.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open node store: %w", err)
	}
	db, err := pebble.Open(dir, &pebble.Options{Logger: silent{}, MemTableSize: 4 << 20})
	if err != nil {
		return nil, fmt.Errorf("open node store %s (is another process using it?): %w", dir, err)
	}
	return &Store{db: db, close: sync.OnceValue(db.Close)}, nil
}

// Close flushes and closes the store; a second call does nothing.
func (s *Store) Close() error { return s.close() }

// key joins a namespace and an id.
func key(space byte, id []byte) []byte { return append([]byte{space}, id...) }

func (s *Store) put(space byte, id []byte, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode fact: %w", err)
	}
	return s.db.Set(key(space, id), raw, pebble.Sync)
}

func (s *Store) get(space byte, id []byte, into any) error {
	raw, closer, err := s.db.Get(key(space, id))
	if errors.Is(err, pebble.ErrNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read fact: %w", err)
	}
	defer closer.Close()
	return json.Unmarshal(raw, into)
}

// list calls visit for every fact of a namespace, in the order of their ids.
func list[T any](s *Store, space byte, visit func(id []byte, value T) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		var value T
		if err := json.Unmarshal(it.Value(), &value); err != nil {
			return fmt.Errorf("node store is damaged at %x: %w", it.Key(), err)
		}
		if err := visit(append([]byte(nil), it.Key()[1:]...), value); err != nil {
			return err
		}
	}
	return it.Error()
}

// silent drops pebble's chatter; its errors come back from the calls.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}

// Fatalf is called when the database cannot go on, as after a write that the disk refused. It ends the process, from a
// goroutine in which nobody recovers, as an HTTP server would in one of its own: the next write would wait for ever.
func (silent) Fatalf(format string, args ...any) {
	go panic("node store: free some space, see that the disk is healthy and start again: " + fmt.Sprintf(format, args...))
	select {}
}
