package model

import "github.com/filecoin-project/bacalhau/protocol"

// A client that cannot get the leaves of a seat demands one.

// needsChallengeable: the client may demand a leaf as long as it may decide, of a seat that committed to more than one.
func needsChallengeable(p *play) {
	switch {
	case p.Kept && p.Status == protocol.StatusCommitted:
		needsConfirmed(p)
		p.refuseIf(p.move.Seat != 1, "WrongSeat")
	case p.Kept && p.Status == protocol.StatusVerifying:
		needsDone(p)
		if p.seat().Status != protocol.SeatStatusCommitted {
			p.refused = append(p.refused, "WrongSeat", "WrongSeatStatus")
		}
	default:
		p.refused = append(p.refused, "StaleRecord", "WrongStatus")
		return
	}
	p.refuseIf(p.Left < 0, "TooLate")
	p.refuseIf(p.g.leaves(p.move.Seat) == 1, "NothingToChallenge")
}

// challengeLeaf stops the client's clock.
func challengeLeaf(p *play) {
	p.lock(Client, p.g.ChallengePrice)
	p.Challenge = Challenge{Seat: p.move.Seat, Left: p.Left, Back: p.Status}
	p.Status, p.Left = protocol.StatusChallenged, p.g.SettleWindow
	p.emit("LeafChallenged")
}

// needsAsked: there is one leaf that answers a challenge.
func needsAsked(p *play) { p.refuseIf(p.move.Seat != p.Challenge.Seat, "BadProof") }

func answerLeaf(p *play) {
	p.pay(Client, p.seat().Node, p.g.ChallengePrice)
	p.Status, p.Left, p.Challenge = p.Challenge.Back, p.Challenge.Left, Challenge{}
	p.emit("LeafAnswered")
}

// timeoutChallenged treats who withholds a leaf as a cheat.
func timeoutChallenged(p *play) {
	p.move.Seat = p.Challenge.Seat
	p.giveBack(Client, p.g.ChallengePrice)
	p.slash(p.seat().Node)
	p.emit("ChallengeFailed")
	if p.move.Seat == 1 {
		p.giveBack(Client, p.g.Bond)
		p.payVerifiers(0)
		p.giveUp(p.g.Pieces)
		return
	}
	p.Status, p.Left, p.Challenge = protocol.StatusVerifying, 0, Challenge{}
	p.drawAgain()
}
