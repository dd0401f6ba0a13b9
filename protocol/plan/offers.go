package plan

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// How many specs of strangers are read at the same time, and of one client.
const (
	maxLoads       = 16
	maxClientLoads = 4
)

// load is what a node has taken on.
type load struct {
	pieces  uint64
	seconds float64 // until all of it has run
}

func (l *load) add(pieces uint32, seconds float64) {
	l.pieces, l.seconds = l.pieces+uint64(pieces), l.seconds+seconds
}

// offers decides about every job that has open pieces, and plans one standing offer for each that suits the node, as far
// as it could hold all of them at once: what stands may be accepted any time.
func (f ComputeFacts) offers(v *protocol.View, busy load) (actions []Action, decisions []Decision) {
	promise := func(j *protocol.Job, pieces uint32) {
		busy.add(pieces, f.takes(v, j.ID, pieces, usable(j.Terms.ExecuteWindow)))
		f.Wallet = afterLocking(f.Wallet, j.Terms.Fine)
	}
	for id, o := range f.Offered {
		if j := v.Jobs[id]; j != nil && f.outstanding(v, j) {
			promise(j, o.Pieces)
		}
	}
	loads, perClient := 0, map[common.Address]int{}
	for _, j := range f.wanting(v) {
		d := f.decide(v, j, busy)
		d.Job = j.ID
		switch {
		case d.Verdict == VerdictOffered && !f.outstanding(v, j):
			actions = append(actions, Offer{
				Job: j.ID, Pieces: d.Pieces, Deadline: min(j.Terms.Expiry, v.Head.Time+f.Policy.OfferSeconds),
			})
			promise(j, d.Pieces)
		case f.loadable(v, j, d) && loads < maxLoads && perClient[j.Terms.Client] < maxClientLoads:
			loads++
			perClient[j.Terms.Client]++
			actions = append(actions, Load{Job: j.ID})
		}
		decisions = append(decisions, d)
	}
	return actions, decisions
}

// loadable says whether a job's spec is to be read, or again because what was found may have changed.
func (f ComputeFacts) loadable(v *protocol.View, j *protocol.Job, d Decision) bool {
	switch d.Reason {
	case ReasonUnread:
		return true
	case ReasonNoSpec, ReasonNotLocal, ReasonBidForInputs:
		return v.Head.Time >= f.Specs[j.ID].Again
	}
	return false
}

// decide says what the node makes of a job now. What is known without the spec comes first, so that nobody makes a node
// read what it would not run.
func (f ComputeFacts) decide(v *protocol.View, j *protocol.Job, busy load) Decision {
	if o := f.Offered[j.ID]; f.outstanding(v, j) {
		return Decision{Verdict: VerdictOffered, Reason: ReasonSuits, Pieces: o.Pieces}
	}
	for _, refusal := range []func() *Decision{
		func() *Decision { return f.unavailable(v, j) },
		func() *Decision { return f.Policy.refusesTerms(j.Terms) },
		func() *Decision { return f.short(j.Terms) },
		func() *Decision { return f.noRoom(busy) },
		func() *Decision { return f.refusesSpec(j) },
	} {
		if d := refusal(); d != nil {
			return *d
		}
	}
	room := uint64(f.Policy.MaxPieces) - busy.pieces
	most := uint32(min(room, uint64(f.Parameters.MaxPieces), uint64(largest(j.Open()))))
	count := f.fits(v, j.Terms, j.ID, busy.seconds, most)
	if count == 0 {
		needs := busy.seconds + f.takes(v, j.ID, 1, 0)
		return *exceeds(ReasonTooSlow, ceil(needs), uint64(usable(j.Terms.ExecuteWindow)))
	}
	return Decision{Verdict: VerdictOffered, Reason: ReasonSuits, Pieces: count}
}

// unavailable says why the node offers for no job, or not for this one whatever its terms.
func (f ComputeFacts) unavailable(v *protocol.View, j *protocol.Job) *Decision {
	switch {
	case j.Terms.Client == f.Self:
		return because(ReasonOwnJob)
	case f.Draining:
		return because(ReasonDraining)
	case !v.Nodes[f.Self]:
		return because(ReasonUnregistered)
	case v.Paused[f.Self]:
		return because(ReasonPaused)
	case f.gaveBack(v, j):
		return because(ReasonGaveBack)
	}
	return nil
}

// short says which money lacks.
func (f ComputeFacts) short(t protocol.Terms) *Decision {
	stake := new(big.Int).Add(f.Wallet.Free, f.Wallet.Locked)
	switch needs := f.needs(t); {
	case f.Wallet.Free.Cmp(t.Fine) < 0:
		return tooLittle(ReasonFine, f.Wallet.Free, t.Fine)
	case stake.Cmp(f.Parameters.MinStake) < 0:
		return tooLittle(ReasonStake, stake, f.Parameters.MinStake)
	case f.Wallet.Free.Cmp(needs) < 0:
		return tooLittle(ReasonAppealBond, f.Wallet.Free, needs)
	}
	return nil
}

// needs is what the node wants free before it takes work, wei: the fine, and as much again if it would appeal. Only the
// fine is locked; the rest is left for one appeal, unless draws take it.
func (f ComputeFacts) needs(t protocol.Terms) *big.Int {
	if !f.Policy.Appeals {
		return t.Fine
	}
	return new(big.Int).Lsh(t.Fine, 1)
}

func (f ComputeFacts) noRoom(busy load) *Decision {
	if busy.pieces >= uint64(f.Policy.MaxPieces) {
		return exceeds(ReasonRoom, busy.pieces, uint64(f.Policy.MaxPieces))
	}
	return nil
}

// refusesSpec says what was found of a job's spec, if it is not that the job suits.
func (f ComputeFacts) refusesSpec(j *protocol.Job) *Decision {
	s, loaded := f.Specs[j.ID]
	switch {
	case !loaded:
		return &Decision{Verdict: VerdictPending, Reason: ReasonUnread}
	case s.Again != 0 && !s.Fit:
		return &Decision{Verdict: VerdictPassedOver, Reason: ReasonNoSpec, Detail: s.Reason}
	}
	if d := f.Policy.RefusesSpec(j.Terms, s.Limits); d != nil {
		return d
	}
	switch {
	case !s.Fit:
		return &Decision{Verdict: VerdictPassedOver, Reason: ReasonUnfit, Detail: s.Reason}
	case f.Capacity.AtOnce(s.Limits.MemoryBytes) == 0:
		return exceeds(ReasonMemory, s.Limits.MemoryBytes, f.Capacity.MemoryBytes)
	}
	return f.Policy.refusesInputs(j.Terms, s)
}

// wanting lists jobs that have open pieces: those first whose inputs are here as far as is known, then the oldest.
func (f ComputeFacts) wanting(v *protocol.View) []*protocol.Job {
	var jobs []*protocol.Job
	for _, j := range v.Jobs {
		if v.Head.Time < j.Terms.Expiry && len(j.Open()) > 0 {
			jobs = append(jobs, j)
		}
	}
	remote := func(j *protocol.Job) int {
		if f.Specs[j.ID].MissingBytes > 0 {
			return 1
		}
		return 0
	}
	slices.SortFunc(jobs, func(a, b *protocol.Job) int { return cmp.Or(cmp.Compare(remote(a), remote(b)), older(a, b)) })
	return jobs
}

// afterLocking is a wallet once more of it is locked.
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
