package model

import (
	"slices"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Parties is a set.
type Parties uint16

// Of is the set of these parties.
func Of(members ...Party) (set Parties) {
	for _, p := range members {
		set |= 1 << p
	}
	return set
}

// Has says whether the party is in the set. The stranger is in every one: it does whatever anyone may do.
func (set Parties) Has(p Party) bool { return p == Stranger || set>>p&1 == 1 }

// Honest says whether a party that follows the protocol makes the move, if it may.
func (g *Game) Honest(s State, m Move) bool {
	switch m.Kind {
	case Settle:
		return !s.Hit
	case Verify:
		return s.Hit
	case Escalate:
		return !s.unanimous()
	case RevealKey:
		return s.full() && !s.unanimous()
	case SettleVerified:
		// Two that differ and no third to ask: everybody is paid.
		canAsk := g.Seats == 2 && s.Seats[1].Status == protocol.SeatStatusCommitted &&
			s.Seats[2].Status == protocol.SeatStatusNone
		return s.unanimous() || !canAsk && !s.full()
	case CommitResult, CommitVerification, CommitVote:
		return m.Result == Truth
	case DeclineVote:
		return false
	}
	return true
}

// unanimous says whether all that have committed agree.
func (s *State) unanimous() bool {
	for _, seat := range s.Seats[1:] {
		if seat.Status == protocol.SeatStatusCommitted && !same(seat.Result, s.Seats[0].Result) {
			return false
		}
	}
	return true
}

// duty is something that an honest party does in time.
type duty struct {
	who  Party
	left Seconds
}

func (g *Game) duties(s State) (due []duty) {
	switch s.Status {
	case protocol.StatusAssigned:
		due = append(due, duty{Node1, s.Left})
	case protocol.StatusCommitted:
		due = append(due, duty{Client, s.Left})
	case protocol.StatusVerifying:
		due = g.panelDuties(s)
	case protocol.StatusChallenged:
		due = append(due, duty{s.Seats[s.Challenge.Seat-1].Node, s.Left})
	case protocol.StatusVerdict:
		for i, seat := range s.Seats {
			if s.Outcome == protocol.OutcomeAllDiffer || uint8(i+1) == loser(s.Outcome) {
				due = append(due, duty{seat.Node, s.Left})
			}
		}
	case protocol.StatusAppealed:
		for k, b := range s.Jury.Ballots {
			switch {
			case s.Jury.Drawn && b.Status == protocol.VoteStatusNone:
				due = append(due, duty{Juror1 + Party(k), s.Jury.Left})
			case b.Status == protocol.VoteStatusCommitted:
				due = append(due, duty{Juror1 + Party(k), s.Jury.RevealLeft})
			}
		}
	}
	return due
}

func (g *Game) panelDuties(s State) (due []duty) {
	for _, seat := range s.Seats {
		switch {
		case seat.Status == protocol.SeatStatusRunning:
			due = append(due, duty{seat.Node, seat.Left})
		case s.panelDone() && s.Left < 0 && seat.Status == protocol.SeatStatusCommitted && !seat.Opened && seat.Result != Junk:
			due = append(due, duty{seat.Node, s.Left + g.SilentWindow})
		}
	}
	if s.panelDone() && s.Left >= 0 {
		due = append(due, duty{Client, s.Left})
	}
	return due
}

// mayWait says whether the next deadline can pass although all but the dishonest do in time what they must.
func (g *Game) mayWait(s State, dishonest Parties) bool {
	deadlines := g.Deadlines(s)
	if len(deadlines) == 0 {
		return true
	}
	next := slices.Min(deadlines)
	return !slices.ContainsFunc(g.duties(s), func(d duty) bool {
		return !dishonest.Has(d.who) && d.left == next
	})
}
