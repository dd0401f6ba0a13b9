package data

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// lent is a blockstore that reads the leaves of some files from where the files are.
type lent struct {
	blockstore.Blockstore

	mu     sync.Mutex
	leaves map[string]leaf // by multihash
}

// leaf is where a block is.
type leaf struct {
	from Sized
	at   int64 // bytes
	size int
}

func (l *lent) find(c cid.Cid) (leaf, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.leaves[string(c.Hash())]
	return found, ok
}

func (l *lent) note(c cid.Cid, at leaf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaves[string(c.Hash())] = at
}

func (l *lent) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if _, ok := l.find(c); ok {
		return true, nil
	}
	return l.Blockstore.Has(ctx, c)
}

func (l *lent) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	at, ok := l.find(c)
	if !ok {
		return l.Blockstore.Get(ctx, c)
	}
	content := make([]byte, at.size)
	if n, err := at.from.ReadAt(content, at.at); n < len(content) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read again: %w", err)
	}
	return blocks.NewBlockWithCid(content, c)
}

// Put implements blockstore.Blockstore. Large directories put their entries once more.
func (l *lent) Put(ctx context.Context, b blocks.Block) error {
	if _, ok := l.find(b.Cid()); ok {
		return nil
	}
	return l.Blockstore.Put(ctx, b)
}

func (l *lent) PutMany(ctx context.Context, list []blocks.Block) error {
	for _, b := range list {
		if err := l.Put(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// borrower takes the nodes of one file, which come in the order of the file: it notes where the leaves are and passes on
// the others.
type borrower struct {
	ipld.DAGService
	lent *lent
	from Sized
	at   int64 // where the next leaf begins, bytes
}

func (b *borrower) Add(ctx context.Context, n ipld.Node) error {
	raw, ok := n.(*merkledag.RawNode)
	if !ok {
		return b.DAGService.Add(ctx, n)
	}
	size := len(raw.RawData())
	b.lent.note(raw.Cid(), leaf{b.from, b.at, size})
	b.at += int64(size)
	return nil
}
