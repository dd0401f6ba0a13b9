package market

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// Deploy makes a new market with these parameters, in one transaction for each part and one for itself, and returns its
// address and the receipt of the last one. The sender must be running. The key tells one deployment from the next: with
// the same key a deployment that was interrupted goes on, and one that is finished returns the same contract.
func Deploy(ctx context.Context, sender *chain.Sender, key string, params protocol.Parameters) (common.Address, transport.Receipt, error) {
	build := Compiled()
	var parts []common.Address
	for _, part := range build.Parts {
		address, receipt, err := create(ctx, sender, key+"/"+strings.ToLower(part.Name), part.Hex, params)
		if err != nil {
			return common.Address{}, receipt, err
		}
		parts = append(parts, address)
	}
	return create(ctx, sender, key, build.Market, params, parts...)
}

func create(ctx context.Context, sender *chain.Sender, key, codeHex string, params protocol.Parameters, parts ...common.Address) (common.Address, transport.Receipt, error) {
	code, err := Creation(codeHex, params, parts...)
	if err != nil {
		return common.Address{}, transport.Receipt{}, err
	}
	out, err := sender.Deploy(ctx, key, code)
	if err != nil {
		return common.Address{}, transport.Receipt{}, fmt.Errorf("deploy the market: %w", err)
	}
	receipt := transport.Receipt{Tx: out.Hash, Block: out.Block, GasUsed: out.GasUsed}
	if out.Reverted {
		return common.Address{}, receipt, &transport.RefusedError{
			Method: "constructor", Reason: DecodeError(out.RevertData), Receipt: receipt,
		}
	}
	if out.Contract == (common.Address{}) {
		return common.Address{}, receipt, errors.New("deploy the market: the chain reported no address")
	}
	return out.Contract, receipt, nil
}
