package plan

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// ComputeFacts are what a compute node knows beside the view.
type ComputeFacts struct {
	Terms
	Wallet   protocol.Wallet
	Policy   Policy
	Capacity Capacity
	// Draining means that the node's owner wants it to end: it finishes what it has begun and gives the rest back.
	Draining bool
	// Specs of jobs that were loaded; a job whose spec cannot be had or does not fit has Fit false.
	Specs map[common.Hash]SpecFacts
	// Offered is this node's latest offer for a job.
	Offered map[common.Hash]protocol.Offer
	// Work that was begun, by seat or juror's number; finished work has its commitment on disk.
	Work map[SeatKey]WorkFacts
}

// SpecFacts is what a node made of a job's spec.
type SpecFacts struct {
	// Fit means that the job can be run.
	Fit bool
	// Reason why not, for the node's owner.
	Reason string
	// Again is when to look again, timestamp in seconds: for what could not be had, or may be here by then.
	Again uint64
	// Limits of a piece.
	Limits protocol.Limits
	// InputBytes of the piece that has most, and MissingBytes of the one that lacks most here, by what the data claims.
	InputBytes, MissingBytes uint64
}

// WorkFacts is the state of the work for one seat, or for one juror's vote.
type WorkFacts struct {
	// Begun means that a piece of it has been run or is being run.
	Begun bool
	// Failing means that the last attempt failed: inputs cannot be had, or this machine is too small. Trouble says how.
	Failing bool
	Trouble string
	// Commitment is set once a seat's results are durable.
	Commitment *Commitment
	// Ballot is set once a juror's vote is durable.
	Ballot *Ballot
}

// Commitment is what a node publishes for a seat that has to run these pieces.
type Commitment struct {
	Pieces []uint32
	Root   common.Hash
	Fuel   uint64
	Leaves []byte
}

// Ballot is a juror's vote and what it is sealed with.
type Ballot struct {
	Vote   protocol.Vote
	Nonce  common.Hash
	Sealed common.Hash // Vote.Commitment with the nonce
	Salt   common.Hash // of the jury that it is for
}

// Compute plans a compute node's next steps, and says what it makes of every job that has open pieces and of the
// executions that it gives back.
func Compute(v *protocol.View, f ComputeFacts) ([]Action, []Decision) {
	var actions []Action
	var decisions []Decision
	busy := f.backlog(v)
	for _, r := range v.Runs {
		if r.Done() {
			continue
		}
		t := v.Jobs[r.Record.Job].Terms
		number := numberOf(f.Self, r, t)
		if number == 0 {
			continue
		}
		work, declined := f.duty(v, r, t, number, busy)
		if declined != nil {
			declined.Job, declined.Execution, declined.Verdict = r.Record.Job, r.Record.ID, VerdictDeclined
			decisions = append(decisions, *declined)
		}
		actions = append(actions, work...)
		actions = append(actions, f.force(v, r, t, 0)...)
		if !slices.ContainsFunc(work, isSend) { // a commitment outdates the seat that a draw would bring along
			actions = append(actions, f.keep(v, r, t, f.grace(r, number))...)
		}
	}
	offers, about := f.offers(v, busy)
	return append(actions, offers...), append(decisions, about...)
}

// backlog is the work that the node was given and has not done.
func (f ComputeFacts) backlog(v *protocol.View) (busy load) {
	for _, r := range v.Runs {
		if r.Done() {
			continue
		}
		t := v.Jobs[r.Record.Job].Terms
		if number := numberOf(f.Self, r, t); number != 0 {
			pieces := f.owes(v, r, t, number)
			var seconds float64
			if w := f.Work[SeatKey{r.Record.ID, number}]; w.Commitment == nil && w.Ballot == nil {
				seconds = f.takes(v, r.Record.Job, pieces, usable(t.ExecuteWindow))
			}
			busy.add(pieces, seconds)
		}
	}
	return busy
}

// grace is how long the node waits for others to do what anyone may do, seconds. Nobody wants a case decided more than
// who appealed.
func (f ComputeFacts) grace(r *protocol.Run, number uint8) uint64 {
	if r.Appeal != nil && r.Appeal.Record.Appellant == number {
		return 0
	}
	return f.Policy.Grace
}

// Owes is how many pieces the node was given and has not committed to.
func (f ComputeFacts) Owes(v *protocol.View) uint64 { return f.backlog(v).pieces }

// Standing is how many offers of the node may still be accepted.
func (f ComputeFacts) Standing(v *protocol.View) (offers uint64) {
	for id := range f.Offered {
		j := v.Jobs[id]
		if j == nil || !f.outstanding(v, j) {
			continue
		}
		goesOn := func(run common.Hash) bool { return !v.Runs[run].Done() }
		if len(j.Open()) > 0 || slices.ContainsFunc(j.Runs, goesOn) {
			offers++
		}
	}
	return offers
}
