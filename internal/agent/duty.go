package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// tried notes that an attempt at work has failed, for the plan to decline it if that goes on.
func (c *Compute) tried(ctx context.Context, key plan.SeatKey, err error) error {
	if err != nil && ctx.Err() == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.work[key] = plan.WorkFacts{Begun: true, Failing: true, Trouble: err.Error()}
	}
	return err
}

// judge has a juror's vote on disk. One that is there for the same jury is taken up, for it may be sealed on chain.
func (c *Compute) judge(ctx context.Context, a plan.Judge) error {
	ballot, err := c.Store.Ballot(a.Execution, a.Number, a.Salt)
	if errors.Is(err, store.ErrNotFound) {
		ballot, err = c.vote(ctx, a)
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work[plan.SeatKey{Execution: a.Execution, Seat: a.Number}] = c.judged(ballot)
	return nil
}

// vote runs a piece as a juror and makes the vote durable. The piece runs as for the seats, so that digest and fuel
// compare with theirs; the witness shows that this run has the final memory.
func (c *Compute) vote(ctx context.Context, a plan.Judge) (ballot store.Ballot, err error) {
	doc, terms, endpoints, err := c.document(ctx, a.Job)
	if err != nil {
		return ballot, err
	}
	release, err := c.slots.take(ctx, doc.Spec.Limits.MemoryBytes)
	if err != nil {
		return ballot, err
	}
	defer release()
	c.begun(plan.SeatKey{Execution: a.Execution, Seat: a.Number})
	task := c.task(doc, terms, a.Piece, endpoints)
	task.MemoryKey = a.Salt
	out, err := c.Executor.Run(ctx, task)
	if err != nil {
		return ballot, fmt.Errorf("piece %d: %w", a.Piece, err)
	}
	defer out.Close() // a juror has no use for the outputs
	ballot = store.Ballot{Execution: a.Execution, Number: a.Number, Salt: a.Salt, Vote: protocol.Vote{
		Digest:  out.Result.Digest(terms.Salt, a.Piece, doc.Spec.Profile),
		Fuel:    out.Result.Fuel,
		Witness: out.Result.Witness(a.Salt, a.Piece, out.KeyedMemory),
	}}
	rand.Read(ballot.Nonce[:])
	if err := c.Store.PutBallot(ballot); err != nil {
		return ballot, fmt.Errorf("store vote: %w", err)
	}
	return ballot, nil
}

func (c *Compute) judged(b store.Ballot) plan.WorkFacts {
	return plan.WorkFacts{Ballot: &plan.Ballot{
		Vote: b.Vote, Nonce: b.Nonce, Salt: b.Salt, Sealed: b.Vote.Commitment(c.ChainID, c.Contract, b.Execution, c.Self, b.Nonce),
	}}
}

// rootOf is what a seat committed to.
func rootOf(e protocol.Execution, panel []protocol.Seat, number uint8) common.Hash {
	for _, seat := range panel {
		if seat.Number == number {
			return seat.Root
		}
	}
	return e.Root
}

// answer shows the client the leaf that it demands.
func (c *Compute) answer(ctx context.Context, a plan.Answer) error {
	number := a.Call.Challenge.Seat
	work, err := c.Store.Work(a.Call.Execution.ID, number, rootOf(a.Call.Execution, a.Call.Seats, number))
	if err != nil {
		return fmt.Errorf("read the challenged work: %w", err)
	}
	if a.Call.Opening, err = protocol.OpeningAt(work.Leaves, a.Position); err != nil {
		return err
	}
	_, err = c.Chain.Send(ctx, a.Key, a.Call)
	return err
}

// disclose opens one of the node's own commitments with the scalar that was made durable before it.
func (c *Compute) disclose(ctx context.Context, a plan.Disclose) error {
	doc, _, _, err := c.document(ctx, a.Call.Execution.Job)
	if err != nil {
		return err
	}
	work, err := c.Store.Work(a.Call.Execution.ID, a.Call.Seat, rootOf(a.Call.Execution, a.Call.Seats, a.Call.Seat))
	if err != nil {
		return fmt.Errorf("read the work to open: %w", err)
	}
	scalar := common.Hash{}
	if a.Position < len(work.Scalars) {
		scalar = work.Scalars[a.Position]
	}
	a.Call.Disclosure, err = doc.Disclose(a.Call.Disclosure.Piece, work.Leaves, a.Position, scalar)
	if err != nil {
		return err
	}
	_, err = c.Chain.Send(ctx, a.Key, a.Call)
	return err
}
