package plan

import (
	"fmt"

	"github.com/filecoin-project/bacalhau/protocol"
)

// keep plans the steps of an execution that anyone may take: draws and timeouts. A party that does not profit most
// waits grace seconds longer, so that not everybody sends the same transaction.
func keep(v *protocol.View, r *protocol.Run, t protocol.Terms, grace uint64) []Action {
	late := func(deadline uint64) bool { return v.Head.Time > deadline+grace }
	id := r.Record.ID
	switch r.Status(t) {
	case protocol.StatusAssigned:
		if late(r.Record.Deadline) {
			return []Action{send(protocol.TimeoutAssigned{Terms: t, Execution: r.Record}, "%s", id)}
		}
	case protocol.StatusDrawing, protocol.StatusVerifying:
		return keepPanel(v, r, t, grace)
	case protocol.StatusVerdict:
		if late(r.Record.Deadline) {
			return []Action{send(protocol.TimeoutVerdict{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t),
			}, "%s", id)}
		}
	}
	return nil
}

// keepPanel plans the timeouts of a panel's seats, or else one draw: a draw brings the other seat's record along, and
// would find it outdated if another call for the panel came first.
func keepPanel(v *protocol.View, r *protocol.Run, t protocol.Terms, grace uint64) []Action {
	var timeouts, draws []Action
	for _, seat := range r.Panel(t) {
		key := fmt.Sprintf("%s:%d:%d", r.Record.ID, seat.Number, seat.Redraws)
		late := v.Head.Time > seat.Deadline+grace
		switch {
		case seat.Status == protocol.SeatStatusRunning && late:
			timeouts = append(timeouts, send(protocol.TimeoutSeat{Terms: t, Execution: r.Record, Seat: seat}, "%s", key))
		case seat.Status == protocol.SeatStatusDrawing && late:
			timeouts = append(timeouts, send(protocol.TimeoutDrawing{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seat: seat,
			}, "%s", key))
		case seat.Status == protocol.SeatStatusDrawing && mayDraw(v.Head, seat, grace):
			draws = append(draws, send(protocol.Draw{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seat: seat, Other: otherSeat(r, t, seat.Number),
			}, "%s", key))
		}
	}
	if len(timeouts) > 0 {
		return timeouts
	}
	return draws[:min(1, len(draws))]
}

// mayDraw says whether the draw of a seat is possible, and so near its end that someone else should have made it.
func mayDraw(now protocol.Block, seat protocol.Seat, grace uint64) bool {
	return now.Number > seat.Target && now.Time <= seat.Deadline && (grace == 0 || now.Time+grace > seat.Deadline)
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

// force plans the steps by which a client's silence is ended, grace seconds after its deadline: its executions are paid
// without it.
func force(v *protocol.View, r *protocol.Run, t protocol.Terms, p protocol.Parameters, grace uint64) []Action {
	id := r.Record.ID
	switch r.Status(t) {
	case protocol.StatusCommitted:
		if v.Head.Time > r.Record.Deadline+grace {
			return []Action{send(protocol.TimeoutCommitted{Terms: t, Execution: r.Record}, "%s", id)}
		}
	case protocol.StatusResolving:
		if v.Head.Time > r.ResolveBy(t, p.SettleWindow)+grace {
			return []Action{send(protocol.TimeoutSilent{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t),
			}, "%s", id)}
		}
	}
	return nil
}
