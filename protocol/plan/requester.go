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

// Opened is what a seat published, decrypted. Failed means that it could not be had yet.
type Opened struct {
	Failed bool
	Pieces map[uint32]OpenedPiece
}

// OpenedPiece is one piece's result as a seat committed to it.
type OpenedPiece struct {
	Leaf   protocol.Leaf
	Proof  []protocol.Sum
	Digest common.Hash // zero if unreadable
	Shared protocol.Shared
}

// agrees says whether two seats committed to the same result and fuel; an unreadable one agrees with nothing.
func (a OpenedPiece) agrees(b OpenedPiece) bool {
	return a.Digest != (common.Hash{}) && a.Digest == b.Digest && a.Leaf.Fuel == b.Leaf.Fuel
}

// Requester plans a requester node's next steps.
func Requester(v *protocol.View, f RequesterFacts) []Action {
	var actions []Action
	for id, facts := range f.Jobs {
		j := v.Jobs[id]
		if j == nil {
			if !facts.Cancelled {
				actions = append(actions, send(protocol.CreateJob{Terms: facts.Terms}, "%s", id))
			}
			continue
		}
		actions = append(actions, f.assign(v, j, facts)...)
		for _, run := range j.Runs {
			actions = append(actions, f.run(v, j, v.Runs[run], facts)...)
		}
	}
	return actions
}

func (f RequesterFacts) run(v *protocol.View, j *protocol.Job, r *protocol.Run, facts JobFacts) []Action {
	t := j.Terms
	switch r.Status(t) {
	case protocol.StatusCommitted:
		if v.Head.Time <= r.Record.Deadline && v.Head.Number >= r.Record.CommittedBlock+uint64(f.Parameters.Confirmations) {
			return f.committed(v, r, t, facts)
		}
	case protocol.StatusResolving:
		if v.Head.Time <= r.ResolveBy(t, f.Parameters.SettleWindow) {
			return f.resolving(v, r, t, facts)
		}
	case protocol.StatusSettled, protocol.StatusReturned, protocol.StatusRefunded:
		return f.deliver(r, t)
	default:
		return keep(v, r, t, f.Parameters, 0)
	}
	return nil
}

// committed plans what follows a commitment: the dice decide. Results are fetched first, but a node that withholds
// them does not cost the client its bond: half-way to the deadline it settles without.
func (f RequesterFacts) committed(v *protocol.View, r *protocol.Run, t protocol.Terms, facts JobFacts) []Action {
	seed := f.Secret.Dice(r.Record.Job, r.Node, r.Nonce)
	hits := protocol.Roll(seed, r.Record.Root, r.Record.ID, r.Count, t.CheckRate)
	if len(hits) > 0 {
		cost := new(big.Int).Mul(facts.VerifierBid, big.NewInt(int64(len(hits))*int64(t.Seats-1)))
		if f.Wallet.Free.Cmp(cost) >= 0 {
			return []Action{send(protocol.Verify{
				Terms: t, Execution: r.Record, Bid: facts.VerifierBid, Listed: protocol.List(hits, r.Count),
			}, "%s", r.Record.ID)}
		}
		// A client that cannot pay for its checks burns its bond at settle.
	}
	opened, tried := f.Opened[SeatKey{r.Record.ID, 1}]
	if (!tried || opened.Failed) && !f.hurry(v, r.Record.Deadline) {
		return []Action{Collect{Execution: r.Record.ID, Seat: 1}}
	}
	return []Action{send(protocol.Settle{Terms: t, Execution: r.Record, Seed: seed}, "%s", r.Record.ID)}
}

// resolving plans what follows the panel's commitments: compare, then pay, escalate or reveal.
func (f RequesterFacts) resolving(v *protocol.View, r *protocol.Run, t protocol.Terms, facts JobFacts) []Action {
	panel := r.Panel(t)
	seed := f.Secret.Dice(r.Record.Job, r.Node, r.Nonce)
	var missing []Action
	for number := range f.committedSeats(panel) {
		if o, tried := f.Opened[SeatKey{r.Record.ID, number}]; !tried || o.Failed {
			missing = append(missing, Collect{Execution: r.Record.ID, Seat: number})
		}
	}
	if len(missing) > 0 && !f.hurry(v, r.ResolveBy(t, f.Parameters.SettleWindow)) {
		return missing
	}
	if piece, differs := f.difference(r, t, panel); differs && len(missing) == 0 {
		full := len(panel) == 2
		for _, s := range panel {
			full = full && s.Status == protocol.SeatStatusCommitted
		}
		switch {
		case full:
			return []Action{send(f.reveal(r, t, panel, facts, piece, seed), "%s:%d", r.Record.ID, piece)}
		case len(panel) == 1 && f.Wallet.Free.Cmp(r.Verification.Bid) >= 0:
			return []Action{send(protocol.Escalate{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Second: panel[0], Piece: piece,
			}, "%s", r.Record.ID)}
		}
		// Two different results and no third seat to be had: nobody can be convicted.
	}
	return []Action{send(protocol.SettleVerified{
		Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: panel, Seed: seed,
	}, "%s", r.Record.ID)}
}

// committedSeats is the set of seats that have published something, with the execution's own node.
func (f RequesterFacts) committedSeats(panel []protocol.Seat) map[uint8]bool {
	seats := map[uint8]bool{1: true}
	for _, s := range panel {
		if s.Status == protocol.SeatStatusCommitted {
			seats[s.Number] = true
		}
	}
	return seats
}

// difference finds a checked piece on which a committed verifier disagrees with seat 1: the escalated one, or the first.
func (f RequesterFacts) difference(r *protocol.Run, t protocol.Terms, panel []protocol.Seat) (uint32, bool) {
	first := f.Opened[SeatKey{r.Record.ID, 1}]
	if t.Seats == 2 && len(panel) == 2 {
		return r.Verification.Escalated, true
	}
	for _, piece := range r.Checked(t, 2) {
		for _, s := range panel {
			other, ok := f.Opened[SeatKey{r.Record.ID, s.Number}].Pieces[piece]
			if s.Status == protocol.SeatStatusCommitted && ok && !first.Pieces[piece].agrees(other) {
				return piece, true
			}
		}
	}
	return 0, false
}

func (f RequesterFacts) reveal(
	r *protocol.Run, t protocol.Terms, panel []protocol.Seat, facts JobFacts, piece uint32, seed common.Hash,
) protocol.Call {
	digest, proof := facts.Document.Proof(piece)
	key := f.Secret.PieceKey(t.Salt, piece)
	reveal := protocol.Reveal{
		Piece: piece, Sk: new(big.Int).SetBytes(key.Serialize()), SpecDigest: digest, SpecProof: proof, Seed: seed,
	}
	for i := range reveal.Openings {
		o := f.Opened[SeatKey{r.Record.ID, uint8(i + 1)}].Pieces[piece]
		reveal.Openings[i] = protocol.Opening{Leaf: o.Leaf, Proof: o.Proof, Sx: o.Shared.X(), Sy: o.Shared.Y()}
	}
	return protocol.RevealKey{
		Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: panel, Reveal: reveal,
	}
}

// deliver plans to hand over what an ended execution gave: all of it, or the one piece on which two verifiers agreed.
func (f RequesterFacts) deliver(r *protocol.Run, t protocol.Terms) []Action {
	if f.Delivered[r.Record.ID] {
		return nil
	}
	seat, list := uint8(1), pieces(r.From, r.Count)
	switch {
	case r.Record.Status == protocol.StatusSettled:
	case r.Verification != nil && r.Verification.Outcome == protocol.OutcomeFirstLost:
		seat, list = 2, []uint32{r.Verification.Revealed}
	default:
		return nil
	}
	if o, tried := f.Opened[SeatKey{r.Record.ID, seat}]; !tried || o.Failed {
		return []Action{Collect{Execution: r.Record.ID, Seat: seat}}
	}
	return []Action{Deliver{Execution: r.Record.ID, Seat: seat, Pieces: list}}
}

// hurry says that half of the settle window before a deadline is over.
func (f RequesterFacts) hurry(v *protocol.View, deadline uint64) bool {
	return v.Head.Time+uint64(f.Parameters.SettleWindow)/2 > deadline
}
