package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

const (
	// keptOffers bounds the offers that came directly. Of each node and job one is kept.
	keptOffers = 10_000
	// longestOffer is how far off an offer's end may be, seconds: for so long it would take up a place.
	longestOffer = 24 * 3600
	// callPatience is how long a node's endpoint may take to answer.
	callPatience = 10 * time.Second
)

// OfferError is why an offer is not kept, for whoever sent it.
type OfferError struct{ Reason string }

func (e *OfferError) Error() string { return "offer refused: " + e.Reason }

// ErrTooManyOffers means that there is no room for another offer.
var ErrTooManyOffers = errors.New("too many offers are waiting; try again later or post it on the chain")

// place is where one offer is kept.
type place struct {
	job  common.Hash
	node common.Address
}

// TakeOffer keeps an offer that a node sent directly, having checked whatever the contract will check of it. It returns
// an *OfferError if the offer is of no use, ErrTooManyOffers if there is no room for it. An offer is kept in memory: it
// lives for a minute, and a node whose offer is lost makes another.
func (r *Requester) TakeOffer(o protocol.SignedOffer) error {
	r.mu.Lock()
	job, ours := r.jobs[o.Offer.Job]
	r.mu.Unlock()
	if !ours || job.Done || job.Cancelled || job.Rejected != "" {
		return &OfferError{"this client has no such job, or it has ended"}
	}
	if reason := r.useless(o.Offer); reason != "" {
		return &OfferError{reason}
	}
	if err := o.Check(r.ChainID, r.Contract); err != nil {
		return &OfferError{err.Error()}
	}
	at := place{o.Offer.Job, o.Offer.Node}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.direct[at]
	switch {
	case known && before.Offer.Nonce > o.Offer.Nonce:
		return &OfferError{"the node has made a newer one"}
	case !known && len(r.direct) >= keptOffers:
		return ErrTooManyOffers
	}
	r.direct[at] = o
	r.perform.nudge()
	return nil
}

// useless says why an offer could not be accepted now, if it could not.
func (r *Requester) useless(o protocol.Offer) (reason string) {
	r.Feed.Read(func(v *protocol.View) {
		j := v.Jobs[o.Job]
		switch {
		case o.Pieces == 0:
			reason = "it is of no pieces"
		case o.Deadline <= v.Head.Time:
			reason = "it has expired"
		case o.Deadline > v.Head.Time+longestOffer:
			reason = fmt.Sprintf("it stands for more than %d seconds", longestOffer)
		case !v.Nodes[o.Node] || v.Paused[o.Node]:
			reason = "the node is not registered, or paused"
		case j != nil && len(j.Open()) == 0: // of a new job the node may have heard before us
			reason = "no pieces of the job are left"
		}
	})
	return reason
}

// probe calls a node's endpoint and remembers what came of it. That it does not answer is a finding, not a failure.
func (r *Requester) probe(ctx context.Context, a plan.Probe) error {
	patient, done := context.WithTimeout(ctx, callPatience)
	defer done()
	reach := plan.Reach{URL: a.URL}
	if err := r.Peers.Call(patient, a.URL); err != nil {
		reach.Trouble = err.Error()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.Feed.Read(func(v *protocol.View) { reach.At = v.Head.Time })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reach[a.Node] = reach
	return nil
}

// chosen remembers what the last plan made of the offers for each job.
func (r *Requester) chosen(choices map[common.Hash][]plan.Choice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.choices = choices
}

// Choices says what the last plan made of the offers for a job.
func (r *Requester) Choices(job common.Hash) []plan.Choice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.choices[job])
}

// forgetOffers drops offers and calls that no plan will ask for again; the caller holds r.mu.
func (r *Requester) forgetOffers(v *protocol.View, cared map[common.Hash]plan.JobFacts) {
	maps.DeleteFunc(r.direct, func(at place, o protocol.SignedOffer) bool {
		j := v.Jobs[at.job]
		_, cares := cared[at.job]
		return !cares || v.Head.Time > o.Offer.Deadline || (j != nil && len(j.Open()) == 0)
	})
	maps.DeleteFunc(r.reach, func(node common.Address, _ plan.Reach) bool { return !v.Nodes[node] })
}
