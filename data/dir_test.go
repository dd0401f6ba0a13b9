package data

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	ft "github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

func TestListAndResolve(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	entries := must(s.List(ctx, root))(t)
	sub := must(s.Resolve(ctx, root, "sub"))(t)
	want := []Entry{
		{Name: "a", CID: specCID(cid.Raw, []byte("hello")), Size: 5},
		{Name: "empty", CID: cid.MustParse(emptyFileCID)},
		{Name: "sub", CID: sub, Dir: true},
	}
	if !slices.Equal(entries, want) {
		t.Errorf("got  %v\nwant %v", entries, want)
	}
	if big := must(s.List(ctx, sub))(t)[0]; big.Name != "big" || big.Size != 3<<20+5 || big.Dir {
		t.Errorf("got %v, want the file big", big)
	}
	if got := must(s.Resolve(ctx, root, "/sub//deep/c/"))(t); got != specCID(cid.Raw, []byte("c")) {
		t.Errorf("sub/deep/c leads to %s", got)
	}
	if got := must(s.Resolve(ctx, root, ""))(t); got != root {
		t.Errorf("the empty path leads to %s", got)
	}
	for _, path := range []string{"b", "sub/x", "..", "sub/../a"} {
		if _, err := s.Resolve(ctx, root, path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v, want fs.ErrNotExist", path, err)
		}
	}
	if _, err := s.Resolve(ctx, root, "a/b"); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("below a file: got %v", err)
	}
	if _, err := s.List(ctx, entries[0].CID); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("listing a file: got %v", err)
	}
}

func TestShardedDirectory(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := must(s.AddFiles(ctx, many(6000)))(t)
	if n := must(s.node(ctx, root))(t); n.kind != shardNode {
		t.Fatalf("root is a %v, want a shard", n.kind)
	}
	entries := must(s.List(ctx, root))(t)
	if len(entries) != 6000 {
		t.Fatalf("%d entries, want 6000", len(entries))
	}
	for i, e := range entries {
		if want := fmt.Sprintf("file-%05d", i); e.Name != want || e.Size != 1 || e.CID != specCID(cid.Raw, []byte{byte(i)}) {
			t.Fatalf("entry %d is %v", i, e)
		}
	}
	if got := must(s.Resolve(ctx, root, "file-04321"))(t); got != specCID(cid.Raw, []byte{byte(4321 % 256)}) {
		t.Errorf("file-04321 leads to %s", got)
	}
	if size := must(s.Size(ctx, root))(t); size != 6000 {
		t.Errorf("size %d, want 6000", size)
	}
}

func walked(t *testing.T, s *Store, c cid.Cid) (paths []string) {
	t.Helper()
	if err := s.Walk(t.Context(), c, func(path string, e Entry) error {
		paths = append(paths, path)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestWalk(t *testing.T) {
	ctx, s := t.Context(), open(t)
	want := []string{"a-b", "a.txt", "a/b", "a/c/d", "z"} // '-' and '.' sort before '/'
	files := map[string]Source{}
	for _, path := range want {
		files[path] = Bytes([]byte(path))
	}
	root := must(s.AddFiles(ctx, files))(t)
	if got := walked(t, s, root); !slices.Equal(got, want) || !slices.IsSorted(got) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := walked(t, s, must(s.Resolve(ctx, root, "z"))(t)); !slices.Equal(got, []string{"."}) {
		t.Errorf("a file alone: got %q", got)
	}
	stop := errors.New("stop")
	calls := 0
	if err := s.Walk(ctx, root, func(string, Entry) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls, want fn's error after one", err, calls)
	}
}

func TestHostileNames(t *testing.T) {
	ctx, s := t.Context(), open(t)
	c := must(s.AddFile(ctx, strings.NewReader("x")))(t)
	for _, bad := range []string{"", ".", "..", "a/b", "/etc/passwd", "../../x", "a\x00b"} {
		root := craftDir(t, s, &ipld.Link{Name: bad, Cid: c})
		if _, err := s.List(ctx, root); err == nil || !strings.Contains(err.Error(), "cannot be a file name") {
			t.Errorf("%q: got %v", bad, err)
		}
		if err := s.Export(ctx, root, t.TempDir()+"/out"); err == nil {
			t.Errorf("%q: exported", bad)
		}
	}
	twice := craftDir(t, s, &ipld.Link{Name: "a", Cid: c}, &ipld.Link{Name: "a", Cid: c})
	if _, err := s.List(ctx, twice); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a name twice: got %v", err)
	}
}

func TestHostileShards(t *testing.T) {
	ctx, s := t.Context(), open(t)
	leaf := must(s.AddFile(ctx, strings.NewReader("x")))(t)
	shard := func(fanout uint64, links ...*ipld.Link) cid.Cid {
		return craft(t, s, must(ft.HAMTShardData(nil, fanout, 0x22))(t), links...)
	}
	bomb := shard(256, &ipld.Link{Name: "00a", Cid: leaf})
	for range 30 { // 2^30 names in 31 blocks
		bomb = shard(256, &ipld.Link{Name: "00", Cid: bomb}, &ipld.Link{Name: "01", Cid: bomb})
	}
	for name, c := range map[string]cid.Cid{
		"bomb":                 bomb,
		"no fanout":            shard(0, &ipld.Link{Name: "00a", Cid: leaf}),
		"short name":           shard(256, &ipld.Link{Name: "0", Cid: leaf}),
		"file in its place":    shard(256, &ipld.Link{Name: "00", Cid: leaf}),
		"parent as entry name": shard(256, &ipld.Link{Name: "00..", Cid: leaf}),
	} {
		if _, err := s.List(ctx, c); err == nil {
			t.Errorf("%s: listed", name)
		}
	}
}

// Directories nested so that a few blocks describe 2^60 files of one byte.
func TestDirectoryBomb(t *testing.T) {
	ctx, s := t.Context(), open(t)
	at := must(s.AddFile(ctx, strings.NewReader("x")))(t)
	for range 60 {
		at = craftDir(t, s, &ipld.Link{Name: "a", Cid: at, Size: 1}, &ipld.Link{Name: "b", Cid: at, Size: 1})
	}
	if size := must(s.Size(ctx, at))(t); size != 1<<60 {
		t.Errorf("size %d, want 2^60", size)
	}
	if err := s.Export(ctx, at, t.TempDir()+"/out"); !errors.Is(err, ErrDiskFull) {
		t.Errorf("export: got %v, want ErrDiskFull", err)
	}
	for range maxDepth {
		at = craftDir(t, s, &ipld.Link{Name: "a", Cid: at})
	}
	_, sizeErr := s.Size(ctx, at)
	for i, err := range []error{sizeErr, s.Walk(ctx, at, func(string, Entry) error { return nil })} {
		if err == nil || !strings.Contains(err.Error(), "too deep") {
			t.Errorf("call %d: got %v, want an error about the depth", i, err)
		}
	}
}

func TestSymlinksAreNotFollowed(t *testing.T) {
	ctx, s := t.Context(), open(t)
	link := craft(t, s, must(ft.SymlinkData("/etc/passwd"))(t))
	file := must(s.AddFile(ctx, bytes.NewReader([]byte("x"))))(t)
	root := craftDir(t, s, &ipld.Link{Name: "f", Cid: file, Size: 1}, &ipld.Link{Name: "l", Cid: link})
	if e := must(s.List(ctx, root))(t)[1]; !e.Symlink || e.Dir {
		t.Errorf("listed as %v", e)
	}
	if got := walked(t, s, root); !slices.Equal(got, []string{"f"}) {
		t.Errorf("walked %q", got)
	}
	if err := s.Export(ctx, root, t.TempDir()+"/out"); err == nil || !strings.Contains(err.Error(), "symlink") {
		t.Errorf("export: got %v", err)
	}
	if _, err := s.Open(ctx, link); err == nil {
		t.Error("opened a symlink")
	}
}
