package data

import (
	"context"
	"fmt"
	"io"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	ipld "github.com/ipfs/go-ipld-format"
)

// Scratch holds DAGs in memory, to be packed as a CAR for somewhere else. It
// gives the same CIDs as a Store.
type Scratch struct{ store *Store }

// NewScratch returns an empty one.
func NewScratch() *Scratch {
	silence()
	kept := dssync.MutexWrap(ds.NewMapDatastore())
	return &Scratch{store: newStore(nil, blockstore.NewIdStore(blockstore.NewBlockstore(kept)))}
}

// AddFiles holds a directory tree; see Store.AddFiles. Links lead to what the
// scratch holds already.
func (s *Scratch) AddFiles(ctx context.Context, files map[string]Source) (cid.Cid, error) {
	root, err := newTree(files)
	if err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	return s.store.build(ctx, nil, func(im *importer) (ipld.Node, error) { return im.tree(root) })
}

// ExportCAR writes the DAG under c to w; see Store.ExportCAR.
func (s *Scratch) ExportCAR(ctx context.Context, c cid.Cid, w io.Writer) error {
	return s.store.ExportCAR(ctx, c, w)
}
