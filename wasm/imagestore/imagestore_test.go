package imagestore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	image = bytes.Repeat([]byte("native code "), 1000)
	key   = Key{Maker: "wasmtime", Module: [32]byte{1}, Memory: 16}
)

func open(t *testing.T, dir string, maxBytes int64) *Store {
	t.Helper()
	s, err := Open(dir, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, k Key, image []byte) {
	t.Helper()
	if err := s.Put(k, image); err != nil {
		t.Fatal(err)
	}
}

func TestImagesSurviveTheProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	put(t, open(t, dir, 1<<20), key, image)
	again := open(t, dir, 1<<20)
	if have, ok := again.Get(key); !ok || !bytes.Equal(have, image) {
		t.Error("the image is gone or changed")
	}
	for _, other := range []Key{
		{Maker: "wazero", Module: key.Module, Memory: key.Memory},
		{Maker: key.Maker, Module: [32]byte{2}, Memory: key.Memory},
		{Maker: key.Maker, Module: key.Module, Memory: 17},
	} {
		if _, ok := again.Get(other); ok {
			t.Errorf("%+v has an image that is not its own", other)
		}
	}
	again.build = []byte("another build")
	if _, ok := again.Get(key); ok {
		t.Error("another build takes the image")
	}
}

// only returns the one image file of a store.
func only(t *testing.T, s *Store) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return files[0]
}

// Every way to spoil a file must make it as good as none, and a new one must
// then take its place.
func TestSpoiltFilesAreNoImages(t *testing.T) {
	rewrite := func(change func([]byte) []byte) func(*testing.T, *Store, string) {
		return func(t *testing.T, _ *Store, file string) {
			sealed, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, change(sealed), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(at int) func(*testing.T, *Store, string) {
		return rewrite(func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b })
	}
	for what, spoil := range map[string]func(*testing.T, *Store, string){
		"first byte":  flip(0),
		"name":        flip(12),
		"tag":         flip(overhead - 1),
		"native code": flip(overhead),
		"last byte":   flip(-1),
		"empty":       rewrite(func([]byte) []byte { return nil }),
		"cut":         rewrite(func(b []byte) []byte { return b[:len(b)-1] }),
		"head only":   rewrite(func(b []byte) []byte { return b[:overhead] }),
		"longer":      rewrite(func(b []byte) []byte { return append(b, 0) }),
		"too long":    rewrite(func([]byte) []byte { return make([]byte, 2<<20) }),
		"another's, under its name": func(t *testing.T, s *Store, file string) {
			other := Key{Maker: "wasmtime", Module: [32]byte{9}}
			put(t, s, other, []byte("planted"))
			if err := os.Rename(s.path(s.name(other)), file); err != nil {
				t.Fatal(err)
			}
		},
		"sealed with another key": func(t *testing.T, s *Store, file string) {
			foreign := open(t, t.TempDir(), 1<<20)
			foreign.build = s.build
			put(t, foreign, key, image)
			if err := os.Rename(only(t, foreign), file); err != nil {
				t.Fatal(err)
			}
		},
		"a link": func(t *testing.T, s *Store, file string) {
			moved := file + ".moved"
			if err := os.Rename(file, moved); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(moved, file); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t, t.TempDir(), 1<<20)
			put(t, s, key, image)
			spoil(t, s, only(t, s))
			if _, ok := s.Get(key); ok {
				t.Fatal("taken as an image")
			}
			put(t, s, key, image)
			if have, ok := s.Get(key); !ok || !bytes.Equal(have, image) {
				t.Error("nothing takes its place")
			}
		})
	}
}

func TestDirectoriesOfOthersAreRefused(t *testing.T) {
	for what, spoil := range map[string]func(dir string) error{
		"writable directory": func(dir string) error { return os.Chmod(dir, 0o777) },
		"readable key":       func(dir string) error { return os.Chmod(filepath.Join(dir, keyFile), 0o644) },
		"short key":          func(dir string) error { return os.Truncate(filepath.Join(dir, keyFile), 3) },
		"linked key": func(dir string) error {
			path := filepath.Join(dir, keyFile)
			if err := os.Rename(path, path+".moved"); err != nil {
				return err
			}
			return os.Symlink(path+".moved", path)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "images")
			open(t, dir, 1<<20)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, 1<<20); err == nil || !strings.Contains(err.Error(), dir) {
				t.Error(err)
			}
		})
	}
}

func TestOldestImagesMakeRoom(t *testing.T) {
	s := open(t, t.TempDir(), int64(3*(len(image)+overhead)))
	numbered := func(i byte) Key { return Key{Module: [32]byte{i}} }
	for i := range byte(3) {
		put(t, s, numbered(i), image)
		past := time.Now().Add(time.Duration(i)*time.Minute - time.Hour)
		if err := os.Chtimes(s.path(s.name(numbered(i))), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.Get(numbered(0)); !ok { // now the one used last
		t.Fatal("gone too early")
	}
	put(t, s, numbered(3), image)
	for i, want := range []bool{true, false, true, true} {
		if _, ok := s.Get(numbered(byte(i))); ok != want {
			t.Errorf("image %d kept: %v", i, ok)
		}
	}
	put(t, s, numbered(4), make([]byte, s.maxBytes))
	if _, ok := s.Get(numbered(4)); ok {
		t.Error("an image larger than the store was kept")
	}
	if _, ok := s.Get(numbered(3)); !ok {
		t.Error("it drove out others")
	}
}

// Stores that share a directory from its making on agree on one key, and lose
// nothing but what does not fit.
func TestManyAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := Open(dir, 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			for j := range 20 {
				k := Key{Maker: fmt.Sprint(i), Memory: uint64(j % 4)}
				if err := s.Put(k, image); err != nil {
					t.Error(err)
				}
				if have, ok := s.Get(k); ok && !bytes.Equal(have, image) {
					t.Error("not the image that was put")
				}
			}
		})
	}
	wg.Wait()
	s := open(t, dir, 1<<20)
	for i := range 8 {
		if _, ok := s.Get(Key{Maker: fmt.Sprint(i)}); !ok {
			t.Error("lost the image of", i)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s, err := Open(b.TempDir(), 1<<30)
	if err != nil {
		b.Fatal(err)
	}
	large := make([]byte, 10<<20)
	if err := s.Put(key, large); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(large)))
	for b.Loop() {
		if _, ok := s.Get(key); !ok {
			b.Fatal("gone")
		}
	}
}
