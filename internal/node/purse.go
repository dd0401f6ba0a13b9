package node

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/protocol"
)

// sharedPurse is the chain as the compute node sees it that shares a wallet with a requester node: what the requester
// may need for checks is not free to be put up as fines.
type sharedPurse struct {
	agent.Chain
	self     common.Address
	reserved func() *big.Int
}

func (p sharedPurse) Wallet(ctx context.Context, owner common.Address) (protocol.Wallet, error) {
	w, err := p.Chain.Wallet(ctx, owner)
	if err != nil || owner != p.self {
		return w, err
	}
	kept := p.reserved()
	if kept.Cmp(w.Free) > 0 {
		kept = w.Free
	}
	w.Free, w.Locked = new(big.Int).Sub(w.Free, kept), new(big.Int).Add(w.Locked, kept)
	return w, nil
}
