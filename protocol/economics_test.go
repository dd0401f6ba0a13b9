package protocol_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/filecoin-project/bacalhau/protocol"
)

var ether = big.NewInt(1e18)

// inBids is amount / bid.
func inBids(amount, bid *big.Int) float64 {
	ratio, _ := new(big.Rat).SetFrac(amount, bid).Float64()
	return ratio
}

func stakes(t *testing.T, bid *big.Int, count uint32, share, colluding float64) protocol.Stakes {
	t.Helper()
	rate := must[uint16](t)(protocol.CheckRate(share))
	return must[protocol.Stakes](t)(protocol.DeriveStakes(bid, count, rate, colluding))
}

func TestCheckRateInContractUnits(t *testing.T) {
	for share, want := range map[float64]uint16{0.03: 1966, 0.024: 1573, 0.01: 655, 0.5: 32768, 1.0 / 65536: 1, 0.99999: 65535} {
		if got, err := protocol.CheckRate(share); err != nil || got != want {
			t.Errorf("%v: got %d, %v; want %d", share, got, err, want)
		}
	}
	for _, share := range []float64{0, -0.03, 1, 1.5, 1e-6, math.NaN(), math.Inf(1), math.Inf(-1)} {
		_, err := protocol.CheckRate(share)
		if want := fmt.Sprintf("check rate %v is not between 0 and 1", share); err == nil || err.Error() != want {
			t.Errorf("%v: got %v, want %s", share, err, want)
		}
	}
}

// The figures are those of the protocol's economic model (tables B2 and B14) for a node whose pay is 1.2 times its cost
// c, at p = 3 % and pd = p·(1 − 0.2): the least stake S, in c and in steps of 0.1, for which cheating in m of n pieces
// loses, (1 − (1 − pd)^m)·(S + 1.2·n·c) > m·c. DeriveStakes knows no node's cost and takes the whole bid for it, which
// costs 0.2 bids a piece more; and it never goes below its floor.
func TestFineMeetsTheModel(t *testing.T) {
	for _, point := range []struct {
		pieces uint32
		stake  float64
	}{
		{1, 40.5}, {10, 34.4}, {25, 25.0}, {50, 11.2}, {80, 0}, {100, 0}, {150, 0}, {200, 0}, {500, 0},
	} {
		fine := inBids(stakes(t, ether, point.pieces, 0.03, 0.2).Fine, ether)
		if fine < 6 {
			t.Errorf("%d pieces: fine of %.2f bids, less than the floor", point.pieces, fine)
		}
		got := max(0, fine-0.2*float64(point.pieces))
		if over := point.stake - got; fine > 6 && (over < -0.01 || over > 0.1) {
			t.Errorf("%d pieces: fine of %.2f bids, which is a stake of %.2f; want %.1f", point.pieces, fine, got, point.stake)
		}
	}
	if fine := inBids(stakes(t, ether, 500, 0.03, 0.2).Fine, ether); fine != 6 {
		t.Errorf("500 pieces: fine of %v bids, want the floor", fine)
	}
}

// Single pieces by assumed colluding share: table B2, "lazy with appeal", same margin of 1.2.
func TestFineGrowsWithTheColludingShare(t *testing.T) {
	for share, want := range map[float64]float64{0.05: 33.9, 0.1: 35.8, 0.2: 40.5, 0.3: 46.4, 0.4: 54.4, 0.5: 65.5} {
		got := inBids(stakes(t, ether, 1, 0.03, share).Fine, ether) - 0.2
		if math.Abs(got-want) > 0.06 {
			t.Errorf("share %v: %.2f, want %.1f", share, got, want)
		}
	}
}

func TestCheatingNeverPays(t *testing.T) {
	for _, share := range []float64{0.01, 0.03, 0.1, 0.5} {
		for _, colluding := range []float64{0, 0.2, 0.5} {
			for _, n := range []uint32{1, 2, 10, 80, 100, 1000} {
				fine := inBids(stakes(t, ether, n, share, colluding).Fine, ether)
				rate := must[uint16](t)(protocol.CheckRate(share))
				pd := float64(rate) / 65536 * (1 - colluding)
				for m := uint32(1); m <= n; m++ {
					caught := 1 - math.Pow(1-pd, float64(m))
					if gain := float64(m) - caught*(fine+float64(n)); gain > 1e-6 {
						t.Fatalf("p %v, share %v: cheating in %d of %d pieces gains %v bids", share, colluding, m, n, gain)
					}
				}
			}
		}
	}
}

// The overhead of checking: 103 % at 3 % with b′ = b, and still 103 % at 2.4 % with b′ = 1.25 b.
func TestLazyCheckingCostsThreePercent(t *testing.T) {
	overhead := func(share, raised float64) float64 {
		rate := must[uint16](t)(protocol.CheckRate(share))
		return float64(rate) / 65536 * raised
	}
	s := stakes(t, ether, 100, 0.03, 0.2)
	if got := overhead(0.03, inBids(s.VerifierBid, ether)); math.Abs(got-0.03) > 1e-5 {
		t.Errorf("overhead %v", got)
	}
	if got := overhead(0.024, 1.25); math.Abs(got-0.03) > 1e-5 {
		t.Errorf("overhead %v with a raised bid", got)
	}
}

// The contract accepts a bond of at least 2 × bid, and of at least 2 × bid × p × pieces, rounded up.
func TestBondIsEnoughForTheContract(t *testing.T) {
	for _, bid := range []*big.Int{big.NewInt(1), big.NewInt(7), big.NewInt(1e9 + 7), ether} {
		for _, rate := range []uint16{1, 656, 1966, 32768, 65535} {
			for _, pieces := range []uint32{1, 2, 33, 100, 1000} {
				s := must[protocol.Stakes](t)(protocol.DeriveStakes(bid, pieces, rate, 0.2))
				least := new(big.Int).Mul(bid, big.NewInt(2*int64(pieces)*int64(rate)))
				least.Add(least, big.NewInt(0xffff)).Rsh(least, 16)
				if s.Bond.Cmp(least) < 0 || s.Bond.Cmp(new(big.Int).Lsh(bid, 1)) < 0 {
					t.Errorf("bid %d, rate %d, %d pieces: bond %d, want at least %d", bid, rate, pieces, s.Bond, least)
				}
				// Skipping one of three standard deviations' hits still costs two bids, what its verifiers would.
				n, p := float64(pieces), float64(rate)/65536
				hits := max(1, int64(math.Ceil(n*p+3*math.Sqrt(n*p*(1-p)))))
				if share := new(big.Int).Div(s.Bond, big.NewInt(hits)); share.Cmp(new(big.Int).Lsh(bid, 1)) < 0 {
					t.Errorf("bid %d, rate %d, %d pieces: skipping one of %d costs %d", bid, rate, pieces, hits, share)
				}
			}
		}
	}
}

// With the reserve at hand a client can pay for all checks that its bond covers: p·n of them and three standard deviations.
func TestReservePaysForTheChecks(t *testing.T) {
	for _, seats := range []uint8{2, 3} {
		for _, pieces := range []uint32{1, 10, 33, 100, 1000} {
			s := stakes(t, ether, pieces, 0.03, 0.2)
			reserve := protocol.ReserveRoundedUp(protocol.Terms{Bond: s.Bond, Seats: seats})
			n, p := float64(pieces), 1966.0/65536
			hits := int64(max(1, math.Ceil(n*p+3*math.Sqrt(n*p*(1-p)))))
			want := new(big.Int).Mul(s.VerifierBid, big.NewInt(hits*int64(seats-1)))
			if reserve.Cmp(want) != 0 {
				t.Errorf("%d seats, %d pieces: reserve %d, want %d", seats, pieces, reserve, want)
			}
		}
	}
	if got := protocol.ReserveRoundedUp(protocol.Terms{Bond: big.NewInt(7), Seats: 2}); got.Int64() != 4 {
		t.Errorf("half of 7 wei is %d", got)
	}
}

func TestStakesAreRoundedUpAndLeaveTheBidAlone(t *testing.T) {
	bid := big.NewInt(1)
	s := stakes(t, bid, 1, 0.03, 0.2)
	if s.Fine.Int64() != 41 || s.Bond.Int64() != 2 || s.VerifierBid.Int64() != 1 {
		t.Errorf("at 1 wei: fine %d, bond %d, verifier's bid %d", s.Fine, s.Bond, s.VerifierBid)
	}
	s.VerifierBid.SetInt64(9)
	if bid.Int64() != 1 {
		t.Error("the verifier's bid is the caller's own number")
	}
}

func TestDeriveStakesRefusesNonsense(t *testing.T) {
	for name, try := range map[string]func() (protocol.Stakes, error){
		"no bid":         func() (protocol.Stakes, error) { return protocol.DeriveStakes(nil, 1, 1966, 0.2) },
		"zero bid":       func() (protocol.Stakes, error) { return protocol.DeriveStakes(new(big.Int), 1, 1966, 0.2) },
		"negative bid":   func() (protocol.Stakes, error) { return protocol.DeriveStakes(big.NewInt(-1), 1, 1966, 0.2) },
		"no pieces":      func() (protocol.Stakes, error) { return protocol.DeriveStakes(ether, 0, 1966, 0.2) },
		"no checks":      func() (protocol.Stakes, error) { return protocol.DeriveStakes(ether, 1, 0, 0.2) },
		"all collude":    func() (protocol.Stakes, error) { return protocol.DeriveStakes(ether, 1, 1966, 1) },
		"negative share": func() (protocol.Stakes, error) { return protocol.DeriveStakes(ether, 1, 1966, -0.1) },
		"no number":      func() (protocol.Stakes, error) { return protocol.DeriveStakes(ether, 1, 1966, math.NaN()) },
	} {
		if _, err := try(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
