package data

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	ft "github.com/ipfs/boxo/ipld/unixfs"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// ErrNotLocal means that a block is not in this store.
var ErrNotLocal = errors.New("not in the local data store")

func notLocal(c cid.Cid) error { return fmt.Errorf("%s: %w", c, ErrNotLocal) }

type kind int

const (
	fileNode kind = iota + 1
	dirNode
	shardNode // part of a large directory
	symlinkNode
)

func (k kind) String() string {
	return [...]string{"none", "file", "directory", "directory shard", "symlink"}[k]
}

// node is one decoded UnixFS block.
type node struct {
	cid    cid.Cid
	kind   kind
	data   []byte // file: bytes before the first child; symlink: target
	size   int64  // file: bytes in all
	links  []*ipld.Link
	ends   []int64 // file: where child i ends, in bytes from the file's start
	fanout uint64  // shard: slots
}

// block reads and verifies one block. A block that is damaged on disk counts as
// absent, so that it is fetched again.
func (s *Store) block(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if err := checkCID(c); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	b, err := s.blocks.Get(ctx, c)
	switch {
	case ipld.IsNotFound(err), errors.Is(err, blockstore.ErrHashMismatch):
		return nil, notLocal(c)
	case err != nil:
		return nil, fmt.Errorf("read block %s: %w", c, err)
	}
	return b, nil
}

// node reads and decodes one UnixFS block.
func (s *Store) node(ctx context.Context, c cid.Cid) (*node, error) {
	b, err := s.block(ctx, c)
	if err != nil {
		return nil, err
	}
	n, err := decode(c, b.RawData())
	if err != nil {
		return nil, fmt.Errorf("%s is not valid UnixFS: %w", c, err)
	}
	return n, nil
}

func decode(c cid.Cid, raw []byte) (*node, error) {
	if c.Prefix().Codec == cid.Raw {
		return &node{cid: c, kind: fileNode, data: raw, size: int64(len(raw))}, nil
	}
	pb, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		return nil, err
	}
	fs, err := ft.FSNodeFromBytes(pb.Data())
	if err != nil {
		return nil, err
	}
	n := &node{cid: c, data: fs.Data(), links: pb.Links(), fanout: fs.Fanout()}
	switch fs.Type() {
	case ft.TDirectory:
		n.kind = dirNode
	case ft.THAMTShard:
		n.kind = shardNode
	case ft.TSymlink:
		n.kind = symlinkNode
	case ft.TFile, ft.TRaw:
		n.kind = fileNode
		return n, n.measure(fs)
	default:
		return nil, fmt.Errorf("unsupported node type %v", fs.Type())
	}
	return n, nil
}

// measure fills in where each child of a file lies and checks that the sizes
// which the node claims agree with each other.
func (n *node) measure(fs *ft.FSNode) error {
	if fs.NumChildren() != len(n.links) {
		return fmt.Errorf("%d children and %d sizes", len(n.links), fs.NumChildren())
	}
	n.size = int64(len(n.data))
	n.ends = make([]int64, len(n.links))
	for i := range n.links {
		size := fs.BlockSize(i)
		if size > uint64(math.MaxInt64-n.size) {
			return errors.New("file size overflows")
		}
		n.size += int64(size)
		n.ends[i] = n.size
	}
	if declared := fs.FileSize(); declared != uint64(n.size) {
		return fmt.Errorf("file claims %d bytes and has %d", declared, n.size)
	}
	return nil
}
