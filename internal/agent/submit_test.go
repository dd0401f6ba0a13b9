package agent

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

func TestJobThatTheContractRefusesIsRejected(t *testing.T) {
	w := newWorld(t)
	w.requester.Parameters.MinDeposit = big.NewInt(-1_000_000) // so that it gets as far as the contract
	w.ledger.free[w.self("client")] = big.NewInt(49)
	id, err := w.requester.Submit(t.Context(), submission(5))
	var reason protocol.InsufficientFree
	if !errors.As(err, &reason) {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		if f := w.file(id); !strings.Contains(f.Job.Rejected, reason.Error()) || f.Job.Done {
			t.Errorf("job %+v", f.Job)
		}
		w.ledger.free[w.self("client")] = big.NewInt(1_000_000)
		w.round() // a rejected job is not created later, when there is money again
		w.restart()
		w.round()
	}
	if len(w.ledger.view.Jobs) != 0 {
		t.Error("the job was created")
	}
}

// A job locks its escrow and, for each execution, the bond; the same again is kept for the checks of the bond's worth, and
// the price of demanding a leaf.
func TestSubmitNeedsTheReserves(t *testing.T) {
	const pieces, rate = 4, 1 << 14
	for seats := uint8(2); seats <= 3; seats++ {
		w := newWorld(t)
		s := submission(pieces)
		s.Seats, s.PiecesPerExecution = seats, 2
		stakes, err := protocol.DeriveStakes(s.Bid, 2, rate, 0.2)
		if err != nil {
			t.Fatal(err)
		}
		stake := stakes.Bond.Int64()*int64(seats+1)/2 + 1
		need := 10*pieces + 2*stake + 1 // and the minimum deposit
		w.ledger.free[w.self("client")] = big.NewInt(need - 1)
		_, err = w.requester.Submit(t.Context(), s)
		var short *FundsError
		if !errors.As(err, &short) || short.Need.Int64() != need || short.Free.Int64() != need-1 {
			t.Fatalf("%d seats: got %v, want a need of %d", seats, err, need)
		}
		if !strings.Contains(err.Error(), "deposit 1 wei more") {
			t.Errorf("got %v", err)
		}
		if n := len(w.requester.Files()); n != 0 {
			t.Errorf("%d jobs were made", n)
		}
		w.ledger.free[w.self("client")] = big.NewInt(need)
		if _, err := w.requester.Submit(t.Context(), s); err != nil {
			t.Errorf("%d seats: %v", seats, err)
		}
	}
}

// A bid so high that it takes a fine which no node has to put up is refused before any money moves.
func TestSubmitRefusesFinesBeyondTheStake(t *testing.T) {
	w := newWorld(t)
	s := submission(4)
	stakes, err := protocol.DeriveStakes(s.Bid, 4, s.CheckRate, s.ColludingShare)
	if err != nil {
		t.Fatal(err)
	}
	w.requester.Parameters.MinStake = new(big.Int).Sub(stakes.Fine, big.NewInt(1))
	_, err = w.requester.Submit(t.Context(), s)
	var fine *FineError
	if !errors.As(err, &fine) || fine.Fine.Cmp(stakes.Fine) != 0 || !strings.Contains(err.Error(), "lower the bid") {
		t.Errorf("got %v", err)
	}
	w.requester.Parameters.MinStake = stakes.Fine
	if _, err := w.requester.Submit(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// What runs may still need its checks paid: a new job must not take that money.
func TestSubmitLeavesRunningJobsTheirReserves(t *testing.T) {
	w, run := committed(t, 5, honest)
	reserve := plan.Terms{Parameters: w.parameters()}.Reserve(w.terms(run))
	w.ledger.free[w.self("client")] = big.NewInt(0)
	_, err := w.requester.Submit(t.Context(), submission(1))
	var alone, beside *FundsError
	if !errors.As(err, &beside) {
		t.Fatal(err)
	}
	other := newWorld(t)
	other.ledger.free[other.self("client")] = big.NewInt(0)
	if _, err = other.requester.Submit(t.Context(), submission(1)); !errors.As(err, &alone) {
		t.Fatal(err)
	}
	if got := new(big.Int).Sub(beside.Need, alone.Need); got.Cmp(reserve) != 0 {
		t.Errorf("%d wei are left alone, want %d", got, reserve)
	}
}

// A client that ran out of money says so, and goes on when it has some again.
func TestMissingMoneyIsTrouble(t *testing.T) {
	w := newWorld(t)
	id := w.submit(5)
	w.ledger.free[w.self("client")] = big.NewInt(0)
	for range 3 {
		w.round()
	}
	trouble := w.file(id).Trouble["topUp:"+id.Hex()]
	if trouble == nil || !strings.Contains(trouble.Error(), "deposit") {
		t.Errorf("trouble: %v", w.file(id).Trouble)
	}
	if len(w.ledger.view.Runs) != 0 {
		t.Error("pieces were assigned")
	}
	w.ledger.free[w.self("client")] = big.NewInt(1_000_000)
	w.delivered(w.finish(id), 5)
	if trouble := w.file(id).Trouble; len(trouble) != 0 {
		t.Errorf("trouble after the end: %v", trouble)
	}
}

// Anyone may post an offer in the node's name. It is refused once, and the node's own is accepted.
func TestForgedOfferIsRefusedAndForgotten(t *testing.T) {
	w := newWorld(t)
	id := w.submit(1)
	w.ledger.emit(protocol.OfferPosted{Job: id, Node: w.self("node"), Signature: make([]byte, 65), Offer: protocol.Offer{
		Job: id, Node: w.self("node"), Pieces: 100, Nonce: 1, Deadline: 1 << 60,
	}})
	w.sync()
	w.round()
	w.round()
	if len(w.requester.refused) != 1 {
		t.Errorf("%d offers are refused, want one", len(w.requester.refused))
	}
	w.delivered(w.finish(id), 1)
	w.round()
	if len(w.requester.refused) != 0 {
		t.Error("offers for a job that has ended are remembered")
	}
}

func TestUnknownJob(t *testing.T) {
	w := newWorld(t)
	if err := w.requester.Cancel(crypto.Keccak256Hash([]byte("job"))); !errors.Is(err, ErrUnknownJob) {
		t.Errorf("cancel: %v", err)
	}
	if _, err := w.requester.File(crypto.Keccak256Hash([]byte("job"))); !errors.Is(err, ErrUnknownJob) {
		t.Errorf("file: %v", err)
	}
}
