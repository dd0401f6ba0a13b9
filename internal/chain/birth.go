package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Birth returns the number of the block that made the contract at addr, which has code now. It asks for the code in
// some twenty past blocks; nodes that have forgotten the past answer with an error.
func (c *Client) Birth(ctx context.Context, addr common.Address) (uint64, error) {
	first, last, err := uint64(0), uint64(0), error(nil) // the birth is in [first, last]
	if last, err = c.headNumber(ctx); err != nil {
		return 0, err
	}
	for first < last {
		mid := first + (last-first)/2
		b, err := c.blockAtOrBelow(ctx, mid, first)
		if errors.Is(err, errNoBlock) { // null rounds only
			first = mid + 1
			continue
		}
		if err != nil {
			return 0, err
		}
		var code hexutil.Bytes
		if err := c.call(ctx, &code, "eth_getCode", addr, b.Number); err != nil {
			return 0, fmt.Errorf("at block %d: %w", b.Number, err)
		}
		if len(code) > 0 {
			last = uint64(b.Number)
		} else {
			first = mid + 1
		}
	}
	return last, nil
}
