package agent

import (
	"context"

	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// Drain lets the node take no new work from now on and returns once what was begun has ended and its results are on the
// chain, or with ctx's error. What has not begun is left for the next start.
func (c *Compute) Drain(ctx context.Context) error {
	c.draining.Store(true)
	c.perform.nudge()
	return c.perform.idle(ctx)
}

// isNewWork says whether an action begins something that a node about to stop leaves alone.
func isNewWork(a plan.Action) bool {
	switch a.(type) {
	case plan.Load, plan.Offer, plan.Execute, plan.Judge:
		return true
	}
	return false
}
