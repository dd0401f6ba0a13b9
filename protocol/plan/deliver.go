package plan

import "github.com/filecoin-project/bacalhau/protocol"

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
	if !f.complete(r, seat) {
		return []Action{Collect{Execution: r.Record.ID, Seat: seat}}
	}
	return []Action{Deliver{Execution: r.Record.ID, Seat: seat, Pieces: list}}
}
