package model

import "github.com/filecoin-project/bacalhau/protocol"

// The check of an execution: seats are drawn and commit, the client decides.

func (p *play) openSeat(number uint8) {
	p.lock(Client, p.g.aside(number))
	p.Seats[number-1] = Seat{Status: protocol.SeatStatusDrawing, Immature: p.g.Confirmations, Left: p.g.DrawWindow}
}

func verify(p *play) {
	p.Status, p.Left, p.Listed = protocol.StatusVerifying, 0, true
	for number := uint8(2); number <= p.g.Seats; number++ {
		p.openSeat(number)
	}
	p.emit("VerificationRequested")
}

func needsTarget(p *play) { p.refuseIf(p.seat().Immature > 0, "TargetUnknown") }

func draw(p *play) {
	p.lock(p.move.Node, p.g.Fine)
	s := p.seat()
	s.Status, s.Node, s.Left = protocol.SeatStatusRunning, p.move.Node, p.g.ExecuteWindow
	p.emit("SeatDrawn")
}

// finish is what a seat's commitment, or giving it up, has in common. The client's time starts when the last one is done.
func (p *play) finish(status protocol.SeatStatus) {
	s := p.seat()
	s.Status, s.Left, s.Redraws, s.Immature = status, 0, 0, 0
	if status == protocol.SeatStatusVacant {
		s.Node = 0
	}
	if p.panelDone() {
		p.Left = p.g.SettleWindow
	}
}

// vacate gives the seat up.
func (p *play) vacate() {
	p.finish(protocol.SeatStatusVacant)
	p.emit("SeatChanged")
}

func commitVerification(p *play) {
	p.seat().Result = p.move.Result
	p.finish(protocol.SeatStatusCommitted)
	p.emit("SeatCommitted")
}

// drawAgain gives the seat to somebody else, as often as it may be redrawn. Until then it keeps its node, lest that one is
// drawn again.
func (p *play) drawAgain() {
	s := p.seat()
	if s.Redraws == p.g.Redraws {
		p.vacate()
		return
	}
	*s = Seat{
		Status: protocol.SeatStatusDrawing, Node: s.Node, Redraws: s.Redraws + 1,
		Immature: p.g.Confirmations, Left: p.g.DrawWindow,
	}
	p.emit("SeatChanged")
}

func declineSeat(p *play) {
	p.Wallets[p.seat().Node].Declines++
	p.giveBack(p.seat().Node, p.g.Fine)
	p.emit("SeatDeclined")
	p.drawAgain()
}

func timeoutDrawing(p *play) { p.vacate() }

func timeoutSeat(p *play) {
	p.burnNoShow(p.seat().Node)
	p.drawAgain()
}

func needsDone(p *play) { p.refuseIf(!p.panelDone(), "PanelRunning") }

func needsFull(p *play) {
	needsDone(p)
	p.refuseIf(!p.full(), "PanelNotFull")
}

func needsEscalation(p *play) {
	p.refuseIf(p.g.Seats == 3 || p.Seats[2].Status != protocol.SeatStatusNone, "AlreadyEscalated")
	p.refuseIf(p.Seats[1].Status != protocol.SeatStatusCommitted, "WrongSeatStatus")
}

func escalate(p *play) {
	p.openSeat(3)
	p.Left = 0
	p.emit("VerificationEscalated")
}

// payEverybody ends a check that convicts nobody, but for a seat that may have lost: its fine is burned and the client
// keeps what the seat would have earned.
func (p *play) payEverybody(loser uint8) {
	p.payFirst()
	p.payVerifiers(loser)
	p.end(protocol.StatusSettled)
}

func (p *play) payVerifiers(loser uint8) {
	for number := uint8(2); number <= 3; number++ {
		switch s := p.Seats[number-1]; {
		case s.Status == protocol.SeatStatusVacant:
			p.giveBack(Client, p.g.aside(number))
		case s.Status != protocol.SeatStatusCommitted:
		case number == loser:
			p.slash(s.Node)
			p.giveBack(Client, p.g.aside(number))
		default:
			p.payVerifier(number)
		}
	}
}

// unlisted says whether the client had a piece checked that the dice did not hit, which costs as much as skipping one.
func (p *play) unlisted() bool { return p.Listed != p.Hit }

func settleVerified(p *play) {
	p.burnBond(p.unlisted())
	p.payEverybody(0)
}

func revealKey(p *play) {
	p.emit("KeyRevealed")
	p.burnBond(p.unlisted())
	if compare(p.Seats) == protocol.OutcomeAgreed {
		p.payEverybody(0)
		return
	}
	p.reachVerdict()
}

func (p *play) reachVerdict() {
	p.Outcome = compare(p.Seats)
	p.Status, p.Left, p.Hit, p.Listed = protocol.StatusVerdict, p.g.AppealWindow, false, false
	for i := range p.Seats {
		p.Seats[i].Opened = false
	}
	p.emit("VerdictReached")
}

func timeoutVerdict(p *play) {
	switch p.Outcome {
	case protocol.OutcomeAllDiffer:
		p.refund()
	case protocol.OutcomeFirstLost:
		p.slash(Node1)
		p.payVerifiers(0)
		p.giveUpRest()
	default:
		p.payEverybody(loser(p.Outcome))
	}
}

// refund gives everybody back what it put up.
func (p *play) refund() {
	for _, s := range p.Seats {
		p.giveBack(s.Node, p.g.Fine)
	}
	p.giveBack(Client, p.g.escrow()+p.g.aside(2)+p.g.aside(3))
	p.end(protocol.StatusRefunded)
	p.emit("ExecutionRefunded")
}

func needsClosed(p *play) {
	needsDone(p)
	p.refuseIf(p.seat().Opened, "AlreadyOpened")
	p.refuseIf(p.seat().Result == Junk, "WrongScalar")
}

func openSelf(p *play) {
	p.seat().Opened = true
	p.emit("SelfOpened")
}

// timeoutSilent burns the bond of a client that let its time pass. All three opened: as if the client had revealed. Two
// of three, and they agree: the third is not paid. Otherwise nobody can tell, and everybody is.
func timeoutSilent(p *play) {
	p.burnBond(true)
	var open, closed []int
	for i, s := range p.Seats {
		if s.Opened {
			open = append(open, i)
		} else {
			closed = append(closed, i)
		}
	}
	switch {
	case p.full() && len(open) == 3 && compare(p.Seats) != protocol.OutcomeAgreed:
		p.reachVerdict()
	case p.full() && len(open) == 2 && same(p.Seats[open[0]].Result, p.Seats[open[1]].Result):
		p.payAllBut(uint8(closed[0] + 1))
	default:
		p.payEverybody(0)
	}
}

// payAllBut ends a check of which one seat gets nothing but its fine.
func (p *play) payAllBut(closed uint8) {
	p.giveBack(p.Seats[closed-1].Node, p.g.Fine)
	for number := uint8(2); number <= 3; number++ {
		if number == closed {
			p.giveBack(Client, p.g.aside(number))
		} else {
			p.payVerifier(number)
		}
	}
	if closed == 1 {
		p.giveUpRest()
		return
	}
	p.payFirst()
	p.end(protocol.StatusSettled)
}
