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

// Scratch holds DAGs in memory, to be packed as a CAR for somewhere else or
// exported. Of what was added by At it holds no content, only where it is. It
// gives the same CIDs as a Store.
type Scratch struct{ store *Store }

// NewScratch returns an empty one.
func NewScratch() *Scratch {
	silence()
	kept := dssync.MutexWrap(ds.NewMapDatastore())
	lent := &lent{Blockstore: blockstore.NewBlockstore(kept), leaves: map[string]leaf{}}
	// Lent content is checked when it is read again.
	s := newStore(nil, blockstore.NewIdStore(&blockstore.ValidatingBlockstore{Blockstore: lent}))
	s.lent = lent
	return &Scratch{store: s}
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

// Export writes the file or directory c to disk; see Store.Export.
func (s *Scratch) Export(ctx context.Context, c cid.Cid, dst string) error {
	return s.store.Export(ctx, c, dst)
}
