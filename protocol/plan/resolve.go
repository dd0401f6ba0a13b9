package plan

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// resolving plans what follows the panel's commitments: compare, then pay, escalate or reveal. Of a seat that withholds
// its leaves, one is demanded: that of the piece in question.
func (f RequesterFacts) resolving(v *protocol.View, r *protocol.Run, t protocol.Terms, facts JobFacts) []Action {
	panel := r.Panel(t)
	seed := f.Secret.Dice(r.Record.Job, r.Node, r.Nonce)
	deadline := r.ResolveBy(t, f.Parameters.SettleWindow)
	piece, differs := f.inQuestion(r, t, panel, seed)
	var missing []Action
	for _, number := range f.committedSeats(panel) {
		if f.knows(r, number, piece) {
			continue
		}
		if call := f.challenge(v, r, t, number, piece, deadline); call != nil {
			return call
		}
		missing = append(missing, Collect{Execution: r.Record.ID, Seat: number})
	}
	if len(missing) > 0 && !f.hurry(v, deadline) {
		f.money.keep(f.reserve(r, t))
		return missing
	}
	if differs && len(missing) == 0 {
		switch {
		case full(panel):
			return []Action{send(f.reveal(r, t, panel, facts, piece, seed), "%s:%d", r.Record.ID, piece)}
		case len(panel) == 1 && f.money.pay(r.Verification.Bid):
			return []Action{send(protocol.Escalate{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: panel, Piece: piece,
			}, "%s", r.Record.ID)}
		}
		// Two different results and no third seat to be had: nobody can be convicted.
	}
	return []Action{send(protocol.SettleVerified{
		Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: panel, Seed: seed,
	}, "%s", r.Record.ID)}
}

// inQuestion is the piece that has to be known of every seat, and whether two seats differ about it: the escalated one,
// or the first difference, or what a challenge brought out, or, while nothing is known, one that no seat can foresee.
func (f RequesterFacts) inQuestion(
	r *protocol.Run, t protocol.Terms, panel []protocol.Seat, seed common.Hash,
) (piece uint32, differs bool) {
	if t.Seats == 2 && len(panel) == 2 {
		return r.Verification.Escalated, true
	}
	checked := r.Checked(t, 2)
	for _, piece := range checked {
		for _, s := range panel {
			if s.Status == protocol.SeatStatusCommitted && f.differ(r, s.Number, piece) {
				return piece, true
			}
		}
	}
	for _, piece := range checked {
		for _, shown := range r.Answers {
			if _, ok := shown[piece]; ok {
				return piece, false
			}
		}
	}
	return pickPiece(checked, seed), false
}

// pickPiece picks one of some pieces by the client's seed, which nobody else knows yet.
func pickPiece(pieces []uint32, seed common.Hash) uint32 {
	return pieces[binary.BigEndian.Uint64(seed[:])%uint64(len(pieces))]
}

// challenge plans to demand a leaf from a seat that gave none for a quarter of the client's time. It stops the clock.
func (f RequesterFacts) challenge(
	v *protocol.View, r *protocol.Run, t protocol.Terms, seat uint8, piece uint32, deadline uint64,
) []Action {
	leaves, redraws := r.Count, uint8(0)
	if s, ok := seatOf(r, t, seat); ok {
		leaves, redraws = s.Pieces, s.Redraws
	}
	opened := f.Opened[SeatKey{r.Record.ID, seat}]
	early := v.Head.Time+uint64(f.Parameters.SettleWindow)/4*3 <= deadline
	if !opened.Failed || leaves < 2 || len(r.Answers[seat]) > 0 && r.Verification == nil || early {
		return nil
	}
	if _, shown := r.Answers[seat][piece]; shown || !f.money.pay(f.Parameters.ChallengePrice) {
		return nil
	}
	return []Action{send(protocol.ChallengeLeaf{
		Terms: t, Execution: r.Record, Verification: checkOf(r), Seats: r.Panel(t), Seat: seat, Piece: piece,
	}, "%s:%d:%d:%d", r.Record.ID, seat, redraws, piece)}
}

// knows says whether a seat's leaf of a piece is here.
func (f RequesterFacts) knows(r *protocol.Run, seat uint8, piece uint32) bool {
	_, ok := f.Opened[SeatKey{r.Record.ID, seat}].Pieces[piece]
	return ok || f.leaves(r, seat)
}

// committedSeats lists the seats that have published something, with the execution's own node.
func (f RequesterFacts) committedSeats(panel []protocol.Seat) []uint8 {
	seats := []uint8{1}
	for _, s := range panel {
		if s.Status == protocol.SeatStatusCommitted {
			seats = append(seats, s.Number)
		}
	}
	return seats
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
