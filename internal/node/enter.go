package node

import (
	"context"
	"fmt"

	"github.com/filecoin-project/bacalhau/protocol"
)

// enter brings the wallet into the contract: a deposit when it is empty, the endpoint when it is new, and a compute
// node into the registry. Each step is taken only if the chain lacks it, so that it may be interrupted anywhere.
func (n *Node) enter(ctx context.Context) error {
	if err := n.caughtUp(ctx); err != nil {
		return err
	}
	wallet, err := n.market.Wallet(ctx, n.self)
	if err != nil {
		return err
	}
	if n.cfg.Deposit != nil && wallet.Free.Sign() == 0 && wallet.Locked.Sign() == 0 {
		if _, err := n.market.Deposit(ctx, "deposit:initial", n.cfg.Deposit); err != nil {
			return fmt.Errorf("first deposit of wallet %s: %w", n.self, err)
		}
	}
	var registered bool
	var endpoint string
	var head protocol.Block
	n.feed.Read(func(v *protocol.View) { registered, endpoint, head = v.Nodes[n.self], v.Endpoints[n.self], v.Head })
	if url := n.URL(); endpoint != url {
		key := fmt.Sprintf("announce:%d:%s", head.Number, url)
		if _, err := n.market.Send(ctx, key, protocol.Announce{URL: url}); err != nil {
			return err
		}
	}
	if n.compute != nil && !registered {
		if _, err := n.market.Send(ctx, fmt.Sprintf("register:%d", head.Number), protocol.Register{}); err != nil {
			return err
		}
	}
	return nil
}

// caughtUp waits until the view has been up with the chain.
func (n *Node) caughtUp(ctx context.Context) error {
	for {
		changed := n.feed.Changed()
		if n.feed.Ready() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
