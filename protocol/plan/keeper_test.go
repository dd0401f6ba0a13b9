package plan_test

import (
	"testing"

	"github.com/filecoin-project/bacalhau/protocol"
)

// verifying is a game whose first execution, alice's, is to be verified.
func verifying(t *testing.T, seats uint8) (*game, *play) {
	t.Helper()
	g := newGame(t, seats)
	a := g.assign("alice", 4).commits(1, 2)
	g.confirm()
	a.verifies(1, 2)
	return g, a
}

func TestDrawWaitsForItsBlock(t *testing.T) {
	g, _ := verifying(t, lazy)
	g.clientExpects()
	g.wait(1).clientExpects() // the target block: its hash is known to the next one
	g.wait(1).clientExpects("draw A/2")
}

func TestDrawHasUntilItsDeadline(t *testing.T) {
	g, a := verifying(t, lazy)
	deadline := a.seats[2].Deadline
	g.wait(1).at(deadline).clientExpects("draw A/2")
	g.at(deadline + 1).clientExpects("timeoutDrawing A/2")
	a.vacates(2)
	g.clientExpects("collect A/1")
}

// A draw brings the other seat's record along, and so does its timeout: one thing at a time.
func TestEagerSeatsAreDrawnOneAfterTheOther(t *testing.T) {
	g, a := verifying(t, eager)
	g.confirm().clientExpects("draw A/2")
	a.draws(2, "bob")
	g.clientExpects("draw A/3")
	a.draws(3, "carol")
	g.clientExpects()

	deadline := a.seats[2].Deadline
	g.at(deadline).clientExpects()
	g.at(deadline + 1).clientExpects("timeoutSeat A/2")
	a.misses(2)
	g.confirm().clientExpects("timeoutSeat A/3") // and no draw of 2, as 3 is about to change
	a.misses(3)
	g.clientExpects("draw A/2")
	g.confirm()
	a.draws(2, "dave")
	g.clientExpects("draw A/3")
}

func TestEagerSeatsThatNobodyCanTakeTimeOutOneAfterTheOther(t *testing.T) {
	g, a := verifying(t, eager)
	g.at(a.check.Deadline + 1).clientExpects("timeoutDrawing A/2")
	a.vacates(2)
	g.clientExpects("timeoutDrawing A/3")
	a.vacates(3)
	g.clientExpects("collect A/1")
	a.collected(1)
	g.clientExpects("settleVerified A")
}

func TestVerifierThatDoesNotShowUpIsTimedOut(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob")
	g.at(a.seats[2].Deadline).clientExpects()
	g.at(a.seats[2].Deadline + 1).clientExpects("timeoutSeat A/2")
	a.misses(2)
	g.clientExpects()
	g.confirm().clientExpects("draw A/2")
	a.draws(2, "carol")
	g.at(a.seats[2].Deadline + 1).clientExpects("timeoutSeat A/2")
}

// A key names one transaction: the same seat drawn again is another one.
func TestRedrawsHaveTheirOwnKeys(t *testing.T) {
	g, a := verifying(t, lazy)
	seen := map[string]bool{}
	add := func(name string) {
		t.Helper()
		for _, k := range g.keys(name) {
			if seen[k] {
				t.Errorf("key %s was used before", k)
			}
			seen[k] = true
		}
	}
	for range 3 {
		g.confirm()
		add("client")
		a.draws(2, "bob")
		g.at(a.seats[2].Deadline + 1)
		add("client")
		a.misses(2)
	}
	if len(seen) != 6 {
		t.Errorf("%d keys, want 6: %v", len(seen), seen)
	}
}

// The other parties wait grace seconds longer than the client, which profits most, so that not everybody sends the same.
func TestNodesKeepTheGameGoingAfterAGrace(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm().expects("alice")
	draw := a.seats[2].Deadline
	g.at(draw - grace).expects("alice")
	g.at(draw-grace+1).expects("alice", "draw A/2").expects("bob") // bob has no part in it
	g.at(draw).expects("alice", "draw A/2")
	g.at(draw + 1).expects("alice")
	g.at(draw + grace).expects("alice")
	g.at(draw+grace+1).expects("alice", "timeoutDrawing A/2")

	g.at(draw)
	a.draws(2, "bob")
	due := a.seats[2].Deadline
	g.at(due + grace).expects("alice").expects("bob")
	g.at(due+grace+1).expects("alice", "timeoutSeat A/2").expects("bob", "timeoutSeat A/2")
}

// A verifier's commitment would outdate the draw that it could make too, so it commits first.
func TestVerifierCommitsBeforeItDraws(t *testing.T) {
	g, a := verifying(t, eager)
	g.wait(20).confirm()
	a.draws(2, "bob")
	g.at(a.seats[3].Deadline).expects("bob", "execute A/2 [1 2]", "draw A/3")
	a.finished(2, "bob")
	g.expects("bob", "commitVerification A/2")
	a.answers(2)
	g.expects("bob", "draw A/3")
}

func TestNodesTimeTheirOwnNoShowOut(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.at(a.e.Deadline + 1).expects("alice")
	g.at(a.e.Deadline + grace).expects("alice")
	g.at(a.e.Deadline+grace+1).expects("alice", "timeoutAssigned A").expects("bob")
}

func TestVerdictTakesEffectWithoutTheClient(t *testing.T) {
	g, a := verifying(t, eager)
	g.confirm()
	a.draws(2, "bob").draws(3, "carol").answers(2).answers(3).reveals(1, protocol.OutcomeFirstLost)
	for _, name := range []string{"alice", "bob", "carol"} {
		g.at(a.e.Deadline + grace).expects(name)
		g.at(a.e.Deadline+grace+1).expects(name, "timeoutVerdict A")
	}
	g.register("dave")
	g.expects("dave")
}

// A client that says nothing is forced to pay, at once: by the node whose pay it is, and by its verifiers.
func TestNodesForceASilentClient(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits(1)
	g.at(a.e.Deadline).expects("alice")
	g.at(a.e.Deadline+1).expects("alice", "timeoutCommitted A").expects("bob").clientExpects()

	g, a = verifying(t, eager)
	g.confirm()
	a.draws(2, "bob").draws(3, "carol").answers(2)
	g.wait(7).expects("alice")
	a.vacates(3)
	due := a.doneAt() + settleWindow + silentWindow
	for _, name := range []string{"alice", "bob"} {
		g.at(due).expects(name)
		g.at(due+1).expects(name, "timeoutSilent A")
	}
	g.expects("carol") // lost its seat
	g.clientExpects()
	a.settles()
	g.expects("alice").expects("bob")
}

// If the nodes are gone as well, nobody but the client is left to end what it missed.
func TestClientEndsWhatItMissedItself(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits(1)
	g.at(a.e.Deadline + settleWindow).clientExpects()
	g.at(a.e.Deadline + settleWindow + 1).clientExpects("timeoutCommitted A")

	g, a = resolving(t, lazy, honest)
	due := a.doneAt() + settleWindow + silentWindow
	g.at(due + settleWindow).clientExpects()
	g.at(due + settleWindow + 1).clientExpects("timeoutSilent A")
	a.settles()
	a.collected(1, 2)
	g.clientExpects("deliver A/1 [0 1 2 3]")
}
