package plan

import (
	"encoding/binary"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// numberOf is a node's part in an execution: 1 for its own node, 2 and 3 for verifiers, 4 and up for jurors, 0 for none.
func numberOf(self common.Address, r *protocol.Run, t protocol.Terms) uint8 {
	if r.Node == self {
		return 1
	}
	for _, seat := range r.Panel(t) {
		if seat.Node == self && seat.Status != protocol.SeatStatusDrawing {
			return seat.Number
		}
	}
	if r.Appeal != nil {
		return r.Appeal.Number(self)
	}
	return 0
}

// duty plans what a node owes for its part in an execution, and says for how many pieces that keeps it busy.
func (f ComputeFacts) duty(v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8) (work []Action, busy uint32) {
	switch status := f.status(v, r, t); {
	case number >= protocol.FirstJuror:
		return f.jury(v, r, t, number)
	case status == protocol.StatusAssigned && number == 1:
		return f.firstSeat(v, r, t), r.Count
	case status == protocol.StatusChallenged:
		return f.answer(v, r, t, number), 0
	case status == protocol.StatusSilent:
		return f.openSelf(v, r, t, number), 0
	case status == protocol.StatusVerdict:
		return f.appeal(v, r, t, number), 0
	}
	if seat, ok := seatOf(r, t, number); ok && seat.Status == protocol.SeatStatusRunning {
		return f.verifierSeat(v, r, t, seat), seat.Pieces
	}
	return nil, 0
}

// seatOf is a verifier's seat.
func seatOf(r *protocol.Run, t protocol.Terms, number uint8) (protocol.Seat, bool) {
	for _, seat := range r.Panel(t) {
		if seat.Number == number {
			return seat, true
		}
	}
	return protocol.Seat{}, false
}

func (f ComputeFacts) firstSeat(v *protocol.View, r *protocol.Run, t protocol.Terms) []Action {
	if v.Head.Time > r.Record.Deadline {
		return nil
	}
	work := f.Work[SeatKey{r.Record.ID, 1}]
	switch {
	case work.Commitment != nil:
		return []Action{send(protocol.CommitResult{
			Execution: r.Record, Root: work.Commitment.Root, Fuel: work.Commitment.Fuel, Leaves: work.Commitment.Leaves,
		}, "%s", r.Record.ID)}
	case work.Failing && givesUp(v.Head.Time, r.Record.Deadline, t):
		return []Action{send(protocol.Decline{Terms: t, Execution: r.Record}, "%s", r.Record.ID)}
	}
	return []Action{Execute{Job: r.Record.Job, Execution: r.Record.ID, Seat: 1, Pieces: pieces(r.From, r.Count)}}
}

func (f ComputeFacts) verifierSeat(v *protocol.View, r *protocol.Run, t protocol.Terms, seat protocol.Seat) []Action {
	if v.Head.Time > seat.Deadline {
		return nil
	}
	work := f.Work[SeatKey{r.Record.ID, seat.Number}]
	switch {
	case work.Commitment != nil:
		return []Action{send(protocol.CommitVerification{
			Seat: seat, Root: work.Commitment.Root, Fuel: work.Commitment.Fuel, Leaves: work.Commitment.Leaves,
		}, "%s:%d:%d", r.Record.ID, seat.Number, seat.Redraws)}
	case work.Failing && givesUp(v.Head.Time, seat.Deadline, t):
		return []Action{send(protocol.DeclineSeat{Terms: t, Execution: r.Record, Seat: seat},
			"%s:%d:%d", r.Record.ID, seat.Number, seat.Redraws)}
	}
	return []Action{Execute{
		Job: r.Record.Job, Execution: r.Record.ID, Seat: seat.Number, Pieces: r.Checked(t, seat.Number),
	}}
}

// givesUp says whether it is time to decline work that keeps failing: a quarter of the window goes to trying, and in the
// next one the contract takes it back for nothing.
func givesUp(now, deadline uint64, t protocol.Terms) bool {
	last := deadline - uint64(t.ExecuteWindow/2)
	return now <= last && now+uint64(t.ExecuteWindow/4) >= last
}

// answer plans to show the leaf that the client demands of this node.
func (f ComputeFacts) answer(v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8) []Action {
	c := r.Challenge
	if c.Seat != number || v.Head.Time > r.Record.Deadline {
		return nil
	}
	call := protocol.AnswerLeaf{
		Terms: t, Execution: r.Record, Verification: checkOf(r), Seats: r.Panel(t), Challenge: *c,
	}
	return []Action{Answer{
		Key:  keyOf(call, "%s:%d:%d:%d", r.Record.ID, c.Seat, c.Piece, r.Record.Deadline),
		Call: call, Position: positionOf(r, t, number, c.Piece),
	}}
}

// positionOf is the place of a piece's leaf in a seat's commitment.
func positionOf(r *protocol.Run, t protocol.Terms, number uint8, piece uint32) int {
	if number == 1 {
		return int(piece - r.From)
	}
	return slices.Index(r.Checked(t, number), piece)
}

// openSelf plans to open the node's own commitment for a silent client. Only three seats can be compared.
func (f ComputeFacts) openSelf(v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8) []Action {
	_, opened := r.Openings[number]
	late := v.Head.Time > r.ResolveBy(t, f.Parameters.SettleWindow)+uint64(f.Parameters.SilentWindow)
	if opened || late || !full(r.Panel(t)) {
		return nil
	}
	piece := pieceToOpen(r, t)
	call := protocol.OpenSelf{
		Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t), Seat: number,
		Disclosure: protocol.Disclosure{Piece: piece},
	}
	return []Action{Disclose{
		Key: keyOf(call, "%s:%d:%d", r.Record.ID, number, piece), Call: call, Position: positionOf(r, t, number, piece),
	}}
}

// full says whether both verifiers have committed.
func full(panel []protocol.Seat) bool {
	committed := func(s protocol.Seat) bool { return s.Status == protocol.SeatStatusCommitted }
	return len(panel) == 2 && committed(panel[0]) && committed(panel[1])
}

// pieceToOpen is the piece that another seat has named, or the one that a lazy panel escalated, or else one that nobody
// knew when it committed, so that a cheat cannot have prepared for it: it follows from all three commitments.
func pieceToOpen(r *protocol.Run, t protocol.Terms) uint32 {
	for _, o := range r.Openings {
		return o.Piece
	}
	checked, panel := r.Checked(t, 3), r.Panel(t)
	lot := crypto.Keccak256(r.Record.Root[:], panel[0].Root[:], panel[1].Root[:])
	return checked[binary.BigEndian.Uint64(lot)%uint64(len(checked))]
}

// appeal plans to appeal against a verdict by which this node's result is wrong or worth nothing. A node commits to
// what it computed, so it takes itself to be right.
func (f ComputeFacts) appeal(v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8) []Action {
	mine := r.Verification.Outcome == protocol.OutcomeAllDiffer || r.Loser() == number
	if !f.Policy.Appeals || !mine || v.Head.Time > r.Record.Deadline || f.Wallet.Free.Cmp(t.Fine) < 0 {
		return nil
	}
	return []Action{send(protocol.Appeal{
		Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t), Seat: number,
	}, "%s:%d", r.Record.ID, number)}
}

// jury plans a juror's duty: to run the opened piece, to seal its vote, and to open it once all are sealed.
func (f ComputeFacts) jury(v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8) (work []Action, busy uint32) {
	jury, id, now := r.Appeal.Record, r.Record.ID, v.Head.Time
	duty := f.Work[SeatKey{id, number}]
	switch status := r.Appeal.Votes[number].Status; {
	case status == protocol.VoteStatusNone && now <= jury.Deadline:
		switch {
		case duty.Ballot != nil:
			work = append(work, send(protocol.CommitVote{Jury: jury, Number: number, Commitment: duty.Ballot.Sealed}, "%s:%d", id, number))
		case duty.Failing && givesUp(now, jury.Deadline, t):
			work = append(work, send(protocol.DeclineVote{Terms: t, Execution: r.Record, Jury: jury, Number: number}, "%s:%d", id, number))
		default:
			work = append(work, Judge{
				Job: r.Record.Job, Execution: id, Number: number, Piece: r.Verification.Revealed, Salt: jury.Salt,
			})
		}
		return work, 1
	case status == protocol.VoteStatusCommitted && duty.Ballot != nil && now > jury.Deadline && now <= jury.RevealDeadline:
		return []Action{send(protocol.RevealVote{
			Jury: jury, Number: number, Vote: duty.Ballot.Vote, Nonce: duty.Ballot.Nonce,
		}, "%s:%d", id, number)}, 0
	}
	return nil, 0
}
