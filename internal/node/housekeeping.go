package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/protocol"
)

const (
	// DefaultKeep is how long jobs that have ended, their outputs, and data that no job needs are kept.
	DefaultKeep = 7 * 24 * time.Hour
	// archiveBlocks is how often old jobs are looked for, blocks.
	archiveBlocks = 500
)

// keepHouse archives old jobs and then collects data that nothing needs, every archiveBlocks, until ctx ends.
func (n *Node) keepHouse(ctx context.Context) error {
	if err := n.caughtUp(ctx); err != nil {
		return err
	}
	var last uint64
	for {
		changed := n.feed.Changed()
		if head := n.head().Number; head >= last+archiveBlocks {
			if err := n.tidy(ctx); err != nil && ctx.Err() == nil {
				n.cfg.Log.Warn("cannot drop what is not needed any more, trying again later", "err", err)
			}
			last = head
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (n *Node) tidy(ctx context.Context) error {
	jobs, err := n.feed.Archive()
	if err != nil {
		return fmt.Errorf("archive jobs: %w", err)
	}
	n.measures.archived.Add(int64(jobs))
	if jobs > 0 {
		n.gas.forget()
	}
	held, known, err := n.held()
	if err != nil || !known {
		return err
	}
	done, err := n.data.Collect(ctx, n.now().Add(-n.cfg.Keep), held)
	if errors.Is(err, data.ErrBusy) {
		return nil // there is no hurry
	}
	if jobs > 0 || done != (data.Collected{}) {
		n.cfg.Log.Info("dropped what is not needed any more", "jobs", jobs, "pins", done.Pins, "blocks", done.Blocks)
	}
	return err
}

// held is the data that the node's agents still need. It reports false while that is not known.
func (n *Node) held() (held []cid.Cid, known bool, err error) {
	var h agent.Holdings
	if n.requester != nil {
		mine, known := n.requester.Holdings()
		if !known {
			return nil, false, nil
		}
		h = mine
	}
	if n.compute != nil {
		mine, err := n.compute.Holdings()
		if err != nil {
			return nil, false, err
		}
		h.Dirs, h.CIDs = append(h.Dirs, mine.Dirs...), append(h.CIDs, mine.CIDs...)
	}
	for _, dir := range h.Dirs {
		held = append(held, data.FromDigest(dir))
	}
	for _, name := range h.CIDs {
		c, err := data.ParseCID(name)
		if err != nil {
			continue // of a spec that this node does not take
		}
		held = append(held, c)
	}
	return held, true, nil
}

// now is the later of this machine's time and the chain's.
func (n *Node) now() time.Time {
	chain := time.Unix(int64(n.head().Time), 0)
	if now := time.Now(); now.After(chain) {
		return now
	}
	return chain
}

func (n *Node) head() (head protocol.Block) {
	n.feed.Read(func(v *protocol.View) { head = v.Head })
	return head
}
