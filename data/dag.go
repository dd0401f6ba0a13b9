package data

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
)

// Complete reports whether every block of the DAG under c is in the store.
func (s *Store) Complete(ctx context.Context, c cid.Cid) (bool, error) {
	missing, err := s.missing(ctx, []cid.Cid{c}, false)
	return err == nil && len(missing) == 0, err
}

// Verify reads every block of the DAG under c and checks it against its CID. The
// error is ErrNotLocal when one is absent or damaged.
func (s *Store) Verify(ctx context.Context, c cid.Cid) error {
	missing, err := s.missing(ctx, []cid.Cid{c}, true)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("verify %s: %d blocks missing or damaged, first %w", c, len(missing), notLocal(missing[0]))
	}
	return nil
}

// missing returns the blocks that have to be fetched next to complete the DAGs
// under roots: absent ones whose parents are here. It hashes interior nodes
// always, and leaves if asked to.
func (s *Store) missing(ctx context.Context, roots []cid.Cid, hashLeaves bool) ([]cid.Cid, error) {
	var missing []cid.Cid
	seen := cid.NewSet()
	stack := append([]cid.Cid(nil), roots...)
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !seen.Visit(c) {
			continue
		}
		links, err := s.links(ctx, c, hashLeaves)
		if errors.Is(err, ErrNotLocal) {
			missing = append(missing, c)
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := len(links) - 1; i >= 0; i-- { // pop in the order of the DAG
			stack = append(stack, links[i])
		}
	}
	return missing, nil
}

// links returns the CIDs that the block c refers to, in order.
func (s *Store) links(ctx context.Context, c cid.Cid, hashLeaf bool) ([]cid.Cid, error) {
	if c.Prefix().Codec == cid.Raw && !hashLeaf {
		if err := errors.Join(checkCID(c), context.Cause(ctx)); err != nil {
			return nil, err
		}
		has, err := s.blocks.Has(ctx, c)
		if err == nil && !has {
			err = notLocal(c)
		}
		return nil, err
	}
	b, err := s.block(ctx, c)
	if err != nil {
		return nil, err
	}
	return linksOf(c, b.RawData())
}

// linksOf decodes the CIDs that a block refers to. It asks for less than UnixFS,
// so that a DAG is transferred whole whatever it means.
func linksOf(c cid.Cid, raw []byte) ([]cid.Cid, error) {
	if c.Prefix().Codec == cid.Raw {
		return nil, nil
	}
	pb, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", c, err)
	}
	links := make([]cid.Cid, 0, len(pb.Links()))
	for _, l := range pb.Links() {
		if err := checkCID(l.Cid); err != nil {
			return nil, fmt.Errorf("block %s: %w", c, err)
		}
		links = append(links, l.Cid)
	}
	return links, nil
}

// Size returns the bytes of all files under c as Export would write them: a file
// that occurs twice counts twice. The sizes are those that the file DAGs claim.
func (s *Store) Size(ctx context.Context, c cid.Cid) (uint64, error) {
	n, err := s.node(ctx, c)
	if err != nil {
		return 0, err
	}
	return s.size(ctx, n, map[cid.Cid]uint64{}, maxDepth)
}

// size remembers directories by CID, since a few blocks can describe more
// occurrences than could ever be visited.
func (s *Store) size(ctx context.Context, n *node, known map[cid.Cid]uint64, depth int) (uint64, error) {
	if !n.isDir() {
		return uint64(n.size), nil
	}
	if total, ok := known[n.cid]; ok {
		return total, nil
	}
	if depth == 0 {
		return 0, errors.New("directories nest too deep")
	}
	entries, err := s.entries(ctx, n)
	if err != nil {
		return 0, err
	}
	var total uint64
	for _, e := range entries {
		size := uint64(e.Size)
		if e.Dir {
			child, err := s.node(ctx, e.CID)
			if err != nil {
				return 0, err
			}
			if size, err = s.size(ctx, child, known, depth-1); err != nil {
				return 0, err
			}
		}
		if size > math.MaxUint64-total {
			return 0, fmt.Errorf("size of %s overflows", n.cid)
		}
		total += size
	}
	known[n.cid] = total
	return total, nil
}
