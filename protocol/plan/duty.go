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

// duty plans what a node owes for its part in an execution. What it gives back comes with the reason.
func (f ComputeFacts) duty(
	v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8, busy load,
) (work []Action, declined *Decision) {
	switch status := f.status(v, r, t); {
	case number >= protocol.FirstJuror:
		return f.jury(v, r, t, number, busy)
	case status == protocol.StatusAssigned && number == 1:
		return f.firstSeat(v, r, t, busy)
	case status == protocol.StatusChallenged:
		return f.answer(v, r, t, number), nil
	case status == protocol.StatusSilent:
		return f.openSelf(v, r, t, number), nil
	case status == protocol.StatusVerdict:
		return f.appeal(v, r, t, number), nil
	}
	if seat, ok := seatOf(r, t, number); ok && seat.Status == protocol.SeatStatusRunning {
		return f.verifierSeat(v, r, t, seat, busy)
	}
	return nil, nil
}

// owes is how many pieces a node has to run and commit to for its part in an execution.
func (f ComputeFacts) owes(v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8) uint32 {
	if number >= protocol.FirstJuror {
		if r.Appeal.Votes[number].Status == protocol.VoteStatusNone && v.Head.Time <= r.Appeal.Record.Deadline {
			return 1
		}
		return 0
	}
	switch status := f.status(v, r, t); {
	case status == protocol.StatusAssigned && number == 1:
		return r.Count
	case status == protocol.StatusChallenged || status == protocol.StatusSilent || status == protocol.StatusVerdict:
		return 0
	}
	if seat, ok := seatOf(r, t, number); ok && seat.Status == protocol.SeatStatusRunning {
		return seat.Pieces
	}
	return 0
}

// givesBack says why work with a deadline is to be declined now, if it is: the contract takes it back for nothing in the
// first half of its time. Trying goes on for a quarter; what a draining node has not begun goes back at once, and what
// stands in a queue that is too long when the second quarter begins.
func (f ComputeFacts) givesBack(
	v *protocol.View, key SeatKey, deadline uint64, t protocol.Terms, busy load,
) *Decision {
	work, now, last := f.Work[key], v.Head.Time, deadline-uint64(t.ExecuteWindow/2)
	switch {
	case now > last:
		return nil
	case f.Draining && !work.Begun:
		return because(ReasonDraining)
	case now+uint64(t.ExecuteWindow/4) < last:
		return nil
	case work.Failing:
		return &Decision{Reason: ReasonFailing, Detail: work.Trouble}
	case !work.Begun && busy.seconds > float64(deadline-now):
		return exceeds(ReasonBehind, ceil(busy.seconds), deadline-now)
	}
	return nil
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

func (f ComputeFacts) firstSeat(v *protocol.View, r *protocol.Run, t protocol.Terms, busy load) ([]Action, *Decision) {
	if v.Head.Time > r.Record.Deadline {
		return nil, nil
	}
	key := SeatKey{r.Record.ID, 1}
	owed := pieces(r.From, r.Count)
	if c := f.Work[key].Commitment; c.covers(owed) {
		return []Action{send(protocol.CommitResult{
			Execution: r.Record, Root: c.Root, Fuel: c.Fuel, Leaves: c.Leaves,
		}, "%s", r.Record.ID)}, nil
	}
	if d := f.givesBack(v, key, r.Record.Deadline, t, busy); d != nil {
		d.Pieces = r.Count
		return []Action{send(protocol.Decline{Terms: t, Execution: r.Record}, "%s", r.Record.ID)}, d
	}
	return []Action{Execute{Job: r.Record.Job, Execution: r.Record.ID, Seat: 1, Pieces: owed}}, nil
}

func (f ComputeFacts) verifierSeat(
	v *protocol.View, r *protocol.Run, t protocol.Terms, seat protocol.Seat, busy load,
) ([]Action, *Decision) {
	if v.Head.Time > seat.Deadline {
		return nil, nil
	}
	key := SeatKey{r.Record.ID, seat.Number}
	owed := r.Checked(t, seat.Number)
	if c := f.Work[key].Commitment; c.covers(owed) {
		return []Action{send(protocol.CommitVerification{
			Seat: seat, Root: c.Root, Fuel: c.Fuel, Leaves: c.Leaves,
		}, "%s:%d:%d", r.Record.ID, seat.Number, seat.Redraws)}, nil
	}
	if d := f.givesBack(v, key, seat.Deadline, t, busy); d != nil {
		d.Pieces = seat.Pieces
		return []Action{send(protocol.DeclineSeat{Terms: t, Execution: r.Record, Seat: seat},
			"%s:%d:%d", r.Record.ID, seat.Number, seat.Redraws)}, d
	}
	return []Action{Execute{Job: r.Record.Job, Execution: r.Record.ID, Seat: seat.Number, Pieces: owed}}, nil
}

// covers says whether the work is done, for these pieces: before a reorganisation of the chain the seat may have had
// others.
func (c *Commitment) covers(pieces []uint32) bool { return c != nil && slices.Equal(c.Pieces, pieces) }

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
func (f ComputeFacts) jury(
	v *protocol.View, r *protocol.Run, t protocol.Terms, number uint8, busy load,
) ([]Action, *Decision) {
	jury, id, now := r.Appeal.Record, r.Record.ID, v.Head.Time
	ballot := f.Work[SeatKey{id, number}].Ballot
	if ballot != nil && ballot.Salt != jury.Salt {
		ballot = nil // of a jury that a reorganisation of the chain undid
	}
	switch status := r.Appeal.Votes[number].Status; {
	case status == protocol.VoteStatusNone && now <= jury.Deadline:
		if ballot != nil {
			return []Action{send(protocol.CommitVote{Jury: jury, Number: number, Commitment: ballot.Sealed}, "%s:%d", id, number)}, nil
		}
		if d := f.givesBack(v, SeatKey{id, number}, jury.Deadline, t, busy); d != nil {
			d.Pieces = 1
			return []Action{send(protocol.DeclineVote{Terms: t, Execution: r.Record, Jury: jury, Number: number}, "%s:%d", id, number)}, d
		}
		return []Action{Judge{
			Job: r.Record.Job, Execution: id, Number: number, Piece: r.Verification.Revealed, Salt: jury.Salt,
		}}, nil
	case status == protocol.VoteStatusCommitted && ballot != nil && now > jury.Deadline && now <= jury.RevealDeadline:
		return []Action{send(protocol.RevealVote{
			Jury: jury, Number: number, Vote: ballot.Vote, Nonce: ballot.Nonce,
		}, "%s:%d", id, number)}, nil
	}
	return nil, nil
}
