package confine

import (
	"context"
	"crypto/sha256"
	"os"
	"slices"
	"sync"

	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/imagestore"
)

// keptBytes is how much of compiled modules is kept, besides what is in use.
const keptBytes = 256 << 20

// images are the modules compiled last, as native code that children have made and only children run: what a child
// could smuggle into the image of its module it could as well do when it runs that module.
type images struct {
	compile func(module []byte, l wasm.Limits) (image []byte, err error)
	disk    *imagestore.Store // nil without one
	maker   string            // of the images on disk

	mu      sync.Mutex
	list    []*image // used last comes last
	working sync.WaitGroup
}

// image is compiled once, however many runs wait for it.
type image struct {
	module [32]byte // SHA-256
	memory uint64   // limit that is compiled in, bytes
	ready  chan struct{}
	file   *os.File // once ready; the last one who lets go of it closes it
	err    error
	size   int // bytes, 0 until ready; owned by images.mu
}

// get returns the image of a module, which it makes if there is none, in a file that nothing can change.
func (s *images) get(ctx context.Context, module []byte, l wasm.Limits) (*os.File, error) {
	i := s.find(module, l)
	select {
	case <-i.ready:
		return i.file, i.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *images) find(module []byte, l wasm.Limits) *image {
	sum := sha256.Sum256(module)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.list, func(i *image) bool { return i.module == sum && i.memory == l.MemoryBytes })
	if at >= 0 {
		found := s.list[at]
		s.list = append(slices.Delete(s.list, at, at+1), found)
		return found
	}
	i := &image{module: sum, memory: l.MemoryBytes, ready: make(chan struct{})}
	s.list = append(s.list, i)
	// Others may wait for this, so the caller's context does not end it.
	s.working.Go(func() {
		native, err := s.load(module, i, l)
		if err == nil {
			i.file, err = fixedFile(native)
		}
		i.err = err
		s.trim(i, len(native))
		close(i.ready)
	})
	return i
}

// load takes the image of a module from the disk, or makes it and keeps it there.
func (s *images) load(module []byte, i *image, l wasm.Limits) ([]byte, error) {
	if s.disk == nil {
		return s.compile(module, l)
	}
	key := imagestore.Key{Maker: s.maker, Module: i.module, Memory: i.memory}
	if kept, ok := s.disk.Get(key); ok {
		return kept, nil
	}
	made, err := s.compile(module, l)
	if err == nil {
		// A full disk costs the next process its time to compile, nothing else.
		_ = s.disk.Put(key, made)
	}
	return made, err
}

// trim forgets an image that could not be made, so that the next run tries again, and those used longest ago.
func (s *images) trim(made *image, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made.err != nil {
		s.list = slices.DeleteFunc(s.list, func(i *image) bool { return i == made })
		return
	}
	made.size = size
	room := keptBytes
	for at, i := range slices.Backward(s.list) {
		if room -= i.size; room < 0 && i != made {
			s.list = slices.Delete(s.list, at, at+1)
		}
	}
}
