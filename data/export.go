package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/ipfs/go-cid"
)

// Export writes the file or directory c to disk at dst, which must not exist
// yet. What appears there is complete: the work is done in a hidden folder
// beside dst, which a crash may leave behind. No name in the DAG leads outside
// of it. A symlink in the DAG is an error.
func (s *Store) Export(ctx context.Context, c cid.Cid, dst string) (err error) {
	if _, err := os.Lstat(dst); err == nil {
		return fmt.Errorf("export: %s exists already: remove it or choose another place", dst)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("export: %w", err)
	}
	dst = filepath.Clean(dst)
	work, err := os.MkdirTemp(filepath.Dir(dst), "."+filepath.Base(dst)+".partial-*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := s.fits(ctx, c, work); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	root, err := os.OpenRoot(work)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer root.Close()
	x := &exporter{ctx: ctx, store: s, root: root}
	const name = "export"
	if err := x.node(c, name, maxDepth); err != nil {
		return fmt.Errorf("export %s: %w", c, err)
	}
	if _, err := os.Lstat(dst); err == nil {
		return fmt.Errorf("export: %s has appeared meanwhile: remove it or choose another place", dst)
	}
	if err := os.Rename(filepath.Join(work, name), dst); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return syncDir(filepath.Dir(dst))
}

// fits refuses early what the disk cannot hold: a DAG of a few blocks can claim
// any number of bytes.
func (s *Store) fits(ctx context.Context, c cid.Cid, dir string) error {
	need, err := s.Size(ctx, c)
	if err != nil {
		return err
	}
	disk := vfs.Default
	if s.engine != nil {
		disk = s.engine.fs
	}
	usage, err := disk.GetDiskUsage(dir)
	if err != nil {
		return err
	}
	if need > usage.AvailBytes {
		return fmt.Errorf("%w: %s needs %d MiB and %s has %d", ErrDiskFull, c, need>>20, filepath.Dir(dir), usage.AvailBytes>>20)
	}
	return nil
}

type exporter struct {
	ctx   context.Context
	store *Store
	root  *os.Root
}

func (x *exporter) node(c cid.Cid, path string, depth int) error {
	n, err := x.store.node(x.ctx, c)
	if err != nil {
		return err
	}
	switch {
	case n.kind == fileNode:
		return x.file(c, path)
	case n.isDir() && depth > 0:
		return x.dir(n, path, depth-1)
	case n.isDir():
		return errors.New("directories nest too deep")
	}
	return fmt.Errorf("%q is a %v, which is not exported", path, n.kind)
}

func (x *exporter) dir(n *node, path string, depth int) error {
	if err := x.root.Mkdir(path, 0o755); err != nil {
		return err
	}
	links, err := x.store.names(x.ctx, n)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := x.node(l.cid, filepath.Join(path, l.name), depth); err != nil {
			return err
		}
	}
	d, err := x.root.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (x *exporter) file(c cid.Cid, path string) error {
	r, err := x.store.Open(x.ctx, c)
	if err != nil {
		return err
	}
	w, err := x.root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	// Hiding Size and Seek makes io.Copy use the large buffer.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	return errors.Join(err, w.Sync(), w.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}
