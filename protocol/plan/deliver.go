package plan

import "github.com/filecoin-project/bacalhau/protocol"

// deliver plans to hand over what an ended execution gave: all of it, or the one piece on which two verifiers agreed.
func (f RequesterFacts) deliver(v *protocol.View, r *protocol.Run, t protocol.Terms) []Action {
	switch {
	case f.Delivered[r.Record.ID]:
	case r.Record.Status == protocol.StatusSettled:
		return f.deliverFirst(v, r, t)
	case r.Verification != nil && r.Verification.Outcome == protocol.OutcomeFirstLost:
		return f.deliverRevealed(r)
	}
	return nil
}

// deliverFirst plans to hand over seat 1's outputs, with a word on checked pieces about which a verifier differs.
func (f RequesterFacts) deliverFirst(v *protocol.View, r *protocol.Run, t protocol.Terms) []Action {
	var missing []Action
	if !f.complete(r, 1) {
		missing = append(missing, Collect{Execution: r.Record.ID, Seat: 1})
	}
	patient := v.Head.Time <= r.Ended.Time+uint64(f.Parameters.SettleWindow)/2
	for _, seat := range f.witnesses(r, t) {
		// A verifier that withholds its leaves does not keep the outputs from the user for long.
		if _, tried := f.Opened[SeatKey{r.Record.ID, seat}]; !tried || (patient && !f.leaves(r, seat)) {
			missing = append(missing, Collect{Execution: r.Record.ID, Seat: seat})
		}
	}
	if len(missing) > 0 {
		return missing
	}
	return []Action{Deliver{
		Execution: r.Record.ID, Seat: 1, Pieces: pieces(r.From, r.Count), Disputed: f.disputed(r, t),
	}}
}

// deliverRevealed plans to hand over seat 2's copy of the piece that seat 1 lost, or seat 3's if it cannot be had.
func (f RequesterFacts) deliverRevealed(r *protocol.Run) []Action {
	var missing []Action
	for _, seat := range []uint8{2, 3} {
		if f.complete(r, seat) {
			return []Action{Deliver{Execution: r.Record.ID, Seat: seat, Pieces: []uint32{r.Verification.Revealed}}}
		}
		missing = append(missing, Collect{Execution: r.Record.ID, Seat: seat})
		if _, tried := f.Opened[SeatKey{r.Record.ID, seat}]; !tried {
			break
		}
	}
	return missing
}

// witnesses lists the verifiers' seats whose word counts: they committed, and were not proved wrong.
func (f RequesterFacts) witnesses(r *protocol.Run, t protocol.Terms) []uint8 {
	var seats []uint8
	for _, s := range r.Panel(t) {
		lost := s.Number == 2 && r.Verification.Outcome == protocol.OutcomeSecondLost ||
			s.Number == 3 && r.Verification.Outcome == protocol.OutcomeThirdLost
		if s.Status == protocol.SeatStatusCommitted && !lost {
			seats = append(seats, s.Number)
		}
	}
	return seats
}

// disputed lists the checked pieces of a settled execution, ascending, about which a witness differs from seat 1.
func (f RequesterFacts) disputed(r *protocol.Run, t protocol.Terms) []uint32 {
	witnesses := f.witnesses(r, t)
	if len(witnesses) == 0 {
		return nil
	}
	var list []uint32
	for _, piece := range r.Checked(t, 2) {
		for _, seat := range witnesses {
			if f.differ(r, seat, piece) {
				list = append(list, piece)
				break
			}
		}
	}
	return list
}

// differ says whether a verifier's result of a piece, if it has one, is another than seat 1's.
func (f RequesterFacts) differ(r *protocol.Run, seat uint8, piece uint32) bool {
	other, ok := f.Opened[SeatKey{r.Record.ID, seat}].Pieces[piece]
	return ok && !f.Opened[SeatKey{r.Record.ID, 1}].Pieces[piece].agrees(other)
}
