package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"reflect"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Caller runs a read-only call on the state of the newest block.
type Caller interface {
	Call(ctx context.Context, to common.Address, data []byte) ([]byte, error)
}

// Reader asks the contract at one address. It is as safe for concurrent use as its Caller.
type Reader struct {
	caller Caller
	market common.Address
}

// NewReader asks the contract at address market.
func NewReader(caller Caller, market common.Address) *Reader {
	return &Reader{caller: caller, market: market}
}

// Market is the contract's address.
func (r *Reader) Market() common.Address { return r.market }

// Wallet returns what the owner has in the contract, wei.
func (r *Reader) Wallet(ctx context.Context, owner common.Address) (protocol.Wallet, error) {
	return ask[protocol.Wallet](ctx, r, "wallet", owner)
}

// Nodes returns the registry, in no particular order.
func (r *Reader) Nodes(ctx context.Context) ([]common.Address, error) {
	return ask[[]common.Address](ctx, r, "nodes")
}

// Parameters returns what the contract was deployed with.
func (r *Reader) Parameters(ctx context.Context) (protocol.Parameters, error) {
	return ask[protocol.Parameters](ctx, r, "parameters")
}

// Burned returns the wei that were burned so far.
func (r *Reader) Burned(ctx context.Context) (*big.Int, error) {
	return ask[*big.Int](ctx, r, "burned")
}

// JobID returns the id of the job with these terms, whether it exists or not.
func (r *Reader) JobID(ctx context.Context, terms protocol.Terms) (common.Hash, error) {
	return ask[common.Hash](ctx, r, "jobId", terms)
}

// OfferDigest returns what a node signs to make the offer.
func (r *Reader) OfferDigest(ctx context.Context, offer protocol.Offer) (common.Hash, error) {
	return ask[common.Hash](ctx, r, "offerDigest", offer)
}

// Frontier returns 1 + the index of the job's first piece that was never assigned, or 0 if there is none or no job.
func (r *Reader) Frontier(ctx context.Context, job common.Hash) (uint32, error) {
	return ask[uint32](ctx, r, "frontier", job)
}

// ExecutionHash returns the hash of an execution's record, or zero.
func (r *Reader) ExecutionHash(ctx context.Context, execution common.Hash) (common.Hash, error) {
	return ask[common.Hash](ctx, r, "executionHash", execution)
}

// SeatHash returns the hash of a drawn seat's record, or zero.
func (r *Reader) SeatHash(ctx context.Context, execution common.Hash, number uint8) (common.Hash, error) {
	return ask[common.Hash](ctx, r, "seatHash", execution, number)
}

// ask calls a view function with one result of type T.
func ask[T any](ctx context.Context, r *Reader, method string, arguments ...any) (T, error) {
	var answer struct{ Value T }
	m := contract().Methods[method]
	for i, argument := range m.Inputs {
		if err := check(argument.Type, reflect.ValueOf(arguments[i])); err != nil {
			return answer.Value, fmt.Errorf("%s: %s: %w", method, argument.Name, err)
		}
	}
	data, err := m.Inputs.Pack(arguments...)
	if err != nil {
		return answer.Value, fmt.Errorf("%s: %w", method, err)
	}
	output, err := r.caller.Call(ctx, r.market, append(m.ID[:selectorLength:selectorLength], data...))
	if err != nil {
		return answer.Value, fmt.Errorf("%s: %w", method, err)
	}
	if len(output) == 0 {
		return answer.Value, fmt.Errorf("%s: %w", method, r.noContract())
	}
	if err := wholeOf(m.Outputs).unpack(output, reflect.ValueOf(&answer).Elem()); err != nil {
		return answer.Value, fmt.Errorf("%s: the contract at %s is not this version's market: %w", method, r.market, err)
	}
	return answer.Value, nil
}

func (r *Reader) noContract() error {
	return errors.New("no contract at " + r.market.Hex() + "; check the chain and the market's address")
}
