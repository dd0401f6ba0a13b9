package protocol_test

import (
	"fmt"
	"maps"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

func TestFoldRegistryAndEndpoints(t *testing.T) {
	s := newStory(t)
	s.fold(protocol.NodeRegistered{Node: wallet("alice")}, protocol.NodeRegistered{Node: wallet("bob")})
	s.fold(protocol.NodeExited{Node: wallet("alice")})
	if s.view.Nodes[wallet("alice")] || !s.view.Nodes[wallet("bob")] {
		t.Errorf("nodes %v", s.view.Nodes)
	}
	s.fold(protocol.EndpointAnnounced{Wallet: wallet("bob"), URL: "http://old"})
	s.fold(protocol.EndpointAnnounced{Wallet: wallet("bob"), URL: "http://new"})
	if got := s.view.Endpoints[wallet("bob")]; got != "http://new" {
		t.Errorf("endpoint %q", got)
	}
	s.fold(protocol.Deposited{Wallet: wallet("bob"), Amount: big.NewInt(1)}, protocol.Withdrawn{Wallet: wallet("bob"), Amount: big.NewInt(1)})
}

// Anyone may post any offer for any job: what could never be accepted is dropped without an error.
func TestFoldKeepsOffersThatCouldBeAccepted(t *testing.T) {
	s := newStory(t)
	offer := func(job common.Hash, node string, nonce uint32) protocol.Offer {
		return protocol.Offer{Job: job, Node: wallet(node), Pieces: 4, Nonce: nonce, Deadline: 5000}
	}
	post := func(job common.Hash, node string, o protocol.Offer) {
		s.fold(protocol.OfferPosted{Job: job, Node: wallet(node), Offer: o, Signature: []byte(node)})
	}
	post(s.job, "alice", offer(s.job, "alice", 0))
	post(s.job, "bob", offer(s.job, "bob", 0))
	post(s.job, "alice", offer(s.job, "alice", 1))
	post(named("no job"), "alice", offer(named("no job"), "alice", 2))
	post(s.job, "alice", offer(named("no job"), "alice", 3))
	post(s.job, "mallory", offer(s.job, "alice", 4))
	expect := func(want string) {
		t.Helper()
		got := ""
		for _, o := range s.view.Jobs[s.job].Offers {
			got += fmt.Sprintf("%s#%d ", o.Signature, o.Offer.Nonce)
		}
		if got != want {
			t.Errorf("offers %q, want %q", got, want)
		}
	}
	expect("alice#0 bob#0 alice#1 ")
	s.assign("alice", 0, 4) // with nonce 0
	expect("bob#0 alice#1 ")
}

func TestFoldRefusesUnknownIDs(t *testing.T) {
	s := newStory(t)
	id := named("unknown")
	job := fmt.Sprintf("event for unknown job %s", id)
	run := fmt.Sprintf("event for unknown execution %s", id)
	for _, c := range []struct {
		event protocol.Event
		want  string
	}{
		{protocol.JobClosed{Job: id}, job},
		{protocol.ExecutionAssigned{Job: id, Parent: id}, job},
		{protocol.ReturnedClosed{Execution: id}, fmt.Sprintf("unknown returned execution %s", id)},
		{protocol.ResultCommitted{Execution: id}, run},
		{protocol.ExecutionReturned{Execution: id}, run},
		{protocol.ExecutionSettled{Execution: id}, run},
		{protocol.ExecutionRefunded{Execution: id}, run},
		{protocol.SeatPaid{Execution: id}, run},
		{protocol.Slashed{Execution: id}, run},
		{protocol.NoShowBurned{Execution: id}, run},
		{protocol.BondBurned{Execution: id}, run},
		{protocol.VerificationRequested{Execution: id}, run},
		{protocol.VerificationEscalated{Execution: id}, run},
		{protocol.SeatDrawn{Execution: id}, run},
		{protocol.SeatChanged{Execution: id}, run},
		{protocol.SeatCommitted{Execution: id}, run},
		{protocol.KeyRevealed{Execution: id}, run},
		{protocol.VerdictReached{Execution: id}, run},
		{protocol.ExecutionDeclined{Execution: id}, run},
		{protocol.SeatDeclined{Execution: id}, run},
		{protocol.LeafChallenged{Execution: id}, run},
		{protocol.LeafAnswered{Execution: id}, run},
		{protocol.ChallengeFailed{Execution: id}, run},
		{protocol.SelfOpened{Execution: id}, run},
		{protocol.VerdictAppealed{Execution: id}, run},
		{protocol.JuryDrawn{Execution: id}, run},
		{protocol.VoteDeclined{Execution: id}, run},
		{protocol.VoteCommitted{Execution: id}, run},
		{protocol.VoteRevealed{Execution: id}, run},
		{protocol.AppealDecided{Execution: id}, run},
		{protocol.AppealBondBurned{Execution: id}, run},
	} {
		s.refuses(c.event, fmt.Sprintf("block 7: %s: %s", c.event.Name(), c.want))
	}
	if len(s.view.Runs) != 0 || len(s.view.Jobs) != 1 {
		t.Errorf("the view has %d runs and %d jobs", len(s.view.Runs), len(s.view.Jobs))
	}
}

func TestFoldKnowsEveryEvent(t *testing.T) {
	for _, e := range protocol.Events() {
		err := protocol.NewView().Fold(e, protocol.Block{Number: 7})
		if err != nil && err.Error() == fmt.Sprintf("block 7: %s: no rule for it", e.Name()) {
			t.Error(err)
		}
	}
}

func TestFoldRefusesContradictions(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	at := func(parent common.Hash, from, count uint32) protocol.ExecutionAssigned {
		return protocol.ExecutionAssigned{
			Job: s.job, Execution: protocol.ExecutionID(parent, from), Parent: parent, Node: wallet("bob"), From: from, Count: count,
		}
	}
	gap := "block 7: ExecutionAssigned: pieces 5+1 are not the next of 4+6"
	s.refuses(at(s.job, 5, 1), gap)
	s.refuses(at(s.job, 3, 1), "block 7: ExecutionAssigned: pieces 3+1 are not the next of 4+6")
	s.refuses(at(s.job, 4, 7), "block 7: ExecutionAssigned: pieces 4+7 are not the next of 4+6")
	s.refuses(at(s.job, 4, 1<<32-1), "block 7: ExecutionAssigned: pieces 4+4294967295 are not the next of 4+6")
	s.refuses(at(run, 0, 1), fmt.Sprintf("block 7: ExecutionAssigned: pieces taken from unknown returned execution %s", run))
	s.fold(protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 4})
	s.refuses(at(run, 0, 5), "block 7: ExecutionAssigned: pieces 0+5 are not the next of 0+4")
	s.refuses(at(run, 1, 3), "block 7: ExecutionAssigned: pieces 1+3 are not the next of 0+4")
	s.fold(protocol.JobClosed{Job: s.job, From: 4})
	s.refuses(at(s.job, 4, 6), "block 7: ExecutionAssigned: the job is closed")
	s.expectOpen("returned 0+4;")

	again := s.assignFrom(run, "bob", 0, 4)
	s.commit(again)
	s.verify(again, 0)
	s.refuses(protocol.SeatCommitted{Execution: again, Number: 2}, "block 7: SeatCommitted: seat 2 committed before it was drawn")
	drawn := protocol.SeatDrawn{Execution: again, Number: 2, Node: wallet("carol"), Deadline: 2000}
	s.fold(drawn)
	s.refuses(drawn, "block 7: SeatDrawn: seat 2 was not to be drawn")
	s.refuses(protocol.SeatDrawn{Execution: again, Number: 3}, "block 7: SeatDrawn: seat 3 was not to be drawn")
}

// lives are whole stories, whose events the fuzz target shuffles.
func lives(t testing.TB) []protocol.Event {
	s := newStory(t)
	s.fold(protocol.NodeRegistered{Node: wallet("alice")})
	s.fold(protocol.OfferPosted{Job: s.job, Node: wallet("alice"), Offer: protocol.Offer{Job: s.job, Node: wallet("alice"), Pieces: 3}})
	first := s.assign("alice", 0, 4)
	s.commit(first)
	s.verify(first, 0, 2)
	s.draw(first, 2, "bob")
	s.answer(first, 2)
	s.escalate(first, 2)
	s.draw(first, 3, "carol")
	s.answer(first, 3)
	s.reveal(first, 2, protocol.OutcomeFirstLost)
	s.fold(
		protocol.Slashed{Execution: first, Seat: 1, Node: wallet("alice"), Amount: big.NewInt(60)},
		protocol.SeatPaid{Execution: first, Seat: 2, Node: wallet("bob"), Pay: big.NewInt(12)},
		protocol.ExecutionReturned{Execution: first, Returned: first, From: 0, Count: 2},
		protocol.ExecutionReturned{Execution: first, Returned: named("split"), From: 3, Count: 1},
	)
	again := s.assignFrom(first, "dave", 0, 2)
	s.fold(
		protocol.NoShowBurned{Execution: again, Seat: 1, Node: wallet("dave"), Amount: big.NewInt(1)},
		protocol.ExecutionReturned{Execution: again, Returned: again, From: 0, Count: 2},
		protocol.ReturnedClosed{Execution: again},
	)
	second := s.assign("bob", 4, 2)
	s.commit(second)
	s.fold(
		protocol.BondBurned{Execution: second, Client: wallet("client"), Amount: big.NewInt(40)},
		protocol.ExecutionSettled{Execution: second, Pay: big.NewInt(20), Silent: true},
		protocol.JobClosed{Job: s.job, From: 6},
		protocol.NodeExited{Node: wallet("alice")},
	)
	return s.told
}

// look calls every method of a view that a caller may.
func look(v *protocol.View) {
	for _, j := range v.Jobs {
		j.Open()
		for _, id := range j.Runs {
			r := v.Runs[id]
			r.Status(j.Terms, window, v.Head.Time)
			r.Done()
			r.Panel(j.Terms)
			r.ResolveBy(j.Terms, window)
			r.Kept()
			for seat := range uint8(4) {
				r.Wrong(seat)
			}
			if r.Verification != nil {
				r.Checked(j.Terms, 2)
				r.Checked(j.Terms, 3)
			}
		}
	}
}

// FuzzFold tells the events of a few lives in any order, each byte naming one. Errors are fine, panics are not, and an
// event that is refused must leave the open pieces alone.
func FuzzFold(f *testing.F) {
	events := lives(f)
	inOrder := make([]byte, len(events))
	for i := range inOrder {
		inOrder[i] = byte(i)
	}
	f.Add(inOrder)
	c := newChance(7)
	for range 200 {
		order := make([]byte, len(events)*2)
		for i := range order {
			order[i] = byte(c.UintN(uint(len(events))))
		}
		f.Add(append([]byte{0}, order...))
	}
	f.Fuzz(func(t *testing.T, order []byte) {
		v := protocol.NewView()
		for i, n := range order {
			open := ranges(v)
			if err := v.Fold(events[int(n)%len(events)], protocol.Block{Number: uint64(i)}); err != nil && !maps.Equal(ranges(v), open) {
				t.Errorf("%v, and yet the open pieces changed", err)
			}
			look(v)
		}
	})
}

// ranges is a picture of all open pieces.
func ranges(v *protocol.View) map[protocol.Range]int {
	open := map[protocol.Range]int{}
	for _, j := range v.Jobs {
		for _, r := range j.Open() {
			open[r]++
		}
	}
	return open
}
