package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// fees are EIP-1559 prices in wei per gas.
type fees struct{ tip, cap *big.Int }

// fees proposes prices for a transaction sent on top of head: room for the base fee
// to double before it is stuck. Only the price of the block is paid in the end.
func (c *Client) fees(ctx context.Context, head *block) (fees, error) {
	if head.BaseFee == nil {
		return fees{}, errors.New("the chain has no base fee: a chain with EIP-1559 is needed")
	}
	var tip hexutil.Big
	if err := c.call(ctx, &tip, "eth_maxPriorityFeePerGas"); err != nil {
		return fees{}, err
	}
	t := tip.ToInt()
	if t.Sign() == 0 {
		t = big.NewInt(1)
	}
	max := new(big.Int).Lsh(head.BaseFee.ToInt(), 1)
	return fees{tip: t, cap: max.Add(max, t)}, nil
}

// bumped raises old by 1/8, more than the 10 % that pools ask of a replacement, and to
// the going rate if that is higher.
func (old fees) bumped(going fees) fees {
	return fees{tip: raised(old.tip, going.tip), cap: raised(old.cap, going.cap)}
}

func raised(old, going *big.Int) *big.Int {
	up := new(big.Int).Rsh(old, 3)
	up.Add(up, old).Add(up, big.NewInt(1))
	if up.Cmp(going) < 0 {
		return new(big.Int).Set(going)
	}
	return up
}

// generous reports whether old already offers eight times the going rate: then price is not
// what keeps a transaction waiting, and raising it further would only waste money.
func (old fees) generous(going fees) bool {
	return old.tip.Cmp(new(big.Int).Lsh(going.tip, 3)) > 0 && old.cap.Cmp(new(big.Int).Lsh(going.cap, 3)) > 0
}

// checkLimit refuses prices above the limit; nil is no limit.
func (f fees) checkLimit(limit *big.Int) error {
	if limit != nil && f.cap.Cmp(limit) > 0 {
		return fmt.Errorf("gas would cost up to %s wei, above the configured limit of %s wei: wait, or raise the limit", f.cap, limit)
	}
	return nil
}

// evmTxGasCap is the most gas that one transaction may ask for since the Osaka fork.
const evmTxGasCap = 1 << 24

// gasMargin adds a quarter to an estimate: other transactions may change the state
// before this one runs. The margin never lifts a transaction over a limit that the estimate respects.
func gasMargin(estimate, blockLimit uint64) uint64 {
	gas := estimate + estimate/4
	for _, limit := range []uint64{evmTxGasCap, blockLimit} {
		if estimate <= limit && gas > limit {
			gas = limit
		}
	}
	return gas
}
