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
	p.lock(Client, p.g.Bid)
	p.Created, p.Open = true, true
	p.emit("JobCreated")
}

func closeJob(p *play) {
	p.giveBack(Client, p.g.Bid)
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

// giveUp ends the execution and gives its piece back to the job.
func (p *play) giveUp() {
	p.Status, p.Left, p.Hit, p.Listed, p.Immature = protocol.StatusReturned, 0, false, false, 0
	p.Seats, p.Jury, p.Outcome = [3]Seat{}, Jury{}, protocol.OutcomeNone
	p.emit("ExecutionReturned")
}

// end is where nothing of the execution is left.
func (p *play) end(status protocol.Status) { p.Status, p.Kept = status, false }

// endWithoutPiece ends an execution whose seat 1 lost, although its only piece is settled by the others.
func (p *play) endWithoutPiece() {
	p.giveBack(Client, p.g.Bid)
	p.end(protocol.StatusReturned)
	p.emit("ExecutionReturned")
}

func closeReturned(p *play) {
	p.giveBack(Client, p.g.Bid)
	p.Kept = false
	p.emit("ReturnedClosed")
}

func decline(p *play) {
	p.Wallets[Node1].Declines++
	p.giveBack(Node1, p.g.Fine)
	p.giveBack(Client, p.g.Bond)
	p.emit("ExecutionDeclined")
	p.giveUp()
}

func commitResult(p *play) {
	p.Seats[0].Status, p.Seats[0].Result = protocol.SeatStatusCommitted, p.move.Result
	p.Status, p.Left, p.Hit, p.Immature = protocol.StatusCommitted, p.g.SettleWindow, p.move.Hit, p.g.Confirmations
	p.emit("ResultCommitted")
}

func timeoutAssigned(p *play) {
	p.burnNoShow(Node1)
	p.giveBack(Client, p.g.Bond)
	p.giveUp()
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
