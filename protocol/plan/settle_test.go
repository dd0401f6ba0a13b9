package plan_test

import (
	"math/big"
	"testing"

	"github.com/filecoin-project/bacalhau/protocol/plan"
)

func TestClientWaitsForTheNode(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.clientExpects()
	g.at(a.e.Deadline).clientExpects()
	g.at(a.e.Deadline + 1).clientExpects("timeoutAssigned A")
	a.returns(0, 4)
	g.clientExpects()
}

func TestClientWaitsUntilTheCommitmentIsFinal(t *testing.T) {
	g := newGame(t, lazy)
	g.assign("alice", 4).commits(1)
	g.clientExpects()
	g.wait(1).clientExpects()
	g.wait(1).clientExpects("verify A at 12: [1]")
}

func TestClientFetchesThenSettles(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits()
	g.confirm().clientExpects("collect A/1")
	a.collected(1)
	g.clientExpects("settle A")
	g.at(a.e.Deadline).clientExpects("settle A")
	a.settles()
	g.clientExpects("deliver A/1 [0 1 2 3]")
	g.client.Delivered[a.e.ID] = true
	g.clientExpects()
}

func TestSettleRevealsTheSealedSeed(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits().collected(1)
	call := only[settleCall](g.confirm())
	if call.Seed != a.seed {
		t.Errorf("seed %s, want %s", call.Seed, a.seed)
	}
}

// A node that withholds its output does not cost the client its bond: half-way to the deadline it settles without.
func TestWithheldOutputDoesNotCostTheBond(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits()
	g.confirm()
	a.withheld(1)
	g.client.Wallet.Free = big.NewInt(price - 1) // too little to demand a leaf
	g.clientExpects("collect A/1")
	half := a.e.Deadline - settleWindow/2
	g.at(half).clientExpects("collect A/1")
	g.at(half + 1).clientExpects("settle A")
	a.settles()
	g.clientExpects("collect A/1") // and goes on asking
	g.at(a.e.Deadline+expiry).clientExpects("closeJob", "collect A/1")
	a.collected(1)
	g.clientExpects("closeJob", "deliver A/1 [0 1 2 3]")
}

// The leaves without the outputs are as good as nothing to a client that wants the outputs.
func TestMissingOutputsAreCollectedAgain(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits()
	g.confirm()
	a.partly(1)
	g.clientExpects("collect A/1")
	half := a.e.Deadline - settleWindow/2
	g.at(half).clientExpects("collect A/1")
	g.at(half + 1).clientExpects("settle A")
	a.settles()
	g.clientExpects("collect A/1")
	a.collected(1)
	g.clientExpects("deliver A/1 [0 1 2 3]")
}

func TestClientVerifiesEveryHit(t *testing.T) {
	for name, hits := range map[string][]uint32{"one": {0}, "some": {1, 3}, "all": {0, 1, 2, 3}} {
		t.Run(name, func(t *testing.T) {
			g := newGame(t, lazy)
			g.client.Delivered[g.assign("bob", 3).commits().settles().e.ID] = true // so that pieces are not offsets
			a := g.assign("alice", 4).commits(hits...)
			call := only[verifyCall](g.confirm())
			if g.vet(call); call.Bid.Cmp(big.NewInt(raised)) != 0 || len(call.Listed) != 1 {
				t.Errorf("call %+v", call)
			}
			bits := uint64(0)
			for _, k := range hits {
				bits |= 1 << k
			}
			if call.Listed[0].Uint64() != bits {
				t.Errorf("listed %b, want %b", call.Listed[0], bits)
			}
			g.at(a.e.Deadline)
			if g.vet(only[verifyCall](g)); t.Failed() {
				return
			}
		})
	}
}

// A client that cannot pay for its checks burns its bond at settle, so it waits for money as long as it can.
func TestClientThatCannotPayForChecksWaitsForMoney(t *testing.T) {
	for seats, cost := range map[uint8]int64{lazy: 2 * raised, eager: 4 * raised} {
		g := newGame(t, seats)
		a := g.assign("alice", 4).commits(0, 2)
		g.client.Wallet.Free = big.NewInt(cost - 1)
		g.confirm().clientExpects("topUp A: 1")
		half := a.e.Deadline - settleWindow/2
		g.at(half).clientExpects("topUp A: 1")
		g.client.Wallet.Free = big.NewInt(cost)
		g.clientExpects("verify A at 12: [0 2]")
		g.at(half + 1).clientExpects("verify A at 12: [0 2]")
		g.client.Wallet.Free = big.NewInt(cost - 1)
		g.clientExpects("settle A")
	}
}

// Money is spent once: what one execution's checks cost is not there for another's.
func TestClientPaysForChecksInOrder(t *testing.T) {
	g := newGame(t, lazy)
	g.assign("alice", 4).commits(0, 1)
	g.assign("bob", 4).commits(2)
	g.client.Wallet.Free = big.NewInt(3 * raised)
	g.confirm().clientExpects("verify A at 12: [0 1]", "verify B at 12: [2]")
	g.client.Wallet.Free = big.NewInt(3*raised - 1)
	g.clientExpects("verify A at 12: [0 1]", "topUp B: 1")
}

func TestClientThatMissedItsDeadlineWaitsToBeForced(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4).commits(1)
	b := g.assign("bob", 4).commits().collected(1)
	g.at(max(a.e.Deadline, b.e.Deadline) + 1).clientExpects()
}

func TestClientPlansEveryExecution(t *testing.T) {
	g := newGame(t, lazy)
	g.assign("alice", 4).commits(1)
	g.assign("bob", 4).commits().collected(1)
	g.assign("carol", 2).commits()
	g.confirm().clientExpects("verify A at 12: [1]", "settle B", "collect C/1")
}

// The pieces of an execution made from returned ones are rolled under its own id.
func TestReassignedExecutionHasItsOwnDice(t *testing.T) {
	g := newGame(t, lazy)
	a := g.assign("alice", 4)
	g.at(a.e.Deadline + 1)
	a.returns(0, 4)
	b := g.reassign(a, "bob", 3).commits(2)
	g.confirm().clientExpects("verify B at 12: [2]")
	b.verifies(2)
	g.confirm().clientExpects("draw B/2")
}

func TestNothingIsDeliveredTwiceOrInVain(t *testing.T) {
	g := newGame(t, lazy)
	refunded := g.assign("alice", 2).commits().refunds()
	returned := g.assign("bob", 2)
	returned.returns(2, 2)
	settled := g.assign("carol", 2).commits().collected(1).settles()
	g.confirm().clientExpects("deliver C/1 [4 5]")
	for _, p := range []*play{refunded, returned, settled} {
		g.client.Delivered[p.e.ID] = true
	}
	g.clientExpects()
	if len(g.client.Opened) != 1 {
		t.Errorf("opened %v", g.client.Opened)
	}
	if _, ok := g.client.Opened[plan.SeatKey{Execution: settled.e.ID, Seat: 1}]; !ok {
		t.Error("the settled execution was never opened")
	}
}
