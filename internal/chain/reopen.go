package chain

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
)

// finalBlocks is deeper than a reorganisation goes: Filecoin's finality takes 900 epochs in the worst case.
const finalBlocks = 900

// reopen makes transactions pending again that were done and that a reorganisation took off the chain. They are sent
// again as they are, in the order of their nonces, and may end otherwise than they did.
func (s *Sender) reopen(ctx context.Context, head *block) error {
	lost, err := s.takenOff(ctx, uint64(head.Number))
	if err != nil || len(lost) == 0 {
		return err
	}
	slog.Warn("a reorganisation of the chain took back transactions, sending them again", "account", s.account, "count", len(lost))
	records := make([]Record, len(lost))
	for i, f := range lost {
		records[i] = f.rec
		records[i].Outcome = nil
	}
	if err := s.store(records, nil); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range lost {
		f.rec.Outcome, f.back, f.sent = nil, true, false
		delete(s.done, f.rec.Nonce)
	}
	s.pending = append(s.pending, lost...)
	slices.SortFunc(s.pending, func(a, b *flight) int { return cmp.Compare(a.rec.Nonce, b.rec.Nonce) })
	return nil
}

// takenOff lists what was done in blocks that are not on the chain any more. Blocks above the head are left alone: a
// node may lag.
func (s *Sender) takenOff(ctx context.Context, head uint64) (lost []*flight, err error) {
	// No nonce is in an earlier block than a lower one.
	newestFirst := slices.SortedFunc(maps.Values(s.done), func(a, b *flight) int { return cmp.Compare(b.rec.Nonce, a.rec.Nonce) })
	var off Point // the block looked at last
	for _, f := range newestFirst {
		out := f.rec.Outcome
		at := Point{Number: out.Block, Hash: out.BlockHash}
		switch {
		case out.Block > head || out.Reverted:
			continue
		case out.Block+finalBlocks < head:
			return lost, nil
		case at != off:
			on, err := s.client.has(ctx, at)
			if err != nil || on {
				return lost, err // all older ones are on the chain too
			}
			off = at
		}
		lost = append(lost, f)
	}
	return lost, nil
}
