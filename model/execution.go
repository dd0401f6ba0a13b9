package model

import "github.com/filecoin-project/bacalhau/protocol"

// What happens before a check is asked for, and where executions without one end.

func needsNewJob(p *play) {
	p.refuseIf(p.Created, "NonceSpent")
	// Whether the job has expired is forgotten when it ends.
	p.refuseIf(p.Expired || p.Terminal(), "BadTerms")
}

func needsOpenJob(p *play) { p.refuseIf(!p.Open, "UnknownJob") }

func needsOpenOffer(p *play) {
	needsOpenJob(p)
	p.refuseIf(p.Expired, "TooLate")
}

func needsConfirmed(p *play) { p.refuseIf(p.Immature > 0, "Unconfirmed") }

func needsDecline(p *play) {
	by := p.move.By
	p.refuseIf(by != Stranger && p.Wallets[by].Declines == p.g.Declines, "TooManyDeclines")
}

func createJob(p *play) {
	p.lock(Client, p.g.escrow())
	p.Created, p.Open = true, true
	p.emit("JobCreated")
}

func closeJob(p *play) {
	p.giveBack(Client, p.g.escrow())
	p.Open = false
	p.emit("JobClosed")
}

func acceptOffer(p *play) {
	p.lock(Node1, p.g.Fine)
	p.lock(Client, p.g.Bond)
	p.Open, p.Kept = false, true
	p.Status, p.Left = protocol.StatusAssigned, p.g.ExecuteWindow
	// Seat 1 owes its commitment by the execution's deadline, and so has no time of its own.
	p.Seats[0] = Seat{Status: protocol.SeatStatusRunning, Node: Node1}
	p.emit("ExecutionAssigned")
}

// giveUp ends the execution and gives so many of its pieces back to the job, whose price stays locked.
func (p *play) giveUp(pieces uint8) {
	p.Status, p.Kept, p.Returned = protocol.StatusReturned, pieces > 0, pieces
	p.Left, p.Hit, p.Listed, p.Immature = 0, false, false, 0
	p.Seats, p.Jury, p.Outcome, p.Challenge = [3]Seat{}, Jury{}, protocol.OutcomeNone, Challenge{}
	p.emit("ExecutionReturned")
}

// end is where nothing of the execution is left.
func (p *play) end(status protocol.Status) { p.Status, p.Kept = status, false }

// giveUpRest does so with all but the opened piece, which the other seats have settled.
func (p *play) giveUpRest() {
	p.giveBack(Client, p.g.Bid)
	p.giveUp(p.g.Pieces - 1)
}

func closeReturned(p *play) {
	p.giveBack(Client, Wei(p.Returned)*p.g.Bid)
	p.Kept = false
	p.emit("ReturnedClosed")
}

func decline(p *play) {
	p.Wallets[Node1].Declines++
	p.giveBack(Node1, p.g.Fine)
	p.giveBack(Client, p.g.Bond)
	p.emit("ExecutionDeclined")
	p.giveUp(p.g.Pieces)
}

func commitResult(p *play) {
	p.Seats[0].Status, p.Seats[0].Result = protocol.SeatStatusCommitted, p.move.Result
	p.Status, p.Left, p.Hit, p.Immature = protocol.StatusCommitted, p.g.SettleWindow, p.move.Hit, p.g.Confirmations
	p.emit("ResultCommitted")
}

func timeoutAssigned(p *play) {
	p.burnNoShow(Node1)
	p.giveBack(Client, p.g.Bond)
	p.giveUp(p.g.Pieces)
}

func settle(p *play) {
	p.payFirst()
	p.burnBond(p.Hit)
	p.end(protocol.StatusSettled)
}

func timeoutCommitted(p *play) {
	p.payFirst()
	p.burnBond(true)
	p.end(protocol.StatusSettled)
}
