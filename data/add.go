package data

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	chunk "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// AddOptions says how AddPath reads a folder.
type AddOptions struct {
	Hidden   bool             // include names that begin with a dot
	Progress func(done int64) // called with the bytes of files read so far
}

// AddFile stores the bytes of r as one file and pins it. A file of at most 1 MiB
// is a single raw block.
func (s *Store) AddFile(ctx context.Context, r io.Reader) (cid.Cid, error) {
	return s.add(ctx, nil, func(im *importer) (ipld.Node, error) { return im.file(r, im.dag) })
}

// AddPath stores the file or folder at path and pins it. Empty folders are kept;
// modes and times are not. Below path, symlinks and special files are an error,
// because a job could not see them as they are.
func (s *Store) AddPath(ctx context.Context, path string, o AddOptions) (cid.Cid, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	folder := real
	if !info.IsDir() {
		folder = filepath.Dir(real)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	defer root.Close()
	return s.add(ctx, o.Progress, func(im *importer) (ipld.Node, error) {
		if info.IsDir() {
			return im.diskDir(root, ".", o.Hidden)
		}
		return im.diskFile(root, filepath.Base(real), info)
	})
}

// importer turns bytes and folders into UnixFS nodes of the profile.
type importer struct {
	ctx      context.Context
	store    *Store
	dag      *ipld.BufferedDAG
	done     int64 // bytes of files read
	progress func(int64)
}

var profile = uio.UnixFS_v1_2025

// add builds a DAG and acknowledges it: blocks, then pin, each on disk before
// the next.
func (s *Store) add(ctx context.Context, progress func(int64), build func(*importer) (ipld.Node, error)) (cid.Cid, error) {
	if err := s.writers.enter(ctx); err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	defer s.writers.leave()
	root, err := s.build(ctx, progress, build)
	if err != nil {
		return cid.Undef, fmt.Errorf("add: %w", err)
	}
	return root, s.pin(ctx, root)
}

// build stores a DAG without a pin.
func (s *Store) build(ctx context.Context, progress func(int64), build func(*importer) (ipld.Node, error)) (cid.Cid, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends commits in flight when build fails
	im := &importer{ctx: ctx, store: s, progress: progress,
		dag: ipld.NewBufferedDAG(ctx, s.dag, ipld.MaxSizeBatchOption(16<<20), ipld.MaxNodesBatchOption(4096))}
	root, err := build(im)
	if err == nil {
		err = im.dag.Add(ctx, root)
	}
	if err == nil {
		err = im.dag.Commit()
	}
	if err != nil {
		return cid.Undef, err
	}
	return root.Cid(), nil
}

// file stores one file in dag; its root node may still be waiting in the buffer.
func (im *importer) file(r io.Reader, dag ipld.DAGService) (ipld.Node, error) {
	params := helpers.DagBuilderParams{
		Maxlinks: profile.FileDAGWidth, RawLeaves: profile.RawLeaves,
		CidBuilder: profile.CidBuilder(), Dagserv: dag,
	}
	in := &meter{im: im, r: r}
	builder, err := params.New(chunk.NewSizeSplitter(in, profile.ChunkSize))
	if err != nil {
		return nil, err
	}
	n, err := balanced.Layout(builder)
	// The chunker takes io.ErrUnexpectedEOF, which says that the input is cut off,
	// for the end of the file.
	if in.err != nil {
		return nil, in.err
	}
	return n, err
}

func (im *importer) newDir() (uio.Directory, error) {
	return uio.NewDirectory(im.dag, uio.WithCidBuilder(profile.CidBuilder()),
		uio.WithMaxHAMTFanout(profile.HAMTShardWidth), uio.WithSizeEstimationMode(profile.HAMTSizeEstimation))
}

// finish returns the node of a directory whose entries are all added.
func (im *importer) finish(dir uio.Directory) (ipld.Node, error) {
	n, err := dir.GetNode()
	if err != nil {
		return nil, err
	}
	return n, im.dag.Add(im.ctx, n)
}

// diskDir stores the folder at path below root, which no name can leave.
func (im *importer) diskDir(root *os.Root, path string, hidden bool) (ipld.Node, error) {
	entries, err := readDir(root, path)
	if err != nil {
		return nil, err
	}
	dir, err := im.newDir()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !hidden && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		child := filepath.Join(path, e.Name())
		info, err := root.Lstat(child)
		if err != nil {
			return nil, err
		}
		var n ipld.Node
		if info.IsDir() {
			n, err = im.diskDir(root, child, hidden)
		} else {
			n, err = im.diskFile(root, child, info)
		}
		if err != nil {
			return nil, err
		}
		if err := dir.AddChild(im.ctx, e.Name(), n); err != nil {
			return nil, fmt.Errorf("%s: %w", child, err)
		}
	}
	return im.finish(dir)
}

func (im *importer) diskFile(root *os.Root, path string, info fs.FileInfo) (ipld.Node, error) {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symlink: replace it with what it points to, or remove it", filepath.Join(root.Name(), path))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a file nor a folder (%v): remove it", filepath.Join(root.Name(), path), info.Mode())
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := im.file(f, im.dag)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

func readDir(root *os.Root, path string) ([]os.DirEntry, error) {
	f, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// meter counts what the importer reads and ends it when the context does.
type meter struct {
	im  *importer
	r   io.Reader
	err error // how reading failed
}

func (m *meter) Read(p []byte) (int, error) {
	if m.im.ctx.Err() != nil {
		return 0, context.Cause(m.im.ctx)
	}
	n, err := m.r.Read(p)
	if err != nil && err != io.EOF {
		m.err = err
	}
	m.im.done += int64(n)
	if m.im.progress != nil && n > 0 {
		m.im.progress(m.im.done)
	}
	return n, err
}
