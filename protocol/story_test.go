package protocol_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

const window = 100 // seconds, of every kind

// story tells a view what happened, one block of ten seconds per telling, the way the contract would.
type story struct {
	t     testing.TB
	view  *protocol.View
	terms protocol.Terms
	job   common.Hash
	told  []protocol.Event
}

// newStory begins with a job of ten pieces with a lazy panel.
func newStory(t testing.TB) *story { return newStoryOf(t, 2) }

func newStoryOf(t testing.TB, seats uint8) *story {
	s := &story{t: t, view: protocol.NewView()}
	s.view.Advance(protocol.Block{Number: 100, Time: 1000})
	s.terms = protocol.Terms{
		Client: wallet("client"), Pieces: 10, Seats: seats, Expiry: 100000,
		Bid: big.NewInt(10), FuelPrice: new(big.Int), Fine: big.NewInt(60), Bond: big.NewInt(40),
	}
	s.job = protocol.JobID(1, wallet("market"), s.terms)
	s.fold(protocol.JobCreated{Job: s.job, Client: s.terms.Client, Terms: s.terms})
	return s
}

// fold moves on by a block and folds its events.
func (s *story) fold(events ...protocol.Event) {
	s.t.Helper()
	s.view.Advance(protocol.Block{Number: s.view.Head.Number + 1, Time: s.view.Head.Time + 10})
	for _, e := range events {
		s.told = append(s.told, e)
		if err := s.view.Fold(e, s.view.Head); err != nil {
			s.t.Fatal(err)
		}
	}
}

// refuses folds an event that must contradict the story and leave no trace.
func (s *story) refuses(e protocol.Event, want string) {
	s.t.Helper()
	err := s.view.Fold(e, protocol.Block{Number: 7})
	if err == nil || err.Error() != want {
		s.t.Errorf("%s: got %v, want %s", e.Name(), err, want)
	}
}

func (s *story) assign(node string, from, count uint32) common.Hash {
	return s.assignFrom(s.job, node, from, count)
}

func (s *story) assignFrom(parent common.Hash, node string, from, count uint32) common.Hash {
	s.t.Helper()
	id := protocol.ExecutionID(parent, from)
	s.fold(protocol.ExecutionAssigned{
		Job: s.job, Execution: id, Parent: parent, Node: wallet(node), From: from, Count: count,
		Deadline: s.view.Head.Time + window, SeedHash: named("seed"), Nonce: from,
	})
	return id
}

func (s *story) commit(run common.Hash) {
	s.t.Helper()
	s.fold(protocol.ResultCommitted{
		Execution: run, Root: named("root"), Fuel: 77, Deadline: s.view.Head.Time + window, Leaves: []byte("leaves"),
	})
}

// verify lists offsets of the execution and asks for the panel.
func (s *story) verify(run common.Hash, offsets ...uint32) {
	s.t.Helper()
	s.fold(protocol.VerificationRequested{
		Execution: run, Bid: big.NewInt(12), Listed: protocol.List(offsets, s.view.Runs[run].Count),
		Target: s.view.Head.Number + 1, Deadline: s.view.Head.Time + window,
	})
}

// seat changes a seat of the panel, starting from what the view derives of it.
func (s *story) seat(run common.Hash, number uint8, change func(*protocol.Seat)) {
	s.t.Helper()
	for _, seat := range s.view.Runs[run].Panel(s.terms) {
		if seat.Number == number {
			change(&seat)
			s.fold(protocol.SeatChanged{Execution: run, Number: number, Seat: seat})
			return
		}
	}
	s.t.Fatalf("the panel has no seat %d", number)
}

func (s *story) draw(run common.Hash, number uint8, node string) {
	s.t.Helper()
	s.fold(protocol.SeatDrawn{Execution: run, Number: number, Node: wallet(node), Deadline: s.view.Head.Time + window})
}

func (s *story) answer(run common.Hash, number uint8) {
	s.t.Helper()
	s.fold(protocol.SeatCommitted{
		Execution: run, Number: number, Root: named("verifier's root"), Fuel: 77, Leaves: []byte{number},
	})
}

func (s *story) vacate(run common.Hash, number uint8) {
	s.t.Helper()
	s.seat(run, number, func(seat *protocol.Seat) {
		seat.Node, seat.Status, seat.Deadline, seat.DoneAt = common.Address{}, protocol.SeatStatusVacant, 0, s.view.Head.Time+10
	})
}

func (s *story) escalate(run common.Hash, piece uint32) {
	s.t.Helper()
	check := *s.view.Runs[run].Verification
	check.Escalated, check.ThirdTarget, check.ThirdDeadline = piece, s.view.Head.Number+1, s.view.Head.Time+window
	s.fold(protocol.VerificationEscalated{Execution: run, Verification: check})
}

func (s *story) reveal(run common.Hash, piece uint32, outcome protocol.Outcome) {
	s.t.Helper()
	check := *s.view.Runs[run].Verification
	check.Outcome, check.Revealed = outcome, piece
	results := [3]common.Hash{named("1"), named("2"), named("3")}
	check.Results = named("results")
	s.fold(
		protocol.KeyRevealed{Execution: run, Piece: piece, Sk: big.NewInt(1), Digests: results},
		protocol.VerdictReached{
			Execution: run, Results: results, Verification: check, Deadline: s.view.Head.Time + window,
		},
	)
}
