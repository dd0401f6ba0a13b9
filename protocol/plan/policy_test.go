package plan_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// decides says what a node makes of the job, or of an execution of it, in words.
func (g *game) decides(name string, verdict plan.Verdict, reason plan.Reason, text string) *game {
	g.t.Helper()
	_, decisions := plan.Compute(g.v, *g.nodes[name])
	i := slices.IndexFunc(decisions, func(d plan.Decision) bool { return d.Job == g.job })
	if i < 0 {
		g.t.Errorf("%s has decided nothing, want %s: %s", name, verdict, reason)
		return g
	}
	if d := decisions[i]; d.Verdict != verdict || d.Reason != reason || d.Text() != text {
		g.t.Errorf("%s: %s, %s: %s\n  want %s, %s: %s", name, d.Verdict, d.Reason, d.Text(), verdict, reason, text)
	}
	return g
}

// told changes what alice found of the job's spec.
func (g *game) told(change func(*plan.SpecFacts)) {
	spec := g.nodes["alice"].Specs[g.job]
	change(&spec)
	g.nodes["alice"].Specs[g.job] = spec
}

const gib = 1 << 30

// Every reason to pass a job over, with its numbers, on the last value that is refused and on the first that is not.
func TestPolicy(t *testing.T) {
	type facts = plan.ComputeFacts
	for _, c := range []struct {
		reason plan.Reason
		text   string
		refuse func(*game, *facts)
		accept func(*game, *facts)
	}{
		{
			plan.ReasonBid, "the bid is 10 wei a piece, this node asks for 11",
			func(_ *game, f *facts) { f.Policy.MinBid = big.NewInt(11) },
			func(_ *game, f *facts) { f.Policy.MinBid = big.NewInt(10) },
		}, {
			plan.ReasonFuelPrice, "the fuel price is 2 wei, this node asks for 3",
			func(g *game, _ *facts) { g.v.Jobs[g.job].Terms.FuelPrice = big.NewInt(2) },
			func(g *game, _ *facts) { g.v.Jobs[g.job].Terms.FuelPrice = big.NewInt(3) },
		}, {
			plan.ReasonBidForFuel, "the bid is 10 wei a piece, and all the fuel that a piece may use costs 12 here",
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.Limits.Fuel = 4 }) },
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.Limits.Fuel = 3 }) },
		}, {
			plan.ReasonBidForInputs, "the bid is 10 wei a piece, and its fuel and the inputs to fetch cost 11 here",
			func(g *game, f *facts) {
				f.Policy.InputPrice = big.NewInt(2)
				g.told(func(s *plan.SpecFacts) { s.Limits.Fuel, s.InputBytes, s.MissingBytes, s.Again = 3, gib, gib/2+1, 2000 })
			},
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.MissingBytes = gib / 2 }) },
		}, {
			plan.ReasonFine, "59 wei are free, and the fine is 60",
			func(_ *game, f *facts) { f.Wallet.Free, f.Policy.Appeals = big.NewInt(fine-1), false },
			func(_ *game, f *facts) { f.Wallet.Free, f.Wallet.Locked = big.NewInt(fine), big.NewInt(100) },
		}, {
			plan.ReasonStake, "this node's stake is 99 wei, and the least is 100",
			func(_ *game, f *facts) { f.Wallet.Free, f.Policy.Appeals = big.NewInt(99), false },
			func(_ *game, f *facts) { f.Wallet.Locked = big.NewInt(1) },
		}, {
			plan.ReasonAppealBond, "119 wei are free, and the fine with as much again for an appeal is 120",
			func(_ *game, f *facts) { f.Wallet.Free = big.NewInt(2*fine - 1) },
			func(_ *game, f *facts) { f.Wallet.Free = big.NewInt(2 * fine) },
		}, {
			plan.ReasonClientDenied, "the client is on this node's list of those it does not serve",
			func(g *game, f *facts) { f.Policy.Deny = []common.Address{wallet("bob"), g.terms.Client} },
			func(_ *game, f *facts) { f.Policy.Deny = []common.Address{wallet("bob")} },
		}, {
			plan.ReasonClientNotAllowed, "the client is not on this node's list of those it serves",
			func(_ *game, f *facts) { f.Policy.Allow = []common.Address{wallet("bob")} },
			func(g *game, f *facts) { f.Policy.Allow = append(f.Policy.Allow, g.terms.Client) },
		}, {
			plan.ReasonMemory, "a piece may use 101 bytes of memory, this node allows 100",
			func(g *game, f *facts) {
				f.Policy.Limits.MemoryBytes = 100
				g.told(func(s *plan.SpecFacts) { s.Limits.MemoryBytes = 101 })
			},
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.Limits.MemoryBytes = 100 }) },
		}, {
			plan.ReasonMemory, "a piece may use 101 bytes of memory, this node allows 100",
			func(g *game, f *facts) {
				f.Capacity.MemoryBytes = 100
				g.told(func(s *plan.SpecFacts) { s.Limits.MemoryBytes = 101 })
			},
			func(_ *game, f *facts) { f.Capacity.MemoryBytes = 101 },
		}, {
			plan.ReasonFuel, "a piece may use 3 units of fuel, this node allows 2",
			func(g *game, f *facts) {
				f.Policy.Limits.Fuel = 2
				g.told(func(s *plan.SpecFacts) { s.Limits.Fuel = 3 })
			},
			func(_ *game, f *facts) { f.Policy.Limits.Fuel = 3 },
		}, {
			plan.ReasonOutput, "a piece may have 7 bytes of output, this node allows 6",
			func(g *game, f *facts) {
				f.Policy.Limits.OutputBytes = 6
				g.told(func(s *plan.SpecFacts) { s.Limits.OutputBytes = 7 })
			},
			func(_ *game, f *facts) { f.Policy.Limits.OutputBytes = 7 },
		}, {
			plan.ReasonInput, "a piece has 9 bytes of inputs, this node allows 8",
			func(g *game, f *facts) {
				f.Policy.Limits.InputBytes = 8
				g.told(func(s *plan.SpecFacts) { s.InputBytes = 9 })
			},
			func(_ *game, f *facts) { f.Policy.Limits.InputBytes = 9 },
		}, {
			plan.ReasonNotLocal, "1 bytes of a piece's inputs are not here, and this node fetches 0",
			func(g *game, f *facts) {
				f.Policy.LocalOnly = true
				g.told(func(s *plan.SpecFacts) { s.InputBytes, s.MissingBytes, s.Again = 9, 1, 2000 })
			},
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.MissingBytes = 0 }) },
		}, {
			plan.ReasonJobPieces, "the job has 10 pieces, this node reads jobs of up to 9",
			func(_ *game, f *facts) { f.Policy.Limits.JobPieces = 9 },
			func(_ *game, f *facts) { f.Policy.Limits.JobPieces = 10 },
		}, {
			plan.ReasonWindowShort, "an execution has 50 seconds, this node asks for 51",
			func(_ *game, f *facts) { f.Policy.Limits.MinExecuteSeconds = 51 },
			func(_ *game, f *facts) { f.Policy.Limits.MinExecuteSeconds = 50 },
		}, {
			plan.ReasonWindowLong, "an execution has 50 seconds, this node allows 49",
			func(_ *game, f *facts) { f.Policy.Limits.MaxExecuteSeconds = 49 },
			func(_ *game, f *facts) { f.Policy.Limits.MaxExecuteSeconds = 50 },
		}, {
			plan.ReasonRoom, "this node holds or has offered to hold 0 pieces, of at most 0",
			func(_ *game, f *facts) { f.Policy.MaxPieces = 0 },
			func(_ *game, f *facts) { f.Policy.MaxPieces = 6 },
		}, {
			plan.ReasonTooSlow, "one more piece would be done after 38 seconds, and of the execution's time there are 37",
			func(g *game, f *facts) {
				f.Policy.MinFuelPrice, f.Capacity = new(big.Int), plan.Capacity{Pieces: 6, FuelPerSecond: 100}
				g.told(func(s *plan.SpecFacts) { s.Limits.Fuel = 3760 })
			},
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.Limits.Fuel = 3750 }) },
		}, {
			plan.ReasonUnfit, "the job can be run nowhere: another profile",
			func(g *game, _ *facts) {
				g.told(func(s *plan.SpecFacts) { s.Fit, s.Reason = false, "another profile" })
			},
			func(g *game, _ *facts) { g.told(func(s *plan.SpecFacts) { s.Fit = true }) },
		}, {
			plan.ReasonDraining, "this node finishes its work and takes no more",
			func(_ *game, f *facts) { f.Draining = true },
			func(_ *game, f *facts) { f.Draining = false },
		}, {
			plan.ReasonPaused, "this node is paused",
			func(g *game, _ *facts) { g.v.Paused[wallet("alice")] = true },
			func(g *game, _ *facts) { g.v.Paused[wallet("alice")] = false },
		}, {
			plan.ReasonUnregistered, "this node is not registered",
			func(g *game, _ *facts) { g.fold(protocol.NodeExited{Node: wallet("alice")}) },
			func(g *game, _ *facts) { g.fold(protocol.NodeRegistered{Node: wallet("alice")}) },
		},
	} {
		g := ready(t)
		f := g.nodes["alice"]
		c.refuse(g, f)
		g.decides("alice", plan.VerdictPassedOver, c.reason, c.text).expectsOffer("alice")
		c.accept(g, f)
		g.decides("alice", plan.VerdictOffered, plan.ReasonSuits, "the job suits this node").
			expectsOffer("alice", "offer 6 until 1030")
	}
}

func TestOwnJobIsNoWork(t *testing.T) {
	g := ready(t)
	g.nodes["alice"].Self = g.terms.Client
	g.decides("alice", plan.VerdictPassedOver, plan.ReasonOwnJob, "a client does not serve itself")
}

func TestSpecIsReadBeforeAnythingIsOffered(t *testing.T) {
	g := newGame(t, lazy)
	g.decides("alice", plan.VerdictPending, plan.ReasonUnread, "the spec is being read").expectsOffer("alice", "load")
	g.nodes["alice"].Policy.Limits.JobPieces = 9 // who asks too much is not even read
	g.expectsOffer("alice")
}

// What could not be had, or is not here, is looked at again, not in every plan.
func TestSpecIsReadAgain(t *testing.T) {
	g := ready(t)
	g.told(func(s *plan.SpecFacts) { *s = plan.SpecFacts{Reason: "nobody has it", Again: 1010} })
	g.decides("alice", plan.VerdictPassedOver, plan.ReasonNoSpec, "spec, module or inputs cannot be had: nobody has it")
	g.at(1009).expectsOffer("alice").at(1010).expectsOffer("alice", "load")

	g.nodes["alice"].Policy.LocalOnly = true
	g.told(func(s *plan.SpecFacts) { *s = plan.SpecFacts{Fit: true, InputBytes: 5, MissingBytes: 5, Again: 1020} })
	g.expectsOffer("alice").at(1020).expectsOffer("alice", "load")
	g.told(func(s *plan.SpecFacts) { s.MissingBytes = 0 })
	g.expectsOffer("alice", "offer 6 until 1050")
}

// A stranger cannot have a node read everything at once, nor keep it from the jobs of others.
func TestFewSpecsAreReadAtOnce(t *testing.T) {
	g := newGame(t, lazy)
	create := func(client string, count int) {
		for range count {
			terms := g.terms
			g.nonce++
			terms.Client, terms.Nonce = wallet(client), 1000+g.nonce
			id := protocol.JobID(chainID, market, terms)
			g.wait(1).fold(protocol.JobCreated{Job: id, Client: terms.Client, Terms: terms})
		}
	}
	loads := func() (perClient map[common.Address]int) {
		perClient = map[common.Address]int{}
		for _, a := range g.compute("alice") {
			perClient[g.v.Jobs[a.(plan.Load).Job].Terms.Client]++
		}
		return perClient
	}
	create("flood", 100)
	create("late", 1)
	if got := loads(); got[wallet("flood")] != 4 || got[wallet("late")] != 1 || got[wallet("client")] != 1 {
		t.Errorf("loads by client: %v", got)
	}
	for _, name := range []string{"d", "e", "f", "g"} {
		create(name, 4)
	}
	total := 0
	for _, n := range loads() {
		total += n
	}
	if total != 16 {
		t.Errorf("%d specs are read at once", total)
	}
}

// What is here comes first, whoever asked first.
func TestLocalInputsComeFirst(t *testing.T) {
	g := ready(t)
	other := second(g)
	g.nodes["alice"].Wallet.Free = big.NewInt(3*fine - 1) // enough for one
	first := func() common.Hash { return g.compute("alice")[0].(plan.Offer).Job }
	if first() != g.job {
		t.Error("the older job came second")
	}
	g.told(func(s *plan.SpecFacts) { s.InputBytes, s.MissingBytes = 5, 5 })
	if first() != other.ID {
		t.Error("the job whose inputs are here came second")
	}
}

// slow is a game in which alice runs two pieces at once, of 10 seconds each at the fuel limit.
func slow(t *testing.T) *game {
	t.Helper()
	g := ready(t)
	f := g.nodes["alice"]
	f.Policy.MinFuelPrice, f.Policy.MaxPieces = new(big.Int), 100
	f.Capacity = plan.Capacity{Pieces: 2, FuelPerSecond: 100, MemoryBytes: 100}
	g.told(func(s *plan.SpecFacts) { s.Limits = protocol.Limits{Fuel: 1000, MemoryBytes: 40} })
	return g
}

// Of 50 seconds 37.5 go to running.
func TestNodeOffersWhatItCanFinish(t *testing.T) {
	g := slow(t)
	g.expectsOffer("alice", "offer 7 until 1030")
	g.told(func(s *plan.SpecFacts) { s.Limits.MemoryBytes = 51 }) // one at a time
	g.expectsOffer("alice", "offer 3 until 1030")
	g.nodes["alice"].Policy.FuelShare = 0.6
	g.expectsOffer("alice", "offer 6 until 1030")
}

// Results of a job on the chain say more of its pieces than the limit.
func TestNodeLearnsFromAJobsResults(t *testing.T) {
	g := slow(t)
	a := g.assign("bob", 1)
	g.expectsOffer("alice", "offer 7 until 1030")
	a.commits() // with a fuel of 100, so that 202 are expected now
	g.expectsOffer("alice", "offer 8 until 1030")
	g.nodes["alice"].Capacity = plan.Capacity{Pieces: 1, FuelPerSecond: 25}
	g.expectsOffer("alice", "offer 4 until 1030")
}

func TestBacklogLeavesLessTime(t *testing.T) {
	g := slow(t)
	a := g.assign("alice", 4) // 20 seconds
	g.expectsOffer("alice", "offer 3 until 1030")
	other := second(g)
	g.nodes["alice"].Specs[other.ID] = g.nodes["alice"].Specs[g.job]
	g.nodes["alice"].Offered[other.ID] = protocol.Offer{Pieces: 2, Deadline: 1 << 40} // 10 more
	g.decides("alice", plan.VerdictPassedOver, plan.ReasonTooSlow,
		"one more piece would be done after 40 seconds, and of the execution's time there are 37")
	a.finished(1, "alice") // what has run takes no more time, but room until it is committed
	g.decides("alice", plan.VerdictOffered, plan.ReasonSuits, "the job suits this node")
}

// What a draining node has not begun goes back while that costs nothing; the rest it finishes.
func TestDrainingNodeGivesBackWhatItHasNotBegun(t *testing.T) {
	g := ready(t)
	a := g.assign("alice", 4)
	g.nodes["alice"].Draining = true
	g.expects("alice", "decline A").
		decides("alice", plan.VerdictDeclined, plan.ReasonDraining, "this node finishes its work and takes no more")
	key := plan.SeatKey{Execution: a.e.ID, Seat: 1}
	g.nodes["alice"].Work[key] = plan.WorkFacts{Begun: true}
	g.expects("alice", "execute A/1 [0 1 2 3]")
	g.nodes["alice"].Work[key] = plan.WorkFacts{}
	g.at(a.e.Deadline-executeWindow/2).expects("alice", "decline A")
	g.at(a.e.Deadline-executeWindow/2+1).expects("alice", "execute A/1 [0 1 2 3]")
	a.finished(1, "alice")
	g.expects("alice", "commitResult A")
}

// An offer may be accepted until its time is up, or the job is over.
func TestStandingOffersAreCounted(t *testing.T) {
	g := ready(t)
	alice := g.nodes["alice"]
	stand := func(want uint64) {
		t.Helper()
		if got := alice.Standing(g.v); got != want {
			t.Errorf("%d offers stand, want %d", got, want)
		}
	}
	stand(0)
	alice.Offered[g.job] = protocol.Offer{Job: g.job, Nonce: 7, Deadline: g.v.Head.Time + 30}
	alice.Offered[common.Hash{1}] = protocol.Offer{Deadline: g.v.Head.Time + 30} // of a job that is gone
	stand(1)
	g.at(g.v.Head.Time + 30)
	stand(0)
}

func TestDrainingVerifierGivesItsSeatBack(t *testing.T) {
	g, a := verifying(t, lazy)
	g.confirm()
	a.draws(2, "bob")
	g.nodes["bob"].Draining = true
	g.expects("bob", "declineSeat A/2")
}

// In the second quarter it is time to admit that a queue is too long.
func TestNodeGivesBackWhatItWillNotFinish(t *testing.T) {
	g := slow(t)
	a := g.assign("alice", 8) // 40 seconds
	quarter := g.now() + executeWindow/4 + 1
	g.at(quarter-1).expects("alice", "execute A/1 [0 1 2 3 4 5 6 7]")
	g.at(quarter).expects("alice", "decline A").decides("alice", plan.VerdictDeclined, plan.ReasonBehind,
		"the pieces were not begun, and would take 40 seconds of the 37 that are left")
	g.nodes["alice"].Work[plan.SeatKey{Execution: a.e.ID, Seat: 1}] = plan.WorkFacts{Begun: true}
	g.expects("alice", "execute A/1 [0 1 2 3 4 5 6 7]")
	g.nodes["alice"].Work[plan.SeatKey{Execution: a.e.ID, Seat: 1}] = plan.WorkFacts{Failing: true, Trouble: "no inputs"}
	g.expects("alice", "decline A").decides("alice", plan.VerdictDeclined, plan.ReasonFailing,
		"the pieces cannot be run here: no inputs")
}

func TestPolicyIsChecked(t *testing.T) {
	good := plan.Policy{MinBid: new(big.Int), MinFuelPrice: new(big.Int), OfferSeconds: 1}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(*plan.Policy){
		func(p *plan.Policy) { p.MinBid = nil },
		func(p *plan.Policy) { p.MinFuelPrice = big.NewInt(-1) },
		func(p *plan.Policy) { p.InputPrice = big.NewInt(-1) },
		func(p *plan.Policy) { p.FuelShare = 1.5 },
		func(p *plan.Policy) { p.Limits.MinExecuteSeconds, p.Limits.MaxExecuteSeconds = 2, 1 },
		func(p *plan.Policy) { p.OfferSeconds = 0 },
	} {
		bad := good
		spoil(&bad)
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
