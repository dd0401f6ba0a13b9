package plan

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// resolving plans what follows the panel's commitments: compare, then pay, escalate or reveal.
func (f RequesterFacts) resolving(v *protocol.View, r *protocol.Run, t protocol.Terms, facts JobFacts) []Action {
	panel := r.Panel(t)
	seed := f.Secret.Dice(r.Record.Job, r.Node, r.Nonce)
	var missing []Action
	for number := range f.committedSeats(panel) {
		if !f.leaves(r, number) {
			missing = append(missing, Collect{Execution: r.Record.ID, Seat: number})
		}
	}
	if len(missing) > 0 && !f.hurry(v, r.ResolveBy(t, f.Parameters.SettleWindow)) {
		f.money.keep(reserve(r, t))
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
		case len(panel) == 1 && f.money.pay(r.Verification.Bid):
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
	if t.Seats == 2 && len(panel) == 2 {
		return r.Verification.Escalated, true
	}
	for _, piece := range r.Checked(t, 2) {
		for _, s := range panel {
			if s.Status == protocol.SeatStatusCommitted && f.differ(r, s.Number, piece) {
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
