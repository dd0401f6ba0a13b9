package model

import "github.com/filecoin-project/bacalhau/protocol"

// Game is what never changes during an execution: the market's parameters and the job's terms. Money is wei.
type Game struct {
	// Seats is the panel's size: 2 is lazy, 3 eager.
	Seats uint8
	// Pieces are the job's, one or two, all of one execution. The dice hit all or none, the client lists all, and what a
	// dishonest seat says concerns the first, which is the one that is escalated and opened.
	Pieces uint8
	// Redraws is how often a seat is drawn again; Declines how often a node may decline within a day.
	Redraws, Declines uint8
	// Confirmations is how many blocks a commitment and the target of a draw need.
	Confirmations uint8

	Bid, RaisedBid, FuelPrice, Fine, Bond, NoShowFee, ChallengePrice Wei
	// Stake is what every wallet starts with.
	Stake Wei

	// Votes are what dishonest jurors may say.
	Votes []Result

	ExecuteWindow, SettleWindow, DrawWindow, SilentWindow, AppealWindow Seconds
}

// NewGame is a game about so many pieces with a panel of so many seats. No two amounts and no two windows add up to another one, so that
// none is mistaken for another.
func NewGame(pieces, seats, redraws uint8) Game {
	return Game{
		Seats: seats, Pieces: pieces, Redraws: redraws, Declines: 1, Confirmations: 2,
		Votes: []Result{Truth, Lie},
		Bid:   100, RaisedBid: 130, FuelPrice: 3, Fine: 1009, Bond: 607, NoShowFee: 211, ChallengePrice: 17, Stake: 10_000,
		ExecuteWindow: 160, SettleWindow: 61, DrawWindow: 37, SilentWindow: 53, AppealWindow: 71,
	}
}

// Start is the state before the job: every wallet has deposited its stake, the nodes are registered.
func (g *Game) Start() State {
	var s State
	for i := range s.Wallets {
		s.Wallets[i].Free = g.Stake
	}
	return s
}

// Fuel that a result claims; nobody knows that of junk, which claims the true fuel.
func Fuel(r Result) uint64 {
	if r == Inflated {
		return 41
	}
	return 29
}

// leaves is how many results a seat owes: one for every piece, but for the third seat of a lazy panel.
func (g *Game) leaves(number uint8) uint8 {
	if g.Seats == 2 && number == 3 {
		return 1
	}
	return g.Pieces
}

// fuel is what a seat claims for all its leaves.
func (g *Game) fuel(number uint8, r Result) Wei {
	return Wei(Fuel(r)) + Wei(g.leaves(number)-1)*Wei(Fuel(Truth))
}

// escrow is what the client locks for all pieces; aside is what it locks for a verifier.
func (g *Game) escrow() Wei            { return Wei(g.Pieces) * g.Bid }
func (g *Game) aside(number uint8) Wei { return Wei(g.leaves(number)) * g.RaisedBid }

// firstPay is seat 1's pay: the fuel's price up to the bids.
func (g *Game) firstPay(r Result) Wei { return min(g.escrow(), g.FuelPrice*g.fuel(1, r)) }

// verifierPay is a verifier's: cap and fuel price are raised by RaisedBid / Bid, rounded down.
func (g *Game) verifierPay(number uint8, r Result) Wei {
	return min(g.aside(number), g.FuelPrice*g.fuel(number, r)*g.RaisedBid/g.Bid)
}

// appealBond is what the appellant puts up: its fine once more, which does not depend on the bid that the client raises.
func (g *Game) appealBond() Wei { return g.Fine }

// compare is what three results show.
func compare(seats [3]Seat) protocol.Outcome {
	first, second, third := seats[0].Result, seats[1].Result, seats[2].Result
	switch {
	case same(first, second) && same(second, third):
		return protocol.OutcomeAgreed
	case same(first, second):
		return protocol.OutcomeThirdLost
	case same(first, third):
		return protocol.OutcomeSecondLost
	case same(second, third):
		return protocol.OutcomeFirstLost
	}
	return protocol.OutcomeAllDiffer
}

// loser is the number of the seat that an outcome convicts, or 0.
func loser(o protocol.Outcome) uint8 {
	switch o {
	case protocol.OutcomeFirstLost:
		return 1
	case protocol.OutcomeSecondLost:
		return 2
	case protocol.OutcomeThirdLost:
		return 3
	}
	return 0
}
