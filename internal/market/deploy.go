package market

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// Deploy makes a new market with these parameters, in four transactions, and returns its address and the receipt of the
// last one. The sender must be running. The key tells one deployment from the next: with the same key a deployment that
// was interrupted goes on, and one that is finished returns the same contract.
func Deploy(ctx context.Context, sender *chain.Sender, key string, params protocol.Parameters) (common.Address, transport.Receipt, error) {
	verifications, receipt, err := create(ctx, sender, key+"/verifications", verificationsHex, params)
	if err != nil {
		return common.Address{}, receipt, err
	}
	disputes, receipt, err := create(ctx, sender, key+"/disputes", disputesHex, params)
	if err != nil {
		return common.Address{}, receipt, err
	}
	appeals, receipt, err := create(ctx, sender, key+"/appeals", appealsHex, params)
	if err != nil {
		return common.Address{}, receipt, err
	}
	return create(ctx, sender, key, marketHex, params, verifications, disputes, appeals)
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
