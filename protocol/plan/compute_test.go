package plan_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

func TestNodeRunsThenCommits(t *testing.T) {
	g := newGame(t, lazy)
	g.client.Delivered[g.assign("bob", 2).commits().settles().e.ID] = true
	a := g.assign("alice", 4)
	g.expects("alice", "execute B/1 [2 3 4 5]").expects("bob").expects("carol")
	g.at(a.e.Deadline).expects("alice", "execute B/1 [2 3 4 5]")
	g.at(a.e.Deadline + 1).expects("alice")

	a.finished(1, "alice")
	g.expects("alice")
	g.at(a.e.Deadline).expects("alice", "commitResult B")
	g.at(1001).expects("alice", "commitResult B")
	a.commits()
	g.expects("alice")
}

func TestCommitBringsWhatIsOnDisk(t *testing.T) {
	g := newGame(t, lazy)
	g.assign("alice", 4).finished(1, "alice")
	actions := g.compute("alice")
	call, ok := actions[0].(plan.Send).Call.(protocol.CommitResult)
	if !ok || call.Root != named("root") || call.Fuel != 7 || string(call.Leaves) != "leaves" {
		t.Errorf("got %+v", actions[0])
	}
}

func TestDrawnNodeRunsWhatIsListed(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob")
	g.expects("bob", "execute A/2 [1 2]").expects("alice").expects("carol")
	due := a.seats[2].Deadline
	g.at(due).expects("bob", "execute A/2 [1 2]")
	g.at(due + 1).expects("bob")
	a.finished(2, "bob")
	g.expects("bob")
	g.at(due).expects("bob", "commitVerification A/2")
	a.answers(2)
	g.expects("bob")

	a.escalates(2)
	g.confirm()
	a.draws(3, "carol")
	g.expects("carol", "execute A/3 [2]").expects("bob")
	a.finished(3, "carol")
	g.expects("carol", "commitVerification A/3")
}

// A reorganisation gives a seat other pieces: what was run for the old ones is not committed to.
func TestNodeRunsAnewWhatAReorgChanged(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob").finished(2, "bob")
	work := g.nodes["bob"].Work[plan.SeatKey{Execution: a.e.ID, Seat: 2}].Commitment
	work.Pieces = []uint32{0, 2} // two as well
	g.expects("bob", "execute A/2 [1 2]")

	first := g.assign("alice", 2)
	first.finished(1, "alice")
	g.nodes["alice"].Work[plan.SeatKey{Execution: first.e.ID, Seat: 1}].Commitment.Pieces = []uint32{first.e.From}
	g.expects("alice", fmt.Sprintf("execute B/1 %v", first.owed(1)))
}

func TestVerificationCommitBringsWhatIsOnDisk(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob").finished(2, "bob")
	actions := g.compute("bob")
	call, ok := actions[0].(plan.Send).Call.(protocol.CommitVerification)
	if !ok || call.Root != named("root") || call.Fuel != 7 || string(call.Leaves) != "leaves" {
		t.Errorf("got %+v", actions[0])
	}
}

func TestNodeWorksForAllAtOnce(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob")
	g.assign("bob", 2)
	g.expects("bob", "execute A/2 [1 2]", "execute B/1 [4 5]")
}

func TestNodeOffersOnceItKnowsTheSpec(t *testing.T) {
	g := newGame(t, lazy)
	g.expectsOffer("alice", "load")
	g.nodes["alice"].Specs[g.job] = plan.SpecFacts{Fit: true}
	g.expectsOffer("alice", "offer 6 until 1030")
	g.nodes["alice"].Specs[g.job] = plan.SpecFacts{Reason: "too much memory"}
	g.expectsOffer("alice")
}

// ready is a game in which alice knows that the job fits.
func ready(t *testing.T) *game {
	t.Helper()
	g := newGame(t, lazy)
	g.nodes["alice"].Specs[g.job] = plan.SpecFacts{Fit: true}
	return g
}

func TestOneOfferStandsAtATime(t *testing.T) {
	g := ready(t)
	o := g.offers("alice", 4)
	g.nodes["alice"].Offered[g.job] = o
	g.expectsOffer("alice")
	g.at(o.Deadline - 1).expectsOffer("alice")
	g.at(o.Deadline).expectsOffer("alice", "offer 6 until 1060") // no later block can accept the old one
}

func TestAcceptedOfferMakesRoomForTheNext(t *testing.T) {
	g := ready(t)
	o := g.offers("alice", 4)
	g.nodes["alice"].Offered[g.job] = o
	g.begin(g.job, "bob", 0, 2, o.Nonce) // somebody else's offer with the same nonce
	g.expectsOffer("alice")
	g.begin(g.job, "alice", 2, 2, o.Nonce)
	g.expectsOffer("alice", "offer 4 until 1030")
}

func TestNodeOffersNoMoreThanItCanHold(t *testing.T) {
	g := ready(t)
	a := g.assign("alice", 4)
	g.expectsOffer("alice", "offer 2 until 1030")
	b := g.assign("bob", 2).commits(0, 1)
	b.verifies(0, 1).draws(2, "alice")
	g.expectsOffer("alice") // 4 + 2 of 6
	b.finished(2, "alice").answers(2)
	g.expectsOffer("alice", "offer 2 until 1030")
	a.commits()
	g.expectsOffer("alice", "offer 4 until 1030") // all that are open
	g.nodes["alice"].Policy.MaxPieces = 3
	g.expectsOffer("alice", "offer 3 until 1030")
	g.nodes["alice"].Parameters.MaxPieces = 2
	g.expectsOffer("alice", "offer 2 until 1030") // the deployment's limit
	g.nodes["alice"].Policy.MaxPieces = 0
	g.expectsOffer("alice")
}

// second is another job that alice may offer for, younger than the first.
func second(g *game) *protocol.Job {
	terms := g.terms
	terms.Nonce++
	id := protocol.JobID(chainID, market, terms)
	g.wait(1).fold(protocol.JobCreated{Job: id, Client: terms.Client, Terms: terms})
	g.nodes["alice"].Specs[id] = plan.SpecFacts{Fit: true}
	return g.v.Jobs[id]
}

// What stands may be accepted any time: it takes room and money like work that runs.
func TestStandingOffersCount(t *testing.T) {
	g := ready(t)
	other := second(g)
	g.nodes["alice"].Wallet.Free = big.NewInt(3 * fine) // two fines and an appeal bond
	g.nodes["alice"].Policy.MaxPieces = 15
	g.expectsOffer("alice", "offer 8 until 1031", "offer 7 until 1031")

	o := g.offers("alice", 8)
	g.nodes["alice"].Offered[g.job] = o
	g.expectsOffer("alice", "offer 7 until 1031")
	g.nodes["alice"].Policy.MaxPieces = 8
	g.expectsOffer("alice")
	g.nodes["alice"].Policy.MaxPieces = 3
	g.expectsOffer("alice")
	g.nodes["alice"].Policy.MaxPieces = 15
	g.nodes["alice"].Wallet.Free = big.NewInt(3*fine - 1)
	g.expectsOffer("alice")

	// What nobody can accept any more counts no longer.
	g.fold(protocol.JobClosed{Job: g.job})
	g.expectsOffer("alice")
	g.at(o.Deadline).expectsOffer("alice", "offer 8 until 1061")
	g.nodes["alice"].Offered[named("a job that was reorganised away")] = protocol.Offer{Pieces: 100, Deadline: 1 << 40}
	g.expectsOffer("alice", "offer 8 until 1061")
	g.fold(protocol.JobClosed{Job: other.ID})
	g.expectsOffer("alice")
}

// The older job gets the node's last room, in every plan.
func TestOlderJobsGetOffersFirst(t *testing.T) {
	g := ready(t)
	second(g)
	g.nodes["alice"].Wallet.Free = big.NewInt(3*fine - 1) // enough for one
	for range 20 {
		if offer := g.compute("alice")[0].(plan.Offer); offer.Job != g.job {
			t.Fatalf("offered for job %s", offer.Job)
		}
	}
}

func TestNodeOffersForOpenPiecesOnly(t *testing.T) {
	g := ready(t)
	g.fold(protocol.JobClosed{Job: g.job})
	g.expectsOffer("alice")

	g = ready(t)
	a := g.assign("bob", 4)
	g.assign("bob", 4)
	g.assign("bob", 2)
	g.expectsOffer("alice")
	g.at(a.e.Deadline + 1)
	a.returns(0, 4)
	g.expectsOffer("alice", "offer 4 until 1081")
}

func TestNodeOffersUntilTheJobExpires(t *testing.T) {
	g := ready(t)
	g.at(expiry-31).expectsOffer("alice", "offer 6 until 99999")
	g.at(expiry-29).expectsOffer("alice", "offer 6 until 100000")
	g.at(expiry).expectsOffer("alice")
}

func TestNodeTakesExactlyItsTerms(t *testing.T) {
	g := ready(t)
	f := g.nodes["alice"]
	g.v.Jobs[g.job].Terms.FuelPrice = big.NewInt(3)
	f.Wallet = protocol.Wallet{Free: big.NewInt(2 * fine), Locked: new(big.Int)}
	g.expectsOffer("alice", "offer 6 until 1030")
	f.Policy.Appeals = false
	f.Wallet = protocol.Wallet{Free: big.NewInt(fine), Locked: big.NewInt(100 - fine)}
	g.expectsOffer("alice", "offer 6 until 1030")
}

func TestOnlyRegisteredStrangersOffer(t *testing.T) {
	g := ready(t)
	g.nodes["alice"].Self = g.terms.Client
	g.fold(protocol.NodeRegistered{Node: g.terms.Client})
	g.expectsOffer("alice") // a client does not serve itself

	g = ready(t)
	g.fold(protocol.NodeExited{Node: wallet("alice")})
	g.expectsOffer("alice")
	g.assign("alice", 4) // what it has it still finishes
	g.expects("alice", "execute A/1 [0 1 2 3]")
}
