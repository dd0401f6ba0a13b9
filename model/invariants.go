package model

import (
	"fmt"

	"github.com/filecoin-project/bacalhau/protocol"
)

// total is all of a wallet's money.
func (w Wallet) total() Wei { return w.Free + w.Locked }

// Check holds what must be true of every state against one: no money appears or vanishes, every lock has a reason and
// covers what may still have to be paid, nothing stays locked at the end, whoever sits on a panel sits there once, and
// strangers alone can bring the execution to its end.
func (g *Game) Check(s State) error {
	sum := s.Burned
	for _, w := range s.Wallets {
		if w.Free < 0 || w.Locked < 0 {
			return fmt.Errorf("a wallet owes money: %+v", w)
		}
		sum += w.total()
	}
	if want := Wei(Wallets) * g.Stake; sum != want {
		return fmt.Errorf("wallets and burned money add up to %d wei, want %d", sum, want)
	}
	for i, want := range g.locks(s) {
		if have := s.Wallets[i].Locked; have != want {
			return fmt.Errorf("%v has %d wei locked, want %d", Party(i), have, want)
		}
	}
	var sitting Parties
	for _, seat := range s.Seats {
		if !seat.holds() {
			continue
		}
		if seat.Node == Client || sitting.Has(seat.Node) {
			return fmt.Errorf("%v may not have this seat", seat.Node)
		}
		sitting |= Of(seat.Node)
	}
	return g.checkEnds(s)
}

// locks is what every wallet must have locked: the client the most that it may have to pay, the others their fines and
// the appeal bond.
func (g *Game) locks(s State) (locks [Wallets]Wei) {
	switch {
	case s.Kept && s.Status == protocol.StatusReturned:
		locks[Client] = Wei(s.Returned) * g.Bid
		return locks
	case s.Open:
		locks[Client] = g.escrow()
		return locks
	case !s.Kept:
		return locks
	}
	locks[Client] = g.escrow()
	for i, seat := range s.Seats[1:] {
		if seat.Status != protocol.SeatStatusNone {
			locks[Client] += g.aside(uint8(i + 2))
		}
	}
	if s.Status == protocol.StatusChallenged {
		locks[Client] += g.ChallengePrice
	}
	if s.Status != protocol.StatusVerdict && s.Status != protocol.StatusAppealed {
		locks[Client] += g.Bond
	}
	for _, seat := range s.Seats {
		if seat.holds() {
			locks[seat.Node] += g.Fine
		}
	}
	if s.Status != protocol.StatusAppealed {
		return locks
	}
	locks[s.Seats[s.Jury.Appellant-1].Node] += g.appealBond()
	for k, ballot := range s.Jury.Ballots {
		if s.Jury.Drawn && ballot.Status != protocol.VoteStatusDeclined {
			locks[Juror1+Party(k)] += g.Fine
		}
	}
	return locks
}

// checkEnds: time and what anyone may do suffice to end it.
func (g *Game) checkEnds(s State) error {
	if !s.Created {
		return nil
	}
	const enough = 20
	for range enough {
		if s.Terminal() {
			return nil
		}
		after, moved := g.strangersMove(s)
		if !moved {
			return fmt.Errorf("nobody but its parties can move %+v on", s)
		}
		s = after
	}
	return fmt.Errorf("strangers need more than %d moves to end it", enough)
}

func (g *Game) strangersMove(s State) (State, bool) {
	for _, m := range g.Moves(s) {
		if m.By != Stranger || m.Kind == Mine || m.Kind == Wait || m.Kind == Draw || m.Kind == DrawJury {
			continue
		}
		if after, _, refused := g.Apply(s, m); len(refused) == 0 {
			return after, true
		}
	}
	after, _, refused := g.Apply(s, Move{Kind: Wait, By: Stranger})
	return after, len(refused) == 0
}

// CheckStep holds what must be true of every step that these parties may be dishonest in: whoever follows the protocol
// loses nothing by it and is paid, and nobody is better off because somebody else was slashed. As no step lets an honest
// party lose anything, no sequence of them does.
func (g *Game) CheckStep(step Step, dishonest Parties) error {
	before, after := &step.Before, &step.After
	spent := before.Wallets[Client].total() - after.Wallets[Client].total()
	if spent < 0 {
		return fmt.Errorf("the client gained %d wei", -spent)
	}
	for p := Node1; p <= Juror3; p++ {
		if !dishonest.Has(p) && after.Wallets[p].total() < before.Wallets[p].total() {
			return fmt.Errorf("honest %v lost %d wei", p, before.Wallets[p].total()-after.Wallets[p].total())
		}
	}
	if before.Kept && before.Status != protocol.StatusReturned &&
		(!after.Kept || after.Status == protocol.StatusReturned) {
		if err := g.checkEnd(step, spent, dishonest); err != nil {
			return err
		}
	} else if spent > 0 && !dishonest.Has(Client) && step.Move.Kind != AnswerLeaf {
		return fmt.Errorf("an honest client paid %d wei before the end", spent)
	}
	if step.Move.Kind == TimeoutVerdict && before.Outcome != protocol.OutcomeAllDiffer {
		return g.checkTwin(step)
	}
	return nil
}

// checkEnd looks at the step that ends the execution, in which the client spent so much.
func (g *Game) checkEnd(step Step, spent Wei, dishonest Parties) error {
	before, after := &step.Before, &step.After
	most := g.escrow()
	for i, seat := range before.Seats {
		if seat.Status != protocol.SeatStatusCommitted {
			continue
		}
		if i > 0 {
			most += g.aside(uint8(i + 1))
		}
		paid := after.Wallets[seat.Node].total() > before.Wallets[seat.Node].total()
		undecided := after.Status == protocol.StatusRefunded && !before.Jury.Drawn
		if !paid && !dishonest.Has(seat.Node) && !undecided {
			return fmt.Errorf("honest %v was not paid", seat.Node)
		}
	}
	if spent > most && !dishonest.Has(Client) {
		return fmt.Errorf("an honest client paid %d wei, at most %d are due", spent, most)
	}
	return nil
}

// checkTwin compares a conviction with the same case in which the loser had agreed with the others: none of them may be
// better off for its having lied.
func (g *Game) checkTwin(step Step) error {
	twin := step.Before
	lost := loser(twin.Outcome)
	twin.Seats[lost-1].Result = twin.Seats[lost%3].Result
	p := &play{State: twin, g: g}
	p.payEverybody(0)
	for i := Node1; i <= Juror3; i++ {
		if i != twin.Seats[lost-1].Node && step.After.Wallets[i].total() > p.Wallets[i].total() {
			return fmt.Errorf("%v gained by the conviction of %v", i, twin.Seats[lost-1].Node)
		}
	}
	return nil
}
