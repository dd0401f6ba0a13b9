package data

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"
)

// Outline brings what tells the files under roots, their names and sizes: directories, and the first block of each file,
// unless its name and a size are all that there is to know of it. The providers are asked in turn, and nobody else.
// Nothing is pinned. When all have failed the error is a *NotFoundError.
func (f *Fetcher) Outline(ctx context.Context, roots []cid.Cid, providers []string) error {
	if err := f.Store.writers.enter(ctx); err != nil {
		return fmt.Errorf("outline: %w", err)
	}
	defer f.Store.writers.leave()
	if err := f.outline(ctx, roots, f.named(providers)); err != nil {
		return fmt.Errorf("outline: %w", err)
	}
	return nil
}

func (f *Fetcher) outline(ctx context.Context, roots []cid.Cid, ask []candidate) error {
	absent := &NotFoundError{}
	var p *provider
	for range 2 * maxDepth { // a sharded directory takes some levels
		missing, err := f.Store.outlineMissing(ctx, roots)
		if err != nil || len(missing) == 0 {
			return err
		}
		for done := false; !done; {
			if len(ask) == 0 {
				absent.CID = missing[0]
				return absent
			}
			if err = ask[0].fault; err == nil {
				if p == nil {
					p = newProvider(f, ask[0].client, ask[0].source, &counter{})
				}
				_, err = p.blocks(ctx, missing)
			}
			var local *localError
			switch {
			case err == nil:
				done = true
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case errors.As(err, &local):
				return err
			default:
				absent.Tried = append(absent.Tried, Attempt{ask[0].name, err})
				ask, p = ask[1:], nil
			}
		}
	}
	return errors.New("directories nest too deep")
}

// outlineMissing returns the blocks that an outline of roots lacks and whose parents are here.
func (s *Store) outlineMissing(ctx context.Context, roots []cid.Cid) (missing []cid.Cid, err error) {
	seen := cid.NewSet()
	for stack := slices.Clone(roots); len(stack) > 0; {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !seen.Visit(c) {
			continue
		}
		n, err := s.node(ctx, c)
		if errors.Is(err, ErrNotLocal) {
			missing = append(missing, c)
			continue
		}
		if err != nil {
			return nil, err
		}
		if !n.isDir() {
			continue
		}
		for _, l := range n.links {
			if !isLeaf(l.Cid, l.Size) {
				stack = append(stack, l.Cid)
			}
		}
	}
	return missing, nil
}
