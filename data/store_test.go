package data

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/ipfs/boxo/blockstore"
	dshelp "github.com/ipfs/boxo/datastore/dshelp"
	"github.com/ipfs/boxo/ipld/merkledag"
	ft "github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// open returns a fresh store.
func open(t testing.TB) *Store {
	t.Helper()
	return openAt(t, t.TempDir())
}

func openAt(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pattern returns n bytes that do not repeat and do not compress.
func pattern(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sample is a tree with directories, a file of several blocks and an empty one.
func sample(t testing.TB, s *Store) cid.Cid {
	t.Helper()
	return must(s.AddFiles(t.Context(), map[string]Source{
		"a":          Bytes([]byte("hello")),
		"empty":      Bytes(nil),
		"sub/big":    Bytes(pattern(1, 3<<20+5)),
		"sub/deep/c": Bytes([]byte("c")),
	}))(t)
}

// craft stores a dag-pb block as a hostile author could make it: any data, any
// links.
func craft(t testing.TB, s *Store, data []byte, links ...*ipld.Link) cid.Cid {
	t.Helper()
	n := merkledag.NodeWithData(data)
	if err := n.SetCidBuilder(profile.CidBuilder()); err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if err := n.AddRawLink(l.Name, l); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.blocks.Put(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return n.Cid()
}

func craftDir(t testing.TB, s *Store, links ...*ipld.Link) cid.Cid {
	return craft(t, s, ft.FolderPBData(), links...)
}

func TestSecondOpenSaysInUse(t *testing.T) {
	dir := t.TempDir()
	openAt(t, dir)
	if _, err := OpenStore(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func TestReopenKeepsPinsAndBlocks(t *testing.T) {
	dir := t.TempDir()
	s := must(OpenStore(dir))(t)
	root := sample(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir)
	if pins, err := s.Pins(t.Context()); err != nil || !slices.Equal(pins, []cid.Cid{root}) {
		t.Errorf("pins %v, error %v; want %v", pins, err, root)
	}
	if err := s.Verify(t.Context(), root); err != nil {
		t.Error(err)
	}
}

func TestUseAfterClose(t *testing.T) {
	s := must(OpenStore(t.TempDir()))(t)
	root := sample(t, s)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, addErr := s.AddFile(t.Context(), strings.NewReader("x"))
	_, listErr := s.List(t.Context(), root)
	_, pinsErr := s.Pins(t.Context())
	for i, err := range []error{addErr, listErr, pinsErr, s.Unpin(t.Context(), root)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d: got %v, want ErrClosed", i, err)
		}
	}
}

func TestPinNeedsTheWholeDAG(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	if err := s.Unpin(ctx, root); err != nil {
		t.Fatal(err)
	}
	if pinned := must(s.Pinned(ctx, root))(t); pinned {
		t.Error("still pinned after Unpin")
	}
	if err := s.Pin(ctx, root); err != nil {
		t.Error(err)
	}
	if pinned := must(s.Pinned(ctx, root))(t); !pinned {
		t.Error("not pinned after Pin")
	}
	if err := s.blocks.DeleteBlock(ctx, must(s.Resolve(ctx, root, "sub/deep/c"))(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.Pin(ctx, root); !errors.Is(err, ErrNotLocal) {
		t.Errorf("pin with a block missing: got %v, want ErrNotLocal", err)
	}
	if complete := must(s.Complete(ctx, root))(t); complete {
		t.Error("Complete with a block missing")
	}
}

// A block whose bytes were changed on disk is never returned as data, and adding
// the same content again repairs it.
func TestDamagedBlock(t *testing.T) {
	ctx, s := t.Context(), open(t)
	c := must(s.AddFile(ctx, strings.NewReader("precious")))(t)
	damage(t, s, c)
	if _, err := s.Open(ctx, c); !errors.Is(err, ErrNotLocal) {
		t.Errorf("Open: got %v, want ErrNotLocal", err)
	}
	if err := s.Verify(ctx, c); !errors.Is(err, ErrNotLocal) {
		t.Errorf("Verify: got %v, want ErrNotLocal", err)
	}
	must(s.AddFile(ctx, strings.NewReader("precious")))(t)
	if err := s.Verify(ctx, c); err != nil {
		t.Errorf("after adding it again: %v", err)
	}
}

// damage overwrites a stored block with other bytes under the same key.
func damage(t testing.TB, s *Store, c cid.Cid) {
	t.Helper()
	key := blockstore.BlockPrefix.Child(dshelp.MultihashToDsKey(c.Hash()))
	if err := s.engine.Put(t.Context(), key, []byte("other bytes")); err != nil {
		t.Fatal(err)
	}
}

// tightDisk is a disk with little space left.
type tightDisk struct {
	vfs.FS
	avail uint64
}

func (d *tightDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.avail}, nil
}

func newTightDisk(avail uint64) *tightDisk { return &tightDisk{FS: vfs.Default, avail: avail} }

func TestDiskFull(t *testing.T) {
	ctx := t.Context()
	disk := newTightDisk(1 << 40)
	s := must(openStore(t.TempDir(), disk))(t)
	root := sample(t, s)
	disk.avail = reserveBytes + 1000
	if _, err := s.AddFile(ctx, bytes.NewReader(pattern(2, 5000))); !errors.Is(err, ErrDiskFull) {
		t.Errorf("add: got %v, want ErrDiskFull", err)
	}
	if err := s.Verify(ctx, root); err != nil {
		t.Errorf("what was stored before: %v", err)
	}
	disk.avail = 1 << 40
	must(s.AddFile(ctx, bytes.NewReader(pattern(2, 5000))))(t)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A write that the disk refuses in the middle ends in an error, here and in every
// later write, and neither hangs nor ends the process.
func TestWriteErrorSurfaces(t *testing.T) {
	ctx := t.Context()
	var broken atomic.Bool
	fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && (op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSync) {
			return errorfs.ErrInjected
		}
		return nil
	})
	s := must(openStore(t.TempDir(), errorfs.Wrap(vfs.Default, fail)))(t)
	before := must(s.AddFile(ctx, strings.NewReader("before")))(t)
	broken.Store(true)
	if _, err := s.AddFile(ctx, bytes.NewReader(pattern(3, 1000))); err == nil {
		t.Fatal("a write that failed was acknowledged")
	}
	broken.Store(false)
	if _, err := s.AddFile(ctx, strings.NewReader("after")); err == nil {
		t.Error("a store that lost a write goes on writing")
	}
	if err := s.Pin(ctx, before); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	if err := s.Close(); err == nil {
		t.Error("Close does not tell")
	}
}

// A file of the database that was damaged on disk gives errors, not data and not
// the end of the process.
func TestDamagedDatabaseFile(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := must(OpenStore(dir))(t)
	root := must(s.AddFile(ctx, bytes.NewReader(pattern(4, 24<<20))))(t)
	if err := s.engine.db.DB.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := must(filepath.Glob(filepath.Join(dir, "blocks", "*.sst")))(t)
	if len(files) == 0 {
		t.Fatal("no database files to damage")
	}
	for _, f := range files {
		content := must(os.ReadFile(f))(t)
		content[len(content)/2] ^= 1
		if err := os.WriteFile(f, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := OpenStore(dir)
	if err != nil {
		return // noticed at once: as good
	}
	if err := s.Verify(ctx, root); err == nil {
		t.Error("damage is not noticed")
	}
	if err := s.Close(); err != nil {
		t.Logf("close: %v", err)
	}
}

func TestCancelledContext(t *testing.T) {
	s := open(t)
	root := sample(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, addErr := s.AddFile(ctx, bytes.NewReader(pattern(5, 10)))
	_, completeErr := s.Complete(ctx, root)
	for i, err := range []error{addErr, completeErr, s.Export(ctx, root, filepath.Join(t.TempDir(), "x"))} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("call %d: got %v, want context.Canceled", i, err)
		}
	}
}
