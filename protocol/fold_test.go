package protocol_test

import (
	"fmt"
	"math/big"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// open spells the ranges that may be assigned: "job" or "returned", first piece and count.
func (s *story) open() string {
	text := ""
	for _, r := range s.view.Jobs[s.job].Open() {
		parent := "returned"
		if r.Parent == s.job {
			parent = "job"
		}
		text += fmt.Sprintf("%s %d+%d;", parent, r.From, r.Count)
	}
	return text
}

func (s *story) expectOpen(want string) {
	s.t.Helper()
	if got := s.open(); got != want {
		s.t.Errorf("open: %q, want %q", got, want)
	}
}

func (s *story) expectStatus(run common.Hash, want protocol.Status) {
	s.t.Helper()
	if got := s.view.Runs[run].Status(s.terms, window, s.view.Head.Time); got != want {
		s.t.Errorf("status: %v, want %v", got, want)
	}
	over := want == protocol.StatusSettled || want == protocol.StatusReturned || want == protocol.StatusRefunded
	if got := s.view.Runs[run].Done(); got != over {
		s.t.Errorf("%v: done is %t", want, got)
	}
}

func TestFoldAssignsFromTheFrontier(t *testing.T) {
	s := newStory(t)
	s.expectOpen("job 0+10;")
	first := s.assign("alice", 0, 4)
	s.expectOpen("job 4+6;")
	second := s.assign("bob", 4, 6)
	s.expectOpen("")
	if got := s.view.Jobs[s.job].Runs; !reflect.DeepEqual(got, []common.Hash{first, second}) {
		t.Errorf("runs %v", got)
	}

	r := s.view.Runs[first]
	want := protocol.Execution{
		ID: first, Job: s.job, Node: wallet("alice"), Count: 4, Status: protocol.StatusAssigned,
		Deadline: 1010 + window, SeedHash: named("seed"),
	}
	if r.Record != want {
		t.Errorf("record %+v, want %+v", r.Record, want)
	}
	if r.Parent != s.job || r.Node != wallet("alice") || r.Assigned != (protocol.Block{Number: 102, Time: 1020}) {
		t.Errorf("run %+v", r)
	}
	s.expectStatus(first, protocol.StatusAssigned)
}

func TestFoldCommits(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	want := protocol.Execution{
		ID: run, Job: s.job, Node: wallet("alice"), Count: 4, Status: protocol.StatusCommitted,
		Deadline: 1020 + window, SeedHash: named("seed"), Root: named("root"), Fuel: 77, CommittedBlock: 103,
	}
	if got := s.view.Runs[run].Record; got != want {
		t.Errorf("record %+v, want %+v", got, want)
	}
	if got := s.view.Runs[run]; string(got.Leaves) != "leaves" || got.Committed.Number != 103 {
		t.Errorf("run %+v", got)
	}
	s.expectStatus(run, protocol.StatusCommitted)
}

func TestFoldReassignsWhatReturned(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.fold(
		protocol.NoShowBurned{Execution: run, Seat: 1, Node: wallet("alice"), Amount: big.NewInt(5)},
		protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 4},
	)
	s.expectStatus(run, protocol.StatusReturned)
	s.expectOpen("returned 0+4;job 4+6;")
	if got, want := s.view.Jobs[s.job].Returned[run], (protocol.Execution{
		ID: run, Job: s.job, Count: 4, Status: protocol.StatusReturned,
	}); got != want {
		t.Errorf("returned record %+v, want %+v", got, want)
	}

	again := s.assignFrom(run, "bob", 0, 3)
	s.expectOpen("returned 3+1;job 4+6;")
	if got := s.view.Jobs[s.job].Returned[run]; got.From != 3 || got.Count != 1 || got.ID != run {
		t.Errorf("what is left of it: %+v", got)
	}
	s.assignFrom(run, "carol", 3, 1)
	s.expectOpen("job 4+6;")
	s.expectStatus(again, protocol.StatusAssigned)
	s.expectStatus(run, protocol.StatusReturned)
	if got := s.view.Runs[again]; got.Parent != run || got.From != 0 || got.Count != 3 {
		t.Errorf("run %+v", got)
	}
	if got := s.view.Runs[run].Penalties; len(got) != 1 || got[0].Kind != protocol.PenaltyNoShow || got[0].Wei.Int64() != 5 {
		t.Errorf("penalties %+v", got)
	}
}

// Seat 1 was proved wrong on a piece in the middle: the rest returns in two parts, one of them under a new id.
func TestFoldSplitsAroundASettledPiece(t *testing.T) {
	s := newStory(t)
	s.assign("zoe", 0, 2)
	run := s.assign("alice", 2, 5)
	behind := named("behind")
	s.fold(
		protocol.ExecutionReturned{Execution: run, Returned: run, From: 2, Count: 1},
		protocol.ExecutionReturned{Execution: run, Returned: behind, From: 4, Count: 3},
	)
	s.expectOpen("returned 2+1;returned 4+3;job 7+3;")
	s.fold(protocol.ReturnedClosed{Execution: behind})
	s.expectOpen("returned 2+1;job 7+3;")
	s.fold(protocol.JobClosed{Job: s.job, From: 7})
	s.expectOpen("returned 2+1;")
	s.fold(protocol.ReturnedClosed{Execution: run})
	s.expectOpen("")
}

func TestFoldKeepsNothingOfAnEmptyReturn(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 1)
	s.fold(protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 0})
	s.expectStatus(run, protocol.StatusReturned)
	s.expectOpen("job 1+9;")
}

func TestFoldLazyPanel(t *testing.T) {
	s := newStory(t)
	s.assign("zoe", 0, 2)
	run := s.assign("alice", 2, 4)
	s.commit(run)
	s.verify(run, 0, 3)
	s.expectStatus(run, protocol.StatusDrawing)
	r := s.view.Runs[run]
	if r.Record.Deadline != 0 || r.Record.Status != protocol.StatusVerifying || r.Record.Verification == (common.Hash{}) {
		t.Errorf("record %+v", r.Record)
	}
	want := protocol.Seat{
		Execution: run, Number: 2, Status: protocol.SeatStatusDrawing, Pieces: 2, Target: 105, Deadline: 1040 + window,
	}
	if got := r.Panel(s.terms); len(got) != 1 || got[0] != want {
		t.Errorf("panel %+v, want %+v", got, want)
	}
	if got := r.Checked(s.terms, 2); !reflect.DeepEqual(got, []uint32{2, 5}) {
		t.Errorf("seat 2 runs %v", got)
	}
	s.draw(run, 2, "bob")
	s.expectStatus(run, protocol.StatusVerifying)
	s.answer(run, 2)
	s.expectStatus(run, protocol.StatusResolving)
	done := r.Panel(s.terms)[0].DoneAt
	if got := r.ResolveBy(s.terms, window); got != done+window {
		t.Errorf("to be resolved by %d, want %d", got, done+window)
	}
	if got := r.Seats[2].Leaves; len(got) != 1 || got[0] != 2 {
		t.Errorf("seat 2 published %v", got)
	}

	s.escalate(run, 5)
	s.expectStatus(run, protocol.StatusDrawing)
	third := r.Panel(s.terms)[1]
	if third.Pieces != 1 || third.Number != 3 || third.Target != r.Verification.ThirdTarget || third.Deadline != r.Verification.ThirdDeadline {
		t.Errorf("third seat %+v", third)
	}
	if got := r.Checked(s.terms, 3); !reflect.DeepEqual(got, []uint32{5}) {
		t.Errorf("seat 3 runs %v", got)
	}
	s.draw(run, 3, "carol")
	s.expectStatus(run, protocol.StatusVerifying)
	s.vacate(run, 3)
	s.expectStatus(run, protocol.StatusResolving)
	if got, want := r.ResolveBy(s.terms, window), r.Seats[3].Record.DoneAt+window; got != want {
		t.Errorf("to be resolved by %d, want %d", got, want)
	}
}

func TestFoldEagerPanel(t *testing.T) {
	s := newStoryOf(t, 3)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	s.verify(run, 1, 2)
	r := s.view.Runs[run]
	if got := r.Panel(s.terms); len(got) != 2 || got[0].Pieces != 2 || got[1].Pieces != 2 || got[1].Number != 3 {
		t.Errorf("panel %+v", got)
	}
	s.draw(run, 3, "carol")
	s.expectStatus(run, protocol.StatusDrawing) // seat 2 still is
	s.draw(run, 2, "bob")
	s.expectStatus(run, protocol.StatusVerifying)
	s.answer(run, 3)
	s.expectStatus(run, protocol.StatusVerifying)
	s.answer(run, 2)
	s.expectStatus(run, protocol.StatusResolving)
	if got, want := r.ResolveBy(s.terms, window), r.Seats[2].Record.DoneAt+window; got != want {
		t.Errorf("to be resolved by %d, want %d", got, want) // the last seat counts, not the third
	}
	if got := r.Checked(s.terms, 3); !reflect.DeepEqual(got, []uint32{1, 2}) {
		t.Errorf("seat 3 runs %v", got)
	}
}

func TestFoldRedraw(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	s.verify(run, 1)
	s.draw(run, 2, "bob")
	s.seat(run, 2, func(seat *protocol.Seat) {
		seat.Status, seat.Redraws, seat.Target = protocol.SeatStatusDrawing, 1, 130
	})
	s.expectStatus(run, protocol.StatusDrawing)
	if got := s.view.Runs[run].Panel(s.terms)[0]; got.Redraws != 1 || got.Target != 130 {
		t.Errorf("seat %+v", got)
	}
}

func TestFoldVerdicts(t *testing.T) {
	for outcome, end := range map[protocol.Outcome]struct {
		event  func(common.Hash) protocol.Event
		status protocol.Status
	}{
		protocol.OutcomeSecondLost: {func(id common.Hash) protocol.Event {
			return protocol.ExecutionSettled{Execution: id, Pay: big.NewInt(40)}
		}, protocol.StatusSettled},
		protocol.OutcomeFirstLost: {func(id common.Hash) protocol.Event {
			return protocol.ExecutionReturned{Execution: id, Returned: id, From: 1, Count: 3}
		}, protocol.StatusReturned},
		protocol.OutcomeAllDiffer: {func(id common.Hash) protocol.Event {
			return protocol.ExecutionRefunded{Execution: id}
		}, protocol.StatusRefunded},
	} {
		s := newStoryOf(t, 3)
		run := s.assign("alice", 0, 4)
		s.commit(run)
		s.verify(run, 0)
		s.draw(run, 2, "bob")
		s.draw(run, 3, "carol")
		s.answer(run, 2)
		s.answer(run, 3)
		before := s.view.Runs[run].Record.Verification
		s.reveal(run, 0, outcome)
		s.expectStatus(run, protocol.StatusVerdict)
		r := s.view.Runs[run]
		if r.Record.Verification == before {
			t.Errorf("%v: the record names the verification without the outcome", outcome)
		}
		if r.Verification.Outcome != outcome || r.Record.Deadline != s.view.Head.Time-10+window || r.Digests[2] != named("3") {
			t.Errorf("%v: run %+v", outcome, r)
		}
		s.fold(end.event(run))
		s.expectStatus(run, end.status)
		if r.Ended != s.view.Head {
			t.Errorf("%v: ended %+v", outcome, r.Ended)
		}
	}
}

func TestFoldCountsMoney(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	s.fold(
		protocol.BondBurned{Execution: run, Client: wallet("client"), Amount: big.NewInt(40)},
		protocol.Slashed{Execution: run, Seat: 3, Node: wallet("carol"), Amount: big.NewInt(60)},
		protocol.SeatPaid{Execution: run, Seat: 2, Node: wallet("bob"), Pay: big.NewInt(12)},
		protocol.ExecutionSettled{Execution: run, Pay: big.NewInt(40), Silent: true},
	)
	r := s.view.Runs[run]
	if !r.Silent {
		t.Error("the client's silence was not noted")
	}
	payments := []protocol.Payment{{Seat: 2, Node: wallet("bob"), Wei: big.NewInt(12)}, {Seat: 1, Node: wallet("alice"), Wei: big.NewInt(40)}}
	penalties := []protocol.Penalty{
		{Kind: protocol.PenaltyBond, Wallet: wallet("client"), Wei: big.NewInt(40)},
		{Kind: protocol.PenaltySlash, Seat: 3, Wallet: wallet("carol"), Wei: big.NewInt(60)},
	}
	if !reflect.DeepEqual(r.Payments, payments) || !reflect.DeepEqual(r.Penalties, penalties) {
		t.Errorf("payments %+v, penalties %+v", r.Payments, r.Penalties)
	}
}
