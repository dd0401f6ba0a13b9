package plan_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

type (
	settleCall = protocol.Settle
	verifyCall = protocol.Verify
	revealCall = protocol.RevealKey
)

// only is the call that the client asks for and nothing else.
func only[C protocol.Call](g *game) (call C) {
	g.t.Helper()
	actions := g.requester()
	if len(actions) == 1 {
		if s, ok := actions[0].(plan.Send); ok {
			if call, ok := s.Call.(C); ok {
				return call
			}
		}
	}
	for _, a := range actions {
		g.t.Log(g.spell(a))
	}
	g.t.Fatalf("the client asks for %d actions, want one %T", len(actions), call)
	return call
}

// resolving is a game whose panel over pieces 1 and 2 has committed, with the results that prepare gives.
func resolving(t *testing.T, seats uint8, prepare func(*play)) (*game, *play) {
	t.Helper()
	g := newGame(t, seats)
	a := g.assign("alice", 4)
	prepare(a)
	a.commits(1, 2)
	g.confirm()
	a.verifies(1, 2)
	g.wait(2)
	a.draws(2, "bob")
	if seats == eager {
		a.draws(3, "carol")
	}
	g.wait(5)
	a.answers(2)
	if seats == eager {
		g.wait(5)
		a.answers(3)
	}
	return g, a
}

func honest(*play) {}

func TestLazyPanelThatAgreesIsSettled(t *testing.T) {
	g, a := resolving(t, lazy, honest)
	g.clientExpects("collect A/1", "collect A/2")
	a.collected(1)
	g.clientExpects("collect A/2")
	a.collected(2)
	g.clientExpects("settleVerified A")
	g.at(a.doneAt() + settleWindow).clientExpects("settleVerified A")
	g.at(a.doneAt() + settleWindow + 1).clientExpects()
	a.settles()
	g.clientExpects("deliver A/1 [0 1 2 3]")
}

func TestLazyPanelThatDiffersIsEscalated(t *testing.T) {
	for name, prepare := range map[string]func(*play){
		"seat 1 lies":              func(p *play) { p.says(1, "cheap", 2) },
		"seat 2 lies":              func(p *play) { p.says(2, "cheap", 2) },
		"seat 1 cannot be read":    func(p *play) { p.says(1, junk, 2) },
		"seat 1 misplaces a leaf":  func(p *play) { p.says(1, misplaced, 2) },
		"neither can be read":      func(p *play) { p.says(1, junk, 2).says(2, junk, 2) },
		"seat 1 claims other fuel": func(p *play) { p.says(1, "fuel", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			g, a := resolving(t, lazy, prepare)
			a.collected(1, 2)
			g.clientExpects("escalate A: 2")
			a.escalates(2)
			g.clientExpects()
			g.wait(1).clientExpects() // the target block's hash is not known yet
			g.wait(1).clientExpects("draw A/3")
			a.draws(3, "carol")
			g.clientExpects()
			g.wait(5)
			a.answers(3)
			g.clientExpects("collect A/3")
			a.collected(3)
			g.clientExpects("revealKey A: 2")
			g.at(a.doneAt() + settleWindow).clientExpects("revealKey A: 2")
			g.at(a.doneAt() + settleWindow + 1).clientExpects()
		})
	}
}

// A lie about a piece that nobody checks is not seen; that is what the dice are for.
func TestUncheckedLieIsNotSeen(t *testing.T) {
	g, a := resolving(t, lazy, func(p *play) { p.says(1, "cheap", 0, 3) })
	a.collected(1, 2)
	g.clientExpects("settleVerified A")
}

func TestFirstDifferenceIsEscalated(t *testing.T) {
	g, a := resolving(t, lazy, func(p *play) { p.says(1, "cheap", 1, 2) })
	a.collected(1, 2)
	g.clientExpects("escalate A: 1")
}

func TestUnaffordableEscalationIsSettled(t *testing.T) {
	g, a := resolving(t, lazy, func(p *play) { p.says(1, "cheap", 1) })
	a.collected(1, 2)
	g.client.Wallet.Free = big.NewInt(raised)
	g.clientExpects("escalate A: 1")
	g.client.Wallet.Free = big.NewInt(raised - 1)
	g.clientExpects("settleVerified A")
}

// With no third seat to be had nobody can be convicted: both are paid.
func TestVacantThirdSeatIsSettled(t *testing.T) {
	g, a := resolving(t, lazy, func(p *play) { p.says(1, "cheap", 1) })
	a.collected(1, 2).escalates(1)
	g.wait(2)
	a.vacates(3)
	g.clientExpects("settleVerified A")
}

func TestVacantSecondSeatIsSettled(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits(1)
	g.confirm()
	a.verifies(1)
	g.wait(2)
	a.vacates(2)
	g.clientExpects("collect A/1")
	a.collected(1)
	g.clientExpects("settleVerified A")
}

func TestEagerPanel(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*play)
		want    string
	}{
		"all agree":           {honest, "settleVerified A"},
		"seat 1 lies":         {func(p *play) { p.says(1, "cheap", 2) }, "revealKey A: 2"},
		"seat 2 lies":         {func(p *play) { p.says(2, "cheap", 2) }, "revealKey A: 2"},
		"seat 3 lies":         {func(p *play) { p.says(3, "cheap", 1) }, "revealKey A: 1"},
		"all differ":          {func(p *play) { p.says(1, "x", 1).says(3, "y", 1) }, "revealKey A: 1"},
		"verifiers collude":   {func(p *play) { p.says(2, "x", 1, 2).says(3, "x", 1, 2) }, "revealKey A: 1"},
		"seat 3 misplaces":    {func(p *play) { p.says(3, misplaced, 2) }, "revealKey A: 2"},
		"seat 3 is no result": {func(p *play) { p.says(3, junk, 2) }, "revealKey A: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			g, a := resolving(t, eager, c.prepare)
			g.clientExpects("collect A/1", "collect A/2", "collect A/3")
			a.collected(1, 2, 3)
			g.clientExpects(c.want)
			g.at(a.doneAt() + settleWindow).clientExpects(c.want)
			g.at(a.doneAt() + settleWindow + 1).clientExpects()
		})
	}
}

func TestEagerPanelWithAVacantSeatConvictsNobody(t *testing.T) {
	g := newGame(t, eager)
	a := g.assign("alice", 4).says(1, "cheap", 1).commits(1)
	g.confirm()
	a.verifies(1)
	g.wait(2)
	a.vacates(2).draws(3, "carol")
	g.clientExpects()
	g.wait(5)
	a.answers(3)
	g.clientExpects("collect A/1", "collect A/3")
	a.collected(1, 3)
	g.clientExpects("settleVerified A")
}

// A cheat does not escape by spoiling its outputs: the leaves that it committed to convict it.
func TestComparingNeedsTheLeavesOnly(t *testing.T) {
	g, a := resolving(t, eager, func(p *play) { p.says(1, "cheap", 1) })
	a.partly(1).partly(2).partly(3)
	g.clientExpects("revealKey A: 1")
}

func TestWithheldLeavesOfAPanelDoNotCostTheBond(t *testing.T) {
	g, a := resolving(t, eager, func(p *play) { p.says(1, "cheap", 1) })
	a.collected(1, 2).withheld(3)
	g.client.Wallet.Free = big.NewInt(price - 1) // too little to demand the leaf
	g.clientExpects("collect A/3")
	half := a.doneAt() + settleWindow/2
	g.at(half).clientExpects("collect A/3")
	// The difference between seats 1 and 2 is known but cannot be shown without seat 3's leaf.
	g.at(half + 1).clientExpects("settleVerified A")
	a.collected(3)
	g.clientExpects("revealKey A: 1")
}

// What revealKey brings is what the contract checks: the key, the spec's proof, and one opening per seat.
func TestRevealShowsEverythingTheContractChecks(t *testing.T) {
	for _, seats := range []uint8{lazy, eager} {
		g, a := resolving(t, seats, func(p *play) { p.says(1, "cheap", 2) })
		a.collected(1, 2)
		if seats == lazy {
			a.escalates(2)
			g.wait(2)
			a.draws(3, "carol").answers(3)
		}
		a.collected(3)
		call := only[revealCall](g)
		g.vet(call)
		r := call.Reveal
		key, err := crypto.ToECDSA(common.BigToHash(r.Sk).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := crypto.PubkeyToAddress(key.PublicKey), protocol.KeyAddress(g.facts().Document.PublicKey(2)); got != want {
			t.Errorf("the key of %s, want %s", got, want)
		}
		digest, proof := g.facts().Document.Proof(2)
		if r.Seed != a.seed || r.SpecDigest != digest || len(r.SpecProof) != len(proof) {
			t.Errorf("reveal %+v", r)
		}
		positions := [3]struct{ at, of uint32 }{{2, 4}, {1, 2}, {1, 2}}
		roots := [3]protocol.Sum{{Hash: a.e.Root, Sum: a.e.Fuel}, {Hash: a.seats[2].Root, Sum: a.seats[2].Fuel}, {Hash: a.seats[3].Root, Sum: a.seats[3].Fuel}}
		if seats == lazy {
			positions[2].at, positions[2].of = 0, 1
		}
		for i, o := range r.Openings {
			leaf := protocol.Sum{Hash: o.Leaf.Hash(), Sum: o.Leaf.Fuel}
			if o.Leaf.Index != 2 || !protocol.VerifySum(roots[i], leaf, positions[i].at, positions[i].of, o.Proof) {
				t.Errorf("%d seats: seat %d's opening is not in its tree: %+v", seats, i+1, o)
			}
			x, y := crypto.S256().ScalarMult(o.Leaf.Rx, liftY(t, o.Leaf), common.BigToHash(r.Sk).Bytes())
			if o.Sx.Cmp(x) != 0 || o.Sy.Cmp(y) != 0 {
				t.Errorf("%d seats: seat %d's S is not sk·R", seats, i+1)
			}
		}
	}
}

// liftY is the y coordinate of a leaf's R.
func liftY(t *testing.T, l protocol.Leaf) *big.Int {
	key, err := crypto.DecompressPubkey(append([]byte{2 + l.Parity}, l.Rx.FillBytes(make([]byte, 32))...))
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(crypto.FromECDSAPub(key)[33:])
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		outcome protocol.Outcome
		end     func(*play) *play
		want    string
	}{
		{protocol.OutcomeSecondLost, (*play).settles, "deliver A/1 [0 1 2 3]"},
		{protocol.OutcomeThirdLost, (*play).settles, "deliver A/1 [0 1 2 3]"},
		{protocol.OutcomeFirstLost, func(p *play) *play { return p.returns(0, 1) }, "deliver A/2 [1]"},
		{protocol.OutcomeFirstLost, func(p *play) *play { return p.returns(1, 0) }, "deliver A/2 [1]"},
		{protocol.OutcomeAllDiffer, (*play).refunds, ""},
	} {
		t.Run(c.outcome.String(), func(t *testing.T) {
			g, a := resolving(t, eager, honest)
			a.collected(1, 2, 3).reveals(1, c.outcome)
			g.clientExpects()
			g.at(a.e.Deadline).clientExpects()
			g.at(a.e.Deadline + 1).clientExpects("timeoutVerdict A")
			c.end(a)
			if c.want == "" {
				g.clientExpects()
				return
			}
			g.clientExpects(c.want)
		})
	}
}

// Seat 2's copy is taken, or seat 3's if seat 2's cannot be had: they agreed.
func TestTheVerifiersCopyIsFetchedIfSeatOneLost(t *testing.T) {
	g, a := resolving(t, eager, honest)
	a.reveals(1, protocol.OutcomeFirstLost).returns(1, 0)
	g.clientExpects("collect A/2")
	a.withheld(2)
	g.clientExpects("collect A/2", "collect A/3")
	a.partly(3)
	g.clientExpects("collect A/2", "collect A/3")
	a.partly(2)
	g.clientExpects("collect A/2", "collect A/3")
	a.collected(3)
	g.clientExpects("deliver A/3 [1]")
	a.collected(2)
	g.clientExpects("deliver A/2 [1]")
}

// Outputs that a verifier contradicted, and nobody was convicted for it, are delivered with a warning.
func TestDisputedPiecesAreNamed(t *testing.T) {
	g, a := resolving(t, lazy, func(p *play) { p.says(1, "cheap", 2) })
	a.collected(1, 2).escalates(2)
	g.wait(2)
	a.vacates(3)
	g.clientExpects("settleVerified A")
	a.settles()
	g.clientExpects("deliver A/1 [0 1 2 3], disputed [2]")

	g, a = resolving(t, eager, func(p *play) { p.says(1, "cheap", 1).says(3, junk, 2) })
	a.collected(1, 2, 3).settles()
	g.clientExpects("deliver A/1 [0 1 2 3], disputed [1 2]")
}

// Who was proved wrong is no witness.
func TestConvictedVerifierDisputesNothing(t *testing.T) {
	for seat, outcome := range map[uint8]protocol.Outcome{2: protocol.OutcomeSecondLost, 3: protocol.OutcomeThirdLost} {
		g, a := resolving(t, eager, func(p *play) { p.says(seat, "cheap", 1, 2) })
		a.collected(1, 2, 3).reveals(1, outcome).settles()
		g.clientExpects("deliver A/1 [0 1 2 3]")
		g, a = resolving(t, eager, func(p *play) { p.says(seat, "cheap", 1).says(5-seat, "cheap", 2) })
		a.collected(1, 2, 3).reveals(1, outcome).settles()
		g.clientExpects("deliver A/1 [0 1 2 3], disputed [2]")
	}
}

// What the verifiers said is looked up again after a restart, but not for long if they are gone.
func TestDeliveryWaitsForWitnessesForAWhile(t *testing.T) {
	g, a := resolving(t, eager, func(p *play) { p.says(1, "cheap", 1) })
	a.settles()
	ended := g.now()
	g.clientExpects("collect A/1", "collect A/2", "collect A/3")
	a.collected(1).withheld(2)
	g.clientExpects("collect A/2", "collect A/3")
	a.partly(3)
	g.at(ended + settleWindow/2).clientExpects("collect A/2")
	g.at(ended + settleWindow/2 + 1).clientExpects("deliver A/1 [0 1 2 3], disputed [1]")

	delete(g.client.Opened, plan.SeatKey{Execution: a.e.ID, Seat: 3})
	g.clientExpects("collect A/3") // what was never tried is tried once
	a.withheld(3)
	g.clientExpects("deliver A/1 [0 1 2 3]")
}
