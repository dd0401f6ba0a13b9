package data

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/datastore/dshelp"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	"golang.org/x/sync/semaphore"
)

// ErrBusy means that blocks were being written all the time: collect again later.
var ErrBusy = errors.New("data store is busy")

const (
	// collectPatience is how long Collect waits for writers to pause. New ones wait for it meanwhile.
	collectPatience = 20 * time.Second
	collectBatch    = 4096 // blocks removed together
)

// Collected is what a collection removed.
type Collected struct {
	Pins, Blocks int
}

// Collect forgets the pins that were last asked for before a time, and removes every block that neither a pin nor one of
// the DAGs under held needs; those need not be complete. What a Mirror has yet to give is held too. Nothing is added
// while it runs. It holds the hash of every block that stays in memory, about 100 bytes each.
func (s *Store) Collect(ctx context.Context, before time.Time, held []cid.Cid) (Collected, error) {
	var done Collected
	patience, cancel := context.WithTimeout(ctx, collectPatience)
	defer cancel()
	if err := s.writers.exclude(patience); err != nil {
		if ctx.Err() == nil {
			err = ErrBusy
		}
		return done, fmt.Errorf("collect: %w", err)
	}
	defer s.writers.admit()
	owed, err := s.listed(ctx, outboxPrefix)
	if err != nil {
		return done, fmt.Errorf("collect: %w", err)
	}
	held = append(owed, held...)
	kept, err := s.unpinBefore(ctx, before, held, &done)
	if err != nil {
		return done, fmt.Errorf("collect: %w", err)
	}
	needed, err := s.reachable(ctx, append(kept, held...))
	if err != nil {
		return done, fmt.Errorf("collect: %w", err)
	}
	if err := s.sweep(ctx, needed, &done); err != nil {
		return done, fmt.Errorf("collect: %w", err)
	}
	if done.Blocks > 0 {
		if err := s.engine.reclaim(ctx, blockstore.BlockPrefix); err != nil {
			return done, fmt.Errorf("collect: %w", err)
		}
	}
	return done, nil
}

// unpinBefore forgets old pins, except those of held DAGs, and returns the others.
func (s *Store) unpinBefore(ctx context.Context, before time.Time, held []cid.Cid, done *Collected) (kept []cid.Cid, err error) {
	pins, err := s.Pins(ctx)
	if err != nil {
		return nil, err
	}
	spared := cid.NewSet()
	for _, c := range held {
		spared.Add(c)
	}
	for _, c := range pins {
		asked, err := s.pinnedAt(ctx, c)
		if err != nil {
			return nil, err
		}
		if spared.Has(c) || !asked.Before(before) {
			kept = append(kept, c)
			continue
		}
		if err := s.Unpin(ctx, c); err != nil {
			return nil, err
		}
		done.Pins++
	}
	return kept, nil
}

// pinnedAt is when a pin was last asked for, in whole seconds.
func (s *Store) pinnedAt(ctx context.Context, c cid.Cid) (time.Time, error) {
	raw, err := s.engine.Get(ctx, pinKey(c))
	if err != nil {
		return time.Time{}, fmt.Errorf("pin %s: %w", c, err)
	}
	if len(raw) != 8 {
		return time.Time{}, nil // of a time before pins had times
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw)), 0), nil
}

func pinTime(t time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(t.Unix())) }

// reachable is the hashes of all blocks that are here below roots.
func (s *Store) reachable(ctx context.Context, roots []cid.Cid) (map[string]bool, error) {
	needed := map[string]bool{}
	for stack := roots; len(stack) > 0; {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if needed[string(c.Hash())] {
			continue
		}
		links, err := s.links(ctx, c, false)
		if errors.Is(err, ErrNotLocal) {
			continue
		}
		if err != nil {
			return nil, err
		}
		needed[string(c.Hash())] = true
		stack = append(stack, links...)
	}
	return needed, nil
}

// sweep removes the blocks that are not needed, some at a time.
func (s *Store) sweep(ctx context.Context, needed map[string]bool, done *Collected) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	all, err := s.blocks.AllKeysChan(ctx)
	if err != nil {
		return err
	}
	var useless []ds.Key
	for c := range all {
		if !needed[string(c.Hash())] {
			useless = append(useless, blockstore.BlockPrefix.Child(dshelp.MultihashToDsKey(c.Hash())))
		}
	}
	if err := ctx.Err(); err != nil {
		return err // the list may have ended early
	}
	for len(useless) > 0 {
		n := min(len(useless), collectBatch)
		batch, err := s.engine.Batch(ctx)
		if err != nil {
			return err
		}
		for _, key := range useless[:n] {
			if err := batch.Delete(ctx, key); err != nil {
				return err
			}
		}
		if err := batch.Commit(ctx); err != nil {
			return err
		}
		useless, done.Blocks = useless[n:], done.Blocks+n
	}
	return nil
}

// writers are the operations that store blocks and pin them last: what they have stored is needed though no pin says so.
type writers struct{ *semaphore.Weighted }

func newWriters() writers { return writers{semaphore.NewWeighted(math.MaxInt64)} }

// enter waits for a collection to end, and holds the next one off until leave.
func (w writers) enter(ctx context.Context) error { return w.Acquire(ctx, 1) }

func (w writers) leave() { w.Release(1) }

// exclude waits for all writers to leave, and holds the next ones off until admit.
func (w writers) exclude(ctx context.Context) error { return w.Acquire(ctx, math.MaxInt64) }

func (w writers) admit() { w.Release(math.MaxInt64) }
