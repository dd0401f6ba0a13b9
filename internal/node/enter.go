package node

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/filecoin-project/bacalhau/protocol"
)

// enter brings the wallet into the contract, as far as it is told to: a deposit when it is empty, and a compute node
// into the registry. The endpoint is announced in any case. Each step is taken only if the chain lacks it, so that it may
// be interrupted anywhere.
func (n *Node) enter(ctx context.Context) error {
	if err := n.caughtUp(ctx); err != nil {
		return err
	}
	wallet, err := n.market.Wallet(ctx, n.self)
	if err != nil {
		return err
	}
	if !n.cfg.Enter {
		if err := n.tellWhatIsMissing(ctx, wallet); err != nil {
			return err
		}
		return n.announceWhenPaid(ctx)
	}
	if n.cfg.Deposit != nil && wallet.Free.Sign() == 0 && wallet.Locked.Sign() == 0 {
		if _, err := n.market.Deposit(ctx, "deposit:initial", n.cfg.Deposit); err != nil {
			return fmt.Errorf("first deposit of wallet %s: %w", n.self, err)
		}
	}
	if err := n.announce(ctx); err != nil {
		return err
	}
	if n.compute != nil {
		return n.register(ctx)
	}
	return nil
}

// tellWhatIsMissing logs what keeps the node from working that its owner can mend.
func (n *Node) tellWhatIsMissing(ctx context.Context, w protocol.Wallet) error {
	account, err := n.chain.Balance(ctx, n.self)
	if err != nil {
		return err
	}
	has, p := new(big.Int).Add(w.Free, w.Locked), n.market.Deployed()
	if account.Sign() == 0 {
		n.cfg.Log.Warn("the wallet's account is empty, and no transaction goes without money: send it some of the chain's token",
			"wallet", n.self)
	}
	switch {
	case n.compute != nil && has.Cmp(p.MinStake) < 0:
		n.cfg.Log.Warn("the node gets no work before it has its stake: run bacalhau node stake, then bacalhau node register",
			"wallet", n.self, "stakeWei", p.MinStake, "missingWei", new(big.Int).Sub(p.MinStake, has))
	case n.compute != nil && !w.Registered:
		n.cfg.Log.Warn("the node gets no work before it is registered: run bacalhau node register", "wallet", n.self)
	}
	if n.requester != nil && w.Free.Cmp(p.MinDeposit) <= 0 {
		n.cfg.Log.Warn("no job can be paid: run bacalhau wallet deposit", "wallet", n.self, "freeWei", w.Free)
	}
	return nil
}

// announceWhenPaid announces as soon as the account can pay for it.
func (n *Node) announceWhenPaid(ctx context.Context) error {
	for pause := firstDialPause; ; pause = min(2*pause, lastDialPause) {
		err := n.announce(ctx)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		n.cfg.Log.Warn("others do not know yet where this node serves data, trying again", "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// announce tells others where the node serves data, unless they know.
func (n *Node) announce(ctx context.Context) error {
	var endpoint string
	var head protocol.Block
	n.feed.Read(func(v *protocol.View) { endpoint, head = v.Endpoints[n.self], v.Head })
	url := n.URL()
	if endpoint == url {
		return nil
	}
	_, err := n.market.Send(ctx, fmt.Sprintf("announce:%d:%s", head.Number, url), protocol.Announce{URL: url})
	return err
}

// register enters the registry, unless the node is in it.
func (n *Node) register(ctx context.Context) error {
	var registered bool
	var head protocol.Block
	n.feed.Read(func(v *protocol.View) { registered, head = v.Nodes[n.self], v.Head })
	if registered {
		return nil
	}
	_, err := n.market.Send(ctx, fmt.Sprintf("register:%d", head.Number), protocol.Register{})
	return err
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
