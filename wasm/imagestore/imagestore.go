// Package imagestore keeps compiled modules on disk, where it takes up only what the same binary wrote on the same machine.
//
// A compiled module is native code: whoever can plant one owns the process that
// runs it. So every file is sealed with a key that never leaves the directory,
// and the directory belongs to this user alone. A file that is damaged, planted,
// moved under another's name or written by another build is as good as none.
package imagestore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/cpu"

	"github.com/filecoin-project/bacalhau/wasm/rewrite"
)

const (
	keyFile  = "key"
	keyBytes = 32
	suffix   = ".image"
	// overhead is what sealing adds to an image: a nonce, the name and a tag.
	overhead = 12 + sha256.Size + 16
)

// Store is a directory of images. Several processes may use it at once, and one
// Store is safe for concurrent use.
type Store struct {
	dir      string
	maxBytes int64
	aead     cipher.AEAD
	build    []byte // what an image depends on besides its key
}

// Key says what an image is of.
type Key struct {
	Maker  string   // who compiled it, and with which engine: images of one maker are never given to another
	Module [32]byte // SHA-256 of the module as its author built it
	Memory uint64   // limit, bytes
}

// Open uses a directory, which it makes if there is none, for at most maxBytes
// bytes of images. It refuses a directory that others can write to.
func Open(dir string, maxBytes int64) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	if err := private(dir, 0o022); err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	key, err := sealingKey(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	build, err := thisBuild()
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	return &Store{dir, maxBytes, aead, build}, nil
}

// sealingKey reads the key, which it makes if there is none. Of two processes
// that make one at once, both use the first.
func sealingKey(path string) ([]byte, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return nil, err
		}
	}
	if err := private(path, 0o077); err != nil {
		return nil, err
	}
	key, err := os.ReadFile(path)
	if err == nil && len(key) != keyBytes {
		err = fmt.Errorf("%s has %d bytes, not %d: remove it", path, len(key), keyBytes)
	}
	return key, err
}

// makeKey writes a new key unless there is one: a link, unlike a rename, does
// not replace, and the file is whole before it gets its name.
func makeKey(path string) error {
	key := make([]byte, keyBytes)
	rand.Read(key)                                       // never fails
	f, err := os.CreateTemp(filepath.Dir(path), keyFile) // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// thisBuild tells builds and processors apart. The binary stands for everything
// that is in it: the rewriter, the engines, their settings.
func thisBuild() ([]byte, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%d %s %d %d %v %v", rewrite.Version, runtime.GOARCH, info.Size(), info.ModTime().UnixNano(), cpu.X86, cpu.ARM64), nil
}

func (s *Store) name(k Key) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %x %d", s.build, k.Maker, k.Module, k.Memory))
}

func (s *Store) path(name [sha256.Size]byte) string {
	return filepath.Join(s.dir, hex.EncodeToString(name[:])+suffix)
}

// Get returns an image that Put was given, or false. A file that is not sound is
// removed.
func (s *Store) Get(k Key) ([]byte, bool) {
	name := s.name(k)
	path := s.path(name)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() < overhead || info.Size() > s.maxBytes {
		return nil, false
	}
	sealed, err := os.ReadFile(path)
	if err != nil || len(sealed) < overhead {
		return nil, false
	}
	// The tag covers the image as additional data: only the name is encrypted,
	// since nothing here is secret and half the work is saved.
	have, err := s.aead.Open(nil, sealed[:12], sealed[12:overhead], sealed[overhead:])
	if err != nil || [sha256.Size]byte(have) != name {
		_ = os.Remove(path) // it will be written anew, or stay useless
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // for eviction, which is a matter of speed only
	return sealed[overhead:], true
}

// Put keeps an image, in place of those used longest ago if there are too many.
// One that is larger than the whole store is not kept.
func (s *Store) Put(k Key, image []byte) error {
	name := s.name(k)
	sealed := make([]byte, 12, overhead+len(image))
	if int64(cap(sealed)) > s.maxBytes {
		return nil
	}
	rand.Read(sealed)
	sealed = append(s.aead.Seal(sealed, sealed[:12], name[:], image), image...)
	if err := renameio.WriteFile(s.path(name), sealed, 0o600); err != nil {
		return fmt.Errorf("image store: %w", err)
	}
	return s.evict()
}

// evict removes what was used longest ago until the rest fits. Others may do the
// same at the same time.
func (s *Store) evict() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("image store: %w", err)
	}
	var files []fs.FileInfo
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || filepath.Ext(e.Name()) != suffix {
			continue
		}
		files = append(files, info)
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= s.maxBytes {
			break
		}
		if err := os.Remove(filepath.Join(s.dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("image store: %w", err)
		}
		total -= f.Size()
	}
	return nil
}
