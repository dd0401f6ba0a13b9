package chain

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
)

// GasUsed is the gas that a mined transaction used.
func (c *Client) GasUsed(ctx context.Context, tx common.Hash) (uint64, error) {
	var r *receipt
	if err := c.call(ctx, &r, "eth_getTransactionReceipt", tx); err != nil {
		return 0, err
	}
	if r == nil {
		return 0, fmt.Errorf("the chain has no receipt for transaction %s", tx)
	}
	return uint64(r.GasUsed), nil
}
