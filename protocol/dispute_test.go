package protocol_test

import (
	"fmt"
	"math/big"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// resolving is a story in which alice's execution of four pieces, two of them checked, waits for the client's decision.
func resolving(t *testing.T) (*story, common.Hash) {
	t.Helper()
	s := newStoryOf(t, 3)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	s.verify(run, 1, 2)
	s.draw(run, 2, "bob")
	s.draw(run, 3, "carol")
	s.answer(run, 2)
	s.answer(run, 3)
	return s, run
}

// end lets a time pass with a block.
func (s *story) end(seconds uint64) {
	s.view.Advance(protocol.Block{Number: s.view.Head.Number + 1, Time: seconds})
}

func TestClientIsSilentAfterItsTime(t *testing.T) {
	s, run := resolving(t)
	due := s.view.Runs[run].ResolveBy(s.terms, window)
	s.end(due)
	s.expectStatus(run, protocol.StatusResolving)
	s.end(due + 1)
	s.expectStatus(run, protocol.StatusSilent)
	s.fold(
		protocol.SelfOpened{Execution: run, Seat: 1, Node: wallet("alice"), Piece: 2, Digest: named("1"), Fuel: 7},
		protocol.SelfOpened{Execution: run, Seat: 3, Node: wallet("carol"), Piece: 2, Digest: named("3"), Fuel: 8},
	)
	want := map[uint8]protocol.SelfOpening{1: {Piece: 2, Digest: named("1"), Fuel: 7}, 3: {Piece: 2, Digest: named("3"), Fuel: 8}}
	if got := s.view.Runs[run].Openings; !reflect.DeepEqual(got, want) {
		t.Errorf("openings %+v, want %+v", got, want)
	}
}

// A challenge stops the client's clock: what was left of its time comes back with the answer.
func TestFoldChallengeOfAPanel(t *testing.T) {
	s, run := resolving(t)
	r := s.view.Runs[run]
	due := r.ResolveBy(s.terms, window)
	challenge := protocol.Challenge{Execution: run, Seat: 3, Piece: 2, Left: 30, Back: protocol.StatusVerifying}
	s.fold(protocol.LeafChallenged{Execution: run, Seat: 3, Challenge: challenge, Deadline: due + 70})
	s.expectStatus(run, protocol.StatusChallenged)
	if r.Record.Deadline != due+70 || *r.Challenge != challenge {
		t.Errorf("run %+v", r)
	}
	leaf := newChance(1).leaf()
	proof := []protocol.Sum{{Hash: named("sibling"), Sum: 4}}
	s.fold(protocol.LeafAnswered{Execution: run, Seat: 3, Piece: 2, Leaf: leaf, Proof: proof, Deadline: due + 50})
	s.expectStatus(run, protocol.StatusResolving)
	if r.Challenge != nil || !reflect.DeepEqual(r.Answers[3][2], protocol.Proven{Leaf: leaf, Proof: proof}) {
		t.Errorf("run %+v", r)
	}
	if got := r.ResolveBy(s.terms, window); got != due+50 {
		t.Errorf("to be resolved by %d, want %d", got, due+50)
	}
	s.escalate(run, 2)
	if r.Record.Deadline != due+50 {
		t.Errorf("the escalation changed the deadline to %d", r.Record.Deadline)
	}

	s.fold(
		protocol.LeafChallenged{Execution: run, Seat: 2, Challenge: challenge, Deadline: due + 90},
		protocol.ChallengeFailed{Execution: run, Seat: 2, Node: wallet("bob")},
	)
	s.seat(run, 2, func(seat *protocol.Seat) {
		seat.Status, seat.Redraws, seat.DoneAt = protocol.SeatStatusDrawing, 1, 0
	})
	s.expectStatus(run, protocol.StatusDrawing)
	if r.Record.Deadline != 0 || r.Challenge != nil {
		t.Errorf("run %+v", r)
	}
}

func TestFoldChallengeOfACommitment(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	challenge := protocol.Challenge{Execution: run, Seat: 1, Piece: 2, Left: 30, Back: protocol.StatusCommitted}
	s.fold(
		protocol.LeafChallenged{Execution: run, Seat: 1, Challenge: challenge, Deadline: 2000},
		protocol.LeafAnswered{Execution: run, Seat: 1, Piece: 2, Leaf: newChance(1).leaf(), Deadline: 3000},
	)
	s.expectStatus(run, protocol.StatusCommitted)
	if got := s.view.Runs[run].Record.Deadline; got != 3000 {
		t.Errorf("deadline %d", got)
	}
	s.fold(
		protocol.LeafChallenged{Execution: run, Seat: 1, Challenge: challenge, Deadline: 4000},
		protocol.Slashed{Execution: run, Seat: 1, Node: wallet("alice"), Amount: big.NewInt(60)},
		protocol.ChallengeFailed{Execution: run, Seat: 1, Node: wallet("alice")},
		protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 4},
	)
	s.expectStatus(run, protocol.StatusReturned)
	s.expectOpen("returned 0+4;job 4+6;")
}

func TestFoldDeclines(t *testing.T) {
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.fold(
		protocol.ExecutionDeclined{Execution: run, Node: wallet("alice")},
		protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 4},
	)
	s.expectStatus(run, protocol.StatusReturned)
	if !s.view.Runs[run].Declined {
		t.Error("the decline was not noted")
	}
	second := s.assignFrom(run, "bob", 0, 4)
	s.commit(second)
	s.verify(second, 1)
	s.draw(second, 2, "carol")
	s.fold(protocol.SeatDeclined{Execution: second, Number: 2, Node: wallet("carol")})
	s.expectStatus(second, protocol.StatusVerifying) // until the seat's own event
}

// verdict is a story in which alice, the first seat, is alone with its result of piece 2, and appeals.
func verdict(t *testing.T, outcome protocol.Outcome) (*story, common.Hash, *protocol.Run) {
	t.Helper()
	s, run := resolving(t)
	s.reveal(run, 2, outcome)
	return s, run, s.view.Runs[run]
}

func jury(run common.Hash) protocol.Jury {
	return protocol.Jury{Execution: run, Appellant: 1, Target: 130, Deadline: 3000}
}

func TestFoldAppeal(t *testing.T) {
	s, run, r := verdict(t, protocol.OutcomeFirstLost)
	if want := [3]common.Hash{named("1"), named("2"), named("3")}; *r.Results != want {
		t.Errorf("results %v", *r.Results)
	}
	s.fold(protocol.VerdictAppealed{Execution: run, Seat: 1, Jury: jury(run)})
	s.expectStatus(run, protocol.StatusAppealed)
	if r.Record.Deadline != 0 || r.Appeal.Record.Target != 130 || r.Wrong(1) {
		t.Errorf("run %+v", r)
	}
	drawn := jury(run)
	drawn.Deadline, drawn.RevealDeadline, drawn.Salt = 4000, 5000, named("jury")
	drawn.Jurors = []common.Address{wallet("dave"), wallet("erin"), wallet("frank")}
	commitment, vote := named("sealed"), protocol.Vote{Digest: named("d"), Fuel: 3, Witness: named("w")}
	s.fold(
		protocol.JuryDrawn{Execution: run, Jury: drawn},
		protocol.VoteCommitted{Execution: run, Number: 4, Node: wallet("dave"), Commitment: commitment},
		protocol.VoteDeclined{Execution: run, Number: 5, Node: wallet("erin")},
		protocol.VoteCommitted{Execution: run, Number: 6, Node: wallet("frank"), Commitment: commitment},
		protocol.VoteRevealed{Execution: run, Number: 6, Node: wallet("frank"), Vote: vote},
	)
	want := map[uint8]protocol.VoteRun{
		4: {Status: protocol.VoteStatusCommitted, Commitment: commitment},
		5: {Status: protocol.VoteStatusDeclined},
		6: {Status: protocol.VoteStatusRevealed, Commitment: commitment, Vote: vote},
	}
	if got := r.Appeal.Votes; !reflect.DeepEqual(got, want) {
		t.Errorf("votes %+v, want %+v", got, want)
	}
	if got := r.Appeal.Revealed(); !reflect.DeepEqual(got, []protocol.Vote{{}, {}, vote}) {
		t.Errorf("revealed %+v", got)
	}
	for name, number := range map[string]uint8{"dave": 4, "frank": 6, "alice": 0} {
		if got := r.Appeal.Number(wallet(name)); got != number {
			t.Errorf("%s is number %d", name, got)
		}
	}
	s.fold(
		protocol.AppealBondBurned{Execution: run, Node: wallet("alice"), Amount: big.NewInt(9)},
		protocol.AppealDecided{Execution: run, Result: named("2"), Right: 1<<2 | 1<<3},
		protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 1},
	)
	if got := r.Penalties; len(got) != 1 || got[0].Kind != protocol.PenaltyAppeal || got[0].Wallet != wallet("alice") {
		t.Errorf("penalties %+v", got)
	}
}

// Who was wrong, and which seats' word on the opened piece counts, once all is over.
func TestWhoWasProvedWrong(t *testing.T) {
	returned := func(id common.Hash) protocol.Event {
		return protocol.ExecutionReturned{Execution: id, Returned: id, From: 0, Count: 1}
	}
	settled := func(id common.Hash) protocol.Event {
		return protocol.ExecutionSettled{Execution: id, Pay: big.NewInt(1)}
	}
	refunded := func(id common.Hash) protocol.Event { return protocol.ExecutionRefunded{Execution: id} }
	for name, c := range map[string]struct {
		outcome protocol.Outcome
		right   int // of the jury; -1 for no appeal, 0 for no majority
		end     func(common.Hash) protocol.Event
		wrong   string
		kept    string
	}{
		"seat 1 lost":                  {protocol.OutcomeFirstLost, -1, returned, "[1]", "[2 3]"},
		"seat 2 lost":                  {protocol.OutcomeSecondLost, -1, settled, "[2]", "[]"},
		"seat 3 lost":                  {protocol.OutcomeThirdLost, -1, settled, "[3]", "[]"},
		"all differ":                   {protocol.OutcomeAllDiffer, -1, refunded, "[]", "[]"},
		"seat 1 wins its appeal":       {protocol.OutcomeFirstLost, 0b0010, settled, "[2 3]", "[]"},
		"seat 1 loses its appeal":      {protocol.OutcomeFirstLost, 0b1100, returned, "[1]", "[2 3]"},
		"only seat 3 is right":         {protocol.OutcomeAllDiffer, 0b1000, returned, "[1 2]", "[3]"},
		"nobody is right":              {protocol.OutcomeAllDiffer, 0b10000, returned, "[1 2 3]", "[]"},
		"the jury has no majority":     {protocol.OutcomeFirstLost, 0, refunded, "[]", "[]"},
		"seat 2 is right alone":        {protocol.OutcomeSecondLost, 0b0100, returned, "[1 3]", "[2]"},
		"the jury is not decided":      {protocol.OutcomeFirstLost, -2, nil, "[]", "[]"},
		"the verdict is not final yet": {protocol.OutcomeFirstLost, -1, nil, "[]", "[]"},
	} {
		s, run, r := verdict(t, c.outcome)
		if c.right != -1 {
			s.fold(protocol.VerdictAppealed{Execution: run, Seat: 1, Jury: jury(run)})
		}
		switch {
		case c.right == 0:
			s.fold(protocol.AppealDecided{Execution: run})
		case c.right > 0:
			s.fold(protocol.AppealDecided{Execution: run, Result: named("x"), Right: uint8(c.right & 0b1110)})
		}
		if c.end != nil {
			s.fold(c.end(run))
		}
		wrong := []uint8{}
		for seat := uint8(1); seat <= 3; seat++ {
			if r.Wrong(seat) {
				wrong = append(wrong, seat)
			}
		}
		piece, kept := r.Kept()
		if fmt.Sprint(wrong) != c.wrong || fmt.Sprint(kept) != c.kept || (len(kept) > 0 && piece != 2) {
			t.Errorf("%s: wrong %v, kept %d by %v; want %s and %s", name, wrong, piece, kept, c.wrong, c.kept)
		}
	}
}

// With the client silent, two seats that opened and agree settle the opened piece against a closed first one.
func TestPairThatOpenedKeepsItsPiece(t *testing.T) {
	opened := func(seat uint8, digest string, fuel uint64) protocol.SelfOpened {
		return protocol.SelfOpened{Seat: seat, Piece: 2, Digest: named(digest), Fuel: fuel}
	}
	for name, c := range map[string]struct {
		openings []protocol.SelfOpened
		kept     string
	}{
		"a pair":           {[]protocol.SelfOpened{opened(2, "d", 1), opened(3, "d", 1)}, "[2 3]"},
		"another digest":   {[]protocol.SelfOpened{opened(2, "d", 1), opened(3, "e", 1)}, "[]"},
		"other fuel":       {[]protocol.SelfOpened{opened(2, "d", 1), opened(3, "d", 2)}, "[]"},
		"one":              {[]protocol.SelfOpened{opened(2, "d", 1)}, "[]"},
		"nobody":           {nil, "[]"},
		"the first opened": {[]protocol.SelfOpened{opened(1, "e", 1), opened(2, "d", 1), opened(3, "d", 1)}, "[]"},
	} {
		s, run := resolving(t)
		for _, o := range c.openings {
			o.Execution = run
			s.fold(o)
		}
		s.fold(protocol.ExecutionReturned{Execution: run, Returned: run, From: 0, Count: 2})
		if piece, kept := s.view.Runs[run].Kept(); fmt.Sprint(kept) != c.kept || (len(kept) > 0 && piece != 2) {
			t.Errorf("%s: piece %d kept by %v, want %s", name, piece, kept, c.kept)
		}
	}
}

func TestFoldPausesNodes(t *testing.T) {
	s := newStory(t)
	paused := func(want bool) {
		t.Helper()
		if got := s.view.Paused[wallet("alice")]; got != want {
			t.Errorf("paused is %t", got)
		}
	}
	s.fold(protocol.NodeRegistered{Node: wallet("alice")}, protocol.NodePaused{Node: wallet("alice")})
	paused(true)
	if !s.view.Nodes[wallet("alice")] {
		t.Error("a paused node is not registered any more")
	}
	s.fold(protocol.NodeResumed{Node: wallet("alice")})
	paused(false)
	s.fold(protocol.NodePaused{Node: wallet("alice")}, protocol.NodeExited{Node: wallet("alice")})
	paused(false)
}

func TestFoldDropsCancelledOffers(t *testing.T) {
	s := newStory(t)
	for nonce := range uint32(3) {
		offer := protocol.Offer{Job: s.job, Node: wallet("alice"), Pieces: 4, Nonce: nonce, Deadline: 5000}
		s.fold(protocol.OfferPosted{Job: s.job, Node: wallet("alice"), Offer: offer})
	}
	s.fold(protocol.NonceCancelled{Wallet: wallet("bob"), Nonce: 0}, protocol.NonceCancelled{Wallet: wallet("alice"), Nonce: 1})
	offers := s.view.Jobs[s.job].Offers
	if len(offers) != 2 || offers[0].Offer.Nonce != 0 || offers[1].Offer.Nonce != 2 {
		t.Errorf("offers %+v", offers)
	}
}

func TestFoldRefusesDisputesThatCannotBe(t *testing.T) {
	s, run := resolving(t)
	s.refuses(protocol.LeafAnswered{Execution: run}, fmt.Sprintf("block 7: LeafAnswered: no leaf of execution %s is challenged", run))
	s.refuses(protocol.ChallengeFailed{Execution: run}, fmt.Sprintf("block 7: ChallengeFailed: no leaf of execution %s is challenged", run))
	s.refuses(protocol.LeafChallenged{Execution: run, Challenge: protocol.Challenge{Back: protocol.StatusVerdict}},
		"block 7: LeafChallenged: a challenge cannot go back to Verdict")
	s.refuses(protocol.VerdictAppealed{Execution: run}, fmt.Sprintf("block 7: VerdictAppealed: there is no verdict on execution %s", run))
	none := fmt.Sprintf("nobody appealed against the verdict on execution %s", run)
	s.refuses(protocol.JuryDrawn{Execution: run}, "block 7: JuryDrawn: "+none)
	s.refuses(protocol.VoteRevealed{Execution: run, Number: 4}, "block 7: VoteRevealed: "+none)
	s.refuses(protocol.AppealDecided{Execution: run}, "block 7: AppealDecided: "+none)
	s.reveal(run, 2, protocol.OutcomeAllDiffer)
	s.fold(protocol.VerdictAppealed{Execution: run, Seat: 1, Jury: jury(run)})
	for _, number := range []uint8{0, 3, 4} {
		s.refuses(protocol.VoteCommitted{Execution: run, Number: number},
			fmt.Sprintf("block 7: VoteCommitted: the jury of execution %s has no number %d", run, number))
	}
}
