package model

import "github.com/filecoin-project/bacalhau/protocol"

// An appeal against a verdict: three nodes that had no part in the case run the piece and vote.

func needsGrounds(p *play) {
	lost := p.Outcome == protocol.OutcomeAllDiffer || p.move.Seat == loser(p.Outcome)
	p.refuseIf(!lost, "NothingToAppeal")
}

func appeal(p *play) {
	p.lock(p.move.By, p.g.appealBond())
	p.Status, p.Left = protocol.StatusAppealed, 0
	p.Jury = Jury{Appellant: p.move.Seat, Immature: p.g.Confirmations, Left: p.g.DrawWindow}
	p.emit("VerdictAppealed")
}

func needsNoJury(p *play) {
	p.refuseIf(p.Jury.Drawn, "AlreadyDrawn")
	p.refuseIf(p.Jury.Immature > 0, "TargetUnknown")
}

func drawJury(p *play) {
	for juror := Juror1; juror <= Juror3; juror++ {
		p.lock(juror, p.g.Fine)
	}
	p.Jury.Drawn = true
	p.Jury.Left = p.g.ExecuteWindow
	p.Jury.RevealLeft = p.g.ExecuteWindow + p.g.SettleWindow
	p.emit("JuryDrawn")
}

// needsBallot asks for a juror whose vote stands there.
func needsBallot(want protocol.VoteStatus) func(*play) {
	return func(p *play) {
		p.refuseIf(!p.Jury.Drawn, "WrongSeat")
		p.refuseIf(p.ballot().Status != want, "WrongVoteStatus")
	}
}

func needsBallotAndDecline(p *play) {
	needsBallot(protocol.VoteStatusNone)(p)
	needsDecline(p)
}

func commitVote(p *play) {
	*p.ballot() = Ballot{Status: protocol.VoteStatusCommitted, Found: p.move.Result}
	p.emit("VoteCommitted")
}

func declineVote(p *play) {
	p.Wallets[p.move.By].Declines++
	p.giveBack(p.move.By, p.g.Fine)
	p.ballot().Status = protocol.VoteStatusDeclined
	p.emit("VoteDeclined")
}

func revealVote(p *play) {
	p.ballot().Status = protocol.VoteStatusRevealed
	p.emit("VoteRevealed")
}

// verdict is what more than half of the jury found, or NoResult. Junk votes never agree.
func (j *Jury) verdict() Result {
	for _, found := range []Result{Truth, Lie, Inflated} {
		votes := 0
		for _, b := range j.Ballots {
			if b.Status == protocol.VoteStatusRevealed && b.Found == found {
				votes++
			}
		}
		if votes > Jurors/2 {
			return found
		}
	}
	return NoResult
}

func timeoutAppealed(p *play) {
	found := p.Jury.verdict()
	p.emit("AppealDecided")
	if found == NoResult {
		p.giveBack(p.Seats[p.Jury.Appellant-1].Node, p.g.appealBond())
		p.dismissJurors(nil)
		p.refund()
		return
	}
	var agreeing []Party
	for k, b := range p.Jury.Ballots {
		if b.Status == protocol.VoteStatusRevealed && b.Found == found {
			agreeing = append(agreeing, Juror1+Party(k))
		}
	}
	p.dismissJurors(agreeing)
	p.payJurors(agreeing, found)
	p.paySeats(found)
}

// dismissJurors ends the jurors' duty. Where a majority decided, those who voted otherwise lose their fine; those who
// did not vote lose the no-show fee.
func (p *play) dismissJurors(agreeing []Party) {
	for k, b := range p.Jury.Ballots {
		juror := Juror1 + Party(k)
		agrees := agreeing == nil
		for _, a := range agreeing {
			agrees = agrees || a == juror
		}
		switch {
		case !p.Jury.Drawn || b.Status == protocol.VoteStatusDeclined:
		case b.Status != protocol.VoteStatusRevealed:
			p.burnNoShow(juror)
		case agrees:
			p.giveBack(juror, p.g.Fine)
		default:
			p.slash(juror)
		}
	}
}

// payJurors pays the majority: from the appellant's bond if it was wrong, the rest of which is burned; otherwise from
// what the client had set aside for the wrong seats' runs of the piece. Either is shared by the whole jury, at most
// RaisedBid each.
func (p *play) payJurors(agreeing []Party, found Result) {
	spare, aside := p.setAside(found)
	appellant := p.Seats[p.Jury.Appellant-1]
	if same(appellant.Result, found) {
		p.giveBack(appellant.Node, p.g.appealBond())
		each := min(p.g.RaisedBid, spare/Jurors)
		for _, juror := range agreeing {
			p.pay(Client, juror, each)
			p.emit("SeatPaid")
			aside -= each
		}
		p.giveBack(Client, aside)
		return
	}
	p.giveBack(Client, aside)
	each := min(p.g.RaisedBid, p.g.appealBond()/Jurors)
	for _, juror := range agreeing {
		p.pay(appellant.Node, juror, each)
		p.emit("SeatPaid")
	}
	p.burn(appellant.Node, p.g.appealBond()-Wei(len(agreeing))*each)
	p.emit("AppealBondBurned")
}

// setAside is what the client has locked for seats that were wrong, and how much of it for their runs of the opened
// piece. If all were wrong, this piece returns to the job, too, and its bid stays locked for whoever runs it next.
func (p *play) setAside(found Result) (opened, all Wei) {
	for number := uint8(2); number <= 3; number++ {
		if !same(p.Seats[number-1].Result, found) {
			opened += p.g.RaisedBid
			all += p.g.aside(number)
		}
	}
	if !same(p.Seats[0].Result, found) && p.anyRight(found) {
		opened += p.g.Bid
		all += p.g.Bid
	}
	return opened, all
}

func (p *play) anyRight(found Result) bool {
	for _, s := range p.Seats {
		if same(s.Result, found) {
			return true
		}
	}
	return false
}

// paySeats ends the execution: seats that found what the jury found are paid, the others lose their fine.
func (p *play) paySeats(found Result) {
	for i, s := range p.Seats {
		switch {
		case !same(s.Result, found):
			p.slash(s.Node)
		case i == 0:
			p.payFirst()
		default:
			p.payVerifier(uint8(i + 1))
		}
	}
	switch {
	case same(p.Seats[0].Result, found):
		p.end(protocol.StatusSettled)
	case p.anyRight(found):
		p.giveUp(p.g.Pieces - 1)
	default:
		p.giveUp(p.g.Pieces)
	}
}
