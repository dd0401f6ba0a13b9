package data

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestScratchGivesTheSameCIDsAndAWholeCAR(t *testing.T) {
	ctx := t.Context()
	store, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	files := func() map[string]Source {
		return map[string]Source{"a/b": Bytes(bytes.Repeat([]byte("x"), 3<<20)), "c": Bytes(nil)}
	}
	want, err := store.AddFiles(ctx, files())
	if err != nil {
		t.Fatal(err)
	}
	s := NewScratch()
	inner, err := s.AddFiles(ctx, files())
	if err != nil || inner != want {
		t.Fatalf("scratch gives %s, %v; the store %s", inner, err, want)
	}
	root, err := s.AddFiles(ctx, map[string]Source{"linked": Link(inner), "d": Bytes([]byte("d"))})
	if err != nil {
		t.Fatal(err)
	}
	var car bytes.Buffer
	if err := s.ExportCAR(ctx, root, &car); err != nil {
		t.Fatal(err)
	}
	missing, err := store.ImportCAR(ctx, &car, root, Limits{})
	if err != nil || len(missing) > 0 {
		t.Fatalf("import: missing %v, %v", missing, err)
	}
	if got, err := store.Resolve(ctx, root, "linked"); err != nil || got != want {
		t.Errorf("linked directory is %s, %v; want %s", got, err, want)
	}
}

// made is content that exists only while it is read.
type made int64

func (m made) Size() int64 { return int64(m) }

func (m made) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), int64(m)-off))
	for i := range p[:n] {
		at := off + int64(i)
		p[i] = byte(at ^ at>>8 ^ at>>20)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// A scratch holds nothing of content that can be read again, and gives the same DAG as one that copies: of files of no, one and
// many leaves, and of a directory so large that it is sharded.
func TestScratchBorrows(t *testing.T) {
	files := func(source func(Sized) Source) map[string]Source {
		all := map[string]Source{"empty": source(made(0)), "one": source(made(1 << 20)), "many/leaves": source(made(5<<20 + 1))}
		for i := range 2000 {
			all[fmt.Sprintf("small/%0120d", i)] = source(made(i))
		}
		return all
	}
	scratch, plain := NewScratch(), NewScratch()
	have := must(scratch.AddFiles(t.Context(), files(At)))(t)
	want := must(plain.AddFiles(t.Context(), files(func(f Sized) Source { return Reader(io.NewSectionReader(f, 0, f.Size())) })))(t)
	if have != want {
		t.Errorf("%s of borrowed content, %s of copied content", have, want)
	}
	held := 0
	keys := must(scratch.store.lent.AllKeysChan(t.Context()))(t)
	for c := range keys {
		held += must(scratch.store.lent.Blockstore.GetSize(t.Context(), c))(t)
	}
	if held == 0 || held > 1<<20 {
		t.Errorf("the scratch holds %d bytes", held)
	}
	a, b := sha256.New(), sha256.New()
	if err := errors.Join(scratch.ExportCAR(t.Context(), have, a), plain.ExportCAR(t.Context(), want, b)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Sum(nil), b.Sum(nil)) {
		t.Error("the CARs differ")
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := scratch.Export(t.Context(), have, out); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(out, "many", "leaves")); err != nil || info.Size() != 5<<20+1 {
		t.Errorf("%v, %v", info, err)
	}
}

// Content that has changed since it was added is not sent.
func TestScratchChecksWhatItBorrows(t *testing.T) {
	scratch := NewScratch()
	content := []byte("as it was")
	root := must(scratch.AddFiles(t.Context(), map[string]Source{"a": At(bytes.NewReader(content))}))(t)
	content[0] = 'A'
	if err := scratch.ExportCAR(t.Context(), root, io.Discard); err == nil {
		t.Error("changed content is exported")
	}
}
