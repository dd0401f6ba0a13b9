package plan_test

import (
	"maps"
	"math/big"
	"testing"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// A node whose work keeps failing tries for a quarter of its time, then gives the pieces back while that costs nothing.
func TestNodeDeclinesWhatItCannotRun(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).failing(1, "alice")
	due := a.e.Deadline
	last := due - executeWindow/2
	g.at(last-executeWindow/4-1).expects("alice", "execute A/1 [0 1 2 3]")
	g.at(last-executeWindow/4).expects("alice", "decline A")
	g.at(last).expects("alice", "decline A")
	g.at(last+1).expects("alice", "execute A/1 [0 1 2 3]") // it may still work out
	a.finished(1, "alice")
	g.at(last).expects("alice", "commitResult A")

	g.nodes["alice"].Specs[g.job] = plan.SpecFacts{Fit: true}
	g.expectsOffer("alice", "offer 2 until 1055")
	g.fold(protocol.ExecutionDeclined{Execution: a.e.ID, Node: wallet("alice")})
	a.returns(0, 4)
	g.expectsOffer("alice") // not again for this job
	g.nodes["bob"].Specs[g.job] = plan.SpecFacts{Fit: true}
	g.expectsOffer("bob", "offer 6 until 1055")
}

func TestVerifierDeclinesWhatItCannotRun(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob").failing(2, "bob")
	g.expects("bob", "execute A/2 [1 2]")
	g.at(a.seats[2].Deadline-executeWindow/2).expects("bob", "declineSeat A/2")
	first := g.keys("bob")[0]
	g.fold(protocol.SeatDeclined{Execution: a.e.ID, Number: 2, Node: wallet("bob")})
	a.misses(2)
	g.expects("bob")
	g.confirm()
	a.draws(2, "bob")
	g.at(a.seats[2].Deadline-executeWindow/2).expects("bob", "declineSeat A/2")
	if second := g.keys("bob")[0]; first == second {
		t.Errorf("two declines have the key %s", first)
	}
}

// A seat that gives its leaves to nobody is asked for one on chain, after a quarter of the client's time.
func TestClientDemandsWithheldLeaves(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits()
	g.confirm()
	early := a.e.Deadline - settleWindow/4*3
	a.withheld(1)
	g.at(early).clientExpects("collect A/1")
	g.at(early + 1).clientExpects("challengeLeaf A/1: 2") // a piece that nobody could foresee
	a.challenges(1, 2)
	due := a.e.Deadline
	g.clientExpects().expects("alice", "answerLeaf A/1: 2 at 2").expects("bob")
	g.at(due).expects("alice", "answerLeaf A/1: 2 at 2")
	g.at(due + 1).clientExpects("timeoutChallenged A").expects("alice")
	g.at(due + grace).expects("alice")
	g.at(due+grace+1).expects("alice", "timeoutChallenged A").expects("bob")
	g.at(due)
	a.shows()
	// The clock goes on, and there is no second demand: the leaf of one piece is all that it can bring here.
	g.clientExpects("collect A/1")
	a.glimpsed(1, 2)
	g.clientExpects("collect A/1")
	g.at(a.e.Deadline - settleWindow/2 + 1).clientExpects("settle A")
}

func TestNodeThatHidesItsLeavesIsNotAskedAgain(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits()
	g.confirm()
	a.challenges(1, 2)
	g.at(a.e.Deadline + 1)
	a.hides()
	g.offers("alice", 4)
	g.clientExpects("accept alice#2 for 4") // of what was never hers
	g.offers("bob", 4)
	g.clientExpects("accept alice#2 for 4", "accept bob#3 for 4 of A")
}

// Without leaves of a seat the panel is judged by one piece.
func TestPanelIsJudgedByTheLeafThatCameOut(t *testing.T) {
	for lie, want := range map[string]string{"": "settleVerified A", "cheap": "escalate A: 1"} {
		g, a := resolving(t, lazy, func(p *play) { p.says(1, lie, 1) })
		a.collected(2).withheld(1)
		g.clientExpects("collect A/1")
		late := a.resolveBy() - settleWindow/2
		g.at(late).clientExpects("challengeLeaf A/1: 1")
		a.challenges(1, 1)
		g.wait(5)
		a.shows()
		g.clientExpects("collect A/1")
		a.glimpsed(1, 1)
		g.clientExpects(want)
		if lie == "" {
			continue
		}
		a.escalates(1)
		g.confirm().clientExpects("draw A/3")
		a.draws(3, "carol").answers(3).collected(3)
		g.clientExpects("revealKey A: 1")
	}
}

// A difference between two seats can be shown only with the third one's leaf of the same piece.
func TestClientDemandsTheLeafThatConvicts(t *testing.T) {
	g, a := resolving(t, eager, func(p *play) { p.says(1, "cheap", 1) })
	a.collected(1, 2).withheld(3)
	g.at(a.resolveBy() - settleWindow/4*3 + 1).clientExpects("challengeLeaf A/3: 1")
	a.challenges(3, 1).shows().glimpsed(3, 1)
	g.clientExpects("revealKey A: 1")
}

// What one challenge brought out is what the others are compared with.
func TestAllSeatsAreAskedForTheSameLeaf(t *testing.T) {
	g, a := resolving(t, eager, honest)
	a.collected(1).withheld(2).withheld(3)
	g.at(a.resolveBy() - settleWindow/4*3 + 1).clientExpects("challengeLeaf A/2: 2")
	a.challenges(2, 2).shows().glimpsed(2, 2)
	g.clientExpects("challengeLeaf A/3: 2")
	a.challenges(3, 2)
	g.at(a.e.Deadline + 1).clientExpects("timeoutChallenged A")
	a.hides()
	g.confirm().clientExpects("draw A/3")
}

func TestSingleLeavesAreNotDemanded(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits(1)
	g.confirm()
	a.verifies(1)
	g.wait(2)
	a.draws(2, "bob").answers(2).collected(1).withheld(2)
	g.at(a.resolveBy() - settleWindow/2).clientExpects("collect A/2")
}

// The money for a demand is kept, but a demand under way keeps none for another.
func TestChallengeKeepsItsReserve(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits()
	g.confirm()
	a.challenges(1, 2)
	if got := g.client.Reserved(g.v, maps.Keys(g.client.Jobs)); got.Int64() != bond/2+price {
		t.Errorf("reserved are %d", got)
	}
	g, a = resolving(t, lazy, honest)
	a.challenges(1, 2)
	if got := g.client.Reserved(g.v, maps.Keys(g.client.Jobs)); got.Int64() != raised+price {
		t.Errorf("reserved are %d", got)
	}
}

// The client is silent: the seats open one piece that none of them could choose.
func TestSeatsOpenForASilentClient(t *testing.T) {
	g, a := resolving(t, eager, honest)
	due := a.resolveBy()
	g.at(due).expects("alice")
	g.at(due+1).expects("alice", "openSelf A/1: 1 at 1").expects("bob", "openSelf A/2: 1 at 0").expects("carol", "openSelf A/3: 1 at 0")
	g.at(due+silentWindow).expects("alice", "openSelf A/1: 1 at 1").clientExpects()
	a.opens(2, 2) // somebody else was faster
	g.expects("bob").expects("alice", "openSelf A/1: 2 at 2").expects("carol", "openSelf A/3: 2 at 1")
	g.at(due+silentWindow+1).expects("carol", "timeoutSilent A").expects("bob", "timeoutSilent A")
}

func TestOnlyFullPanelsOpen(t *testing.T) {
	g, a := resolving(t, lazy, honest)
	g.at(a.resolveBy() + 1).expects("alice").expects("bob")
	g.at(a.resolveBy() - 1)
	a.escalates(2)
	g.wait(2)
	a.draws(3, "carol").answers(3)
	g.at(a.resolveBy()+1).expects("alice", "openSelf A/1: 2 at 2").expects("carol", "openSelf A/3: 2 at 0")

	g, a = resolving(t, lazy, honest)
	a.escalates(2)
	g.wait(2)
	a.vacates(3)
	g.at(a.resolveBy() + 1).expects("alice").expects("bob")
}

// The pair that opened settled the piece that the first seat kept closed.
func TestPieceOfThePairIsDelivered(t *testing.T) {
	g, a := resolving(t, eager, honest)
	g.at(a.resolveBy() + 1)
	a.opens(2, 2).opens(3, 2)
	a.returns(0, 2)
	g.clientExpects("collect A/2")
	a.partly(2)
	g.clientExpects("collect A/2", "collect A/3")
	a.collected(3)
	g.clientExpects("deliver A/3 [2]")
}

// convicted is a game in which an opened piece has shown what prepare makes of it.
func convicted(t *testing.T, outcome protocol.Outcome) (*game, *play) {
	t.Helper()
	g, a := resolving(t, eager, honest)
	return g, a.reveals(1, outcome)
}

func TestConvictedNodesAppeal(t *testing.T) {
	for outcome, want := range map[protocol.Outcome]map[string]string{
		protocol.OutcomeFirstLost:  {"alice": "appeal A/1"},
		protocol.OutcomeSecondLost: {"bob": "appeal A/2"},
		protocol.OutcomeThirdLost:  {"carol": "appeal A/3"},
		protocol.OutcomeAllDiffer:  {"alice": "appeal A/1", "bob": "appeal A/2", "carol": "appeal A/3"},
	} {
		g, a := convicted(t, outcome)
		for _, name := range []string{"alice", "bob", "carol"} {
			var calls []string
			if want[name] != "" {
				calls = append(calls, want[name])
			}
			g.at(a.e.Deadline).expects(name, calls...)
			g.at(a.e.Deadline + 1).expects(name)
		}
	}
}

func TestNodeAppealsOnlyIfItWantsAndCan(t *testing.T) {
	g, _ := convicted(t, protocol.OutcomeFirstLost)
	alice := g.nodes["alice"]
	alice.Wallet.Free = big.NewInt(fine)
	g.expects("alice", "appeal A/1")
	alice.Wallet.Free = big.NewInt(fine - 1)
	g.expects("alice")
	alice.Wallet.Free = big.NewInt(fine)
	alice.Policy.Appeals = false
	g.expects("alice")
}

// The appellant and the client see to the draw; the others wait for them.
func TestJuryIsDrawn(t *testing.T) {
	g, a := convicted(t, protocol.OutcomeFirstLost)
	for _, name := range []string{"dave", "erin", "frank"} {
		g.register(name)
	}
	a.appeals(1)
	g.wait(1).expects("alice").clientExpects()
	g.wait(1).expects("alice", "drawJury A").expects("bob").clientExpects("drawJury A")
	g.fold(protocol.NodePaused{Node: wallet("dave")}) // two are no jury of three
	g.expects("alice").clientExpects()
	g.fold(protocol.NodeResumed{Node: wallet("dave")})
	due := a.jury.Deadline
	g.at(due - grace).expects("bob")
	g.at(due).expects("alice", "drawJury A").expects("bob", "drawJury A")
	g.at(due+1).expects("alice", "timeoutAppealed A").clientExpects("timeoutAppealed A").expects("bob")
	g.at(due+grace+1).expects("bob", "timeoutAppealed A")
}

func TestJurorsRunSealAndReveal(t *testing.T) {
	g, a := convicted(t, protocol.OutcomeFirstLost)
	for _, name := range []string{"dave", "erin", "frank"} {
		g.register(name)
	}
	a.appeals(1).impanels("dave", "erin", "frank")
	g.clientExpects().expects("alice").expects("erin", "judge A/5: 1")
	judge := g.compute("erin")
	for _, action := range judge {
		if j, ok := action.(plan.Judge); ok && (j.Job != g.job || j.Execution != a.e.ID || j.Salt != a.jury.Salt) {
			t.Errorf("judge %+v", j)
		}
	}
	vote := protocol.Vote{Digest: named("true"), Fuel: 3, Witness: named("witness")}
	a.judged(5, "erin", vote)
	ballot := g.nodes["erin"].Work[plan.SeatKey{Execution: a.e.ID, Seat: 5}].Ballot
	ballot.Salt = named("a jury that a reorganisation undid")
	g.expects("erin", "judge A/5: 1")
	ballot.Salt = a.jury.Salt
	due, last := a.jury.Deadline, a.jury.RevealDeadline
	g.at(due).expects("erin", "commitVote A/5")
	call, ok := sendOf(g, "erin").(protocol.CommitVote)
	if !ok || call.Commitment != named("sealed") {
		t.Errorf("call %+v", call)
	}
	g.at(due + 1).expects("erin") // too late, and nothing to reveal
	g.at(due)
	a.seals(5)
	g.expects("erin")
	g.at(due+1).expects("erin", "revealVote A/5")
	reveal, ok := sendOf(g, "erin").(protocol.RevealVote)
	if !ok || reveal.Vote != vote || reveal.Nonce != named("nonce") {
		t.Errorf("call %+v", reveal)
	}
	g.at(last).expects("erin", "revealVote A/5").clientExpects()
	a.tells(5, vote)
	g.expects("erin")
	g.at(last+1).clientExpects("timeoutAppealed A").expects("alice", "timeoutAppealed A").expects("erin")
	g.at(last+grace+1).expects("erin", "timeoutAppealed A")
}

func sendOf(g *game, name string) protocol.Call {
	for _, a := range g.compute(name) {
		if s, ok := a.(plan.Send); ok {
			return s.Call
		}
	}
	return nil
}

func TestJurorDeclinesWhatItCannotRun(t *testing.T) {
	g, a := convicted(t, protocol.OutcomeFirstLost)
	for _, name := range []string{"dave", "erin", "frank"} {
		g.register(name)
	}
	a.appeals(1).impanels("dave", "erin", "frank")
	a.failing(6, "frank")
	g.expects("frank", "judge A/6: 1")
	g.at(a.jury.Deadline-executeWindow/2).expects("frank", "declineVote A/6")
	a.abstains(6)
	g.expects("frank")
	g.at(a.jury.Deadline + 1).expects("frank")
}

// A duty on a jury takes room like a piece.
func TestJurorsHaveLessRoom(t *testing.T) {
	g, a := convicted(t, protocol.OutcomeFirstLost)
	g.register("dave")
	g.nodes["dave"].Specs[g.job] = plan.SpecFacts{Fit: true}
	g.expectsOffer("dave", "offer 6 until 1044")
	a.appeals(1).impanels("dave", "erin", "frank")
	g.expectsOffer("dave", "offer 5 until 1044")
	g.at(a.jury.Deadline+1).expectsOffer("dave", "offer 6 until 1095")
}

// What a jury finds is what counts: whose copies are delivered, and who is asked again.
func TestJuryDecidesWhatIsDelivered(t *testing.T) {
	g, a := convicted(t, protocol.OutcomeSecondLost)
	a.appeals(2).decides(named("result 2"), 1<<2)
	a.returns(0, 1)
	g.clientExpects("collect A/2")
	a.collected(2)
	g.clientExpects("deliver A/2 [1]")
	g.client.Delivered[a.e.ID] = true
	g.offers("alice", 1)
	g.clientExpects("accept alice#2 for 1")

	g, a = convicted(t, protocol.OutcomeFirstLost)
	a.appeals(1).decides(named("result 1"), 1<<1).settles()
	a.collected(1)
	g.clientExpects("deliver A/1 [0 1 2 3]")

	g, a = convicted(t, protocol.OutcomeFirstLost)
	a.appeals(1).decides([32]byte{}, 0).refunds()
	g.clientExpects()
}

func TestPausedNodesTakeNoWork(t *testing.T) {
	g := ready(t)
	g.offers("bob", 4)
	g.clientExpects("accept bob#1 for 4")
	g.fold(protocol.NodePaused{Node: wallet("bob")}, protocol.NodePaused{Node: wallet("alice")})
	g.clientExpects().expectsOffer("alice")
	g.fold(protocol.NodeResumed{Node: wallet("bob")}, protocol.NodeResumed{Node: wallet("alice")})
	g.clientExpects("accept bob#1 for 4").expectsOffer("alice", "offer 6 until 1030")
}
