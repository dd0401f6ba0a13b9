package data

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ipfs/go-cid"
)

// An outline tells every file's name and size, and has brought next to nothing.
func TestOutline(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	files := many(6000) // in a sharded directory
	files["deep/down/big"] = Bytes(pattern(1, 5<<20))
	files["deep/small"] = Bytes(pattern(2, 1<<20))
	root := must(src.AddFiles(ctx, files))(t)
	other := must(src.AddFile(ctx, bytes.NewReader(pattern(3, 3<<20))))(t)
	p := serve(t, src.Handler())
	f := &Fetcher{Store: dst, HTTP: local}
	if err := f.Outline(ctx, []cid.Cid{root, other}, []string{"http://127.0.0.1:1", p.URL}); err != nil {
		t.Fatal(err)
	}
	listed := func(s *Store, c cid.Cid) (all []Entry) {
		t.Helper()
		err := s.Walk(ctx, c, func(path string, e Entry) error {
			e.Name = path
			all = append(all, e)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, c := range []cid.Cid{root, other} {
		got, want := listed(dst, c), listed(src, c)
		if len(got) != len(want) {
			t.Fatalf("%d files of %s, want %d", len(got), c, len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("file %+v, want %+v", got[i], want[i])
			}
		}
	}
	if brought := countBlocks(t, dst); brought != p.count("raw") || p.count("car") > 0 {
		t.Errorf("%d blocks came in requests %v", brought, p.requests)
	}
	for _, path := range []string{"deep/small", "deep/down/big"} {
		c := must(src.Resolve(ctx, root, path))(t)
		if missing := must(dst.missing(ctx, []cid.Cid{c}, false))(t); len(missing) == 0 {
			t.Errorf("the content of %s came too", path)
		}
	}
	if pins := must(dst.Pins(ctx))(t); len(pins) > 0 {
		t.Error("an outline is pinned")
	}
	p.Close()
	if err := f.Outline(ctx, []cid.Cid{root, other}, nil); err != nil {
		t.Errorf("what is here is asked for again: %v", err)
	}
	var absent *NotFoundError
	if err := f.Fetch(ctx, root, nil); !errors.As(err, &absent) {
		t.Errorf("after an outline, the DAG is said to be here: %v", err)
	}
}

func TestOutlineErrors(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	empty := serve(t, open(t).Handler())
	f := &Fetcher{Store: dst, HTTP: local, Own: Sources{Gateways: []string{serve(t, src.Handler()).URL}}}
	var absent *NotFoundError
	err := f.Outline(ctx, []cid.Cid{root}, []string{empty.URL})
	if !errors.As(err, &absent) || absent.CID != root || len(absent.Tried) != 1 {
		t.Errorf("what no provider has: %v", err)
	}
	bad := craft(t, src, []byte("no UnixFS"))
	p := serve(t, src.Handler())
	if err := f.Outline(ctx, []cid.Cid{bad}, []string{p.URL}); err == nil || errors.As(err, &absent) {
		t.Errorf("what is no file: %v", err)
	}
	if err := f.Within(100).Outline(ctx, []cid.Cid{root}, []string{p.URL}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("beyond the bound: %v", err)
	}
}
