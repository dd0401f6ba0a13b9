package plan

import (
	"github.com/filecoin-project/bacalhau/protocol"
)

// keep plans the steps of an execution that anyone may take: draws and timeouts. A party that does not profit most
// waits grace seconds longer, so that not everybody sends the same transaction.
func keep(v *protocol.View, r *protocol.Run, t protocol.Terms, p protocol.Parameters, grace uint64) []Action {
	late := func(deadline uint64) bool { return v.Head.Time > deadline+grace }
	id := r.Record.ID
	switch r.Status(t) {
	case protocol.StatusAssigned:
		if late(r.Record.Deadline) {
			return []Action{send(protocol.TimeoutAssigned{Terms: t, Execution: r.Record}, "%s", id)}
		}
	case protocol.StatusDrawing, protocol.StatusVerifying:
		var actions []Action
		for _, seat := range r.Panel(t) {
			if a, ok := keepSeat(v, r, t, seat, grace); ok {
				actions = append(actions, a)
			}
		}
		return actions
	case protocol.StatusVerdict:
		if late(r.Record.Deadline) {
			return []Action{send(protocol.TimeoutVerdict{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t),
			}, "%s", id)}
		}
	}
	return nil
}

func keepSeat(v *protocol.View, r *protocol.Run, t protocol.Terms, seat protocol.Seat, grace uint64) (Action, bool) {
	now, id := v.Head, r.Record.ID
	switch {
	case seat.Status == protocol.SeatStatusDrawing && now.Time > seat.Deadline:
		if now.Time > seat.Deadline+grace {
			return send(protocol.TimeoutDrawing{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seat: seat,
			}, "%s:%d:%d", id, seat.Number, seat.Redraws), true
		}
	case seat.Status == protocol.SeatStatusDrawing:
		// The block's number tells whether someone else should have drawn by now.
		if now.Number > seat.Target && (grace == 0 || now.Time+grace > seat.Deadline) {
			return send(protocol.Draw{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seat: seat, Other: otherSeat(r, t, seat.Number),
			}, "%s:%d:%d", id, seat.Number, seat.Redraws), true
		}
	case seat.Status == protocol.SeatStatusRunning && now.Time > seat.Deadline+grace:
		return send(protocol.TimeoutSeat{Terms: t, Execution: r.Record, Seat: seat},
			"%s:%d:%d", id, seat.Number, seat.Redraws), true
	}
	return nil, false
}

// otherSeat is the panel's other seat, or an empty record if there is none.
func otherSeat(r *protocol.Run, t protocol.Terms, number uint8) protocol.Seat {
	for _, s := range r.Panel(t) {
		if s.Number != number {
			return s
		}
	}
	return protocol.Seat{}
}

// force plans the steps by which a client's silence is ended: its executions are paid without it.
func force(v *protocol.View, r *protocol.Run, t protocol.Terms, p protocol.Parameters) []Action {
	id := r.Record.ID
	switch r.Status(t) {
	case protocol.StatusCommitted:
		if v.Head.Time > r.Record.Deadline {
			return []Action{send(protocol.TimeoutCommitted{Terms: t, Execution: r.Record}, "%s", id)}
		}
	case protocol.StatusResolving:
		if v.Head.Time > r.ResolveBy(t, p.SettleWindow) {
			return []Action{send(protocol.TimeoutResolving{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t),
			}, "%s", id)}
		}
	}
	return nil
}
