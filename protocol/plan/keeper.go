package plan

import (
	"fmt"
	"math/big"

	"github.com/filecoin-project/bacalhau/protocol"
)

// keep plans the steps of an execution that anyone may take: draws and timeouts. A party that does not profit most
// waits grace seconds longer, so that not everybody sends the same transaction.
func (f Terms) keep(v *protocol.View, r *protocol.Run, t protocol.Terms, grace uint64) []Action {
	late := func(deadline uint64) bool { return v.Head.Time > deadline+grace }
	id := r.Record.ID
	switch f.status(v, r, t) {
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
	case protocol.StatusChallenged:
		if late(r.Record.Deadline) {
			return []Action{send(protocol.TimeoutChallenged{
				Terms: t, Execution: r.Record, Verification: checkOf(r), Seats: r.Panel(t), Challenge: *r.Challenge,
			}, "%s:%d:%d:%d", id, r.Challenge.Seat, r.Challenge.Piece, r.Record.Deadline)}
		}
	case protocol.StatusAppealed:
		return f.keepAppeal(v, r, t, grace)
	}
	return nil
}

// keepPanel plans one timeout of a panel's seats, or else one draw: both bring the other seat's record along, and would
// find it outdated if another call for the panel came first.
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
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Told(t), Number: seat.Number,
			}, "%s", key))
		case seat.Status == protocol.SeatStatusDrawing && mayDraw(v.Head, seat.Target, seat.Deadline, grace):
			draws = append(draws, send(protocol.Draw{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Told(t), Number: seat.Number,
			}, "%s", key))
		}
	}
	steps := append(timeouts, draws...)
	return steps[:min(1, len(steps))]
}

// mayDraw says whether a draw is possible, and so near its end that someone else should have made it.
func mayDraw(now protocol.Block, target, deadline, grace uint64) bool {
	return now.Number > target && now.Time <= deadline && (grace == 0 || now.Time+grace > deadline)
}

// keepAppeal plans the draw of a jury, if there are nodes enough for one, or the end of the case.
func (f Terms) keepAppeal(v *protocol.View, r *protocol.Run, t protocol.Terms, grace uint64) []Action {
	jury, id := r.Appeal.Record, r.Record.ID
	drawn := jury.RevealDeadline != 0
	if end := max(jury.Deadline, jury.RevealDeadline); v.Head.Time > end+grace {
		return []Action{send(protocol.TimeoutAppealed{
			Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t), Jury: jury,
			Results: *r.Results, Votes: r.Appeal.Revealed(),
		}, "%s", id)}
	}
	if !drawn && mayDraw(v.Head, jury.Target, jury.Deadline, grace) && f.juryThere(v, r, t) {
		return []Action{send(protocol.DrawJury{
			Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t), Jury: jury,
		}, "%s", id)}
	}
	return nil
}

// juryThere says whether enough nodes are neither paused nor part of the case.
func (f Terms) juryThere(v *protocol.View, r *protocol.Run, t protocol.Terms) bool {
	count := 0
	for node := range v.Nodes {
		if !v.Paused[node] && node != t.Client && numberOf(node, r, t) == 0 {
			count++
		}
	}
	return count >= int(f.Parameters.JurySize)
}

// checkOf is an execution's verification, or the record of zeros that stands for none.
func checkOf(r *protocol.Run) protocol.Verification {
	if r.Verification != nil {
		return *r.Verification
	}
	return protocol.Verification{Bid: new(big.Int), Listed: []*big.Int{}}
}

// force plans the steps by which a client's silence is ended, grace seconds after its deadline: its executions are paid
// without it.
func (f Terms) force(v *protocol.View, r *protocol.Run, t protocol.Terms, grace uint64) []Action {
	id := r.Record.ID
	switch f.status(v, r, t) {
	case protocol.StatusCommitted:
		if v.Head.Time > r.Record.Deadline+grace {
			return []Action{send(protocol.TimeoutCommitted{Terms: t, Execution: r.Record}, "%s", id)}
		}
	case protocol.StatusSilent:
		if v.Head.Time > r.ResolveBy(t, f.Parameters.SettleWindow)+uint64(f.Parameters.SilentWindow)+grace {
			return []Action{send(protocol.TimeoutSilent{
				Terms: t, Execution: r.Record, Verification: *r.Verification, Seats: r.Panel(t),
			}, "%s", id)}
		}
	}
	return nil
}
