package plan

import "github.com/filecoin-project/bacalhau/protocol"

// deliver plans to hand over what an ended execution gave: all of it, or the one piece on which two verifiers agreed.
func (f RequesterFacts) deliver(v *protocol.View, r *protocol.Run, t protocol.Terms) []Action {
	switch {
	case f.Delivered[r.Record.ID]:
	case r.Record.Status == protocol.StatusSettled:
		return f.deliverFirst(v, r, t)
	default:
		return f.deliverKept(r)
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

// deliverKept plans to hand over the one piece of a returned execution that other seats settled: the first copy of it
// that can be had.
func (f RequesterFacts) deliverKept(r *protocol.Run) []Action {
	var missing []Action
	piece, seats := r.Kept()
	for _, seat := range seats {
		if f.complete(r, seat) {
			return []Action{Deliver{Execution: r.Record.ID, Seat: seat, Pieces: []uint32{piece}}}
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
		if s.Status == protocol.SeatStatusCommitted && !r.Wrong(s.Number) {
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

// differ says whether a verifier's result of a piece is another than seat 1's, if both are known.
func (f RequesterFacts) differ(r *protocol.Run, seat uint8, piece uint32) bool {
	first, known := f.Opened[SeatKey{r.Record.ID, 1}].Pieces[piece]
	other, alsoKnown := f.Opened[SeatKey{r.Record.ID, seat}].Pieces[piece]
	return known && alsoKnown && !first.agrees(other)
}
