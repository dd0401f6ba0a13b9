package plan

import (
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// ComputeFacts are what a compute node knows beside the view.
type ComputeFacts struct {
	Terms
	Wallet protocol.Wallet
	Policy Policy
	// Specs of jobs that were loaded; a job whose spec cannot be had or does not fit has Fit false.
	Specs map[common.Hash]SpecFacts
	// Offered is this node's latest offer for a job.
	Offered map[common.Hash]protocol.Offer
	// Work that was begun, by seat or juror's number; finished work has its commitment on disk.
	Work map[SeatKey]WorkFacts
}

// SpecFacts is what a node made of a job's spec.
type SpecFacts struct {
	Fit bool
	// Why not, for the node's owner.
	Reason string
}

// WorkFacts is the state of the work for one seat, or for one juror's vote.
type WorkFacts struct {
	// Failing means that the last attempt failed: inputs cannot be had, or this machine is too small.
	Failing bool
	// Commitment is set once a seat's results are durable.
	Commitment *Commitment
	// Ballot is set once a juror's vote is durable.
	Ballot *Ballot
}

// Commitment is what a node publishes for a seat.
type Commitment struct {
	Root   common.Hash
	Fuel   uint64
	Leaves []byte
}

// Ballot is a juror's vote and what it is sealed with.
type Ballot struct {
	Vote   protocol.Vote
	Nonce  common.Hash
	Sealed common.Hash // Vote.Commitment with the nonce
}

// Policy is what a compute node asks for.
type Policy struct {
	// MinBid per piece, wei.
	MinBid *big.Int
	// MinFuelPrice for metered jobs, wei per unit of fuel.
	MinFuelPrice *big.Int
	// MaxPieces to hold at once, over all executions and standing offers.
	MaxPieces uint32
	// OfferSeconds is how long an offer stands.
	OfferSeconds uint64
	// Appeals says whether the node appeals against a verdict that its result is wrong.
	Appeals bool
	// Grace before doing what others profit from more, seconds.
	Grace uint64
}

// Compute plans a compute node's next steps.
func Compute(v *protocol.View, f ComputeFacts) []Action {
	var actions []Action
	busy := uint32(0)
	for _, r := range v.Runs {
		if r.Done() {
			continue
		}
		t := v.Jobs[r.Record.Job].Terms
		number := numberOf(f.Self, r, t)
		if number == 0 {
			continue
		}
		work, pieces := f.duty(v, r, t, number)
		busy += pieces
		actions = append(actions, work...)
		actions = append(actions, f.force(v, r, t, 0)...)
		if !slices.ContainsFunc(work, isSend) { // a commitment outdates the seat that a draw would bring along
			actions = append(actions, f.keep(v, r, t, f.grace(r, number))...)
		}
	}
	return append(actions, f.offers(v, busy)...)
}

// grace is how long the node waits for others to do what anyone may do, seconds. Nobody wants a case decided more than
// who appealed.
func (f ComputeFacts) grace(r *protocol.Run, number uint8) uint64 {
	if r.Appeal != nil && r.Appeal.Record.Appellant == number {
		return 0
	}
	return f.Policy.Grace
}

// offers plans one standing offer for every job that has open pieces and suits the node, as far as it could hold all of
// them at once: what stands may be accepted any time.
func (f ComputeFacts) offers(v *protocol.View, busy uint32) []Action {
	if !v.Nodes[f.Self] || v.Paused[f.Self] {
		return nil
	}
	room := uint64(f.Policy.MaxPieces) - min(uint64(busy), uint64(f.Policy.MaxPieces))
	promise := func(pieces uint32, fine *big.Int) {
		room -= min(room, uint64(pieces))
		f.Wallet = afterLocking(f.Wallet, fine)
	}
	for id, o := range f.Offered {
		if j := v.Jobs[id]; j != nil && f.outstanding(v, j) {
			promise(o.Pieces, j.Terms.Fine)
		}
	}
	var actions []Action
	for _, j := range f.wanting(v) {
		open := j.Open()
		if room == 0 || f.outstanding(v, j) || f.Declines(j.Terms) != "" || f.gaveBack(v, j) {
			continue
		}
		spec, loaded := f.Specs[j.ID]
		switch {
		case !loaded:
			actions = append(actions, Load{Job: j.ID})
		case spec.Fit:
			count := min(uint32(room), f.Parameters.MaxPieces, largest(open))
			actions = append(actions, Offer{
				Job: j.ID, Pieces: count, Deadline: min(j.Terms.Expiry, v.Head.Time+f.Policy.OfferSeconds),
			})
			promise(count, j.Terms.Fine)
		}
	}
	return actions
}

// wanting lists others' jobs that have open pieces, the oldest first.
func (f ComputeFacts) wanting(v *protocol.View) []*protocol.Job {
	var jobs []*protocol.Job
	for _, j := range v.Jobs {
		if v.Head.Time < j.Terms.Expiry && j.Terms.Client != f.Self && len(j.Open()) > 0 {
			jobs = append(jobs, j)
		}
	}
	slices.SortFunc(jobs, older)
	return jobs
}

// afterLocking is a wallet with an amount more locked; the free balance may become negative.
func afterLocking(w protocol.Wallet, wei *big.Int) protocol.Wallet {
	w.Free, w.Locked = new(big.Int).Sub(w.Free, wei), new(big.Int).Add(w.Locked, wei)
	return w
}

// largest is the most pieces that one execution could get.
func largest(open []protocol.Range) (count uint32) {
	for _, r := range open {
		count = max(count, r.Count)
	}
	return count
}

// outstanding says whether the node's latest offer for a job may still be accepted.
func (f ComputeFacts) outstanding(v *protocol.View, j *protocol.Job) bool {
	o, offered := f.Offered[j.ID]
	if !offered || o.Deadline <= v.Head.Time {
		return false
	}
	return !slices.ContainsFunc(j.Runs, func(id common.Hash) bool {
		return v.Runs[id].Node == f.Self && v.Runs[id].Nonce == o.Nonce
	})
}

// gaveBack says whether the node declined pieces of a job after it had got them: it could not run others either.
func (f ComputeFacts) gaveBack(v *protocol.View, j *protocol.Job) bool {
	return slices.ContainsFunc(j.Runs, func(id common.Hash) bool { return v.Runs[id].Node == f.Self && v.Runs[id].Declined })
}

// Declines says why the node does not want a job with these terms, or nothing.
func (f ComputeFacts) Declines(t protocol.Terms) string {
	switch {
	case t.Bid.Cmp(f.Policy.MinBid) < 0:
		return "the bid is below this node's price"
	case t.FuelPrice.Sign() > 0 && t.FuelPrice.Cmp(f.Policy.MinFuelPrice) < 0:
		return "the fuel price is below this node's price"
	case f.Wallet.Free.Cmp(t.Fine) < 0:
		return "the fine exceeds this node's free balance"
	case new(big.Int).Add(f.Wallet.Free, f.Wallet.Locked).Cmp(f.Parameters.MinStake) < 0:
		return "this node's stake is below the minimum"
	case f.Wallet.Free.Cmp(f.needs(t)) < 0:
		return "beside the fine, this node's free balance has no appeal bond, which is as much again"
	}
	return ""
}

// needs is what the node wants free before it takes work, wei: the fine, and as much again if it would appeal. Only the
// fine is locked; the rest is left for one appeal, unless draws take it.
func (f ComputeFacts) needs(t protocol.Terms) *big.Int {
	if !f.Policy.Appeals {
		return t.Fine
	}
	return new(big.Int).Lsh(t.Fine, 1)
}
