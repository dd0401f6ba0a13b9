package data

import (
	"bytes"
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
