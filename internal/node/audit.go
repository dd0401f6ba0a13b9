package node

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// auditAttempts is how often the books are read anew because a block came in between.
const auditAttempts = 20

// Audit adds up everybody's money in the contract and compares it with what the contract has.
func (b backend) Audit(ctx context.Context) (client.Audit, error) {
	for range auditAttempts {
		before, err := b.chain.HeadPoint(ctx)
		if err != nil {
			return client.Audit{}, err
		}
		a, err := b.addUp(ctx)
		if err != nil {
			return client.Audit{}, err
		}
		after, err := b.chain.HeadPoint(ctx)
		if err != nil {
			return client.Audit{}, err
		}
		if before.Hash == after.Hash {
			a.Block = after.Number
			return a, nil
		}
	}
	return client.Audit{}, errors.New("blocks come faster than the books can be read")
}

func (b backend) addUp(ctx context.Context) (a client.Audit, err error) {
	var wallets []common.Address
	b.feed.Read(func(v *protocol.View) {
		for w := range v.Wallets {
			wallets = append(wallets, w)
		}
	})
	free, locked := new(big.Int), new(big.Int)
	for _, owner := range wallets {
		w, err := b.market.Wallet(ctx, owner)
		if err != nil {
			return a, err
		}
		free.Add(free, w.Free)
		locked.Add(locked, w.Locked)
	}
	burned, err := b.market.Burned(ctx)
	if err != nil {
		return a, err
	}
	balance, err := b.chain.Balance(ctx, b.cfg.Contract)
	if err != nil {
		return a, err
	}
	sum := new(big.Int).Add(free, locked)
	sum.Add(sum, burned)
	return client.Audit{
		Wallets: len(wallets), Balance: client.Wei{Int: balance}, Free: client.Wei{Int: free},
		Locked: client.Wei{Int: locked}, Burned: client.Wei{Int: burned}, Conserved: sum.Cmp(balance) == 0,
	}, nil
}
