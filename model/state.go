package model

import "github.com/filecoin-project/bacalhau/protocol"

// Wei is an amount of money.
type Wei int32

// Seconds is the time left until a deadline: an action is valid down to 0, its timeout below.
type Seconds int16

// State is one execution and everybody's money. Equal states behave equally.
type State struct {
	// Open means that the piece was never assigned; Created that the job's nonce is spent.
	Created, Open bool
	// Expired means that the job's pieces may not be assigned any more.
	Expired bool
	// Status is the stored one: Drawing, Resolving and Silent follow from the seats and the time left.
	Status protocol.Status
	// Kept means that the contract still has a record of the execution.
	Kept bool
	// Left is the time of the present status. In Verifying it counts from when the last seat was done.
	Left Seconds
	// Immature is how many blocks the commitment needs before the client may act on it.
	Immature uint8
	// Hit is what the dice say: the piece has to be checked.
	Hit bool
	// Listed means that the client had the piece checked, or asked to.
	Listed bool
	Seats  [3]Seat
	// Returned is how many pieces a returned execution holds.
	Returned  uint8
	Challenge Challenge
	// Outcome is what opening the piece showed.
	Outcome protocol.Outcome
	Jury    Jury
	Wallets [Wallets]Wallet
	Burned  Wei
}

// Seat is a place on the panel; the first is the execution's node. A seat with status None does not exist.
type Seat struct {
	Status  protocol.SeatStatus
	Node    Party
	Redraws uint8
	Result  Result
	// Opened means that the node opened its own commitment.
	Opened bool
	// Immature is how many blocks are missing until the draw's randomness is known.
	Immature uint8
	// Left is the time to draw the seat or, once drawn, to commit.
	Left Seconds
}

// Challenge is a demand for a leaf. Left is the time that the client had when it asked, Back the status to go back to.
type Challenge struct {
	Seat uint8
	Left Seconds
	Back protocol.Status
}

// Jury decides an appeal. Left is the time to draw it and then to vote, RevealLeft the time to reveal.
type Jury struct {
	// Appellant is the seat that appealed, 0 before.
	Appellant        uint8
	Drawn            bool
	Immature         uint8
	Left, RevealLeft Seconds
	Ballots          [Jurors]Ballot
}

// Ballot is one juror's vote.
type Ballot struct {
	Status protocol.VoteStatus
	Found  Result
}

// Wallet is a party's money, and how often it declined today.
type Wallet struct {
	Free, Locked Wei
	Declines     uint8
}

// position is the state without what everybody has earned or lost so far, which nothing that follows depends on as long
// as nobody runs out of money: the locks follow from the rest.
func (s State) position() State {
	convicted := s.Status == protocol.StatusVerdict || s.Status == protocol.StatusAppealed
	for i, w := range s.Wallets {
		s.Wallets[i] = Wallet{Declines: w.Declines}
		if convicted && Party(i) < Juror1 || s.Terminal() {
			s.Wallets[i].Declines = 0 // only jurors still may
		}
	}
	s.Burned = 0
	return s
}

// seated says whether a node may not be drawn: it has a seat, or has just failed to do its duty on one.
func (s *State) seated(node Party) bool {
	for _, seat := range s.Seats {
		if seat.Node == node {
			return true
		}
	}
	return false
}

// Terminal says whether nothing can happen any more.
func (s *State) Terminal() bool { return s.Created && !s.Open && !s.Kept }

// panelDone says whether the client has what it can get: every seat has committed or stays empty.
func (s *State) panelDone() bool {
	for _, seat := range s.Seats {
		if seat.pending() {
			return false
		}
	}
	return true
}

// holds says whether a node has the seat, and its fine in it.
func (s *Seat) holds() bool {
	return s.Status == protocol.SeatStatusRunning || s.Status == protocol.SeatStatusCommitted
}

// pending says whether the seat is waited for.
func (s *Seat) pending() bool {
	return s.Status == protocol.SeatStatusDrawing || s.Status == protocol.SeatStatusRunning
}

// full says whether all three seats have committed.
func (s *State) full() bool { return s.committed() == len(s.Seats) }

func (s *State) committed() (n int) {
	for _, seat := range s.Seats {
		if seat.Status == protocol.SeatStatusCommitted {
			n++
		}
	}
	return n
}

// Later is the state d seconds on. How long ago time ran out makes no difference, except that the seats' time to open
// their commitments starts when the client's runs out.
func (g *Game) Later(s State, d Seconds) State {
	switch s.Status {
	case protocol.StatusAssigned, protocol.StatusCommitted, protocol.StatusChallenged, protocol.StatusVerdict:
		s.Left = max(s.Left-d, -1)
	case protocol.StatusVerifying:
		if s.panelDone() {
			s.Left = max(s.Left-d, -g.SilentWindow-1)
		}
		for i := range s.Seats {
			if s.Seats[i].pending() {
				s.Seats[i].Left = max(s.Seats[i].Left-d, -1)
			}
		}
	case protocol.StatusAppealed:
		s.Jury.Left = max(s.Jury.Left-d, -1)
		if s.Jury.Drawn {
			s.Jury.RevealLeft = max(s.Jury.RevealLeft-d, -1)
		}
	}
	return s
}

// Deadlines lists the times left until something changes by itself, none of them over.
func (g *Game) Deadlines(s State) []Seconds {
	var left []Seconds
	add := func(d Seconds, counts bool) {
		if counts && d >= 0 {
			left = append(left, d)
		}
	}
	switch s.Status {
	case protocol.StatusAssigned, protocol.StatusCommitted, protocol.StatusChallenged, protocol.StatusVerdict:
		add(s.Left, true)
	case protocol.StatusVerifying:
		add(s.Left, s.panelDone())
		add(s.Left+g.SilentWindow, s.panelDone() && s.Left < 0)
		for _, seat := range s.Seats {
			add(seat.Left, seat.pending())
		}
	case protocol.StatusAppealed:
		add(s.Jury.Left, true)
		add(s.Jury.RevealLeft, s.Jury.Drawn)
	}
	return left
}
