package protocol

import (
	"fmt"
	"math"
	"math/big"
)

// CheckRate is the share of pieces to check, in the contract's units of 2^-16, rounded to the nearest.
func CheckRate(share float64) (uint16, error) {
	units := math.Round(share * 65536)
	if !(units >= 1 && units <= 65535) {
		return 0, fmt.Errorf("check rate %v is not between 0 and 1", share)
	}
	return uint16(units), nil
}

// Stakes are the amounts that make cheating a loss, derived for the client from what it pays and how much it checks.
type Stakes struct {
	// Fine F that a node puts up per execution, wei.
	Fine *big.Int
	// Bond that the client puts up per execution, wei.
	Bond *big.Int
	// VerifierBid b′ per checked piece, wei; not below the bid, as the contract demands.
	VerifierBid *big.Int
}

const (
	// fineFloor is the least fine in bids: even where forfeiting an execution's pay deters, a caught cheat must lose.
	fineFloor = 6
	// bondSlack is by how many standard deviations more hits than expected the bond still makes skipping a loss.
	bondSlack = 3
	// bondPerCheck is the bond in verifier's bids per check: skipping a check must cost more than making it.
	bondPerCheck = 2
)

// DeriveStakes computes them for executions of up to count pieces at bid wei each, a check rate in units of 2^-16, and
// an assumed share of nodes that collude (0.2 by default in the client).
//
// A cheat is convicted with probability pd = p·(1 − share)² for a panel without appeal; as an appeal makes it
// p·(1 − share) (protocol.md §6 and §10), the latter is used. Cheating in m of n pieces gains at most m·b and loses
// F + n·b with probability 1 − (1 − pd)^m, so F must exceed m·b / (1 − (1 − pd)^m) − n·b; the worst m is 1 or n.
//
// The bond is what the checks would cost, times bondPerCheck, for what a client saves by skipping a check is b′. The
// contract demands at least 2·b·max(1, p·n), which is less, as b′ ≥ b.
func DeriveStakes(bid *big.Int, count uint32, checkRate uint16, share float64) (Stakes, error) {
	if bid == nil || bid.Sign() <= 0 || count == 0 || checkRate == 0 || !(share >= 0 && share < 1) {
		return Stakes{}, fmt.Errorf("stakes need a bid, a count and a check rate above zero and a colluding share below one")
	}
	p, n := float64(checkRate)/65536, float64(count)
	pd := p * (1 - share)
	inBids := func(m float64) float64 { return m/(1-math.Pow(1-pd, m)) - n }
	fine := max(inBids(1), inBids(n), fineFloor)
	hits := n*p + bondSlack*math.Sqrt(n*p*(1-p))
	verifierBid := new(big.Int).Set(bid)
	return Stakes{
		Fine:        timesRoundedUp(bid, fine),
		Bond:        timesRoundedUp(verifierBid, bondPerCheck*max(1, math.Ceil(hits))),
		VerifierBid: verifierBid,
	}, nil
}

// ReserveRoundedUp is what a client keeps free for the checks of one execution until the dice are known, wei: the price
// of the checks that the bond covers, for every seat but the first.
func ReserveRoundedUp(t Terms) *big.Int {
	reserve := new(big.Int).Mul(t.Bond, big.NewInt(int64(t.Seats)-1))
	return reserve.Add(reserve, big.NewInt(bondPerCheck-1)).Div(reserve, big.NewInt(bondPerCheck))
}

// timesRoundedUp is amount × factor, with the factor taken up to the next thousandth.
func timesRoundedUp(amount *big.Int, factor float64) *big.Int {
	thousandths := big.NewInt(int64(math.Ceil(factor * 1000)))
	product := new(big.Int).Mul(amount, thousandths)
	return product.Add(product, big.NewInt(999)).Div(product, big.NewInt(1000))
}
