package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// ChoicePolicy is how a requester chooses among offers. They all have the job's price, which a node takes or leaves.
type ChoicePolicy struct {
	// ExecutionsPerNode of one job that a node may have running at once; 0 is no bound.
	ExecutionsPerNode uint32
	// MarginSeconds that an offer has to stand yet, so that the transaction that accepts it comes in time.
	MarginSeconds uint64
	// ReachSeconds is how long a node's answer counts for its endpoint; 0 does not ask. A node that cannot be reached
	// could not deliver.
	ReachSeconds uint64
}

// Reach is what came of calling a node's endpoint.
type Reach struct {
	URL string
	// At is when, timestamp in seconds.
	At uint64
	// Trouble is why it did not answer, or "".
	Trouble string
}

// Choice is what a requester makes of an offer, and why.
type Choice struct {
	Offer protocol.Offer
	// Direct means that the offer did not come through the chain.
	Direct bool
	Reason ChoiceReason
	// Pieces that are given to the node, if it is taken.
	Pieces uint32
	Detail string
}

// ChoiceReason says why an offer is taken or not.
type ChoiceReason string

const (
	ChoiceTaken       ChoiceReason = "taken"
	ChoiceRefused     ChoiceReason = "the contract refused it"
	ChoiceExpiring    ChoiceReason = "it expires too soon"
	ChoiceLeft        ChoiceReason = "the node is not registered"
	ChoicePaused      ChoiceReason = "the node is paused"
	ChoiceNoEndpoint  ChoiceReason = "the node has announced no endpoint"
	ChoiceCalling     ChoiceReason = "the node's endpoint is being called"
	ChoiceUnreachable ChoiceReason = "the node's endpoint does not answer"
	ChoiceBusy        ChoiceReason = "the node has enough of this job running"
	ChoiceProvedWrong ChoiceReason = "the node was proved wrong about these pieces"
	ChoiceMoney       ChoiceReason = "the wallet lacks money for bond and checks"
	ChoiceNothingOpen ChoiceReason = "no pieces are left"
)

func (c Choice) String() string {
	if c.Detail == "" {
		return string(c.Reason)
	}
	return fmt.Sprintf("%s: %s", c.Reason, c.Detail)
}

// Probe asks to call a node's endpoint.
type Probe struct {
	Node common.Address
	URL  string
}

func (Probe) isAction() {}

// candidates lists the offers for a job, those first whose nodes have least of it running: a job that is spread is done
// sooner, and hangs on nobody.
func (f RequesterFacts) candidates(v *protocol.View, j *protocol.Job) []candidate {
	running := map[common.Address]uint32{}
	pieces := map[common.Address]uint32{}
	for _, id := range j.Runs {
		if r := v.Runs[id]; r.Record.Status == protocol.StatusAssigned {
			running[r.Node]++
			pieces[r.Node] += r.Count
		}
	}
	var list []candidate
	seen := map[OfferKey]bool{}
	add := func(offers []protocol.SignedOffer, direct bool) {
		for _, o := range offers {
			key := KeyOf(o.Offer, o.Signature)
			if o.Offer.Job != j.ID || o.Offer.Pieces == 0 || v.Head.Time > o.Offer.Deadline || seen[key] {
				continue
			}
			seen[key] = true
			list = append(list, candidate{SignedOffer: o, key: key, direct: direct})
		}
	}
	add(j.Offers, false)
	add(f.Offers, true)
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Compare(pieces[a.Offer.Node], pieces[b.Offer.Node])
	})
	for i := range list {
		node := list[i].Offer.Node
		list[i].Reason = f.objects(v, list[i], running[node])
		if list[i].Reason == ChoiceUnreachable {
			list[i].Detail = f.Reach[node].Trouble
		}
		if list[i].Reason == "" {
			running[node]++
		}
	}
	return list
}

// candidate is an offer that may be taken, unless Reason says why not.
type candidate struct {
	protocol.SignedOffer
	key    OfferKey
	direct bool
	Reason ChoiceReason
	Detail string
}

func (c candidate) choice() Choice {
	return Choice{Offer: c.Offer, Direct: c.direct, Reason: c.Reason, Detail: c.Detail}
}

// objects says why an offer is not taken, or nothing. Signatures are the contract's to check: it costs no transaction to
// be refused.
func (f RequesterFacts) objects(v *protocol.View, c candidate, running uint32) ChoiceReason {
	node, p := c.Offer.Node, f.Policy
	switch {
	case !v.Nodes[node]:
		return ChoiceLeft
	case v.Paused[node]:
		return ChoicePaused
	case f.Refused[c.key]:
		return ChoiceRefused
	case v.Head.Time+p.MarginSeconds > c.Offer.Deadline:
		return ChoiceExpiring
	case p.ExecutionsPerNode != 0 && running >= p.ExecutionsPerNode:
		return ChoiceBusy
	case p.ReachSeconds == 0:
		return ""
	case v.Endpoints[node] == "":
		return ChoiceNoEndpoint
	}
	reach, called := f.Reach[node]
	switch {
	case !called || reach.URL != v.Endpoints[node]:
		return ChoiceCalling
	case reach.Trouble != "":
		return ChoiceUnreachable
	}
	return ""
}

// stale says whether a node's endpoint is to be called before its offer can be taken, or again.
func (f RequesterFacts) stale(v *protocol.View, node common.Address) bool {
	reach, called := f.Reach[node]
	return !called || reach.URL != v.Endpoints[node] || v.Head.Time >= reach.At+f.Policy.ReachSeconds
}
