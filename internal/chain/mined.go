package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// ErrNotMined says that the chain does not have a transaction, or not any more.
var ErrNotMined = errors.New("the chain has no such transaction")

// Mined is a transaction that is on the chain.
type Mined struct {
	Input   []byte // the call's data
	GasUsed uint64 // gas
}

// Mined returns a transaction that the chain has, or ErrNotMined.
func (c *Client) Mined(ctx context.Context, hash common.Hash) (Mined, error) {
	var tx *struct {
		Input hexutil.Bytes `json:"input"`
	}
	if err := c.call(ctx, &tx, "eth_getTransactionByHash", hash); err != nil {
		return Mined{}, err
	}
	var r *receipt
	if err := c.call(ctx, &r, "eth_getTransactionReceipt", hash); err != nil {
		return Mined{}, err
	}
	if tx == nil || r == nil {
		return Mined{}, fmt.Errorf("%w: %s", ErrNotMined, hash)
	}
	return Mined{Input: tx.Input, GasUsed: uint64(r.GasUsed)}, nil
}
