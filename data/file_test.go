package data

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/ipfs/boxo/blockstore"
	ft "github.com/ipfs/boxo/ipld/unixfs"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// counting is a blockstore that notes which blocks are read.
type counting struct {
	blockstore.Blockstore
	mu   sync.Mutex
	gets []cid.Cid
}

func (k *counting) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	k.mu.Lock()
	k.gets = append(k.gets, c)
	k.mu.Unlock()
	return k.Blockstore.Get(ctx, c)
}

func TestReadTouchesOnlyItsPath(t *testing.T) {
	ctx, s := t.Context(), open(t)
	content := pattern(1, 20<<20+123)
	c := must(s.AddFile(ctx, bytes.NewReader(content)))(t)
	leaves := must(s.links(ctx, c, false))(t)
	count := &counting{Blockstore: s.blocks}
	s.blocks = count
	f := must(s.Open(ctx, c))(t)
	if len(count.gets) != 1 || count.gets[0] != c {
		t.Errorf("opening took the blocks %v, want the root %v", count.gets, c)
	}
	count.gets = nil
	got := make([]byte, 4096)
	for _, off := range []int64{10<<20 + 5000, 10<<20 + 9096} {
		if _, err := f.ReadAt(got, off); err != nil || !bytes.Equal(got, content[off:off+4096]) {
			t.Fatalf("at %d: wrong bytes, error %v", off, err)
		}
	}
	if len(count.gets) != 1 || count.gets[0] != leaves[10] {
		t.Errorf("reading twice from one leaf took the blocks %v, want one get of %v", count.gets, leaves[10])
	}
	count.gets = nil
	if _, err := f.ReadAt(got, 5<<20-1000); err != nil || !bytes.Equal(got, content[5<<20-1000:][:4096]) {
		t.Fatalf("across a border: wrong bytes, error %v", err)
	}
	if len(count.gets) != 2 {
		t.Errorf("a read across a border took %d blocks, want 2", len(count.gets))
	}
}

func TestFileIsAReader(t *testing.T) {
	ctx, s := t.Context(), open(t)
	content := pattern(2, 2<<20+77)
	f := must(s.Open(ctx, must(s.AddFile(ctx, bytes.NewReader(content)))(t)))(t)
	if f.Size() != int64(len(content)) {
		t.Errorf("size %d, want %d", f.Size(), len(content))
	}
	if err := iotest.TestReader(f, content); err != nil {
		t.Error(err)
	}
}

func TestReadAtConcurrently(t *testing.T) {
	ctx, s := t.Context(), open(t)
	content := pattern(3, 9<<20)
	f := must(s.Open(ctx, must(s.AddFile(ctx, bytes.NewReader(content)))(t)))(t)
	var group sync.WaitGroup
	for seed := range 4 {
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 0))
			for range 50 {
				off, p := r.Int64N(int64(len(content))), make([]byte, r.IntN(3<<20))
				n, err := f.ReadAt(p, off)
				if want := min(len(p), len(content)-int(off)); n != want || (err != nil) != (n < len(p)) || !bytes.Equal(p[:n], content[off:][:n]) {
					t.Errorf("at %d: %d bytes of %d, error %v", off, n, len(p), err)
				}
			}
		})
	}
	group.Wait()
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	ctx, s := t.Context(), open(t)
	if _, err := s.Open(ctx, sample(t, s)); err == nil || !strings.Contains(err.Error(), "is a directory, not a file") {
		t.Errorf("directory: got %v", err)
	}
	if _, err := s.Open(ctx, cid.MustParse(emptyFileCID)); err != nil {
		t.Errorf("empty file of the sample: %v", err)
	}
	if _, err := s.Open(ctx, specCID(cid.Raw, []byte("nowhere"))); !errors.Is(err, ErrNotLocal) {
		t.Errorf("absent: got %v, want ErrNotLocal", err)
	}
}

// File DAGs whose sizes contradict each other give an error and never wrong or
// missing bytes.
func TestHostileFileSizes(t *testing.T) {
	ctx, s := t.Context(), open(t)
	leaf := must(s.AddFile(ctx, strings.NewReader("0123456789")))(t)
	link := &ipld.Link{Cid: leaf, Size: 10}
	const most = 1<<63 - 1
	for name, c := range map[string]cid.Cid{
		"total too large":      craft(t, s, specFile(11, 10), link),
		"total too small":      craft(t, s, specFile(9, 10), link),
		"leaf too large":       craft(t, s, specFile(11, 11), link),
		"leaf too small":       craft(t, s, specFile(9, 9), link),
		"one size, two links":  craft(t, s, specFile(10, 10), link, link),
		"two sizes, one link":  craft(t, s, specFile(20, 10, 10), link),
		"overflow":             craft(t, s, specFile(most, most, most), link, link),
		"beyond int64":         craft(t, s, specFile(1<<63, 1<<63), link),
		"directory as a child": craft(t, s, specFile(10, 10), &ipld.Link{Cid: craftDir(t, s)}),
		"not UnixFS":           craft(t, s, []byte("\xff\xff"), link),
	} {
		f, err := s.Open(ctx, c)
		if err == nil {
			_, err = io.Copy(io.Discard, f)
		}
		if err == nil || !strings.Contains(err.Error(), "not valid UnixFS") {
			t.Errorf("%s: got %v, want an error", name, err)
		}
	}
}

// Each level claims twice the size of the one below: 41 blocks, 10^13 bytes.
func TestFileBomb(t *testing.T) {
	ctx, s := t.Context(), open(t)
	at, size := must(s.AddFile(ctx, strings.NewReader("0123456789")))(t), uint64(10)
	for range 40 {
		l := &ipld.Link{Cid: at}
		at, size = craft(t, s, specFile(2*size, size, size), l, l), 2*size
	}
	f := must(s.Open(ctx, at))(t)
	if _, err := f.Read(make([]byte, 10)); err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("got %v, want an error about the depth", err)
	}
	if err := s.Export(ctx, at, t.TempDir()+"/x"); !errors.Is(err, ErrDiskFull) {
		t.Errorf("export: got %v, want ErrDiskFull", err)
	}
}

// Files of other importers, with bytes in inner nodes and dag-pb leaves, read too.
func TestForeignFileLayouts(t *testing.T) {
	ctx, s := t.Context(), open(t)
	wrapped := craft(t, s, ft.WrapData([]byte("world")))
	inner := craft(t, s, bytes.Join([][]byte{varint(1, 2), message(2, []byte("hello ")), varint(3, 11), varint(4, 5)}, nil), &ipld.Link{Cid: wrapped})
	got := must(io.ReadAll(must(s.Open(ctx, inner))(t)))(t)
	if string(got) != "hello world" {
		t.Errorf("got %q", got)
	}
}

// One random read of 4 KiB from a file of 64 MiB: a block, verified.
func BenchmarkRandomRead(b *testing.B) {
	s := open(b)
	const size = 64 << 20
	f := must(s.Open(b.Context(), must(s.AddFile(b.Context(), bytes.NewReader(pattern(8, size))))(b)))(b)
	r := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.ReadAt(p, r.Int64N(size-4096)); err != nil {
			b.Fatal(err)
		}
	}
}
