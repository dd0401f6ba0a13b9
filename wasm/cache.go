package wasm

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"

	"github.com/filecoin-project/bacalhau/wasm/engine"
)

// cacheSize is the number of compiled modules kept.
const cacheSize = 16

type cacheKey struct {
	module [32]byte // SHA-256
	pages  uint32
}

// cached is a program that is compiled once, however many runs wait for it,
// and closed when it was evicted and the last of them is done.
type cached struct {
	key     cacheKey
	ready   chan struct{} // closed once program and err are set
	program engine.Program
	err     error
	users   int // owned by cache.mu
	evicted bool
}

// cache keeps the programs used last.
type cache struct {
	compile func(context.Context, []byte, uint32) (engine.Program, error)

	mu    sync.Mutex
	items []*cached // used last comes last
}

// get returns the program of a module, and what to call when done with it.
func (c *cache) get(ctx context.Context, module []byte, pages uint32) (engine.Program, func(), error) {
	key := cacheKey{sha256.Sum256(module), pages}
	c.mu.Lock()
	i := slices.IndexFunc(c.items, func(x *cached) bool { return x.key == key })
	var item *cached
	if i >= 0 {
		item = c.items[i]
		c.items = append(slices.Delete(c.items, i, i+1), item)
	} else {
		item = &cached{key: key, ready: make(chan struct{})}
		c.items = append(c.items, item)
		c.evict()
	}
	item.users++
	c.mu.Unlock()

	if i < 0 {
		// Others may wait for this, so the caller's context must not end it.
		item.program, item.err = c.compile(context.WithoutCancel(ctx), module, pages)
		close(item.ready)
	}
	select {
	case <-item.ready:
	case <-ctx.Done():
		c.release(item)
		return nil, nil, ctx.Err()
	}
	if item.err != nil {
		c.drop(item)
		c.release(item)
		return nil, nil, item.err
	}
	return item.program, func() { c.release(item) }, nil
}

// evict removes the item used longest ago if there are too many.
func (c *cache) evict() {
	if len(c.items) > cacheSize {
		c.items[0].evicted = true
		c.closeIdle(c.items[0])
		c.items = slices.Delete(c.items, 0, 1)
	}
}

// drop forgets an item that failed, so that the next run tries again.
func (c *cache) drop(item *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.items, item); i >= 0 {
		item.evicted = true
		c.items = slices.Delete(c.items, i, i+1)
	}
}

func (c *cache) release(item *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item.users--
	c.closeIdle(item)
}

func (c *cache) closeIdle(item *cached) {
	if item.evicted && item.users == 0 && item.program != nil {
		_ = item.program.Close() // frees memory; neither engine reports an error
		item.program = nil
	}
}

// close frees all programs; no run may be going on.
func (c *cache) close() error {
	var errs []error
	for _, item := range c.items {
		if item.program != nil {
			errs = append(errs, item.program.Close())
		}
	}
	c.items = nil
	return errors.Join(errs...)
}
