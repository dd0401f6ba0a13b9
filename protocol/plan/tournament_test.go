package plan_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// Whole games, in which everyone plays by its plan at random times, nodes lie, vanish and withhold, and draws fail.
// Every call must be one that the contract would take, and every execution must end.
func TestEveryGameEnds(t *testing.T) {
	done := map[string]int{}
	for seed := range uint64(40) {
		for _, vanishes := range []string{"", "client", "alice", "everyone but the client"} {
			t.Run(fmt.Sprintf("%d %s", seed, vanishes), func(t *testing.T) { tournament(t, seed, vanishes, done) })
		}
	}
	t.Log(done)
	// A game in which nothing happens proves nothing.
	for _, move := range []string{
		"acceptOffer", "acceptReturned", "closeJob", "closeReturned", "commitResult", "timeoutAssigned", "settle",
		"timeoutCommitted", "verify", "draw", "commitVerification", "timeoutDrawing", "timeoutSeat", "escalate",
		"settleVerified", "revealKey", "timeoutSilent", "timeoutVerdict", "deliver",
		"decline", "declineSeat", "challengeLeaf", "answerLeaf", "timeoutChallenged", "openSelf", "appeal", "drawJury",
		"commitVote", "declineVote", "revealVote", "timeoutAppealed",
		"all opened", "pair opened", "first was right", "another was right", "nobody was right", "no majority",
		"FirstLost", "SecondLost", "ThirdLost", "AllDiffer",
	} {
		if done[move] == 0 {
			t.Errorf("no game had a %s", move)
		}
	}
}

func tournament(t *testing.T, seed uint64, vanishes string, done map[string]int) {
	g := newGame(t, uint8(2+seed%2))
	for _, name := range []string{"dave", "erin", "frank", "grace"} {
		g.register(name)
	}
	g.client.Wallet.Free = big.NewInt(1e9)
	p := &performer{game: g, Rand: rand.New(rand.NewPCG(seed, uint64(len(vanishes)))), done: done}
	parties := []string{"client", "alice", "bob", "carol", "dave", "erin", "frank", "grace"}
	const rounds = 400
	last := 1 + p.IntN(40)
	for round := range rounds {
		if round == last {
			// From now on no new work, and those who are still here act in time.
			g.want(func(f *plan.JobFacts) { f.Cancelled = true })
			for _, f := range g.nodes {
				f.Policy.MaxPieces = 0
			}
		}
		for _, i := range p.Perm(len(parties)) {
			who := parties[i]
			gone := who == vanishes || vanishes == "everyone but the client" && who != "client"
			if round >= last/2 && gone {
				continue
			}
			if lazy := 3; round >= last || p.IntN(lazy) > 0 || who == "client" && vanishes == "everyone but the client" {
				p.act(who)
			}
			if t.Failed() {
				t.Fatalf("in round %d, after %s", round, who)
			}
		}
		if round >= last && len(p.running()) == 0 && (vanishes == "client" || len(g.v.Jobs[g.job].Open()) == 0) {
			break
		}
		g.wait(1 + p.Uint64N(20))
	}
	for _, id := range p.running() {
		r := g.v.Runs[id]
		t.Errorf("execution %s is still %v", g.labels[id], r.Status(g.terms, settleWindow, g.now()))
	}
	if open := g.v.Jobs[g.job].Open(); vanishes != "client" && len(open) > 0 {
		t.Errorf("pieces %+v are still open", open)
	}
}

// FuzzPlan shows a planner events in an order that no contract would emit: whatever the view comes to, planning must
// not fail.
func FuzzPlan(f *testing.F) {
	told := stories(f)
	inOrder := make([]byte, len(told))
	for i := range inOrder {
		inOrder[i] = byte(i)
	}
	f.Add(inOrder, uint16(0))
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		order := make([]byte, 2*len(told))
		for i := range order {
			order[i] = byte(r.IntN(len(told)))
		}
		f.Add(append(inOrder[:r.IntN(len(told))], order...), uint16(r.Uint32()))
	}
	f.Fuzz(func(t *testing.T, order []byte, seconds uint16) {
		g := newGame(t, lazy)
		g.wait(uint64(seconds) % 500)
		for _, n := range order {
			if err := g.v.Fold(told[int(n)%len(told)], g.v.Head); err != nil {
				continue // contradicts what came before
			}
			plan.Requester(g.v, g.client)
			for _, facts := range g.nodes {
				plan.Compute(g.v, *facts)
			}
		}
	})
}

// stories are the events of a game with all kinds of turns.
func stories(t testing.TB) (told []protocol.Event) {
	g := newGame(t, lazy)
	offer := g.signed("bob", 3)
	a := g.assign("alice", 4).commits(1, 2)
	b := g.assign("bob", 4)
	returned := protocol.ExecutionReturned{Execution: b.e.ID, Returned: b.e.ID, From: 4, Count: 4}
	seat := func(number uint8, status protocol.SeatStatus) protocol.Event {
		return protocol.SeatChanged{Execution: a.e.ID, Number: number, Seat: protocol.Seat{
			Execution: a.e.ID, Number: number, Status: status, Node: wallet("bob"), Pieces: 2, Deadline: g.now() + 50, DoneAt: g.now(),
		}}
	}
	check := protocol.Verification{Bid: big.NewInt(raised), Hits: 2, Listed: protocol.List([]uint32{1, 2}, 4), Target: 1, Deadline: 1050}
	escalated := check
	escalated.Escalated, escalated.ThirdTarget, escalated.ThirdDeadline = 2, 1, 1060
	verdict := escalated
	verdict.Outcome, verdict.Revealed = protocol.OutcomeFirstLost, 2
	challenge := protocol.Challenge{Execution: a.e.ID, Seat: 1, Piece: 2, Left: 9, Back: protocol.StatusCommitted}
	again := challenge
	again.Back = protocol.StatusVerifying
	jury := protocol.Jury{Execution: a.e.ID, Appellant: 1, Target: 1, Deadline: 1060}
	drawn := jury
	drawn.RevealDeadline, drawn.Jurors = 1100, []common.Address{wallet("carol"), wallet("bob"), wallet("dave")}
	return []protocol.Event{
		protocol.ExecutionDeclined{Execution: b.e.ID},
		protocol.LeafChallenged{Execution: a.e.ID, Seat: 1, Challenge: challenge, Deadline: 1030},
		protocol.LeafChallenged{Execution: a.e.ID, Seat: 1, Challenge: again, Deadline: 1030},
		protocol.LeafAnswered{Execution: a.e.ID, Seat: 1, Piece: 2, Leaf: a.leaves[1][2], Deadline: 1100},
		protocol.ChallengeFailed{Execution: a.e.ID, Seat: 1},
		protocol.SelfOpened{Execution: a.e.ID, Seat: 2, Piece: 1},
		protocol.VerdictAppealed{Execution: a.e.ID, Seat: 1, Jury: jury},
		protocol.JuryDrawn{Execution: a.e.ID, Jury: drawn},
		protocol.VoteCommitted{Execution: a.e.ID, Number: 4}, protocol.VoteRevealed{Execution: a.e.ID, Number: 4},
		protocol.AppealDecided{Execution: a.e.ID, Result: named("result"), Right: 1 << 2},
		protocol.NodePaused{Node: wallet("bob")},
		protocol.OfferPosted{Job: g.job, Node: offer.Offer.Node, Offer: offer.Offer},
		assigned(a, g), assigned(b, g), returned,
		protocol.ResultCommitted{Execution: a.e.ID, Root: a.e.Root, Fuel: a.e.Fuel, Deadline: a.e.Deadline},
		protocol.VerificationRequested{
			Execution: a.e.ID, Bid: check.Bid, Listed: check.Listed, Target: check.Target, Deadline: check.Deadline,
		},
		protocol.SeatDrawn{Execution: a.e.ID, Number: 2, Node: wallet("bob"), Deadline: g.now() + 50},
		seat(2, protocol.SeatStatusRunning), seat(2, protocol.SeatStatusCommitted), seat(2, protocol.SeatStatusVacant),
		protocol.SeatCommitted{Execution: a.e.ID, Number: 2},
		protocol.VerificationEscalated{Execution: a.e.ID, Verification: escalated},
		seat(3, protocol.SeatStatusDrawing), seat(3, protocol.SeatStatusRunning), seat(3, protocol.SeatStatusCommitted),
		protocol.KeyRevealed{Execution: a.e.ID, Piece: 2},
		protocol.VerdictReached{Execution: a.e.ID, Verification: verdict, Deadline: 1200},
		protocol.ExecutionReturned{Execution: a.e.ID, Returned: a.e.ID, From: 0, Count: 2},
		protocol.ExecutionSettled{Execution: a.e.ID, Pay: big.NewInt(1)},
		protocol.ExecutionRefunded{Execution: a.e.ID},
		protocol.NodeExited{Node: wallet("alice")},
		protocol.JobClosed{Job: g.job, From: 8},
	}
}

func assigned(p *play, g *game) protocol.Event {
	return protocol.ExecutionAssigned{
		Job: g.job, Execution: p.e.ID, Parent: g.job, Node: p.e.Node, From: p.e.From, Count: p.e.Count,
		Deadline: g.now() + executeWindow, SeedHash: p.e.SeedHash, Nonce: 1,
	}
}
