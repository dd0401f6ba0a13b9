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
	// Work that was begun; finished work has its commitment on disk.
	Work map[SeatKey]WorkFacts
}

// SpecFacts is what a node made of a job's spec.
type SpecFacts struct {
	Fit bool
	// Why not, for the node's owner.
	Reason string
}

// WorkFacts is the state of one seat's work.
type WorkFacts struct {
	// Commitment is set once the results are durable.
	Commitment *Commitment
}

// Commitment is what a node publishes for a seat.
type Commitment struct {
	Root   common.Hash
	Fuel   uint64
	Leaves []byte
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
		if r.Node == f.Self {
			if r.Record.Status == protocol.StatusAssigned {
				busy += r.Count
			}
			actions = append(actions, f.firstSeat(v, r)...)
			actions = append(actions, f.force(v, r, t, 0)...)
			actions = append(actions, f.keep(v, r, t, f.Policy.Grace)...)
			continue
		}
		mine := false
		var work []Action
		for _, seat := range r.Panel(t) {
			if seat.Node != f.Self {
				continue
			}
			mine = true
			if seat.Status == protocol.SeatStatusRunning {
				busy += seat.Pieces
				work = append(work, f.verifierSeat(v, r, t, seat)...)
			}
		}
		if !mine {
			continue
		}
		actions = append(actions, work...)
		actions = append(actions, f.force(v, r, t, 0)...)
		if !slices.ContainsFunc(work, isSend) { // a commitment outdates the seat that a draw would bring along
			actions = append(actions, f.keep(v, r, t, f.Policy.Grace)...)
		}
	}
	return append(actions, f.offers(v, busy)...)
}

func (f ComputeFacts) firstSeat(v *protocol.View, r *protocol.Run) []Action {
	if r.Record.Status != protocol.StatusAssigned || v.Head.Time > r.Record.Deadline {
		return nil
	}
	if c := f.Work[SeatKey{r.Record.ID, 1}].Commitment; c != nil {
		return []Action{send(protocol.CommitResult{
			Execution: r.Record, Root: c.Root, Fuel: c.Fuel, Leaves: c.Leaves,
		}, "%s", r.Record.ID)}
	}
	return []Action{Execute{Job: r.Record.Job, Execution: r.Record.ID, Seat: 1, Pieces: pieces(r.From, r.Count)}}
}

func (f ComputeFacts) verifierSeat(v *protocol.View, r *protocol.Run, t protocol.Terms, seat protocol.Seat) []Action {
	if v.Head.Time > seat.Deadline {
		return nil
	}
	if c := f.Work[SeatKey{r.Record.ID, seat.Number}].Commitment; c != nil {
		return []Action{send(protocol.CommitVerification{
			Seat: seat, Root: c.Root, Fuel: c.Fuel, Leaves: c.Leaves,
		}, "%s:%d", r.Record.ID, seat.Number)}
	}
	return []Action{Execute{
		Job: r.Record.Job, Execution: r.Record.ID, Seat: seat.Number, Pieces: r.Checked(t, seat.Number),
	}}
}

// offers plans one standing offer for every job that has open pieces and suits the node, as far as it could hold all of
// them at once: what stands may be accepted any time.
func (f ComputeFacts) offers(v *protocol.View, busy uint32) []Action {
	if !v.Nodes[f.Self] {
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
		if room == 0 || f.outstanding(v, j) || f.Declines(j.Terms) != "" {
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
	}
	return ""
}
