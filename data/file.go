package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"

	"github.com/ipfs/go-cid"
)

const (
	maxFileDepth   = 16 // levels of a file DAG; 1024 links per level reach far beyond 2^63 bytes
	cachedLeaves   = 4  // up to 1 MiB each
	cachedInterior = 64 // about 100 KiB each
)

// File reads a file of the store. It touches only the blocks on the way to the
// bytes asked for and never reads ahead. ReadAt may be called concurrently; Read
// and Seek share one position and may not.
type File struct {
	ctx   context.Context
	store *Store
	root  *node
	pos   int64

	mu       sync.Mutex
	interior cache
	leaves   cache
}

var _ interface {
	io.ReadSeeker
	io.ReaderAt
} = (*File)(nil)

// Open opens the file c. Reads end with the context's error once ctx is done,
// and with ErrNotLocal where a block is not in the store.
func (s *Store) Open(ctx context.Context, c cid.Cid) (*File, error) {
	n, err := s.node(ctx, c)
	if err != nil {
		return nil, err
	}
	if n.kind != fileNode {
		return nil, fmt.Errorf("%s is a %v, not a file", c, n.kind)
	}
	return &File{ctx: ctx, store: s, root: n, interior: cache{limit: cachedInterior}, leaves: cache{limit: cachedLeaves}}, nil
}

// Size returns the file's length in bytes.
func (f *File) Size() int64 { return f.root.size }

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= f.root.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > f.root.size-off
	if short {
		p = p[:f.root.size-off]
	}
	n, err := f.read(f.root, p, off, maxFileDepth)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// Read implements io.Reader.
func (f *File) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.root.size
	default:
		return f.pos, fmt.Errorf("unknown whence %d", whence)
	}
	if offset < 0 {
		return f.pos, errors.New("negative position")
	}
	f.pos = offset
	return offset, nil
}

// read fills p with the bytes of n from off on; they must lie within n.
func (f *File) read(n *node, p []byte, off int64, depth int) (int, error) {
	if depth == 0 {
		return 0, errors.New("file DAG is too deep")
	}
	done := 0
	if off < int64(len(n.data)) {
		done = copy(p, n.data[off:])
	}
	for done < len(p) {
		at := off + int64(done)
		i := sort.Search(len(n.ends), func(i int) bool { return n.ends[i] > at })
		start := int64(len(n.data))
		if i > 0 {
			start = n.ends[i-1]
		}
		child, err := f.child(n, i, n.ends[i]-start)
		if err != nil {
			return done, err
		}
		want := min(int64(len(p)-done), n.ends[i]-at)
		m, err := f.read(child, p[done:done+int(want)], at-start, depth-1)
		done += m
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// child returns child i of n, which must have the size that n claims for it.
func (f *File) child(n *node, i int, size int64) (*node, error) {
	c := n.links[i].Cid
	f.mu.Lock()
	child := f.interior.get(c)
	if child == nil {
		child = f.leaves.get(c)
	}
	f.mu.Unlock()
	if child == nil {
		var err error
		if child, err = f.store.node(f.ctx, c); err != nil {
			return nil, err
		}
		f.mu.Lock()
		if len(child.links) > 0 {
			f.interior.put(child)
		} else {
			f.leaves.put(child)
		}
		f.mu.Unlock()
	}
	if child.kind != fileNode || child.size != size {
		return nil, fmt.Errorf("%s is not valid UnixFS: child %s is a %v of %d bytes, claimed is a file of %d", n.cid, c, child.kind, child.size, size)
	}
	return child, nil
}

// cache holds the nodes used last, oldest first. It is small enough to search.
type cache struct {
	limit int
	nodes []*node
}

func (k *cache) get(c cid.Cid) *node {
	for i := len(k.nodes) - 1; i >= 0; i-- {
		if n := k.nodes[i]; n.cid == c {
			k.nodes = append(slices.Delete(k.nodes, i, i+1), n)
			return n
		}
	}
	return nil
}

func (k *cache) put(n *node) {
	if len(k.nodes) == k.limit {
		k.nodes = slices.Delete(k.nodes, 0, 1)
	}
	k.nodes = append(k.nodes, n)
}
