package agent

import (
	"context"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// Drain lets the node take no new work from now on and returns once what was begun has ended and its results are on the
// chain, or with ctx's error. What has not begun is left for the next start.
func (c *Compute) Drain(ctx context.Context) error {
	c.draining.Store(true)
	c.perform.halt()
	return c.perform.idle(ctx)
}

// isNewWork says whether an action is for work to come, which a node about to stop leaves alone. What it was given goes on
// if it runs.
func isNewWork(a plan.Action) bool {
	switch a.(type) {
	case plan.Load, plan.Offer:
		return true
	}
	return false
}

// Retire has the node take no more work: it finishes what it has begun and gives the rest back where that costs nothing.
// It lasts until the node is started again.
func (c *Compute) Retire() {
	if !c.retiring.Swap(true) {
		c.Log.Info("no more work is taken; what was begun is finished")
	}
	c.perform.nudge()
}

// Retired says whether the node takes no more work.
func (c *Compute) Retired() bool { return c.retiring.Load() }

// Left is how many pieces the node was given and has not committed to yet, and how many of its offers may still be
// accepted. What it has committed to it still serves, and may have to prove.
func (c *Compute) Left() (pieces, offers uint64) {
	facts := c.facts(protocol.Wallet{})
	c.Feed.Read(func(v *protocol.View) { pieces, offers = facts.Owes(v), facts.Standing(v) })
	return pieces, offers
}
