package plan

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// RequesterFacts are what a requester node knows beside the view.
type RequesterFacts struct {
	Terms
	Wallet protocol.Wallet
	Secret protocol.ClientSecret
	Policy ChoicePolicy
	// Jobs of this client that it still cares for.
	Jobs map[common.Hash]JobFacts
	// Opened is what Collect brought home.
	Opened map[SeatKey]Opened
	// Delivered pieces by execution.
	Delivered map[common.Hash]bool
	// Refused offers, which the contract did not accept.
	Refused map[OfferKey]bool
	// Offers that came directly.
	Offers []protocol.SignedOffer
	// Reach says which nodes' endpoints answered.
	Reach map[common.Address]Reach

	money *budget // of the plan being made
}

// OfferKey names an offer as it came. A node never uses a nonce twice, but anyone may post an offer in its name: the
// signature tells the node's own from a forged one.
type OfferKey struct {
	Node      common.Address
	Nonce     uint32
	Signature common.Hash // keccak256 of the signature
}

// KeyOf names an offer.
func KeyOf(o protocol.Offer, signature []byte) OfferKey {
	return OfferKey{Node: o.Node, Nonce: o.Nonce, Signature: crypto.Keccak256Hash(signature)}
}

// JobFacts is what the client wants of a job.
type JobFacts struct {
	// Terms of the job to create if the chain does not have it.
	Terms     protocol.Terms
	Cancelled bool
	// PiecesPerExecution that one offer gets at most.
	PiecesPerExecution uint32
	// VerifierBid b′ per checked piece, wei.
	VerifierBid *big.Int
	Document    *protocol.Document
}

// Opened is what a seat published, decrypted.
type Opened struct {
	// Root that the seat had committed to.
	Root common.Hash
	// Failed means that not even the leaves could be had yet.
	Failed bool
	// Incomplete means that not all outputs are here yet. Comparing needs the leaves only.
	Incomplete bool
	// Pieces by the index that belongs at a leaf's place, whatever the leaf says.
	Pieces map[uint32]OpenedPiece
}

// OpenedPiece is one piece's result as a seat committed to it.
type OpenedPiece struct {
	Leaf   protocol.Leaf
	Proof  []protocol.Sum
	Digest common.Hash // zero if unreadable or another piece's
	Shared protocol.Shared
}

// agrees says whether two seats committed to the same result and fuel; an unreadable one agrees with nothing.
func (a OpenedPiece) agrees(b OpenedPiece) bool {
	return a.Digest != (common.Hash{}) && a.Digest == b.Digest && a.Leaf.Fuel == b.Leaf.Fuel
}

// Requester plans a requester node's next steps, and says for every job what it makes of the offers.
func Requester(v *protocol.View, f RequesterFacts) ([]Action, map[common.Hash][]Choice) {
	var actions []Action
	choices := map[common.Hash][]Choice{}
	for id, facts := range f.Jobs {
		if v.Jobs[id] == nil && !facts.Cancelled {
			actions = append(actions, send(protocol.CreateJob{Terms: facts.Terms}, "%s", id))
		}
	}
	f.money = newBudget(f.Wallet)
	jobs := byAge(v, f.Jobs)
	for _, j := range jobs {
		for _, run := range j.Runs {
			actions = append(actions, f.run(v, j, v.Runs[run], f.Jobs[j.ID])...)
		}
	}
	for _, j := range jobs { // after all that runs has what it needs
		assigned, chosen := f.assign(v, j, f.Jobs[j.ID])
		actions = append(actions, assigned...)
		if len(chosen) > 0 {
			choices[j.ID] = chosen
		}
	}
	return actions, choices
}

func (f RequesterFacts) run(v *protocol.View, j *protocol.Job, r *protocol.Run, facts JobFacts) []Action {
	t := j.Terms
	// A deadline missed costs the bond and pays the nodes, who see to it at once. If they are gone too it falls to the
	// client, whose escrow would stay locked.
	forced := f.force(v, r, t, uint64(f.Parameters.SettleWindow))
	switch f.status(v, r, t) {
	case protocol.StatusCommitted:
		if v.Head.Time > r.Record.Deadline {
			return forced
		}
		if v.Head.Number >= r.Record.CommittedBlock+uint64(f.Parameters.Confirmations) {
			return f.committed(v, r, t, facts)
		}
		f.money.keep(f.reserve(r, t))
	case protocol.StatusResolving:
		return f.resolving(v, r, t, facts)
	case protocol.StatusSilent:
		return forced
	case protocol.StatusSettled, protocol.StatusReturned, protocol.StatusRefunded:
		return f.deliver(v, r, t)
	default:
		f.money.keep(f.reserve(r, t))
		return f.keep(v, r, t, 0)
	}
	return nil
}

// committed plans what follows a commitment: the dice decide. Results are fetched first, but a node that withholds
// them does not cost the client its bond: half-way to the deadline it settles without. Checks that it cannot pay for do
// cost it, so until then it waits for money.
func (f RequesterFacts) committed(v *protocol.View, r *protocol.Run, t protocol.Terms, facts JobFacts) []Action {
	seed := f.Secret.Dice(r.Record.Job, r.Node, r.Nonce)
	hits := protocol.Roll(seed, r.Record.Root, r.Record.ID, r.Count, t.CheckRate)
	hurry := f.hurry(v, r.Record.Deadline)
	if len(hits) > 0 {
		cost := new(big.Int).Mul(facts.VerifierBid, big.NewInt(int64(len(hits))*int64(t.Seats-1)))
		if f.money.pay(cost) {
			return []Action{send(protocol.Verify{
				Terms: t, Execution: r.Record, Bid: facts.VerifierBid, Listed: protocol.List(hits, r.Count),
			}, "%s", r.Record.ID)}
		}
		if !hurry {
			lack := new(big.Int).Sub(cost, f.money.free)
			f.money.keep(cost)
			return []Action{TopUp{For: r.Record.ID, Wei: lack}}
		}
	}
	if !f.complete(r, 1) && !hurry {
		if call := f.challenge(v, r, t, 1, pickPiece(pieces(r.From, r.Count), seed), r.Record.Deadline); call != nil {
			return call
		}
		return []Action{Collect{Execution: r.Record.ID, Seat: 1}}
	}
	return []Action{send(protocol.Settle{Terms: t, Execution: r.Record, Seed: seed}, "%s", r.Record.ID)}
}

// leaves says whether the leaves of a seat are here.
func (f RequesterFacts) leaves(r *protocol.Run, seat uint8) bool {
	o, tried := f.Opened[SeatKey{r.Record.ID, seat}]
	return tried && !o.Failed
}

// complete says whether the leaves and outputs of a seat are here.
func (f RequesterFacts) complete(r *protocol.Run, seat uint8) bool {
	return f.leaves(r, seat) && !f.Opened[SeatKey{r.Record.ID, seat}].Incomplete
}

// hurry says that half of the settle window before a deadline is over.
func (f RequesterFacts) hurry(v *protocol.View, deadline uint64) bool {
	return v.Head.Time+uint64(f.Parameters.SettleWindow)/2 > deadline
}
