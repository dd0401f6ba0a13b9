package agent

import (
	"maps"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// subject is what a decision is about: a job, or an execution of it.
type subject struct{ job, execution common.Hash }

// Judgement is what is compared to find out whether a decision has changed: not its numbers, which always do.
type Judgement struct {
	Verdict plan.Verdict
	Reason  plan.Reason
}

// note records the decisions of a plan that are not those of the plan before. The caller is the only one to plan.
func (c *Compute) note(now uint64, decisions []plan.Decision) error {
	last := make(map[subject]Judgement, len(decisions))
	var changed []store.Decision
	for _, d := range decisions {
		about, is := subject{d.Job, d.Execution}, Judgement{d.Verdict, d.Reason}
		last[about] = is
		if was, known := c.decided[about]; known && was == is {
			continue
		}
		changed = append(changed, store.Decision{
			Time: now, Job: d.Job, Execution: d.Execution, Verdict: string(d.Verdict), Reason: string(d.Reason),
			Have: d.Have, Want: d.Want, Text: d.Text(), Pieces: d.Pieces,
		})
		c.Log.Debug("decided", "job", d.Job, "verdict", d.Verdict, "reason", d.Text())
	}
	if len(changed) > 0 {
		if err := c.Store.AppendDecisions(changed); err != nil {
			return err
		}
		c.count(changed)
	}
	c.decided = last
	return nil
}

func (c *Compute) count(changed []store.Decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range changed {
		c.tally[Judgement{plan.Verdict(d.Verdict), plan.Reason(d.Reason)}]++
	}
}

// Decided counts decisions since the start, each time that one changed.
func (c *Compute) Decided() map[Judgement]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.tally)
}

// recall takes up what was decided last before the node was stopped.
func (c *Compute) recall() error {
	return c.Store.Decisions(func(d store.Decision) error {
		c.decided[subject{d.Job, d.Execution}] = Judgement{plan.Verdict(d.Verdict), plan.Reason(d.Reason)}
		return nil
	})
}

// Decisions lists what the node made of jobs, each time that it changed, the oldest first: the last 10,000 of them.
func (c *Compute) Decisions() ([]store.Decision, error) {
	var list []store.Decision
	err := c.Store.Decisions(func(d store.Decision) error {
		list = append(list, d)
		return nil
	})
	return list, err
}
