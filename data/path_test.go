package data

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/ipfs/go-cid"
)

// folder writes files, by path, to a new folder.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var sampleFiles = map[string][]byte{"a": []byte("hello"), "empty": nil, "sub/big": pattern(1, 3<<20+5), "sub/deep/c": []byte("c")}

func TestAddPathEqualsAddFiles(t *testing.T) {
	ctx, s := t.Context(), open(t)
	dir := folder(t, sampleFiles)
	var done int64
	got := must(s.AddPath(ctx, dir, AddOptions{Progress: func(n int64) {
		if n < done {
			t.Errorf("progress goes back from %d to %d", done, n)
		}
		done = n
	}}))(t)
	if want := sample(t, s); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if done != 3<<20+11 {
		t.Errorf("progress ends at %d bytes, want %d", done, 3<<20+11)
	}
	file := must(s.AddPath(ctx, filepath.Join(dir, "a"), AddOptions{}))(t)
	if file != specCID(cid.Raw, []byte("hello")) {
		t.Errorf("file alone: got %s", file)
	}
}

func TestAddPathHiddenAndEmpty(t *testing.T) {
	ctx, s := t.Context(), open(t)
	dir := folder(t, map[string][]byte{".secret": []byte("x"), ".git/config": []byte("y")})
	if got := must(s.AddPath(ctx, dir, AddOptions{}))(t); got.String() != emptyDirCID {
		t.Errorf("got %s, want the empty directory", got)
	}
	want := must(s.AddFiles(ctx, map[string]Source{".secret": Bytes([]byte("x")), ".git/config": Bytes([]byte("y"))}))(t)
	if got := must(s.AddPath(ctx, dir, AddOptions{Hidden: true}))(t); got != want {
		t.Errorf("with hidden files: got %s, want %s", got, want)
	}
}

func TestAddPathRefuses(t *testing.T) {
	ctx, s := t.Context(), open(t)
	dir := folder(t, map[string][]byte{"ok": []byte("x")})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddPath(ctx, dir, AddOptions{}); err == nil || !strings.Contains(err.Error(), "link is a symlink") {
		t.Errorf("symlink: got %v", err)
	}
	// The path that the user names may be a symlink: it is what they mean.
	alias := filepath.Join(t.TempDir(), "alias")
	if err := os.Symlink(filepath.Join(dir, "ok"), alias); err != nil {
		t.Fatal(err)
	}
	must(s.AddPath(ctx, alias, AddOptions{}))(t)
	pipes := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(pipes, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddPath(ctx, pipes, AddOptions{}); err == nil || !strings.Contains(err.Error(), "neither a file nor a folder") {
		t.Errorf("pipe: got %v", err)
	}
	if _, err := s.AddPath(ctx, filepath.Join(dir, "absent"), AddOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: got %v", err)
	}
}

func TestAddFilesLinks(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	sub := must(s.Resolve(ctx, root, "sub"))(t)
	a := must(s.Resolve(ctx, root, "a"))(t)
	got := must(s.AddFiles(ctx, map[string]Source{"a": Link(a), "empty": Reader(strings.NewReader("")), "sub": Link(sub)}))(t)
	if got != root {
		t.Errorf("from links: got %s, want %s", got, root)
	}
	if _, err := s.AddFiles(ctx, map[string]Source{"x": Link(specCID(cid.Raw, []byte("absent")))}); !errors.Is(err, ErrNotLocal) {
		t.Errorf("link to nothing: got %v, want ErrNotLocal", err)
	}
}

func TestAddFilesRefuses(t *testing.T) {
	ctx, s := t.Context(), open(t)
	x := Bytes([]byte("x"))
	for _, files := range []map[string]Source{
		{"": x}, {"/a": x}, {"a/": x}, {"a//b": x}, {"../a": x}, {"a/./b": x}, {"a\x00": x},
		{"a": x, "a/b": x}, {"a": {}},
	} {
		if c, err := s.AddFiles(ctx, files); err == nil {
			t.Errorf("%v became %s", files, c)
		}
	}
	for _, broken := range []error{errors.New("broken"), io.ErrUnexpectedEOF} {
		for _, n := range []int{0, 10, 1 << 20} {
			r := io.MultiReader(bytes.NewReader(pattern(1, n)), iotest.ErrReader(broken))
			if _, err := s.AddFiles(ctx, map[string]Source{"a": Reader(r)}); !errors.Is(err, broken) {
				t.Errorf("after %d bytes: got %v, want the reader's error %v", n, err, broken)
			}
		}
	}
	if pins := must(s.Pins(ctx))(t); len(pins) != 0 {
		t.Errorf("failures left the pins %v", pins)
	}
}

func TestExport(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	parent := t.TempDir()
	dst := filepath.Join(parent, "out")
	if err := s.Export(ctx, root, dst); err != nil {
		t.Fatal(err)
	}
	for path, want := range sampleFiles {
		if got, err := os.ReadFile(filepath.Join(dst, path)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, error %v", path, len(got), err)
		}
	}
	if got := must(s.AddPath(ctx, dst, AddOptions{}))(t); got != root {
		t.Errorf("read back it is %s, want %s", got, root)
	}
	if err := s.Export(ctx, root, dst); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("second export: got %v", err)
	}
	one := filepath.Join(parent, "one")
	if err := s.Export(ctx, must(s.Resolve(ctx, root, "a"))(t), one); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(one); err != nil || string(got) != "hello" {
		t.Errorf("one file: %q, error %v", got, err)
	}
	if names := must(os.ReadDir(parent))(t); len(names) != 2 {
		t.Errorf("left beside the results: %v", names)
	}
}

// An export that fails half way leaves nothing.
func TestExportIncomplete(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	big := must(s.links(ctx, must(s.Resolve(ctx, root, "sub/big"))(t), false))(t)
	if err := s.blocks.DeleteBlock(ctx, big[2]); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	if err := s.Export(ctx, root, filepath.Join(parent, "out")); !errors.Is(err, ErrNotLocal) {
		t.Errorf("got %v, want ErrNotLocal", err)
	}
	if names := must(os.ReadDir(parent))(t); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

func BenchmarkAddFile(b *testing.B) {
	const size = 256 << 20
	content := pattern(8, size)
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		s := must(OpenStore(b.TempDir()))(b)
		b.StartTimer()
		must(s.AddFile(b.Context(), bytes.NewReader(content)))(b)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
