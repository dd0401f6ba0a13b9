package plan

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Policy is what a compute node takes and what it asks for it.
type Policy struct {
	// MinBid per piece, wei.
	MinBid *big.Int
	// MinFuelPrice in wei per unit of fuel. The bid is a cap, so it has to cover the fuel limit at this price as well.
	MinFuelPrice *big.Int
	// InputPrice in wei per GiB of a piece's inputs that the node would have to fetch; nil for nothing. What it holds is
	// free.
	InputPrice *big.Int
	// Limits of what a job may ask for.
	Limits Limits
	// LocalOnly takes only jobs whose inputs are all here.
	LocalOnly bool
	// Allow lists the only clients that are served, if it lists any; Deny those that are not.
	Allow, Deny []common.Address
	// MaxPieces to hold at once, over all executions and standing offers.
	MaxPieces uint32
	// FuelShare of the fuel limit that a piece is expected to use while nobody has committed to results of its job, above
	// 0 and up to 1; 0 is 1, which is the careful one. Work that turns out to be longer is declined, or costs the no-show
	// fee.
	FuelShare float64
	// OfferSeconds is how long an offer stands.
	OfferSeconds uint64
	// Appeals says whether the node appeals against a verdict that its result is wrong.
	Appeals bool
	// Grace before doing what others profit from more, seconds.
	Grace uint64
}

// Limits bound what a job may ask of a node; 0 is no bound.
type Limits struct {
	// Of one piece, bytes and fuel.
	MemoryBytes uint64
	Fuel        uint64
	OutputBytes uint64
	InputBytes  uint64
	// JobPieces of one job: its spec is read whole.
	JobPieces uint32
	// The time that a node has for its pieces, seconds.
	MinExecuteSeconds uint32
	MaxExecuteSeconds uint32
}

// Check says what is wrong with a policy.
func (p Policy) Check() error {
	switch {
	case p.MinBid == nil || p.MinBid.Sign() < 0:
		return errors.New("policy: the least bid is missing or negative")
	case p.MinFuelPrice == nil || p.MinFuelPrice.Sign() < 0:
		return errors.New("policy: the least fuel price is missing or negative")
	case p.InputPrice != nil && p.InputPrice.Sign() < 0:
		return errors.New("policy: the price of inputs is negative")
	case p.FuelShare < 0 || p.FuelShare > 1:
		return fmt.Errorf("policy: %v is not a share of the fuel limit, which is from 0 to 1", p.FuelShare)
	case p.Limits.MaxExecuteSeconds != 0 && p.Limits.MinExecuteSeconds > p.Limits.MaxExecuteSeconds:
		return fmt.Errorf("policy: the shortest time for an execution, %d s, exceeds the longest, %d s",
			p.Limits.MinExecuteSeconds, p.Limits.MaxExecuteSeconds)
	case p.OfferSeconds == 0:
		return errors.New("policy: offers have to stand for a time")
	}
	return nil
}

// refusesTerms finds what in a job's terms does not suit the policy.
func (p Policy) refusesTerms(t protocol.Terms) *Decision {
	l := p.Limits
	switch {
	case slices.Contains(p.Deny, t.Client):
		return because(ReasonClientDenied)
	case len(p.Allow) > 0 && !slices.Contains(p.Allow, t.Client):
		return because(ReasonClientNotAllowed)
	case t.Bid.Cmp(p.MinBid) < 0:
		return tooLittle(ReasonBid, t.Bid, p.MinBid)
	case t.FuelPrice.Sign() > 0 && t.FuelPrice.Cmp(p.MinFuelPrice) < 0:
		return tooLittle(ReasonFuelPrice, t.FuelPrice, p.MinFuelPrice)
	case l.JobPieces != 0 && t.Pieces > l.JobPieces:
		return exceeds(ReasonJobPieces, uint64(t.Pieces), uint64(l.JobPieces))
	case t.ExecuteWindow < l.MinExecuteSeconds:
		return exceeds(ReasonWindowShort, uint64(t.ExecuteWindow), uint64(l.MinExecuteSeconds))
	case l.MaxExecuteSeconds != 0 && t.ExecuteWindow > l.MaxExecuteSeconds:
		return exceeds(ReasonWindowLong, uint64(t.ExecuteWindow), uint64(l.MaxExecuteSeconds))
	}
	return nil
}

// RefusesSpec finds what in a job's terms and limits does not suit the policy, before module and inputs are looked at.
func (p Policy) RefusesSpec(t protocol.Terms, spec protocol.Limits) *Decision {
	l := p.Limits
	switch asked := p.asks(spec, 0); {
	case l.MemoryBytes != 0 && spec.MemoryBytes > l.MemoryBytes:
		return exceeds(ReasonMemory, spec.MemoryBytes, l.MemoryBytes)
	case l.Fuel != 0 && spec.Fuel > l.Fuel:
		return exceeds(ReasonFuel, spec.Fuel, l.Fuel)
	case l.OutputBytes != 0 && spec.OutputBytes > l.OutputBytes:
		return exceeds(ReasonOutput, spec.OutputBytes, l.OutputBytes)
	case t.Bid.Cmp(asked) < 0:
		return tooLittle(ReasonBidForFuel, t.Bid, asked)
	}
	return nil
}

// refusesInputs finds what about a job's inputs does not suit the policy.
func (p Policy) refusesInputs(t protocol.Terms, s SpecFacts) *Decision {
	l := p.Limits
	switch asked := p.asks(s.Limits, s.MissingBytes); {
	case l.InputBytes != 0 && s.InputBytes > l.InputBytes:
		return exceeds(ReasonInput, s.InputBytes, l.InputBytes)
	case p.LocalOnly && s.MissingBytes > 0:
		return exceeds(ReasonNotLocal, s.MissingBytes, 0)
	case t.Bid.Cmp(asked) < 0:
		return tooLittle(ReasonBidForInputs, t.Bid, asked)
	}
	return nil
}

// asks is the node's price for a piece, wei: all the fuel that it may use, and the inputs that have to be fetched. What a
// piece shares with others is in the price of each, for the node may get only one.
func (p Policy) asks(l protocol.Limits, missingBytes uint64) *big.Int {
	price := new(big.Int).Mul(p.MinFuelPrice, new(big.Int).SetUint64(l.Fuel))
	if p.InputPrice == nil {
		return price
	}
	const gib = 1 << 30
	inputs := new(big.Int).Mul(p.InputPrice, new(big.Int).SetUint64(missingBytes))
	inputs.Add(inputs, big.NewInt(gib-1)) // rounded up
	return price.Add(price, inputs.Rsh(inputs, 30))
}
