package plan_test

import (
	"maps"
	"math/big"
	"testing"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

func TestClientDealsTheFrontierOutInChunks(t *testing.T) {
	g := newGame(t, lazy)
	g.clientExpects()
	g.offers("alice", 3)
	g.clientExpects("accept alice#1 for 3")
	g.offers("bob", 8)
	g.clientExpects("accept alice#1 for 3", "accept bob#2 for 4") // 4 is all that the client gives to one
	g.offers("carol", 8)
	g.clientExpects("accept alice#1 for 3", "accept bob#2 for 4", "accept carol#3 for 3") // 3 are left
	g.offers("alice", 1)
	g.clientExpects("accept alice#1 for 3", "accept bob#2 for 4", "accept carol#3 for 3")
}

// The contract gives each accepted offer the pieces that come next, so the calls may be mined in any order.
func TestClientGoesOnWhereTheFrontierIs(t *testing.T) {
	g := newGame(t, lazy)
	g.assign("alice", 4)
	g.assign("bob", 4)
	g.offers("carol", 4)
	g.clientExpects("accept carol#3 for 2")
	g.assign("carol", 2)
	g.offers("bob", 4)
	g.clientExpects()
}

func TestClientHeedsTheDeploymentsLimit(t *testing.T) {
	g := newGame(t, lazy)
	g.want(func(f *plan.JobFacts) { f.PiecesPerExecution = 100 })
	g.offers("alice", 100)
	g.clientExpects("accept alice#1 for 8")
}

func TestAcceptBringsTheOfferAndSealsTheDice(t *testing.T) {
	g := newGame(t, lazy)
	o := g.offers("alice", 3)
	actions := g.requester()
	if len(actions) != 1 {
		t.Fatalf("got %v", actions)
	}
	call := actions[0].(plan.Send).Call.(protocol.AcceptOffer)
	if call.Offer != o || string(call.Signature) != "alice" {
		t.Errorf("got offer %+v, signature %q", call.Offer, call.Signature)
	}
	if want := protocol.SeedHash(g.client.Secret.Dice(g.job, o.Node, o.Nonce)); call.SeedHash != want {
		t.Errorf("seed hash %s, want %s", call.SeedHash, want)
	}
}

func TestClientPassesOverUselessOffers(t *testing.T) {
	for name, spoil := range map[string]func(*game, *protocol.SignedOffer){
		"another job's": func(_ *game, o *protocol.SignedOffer) { o.Offer.Job = named("other") },
		"of no pieces":  func(_ *game, o *protocol.SignedOffer) { o.Offer.Pieces = 0 },
		"expired":       func(g *game, o *protocol.SignedOffer) { o.Offer.Deadline = g.now() - 1 },
		"a stranger's":  func(_ *game, o *protocol.SignedOffer) { o.Offer.Node = wallet("stranger") },
		"one that left": func(g *game, o *protocol.SignedOffer) { g.fold(protocol.NodeExited{Node: o.Offer.Node}) },
		"refused before": func(g *game, o *protocol.SignedOffer) {
			g.client.Refused[plan.KeyOf(o.Offer, o.Signature)] = true
		},
	} {
		g := newGame(t, lazy)
		o := g.signed("alice", 4)
		g.client.Offers = []protocol.SignedOffer{o}
		g.clientExpects("accept alice#1 for 4")
		spoil(g, &g.client.Offers[0])
		if t.Run(name, func(t *testing.T) { g.t = t; g.clientExpects() }); t.Failed() {
			return
		}
	}
}

// Anyone may post an offer in alice's name. The contract refuses it, and hers is not held up by it.
func TestForgedOfferDoesNotBlockTheRealOne(t *testing.T) {
	g := newGame(t, lazy)
	g.want(func(f *plan.JobFacts) { f.PiecesPerExecution = 10 })
	forged, real := g.signed("alice", 8), protocol.SignedOffer{}
	real.Offer, real.Signature = forged.Offer, forged.Signature
	forged.Signature = []byte("mallory")
	for _, o := range []protocol.SignedOffer{forged, real} {
		g.fold(protocol.OfferPosted{Job: g.job, Node: o.Offer.Node, Offer: o.Offer, Signature: o.Signature})
	}
	g.clientExpects("accept alice#1 for 8", "accept alice#1 for 2")
	g.client.Refused[plan.KeyOf(forged.Offer, forged.Signature)] = true
	if call := only[protocol.AcceptOffer](g); string(call.Signature) != "alice" || call.Count != 8 {
		t.Errorf("got %+v", call)
	}
	g.client.Refused[plan.KeyOf(real.Offer, real.Signature)] = true
	g.clientExpects()
}

func TestOfferIsGoodUntilItsDeadline(t *testing.T) {
	g := newGame(t, lazy)
	o := g.offers("alice", 4)
	g.at(o.Deadline).clientExpects("accept alice#1 for 4")
	g.at(o.Deadline + 1).clientExpects()
}

func TestOfferThatCameBothWaysCountsOnce(t *testing.T) {
	g := newGame(t, lazy)
	o := g.offers("alice", 4)
	g.client.Offers = []protocol.SignedOffer{{Offer: o, Signature: []byte("alice")}}
	g.clientExpects("accept alice#1 for 4")
}

func TestClientDealsReturnedPiecesOutFirst(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.at(a.e.Deadline + 1)
	a.returns(0, 4)
	g.offers("bob", 3)
	g.clientExpects("accept bob#2 for 3 of A")
	g.offers("carol", 3)
	// What is left of A changes with the first call, so the second offer goes to the frontier.
	g.clientExpects("accept bob#2 for 3 of A", "accept carol#3 for 3")

	g.takeReturned(a.e.ID, "bob", 3, 2)
	g.clientExpects("accept carol#3 for 1 of A")
	g.takeReturned(a.e.ID, "carol", 1, 3)
	g.offers("alice", 2)
	g.clientExpects("accept alice#4 for 2")
}

func TestClientDealsEveryReturnedRangeOut(t *testing.T) {
	g := newGame(t, lazy)
	a, b := g.assign("alice", 4), g.assign("bob", 4)
	g.at(a.e.Deadline + 1)
	b.returns(4, 4)
	a.returns(0, 4)
	g.offers("carol", 4)
	g.offers("alice", 4)
	g.offers("bob", 4)
	g.clientExpects("accept carol#3 for 4 of A", "accept alice#4 for 4 of B", "accept bob#5 for 2")
}

func TestCancelledJobIsClosed(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.at(a.e.Deadline + 1)
	a.returns(0, 4)
	g.offers("bob", 4)
	g.want(func(f *plan.JobFacts) { f.Cancelled = true })
	g.clientExpects("closeJob", "closeReturned A")

	g.fold(protocol.JobClosed{Job: g.job, From: 4})
	g.clientExpects("closeReturned A")
	g.fold(protocol.ReturnedClosed{Execution: a.e.ID})
	g.clientExpects()
}

// Cancelling takes back what is not assigned; the rest is paid for as before.
func TestCancelledJobStillSettles(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.want(func(f *plan.JobFacts) { f.Cancelled = true })
	a.commits().collected(1)
	g.confirm().clientExpects("closeJob", "settle A")
}

func TestExpiredJobIsClosed(t *testing.T) {
	g := newGame(t, lazy)
	g.at(expiry - 1)
	g.offers("alice", 4)
	g.at(expiry).clientExpects("accept alice#1 for 4")
	g.at(expiry + 1).clientExpects("closeJob")
}

func TestClientMindsItsOwnJobsOnly(t *testing.T) {
	g := newGame(t, lazy)
	facts := g.facts()
	delete(g.client.Jobs, g.job)
	g.offers("alice", 4)
	g.clientExpects()
	g.client.Jobs[g.job] = facts
	g.clientExpects("accept alice#1 for 4")
}

func TestClientCreatesWhatTheChainDoesNotHave(t *testing.T) {
	g := newGame(t, lazy)
	delete(g.v.Jobs, g.job)
	g.clientExpects("createJob")
	g.want(func(f *plan.JobFacts) { f.Cancelled = true })
	g.clientExpects()
}

// A plan only reads: offers that came directly must not end up behind the posted ones in the view's own list.
func TestPlanLeavesTheViewAlone(t *testing.T) {
	g := newGame(t, lazy)
	posted := make([]protocol.SignedOffer, 1, 2)
	posted[0] = g.signed("alice", 4)
	g.v.Jobs[g.job].Offers = posted
	g.client.Offers = []protocol.SignedOffer{g.signed("bob", 4)}
	g.clientExpects("accept alice#1 for 4", "accept bob#2 for 4")
	if behind := posted[:2][1]; behind.Offer != (protocol.Offer{}) {
		t.Errorf("the plan wrote %+v into the view", behind)
	}
}

// Whoever was proved wrong about a piece is not asked for it or its neighbours again; the frontier is another matter.
func TestNodeProvedWrongGetsItsPiecesNoMore(t *testing.T) {
	g, a := resolving(t, eager, honest)
	a.collected(1, 2, 3).reveals(1, protocol.OutcomeFirstLost).returns(2, 2)
	g.client.Delivered[a.e.ID] = true
	g.offers("alice", 4)
	g.clientExpects("accept alice#2 for 4")
	g.offers("bob", 1)
	g.clientExpects("accept alice#2 for 4", "accept bob#3 for 1 of A")
	g.takeReturned(a.e.ID, "bob", 1, 3).settles()
	g.client.Delivered[g.plays[1].e.ID] = true
	g.assign("carol", 4)
	g.assign("carol", 2)
	g.clientExpects() // one of alice's old pieces is open, but not for her
	g.offers("carol", 4)
	g.clientExpects("accept carol#6 for 1 of A")
}

func TestNoShowIsNoProof(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.at(a.e.Deadline + 1)
	a.returns(0, 4)
	g.offers("alice", 4)
	g.clientExpects("accept alice#2 for 4 of A")
}

// Each execution costs the bond at once and, for each verifier's seat, up to half of it when the dice are known; a leaf
// may have to be demanded too.
func TestClientAcceptsWhatItCanPayTheChecksOf(t *testing.T) {
	for seats, stake := range map[uint8]int64{lazy: bond + bond/2 + price, eager: 2*bond + price} {
		g := newGame(t, seats)
		g.offers("alice", 3)
		g.offers("bob", 3)
		g.client.Wallet.Free = big.NewInt(2 * stake)
		g.clientExpects("accept alice#1 for 3", "accept bob#2 for 3")
		g.client.Wallet.Free = big.NewInt(2*stake - 1)
		g.clientExpects("accept alice#1 for 3", "topUp job: 1")
		g.client.Wallet.Free = big.NewInt(stake - 1)
		g.clientExpects("topUp job: 1")
	}
}

// What runs keeps its reserve until the dice are known, and a bid for a third seat until it needs none.
func TestRunningExecutionsKeepTheirReserve(t *testing.T) {
	const stake = bond + bond/2 + price
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.offers("bob", 1)
	spare := func(kept int64, beside ...string) {
		t.Helper()
		g.client.Wallet.Free = big.NewInt(kept + stake)
		g.clientExpects(append([]string{"accept bob#2 for 1"}, beside...)...)
		g.client.Wallet.Free = big.NewInt(kept + stake - 1)
		g.clientExpects(append([]string{"topUp job: 1"}, beside...)...)
		if got := g.client.Reserved(g.v, maps.Keys(g.client.Jobs)); len(beside) == 0 && got.Int64() != kept {
			t.Errorf("reserved are %d, want %d", got, kept)
		}
	}
	spare(bond/2 + price)
	a.commits(1, 2)
	spare(bond/2 + price)
	g.confirm()
	spare(2*raised, "verify A at 12: [1 2]")
	a.verifies(1, 2)
	spare(raised + price)
	g.wait(2)
	a.draws(2, "carol")
	spare(raised + price)
	a.says(2, "cheap", 1).answers(2)
	spare(raised+price, "collect A/1", "collect A/2")
	a.collected(1, 2)
	spare(raised, "escalate A: 1")
	a.escalates(1)
	spare(price)
	a.draws(3, "dave").answers(3).collected(3)
	spare(0, "revealKey A: 1")
	a.reveals(1, protocol.OutcomeSecondLost)
	spare(0)
	a.settles()
	g.client.Delivered[a.e.ID] = true
	spare(0)
}

// Older jobs come first, whatever order a map has.
func TestOlderJobsAreServedFirst(t *testing.T) {
	g := newGame(t, lazy)
	g.offers("alice", 4)
	young := g.facts()
	young.Terms.Nonce++
	id := protocol.JobID(chainID, market, young.Terms)
	g.wait(1).fold(protocol.JobCreated{Job: id, Client: young.Terms.Client, Terms: young.Terms})
	o := g.signed("bob", 4)
	o.Offer.Job = id
	g.fold(protocol.OfferPosted{Job: id, Node: o.Offer.Node, Offer: o.Offer, Signature: o.Signature})
	g.client.Jobs[id] = young
	absent := young
	absent.Cancelled = true
	g.client.Jobs[named("absent")] = absent
	g.client.Wallet.Free = big.NewInt(bond + bond/2 + price)
	for range 20 {
		if call := g.requester()[0].(plan.Send).Call.(protocol.AcceptOffer); call.Offer.Job != g.job {
			t.Fatalf("the offer for job %s is accepted first", call.Offer.Job)
		}
	}
	if got := g.client.Reserved(g.v, maps.Keys(g.client.Jobs)); got.Sign() != 0 {
		t.Errorf("reserved are %d for nothing", got)
	}
}
