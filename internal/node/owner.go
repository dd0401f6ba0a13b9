package node

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
)

func (b backend) Deposit(ctx context.Context, amount *big.Int) error {
	key, err := b.onceKey("deposit")
	if err != nil {
		return err
	}
	_, err = b.market.Deposit(ctx, key, amount)
	return lacking(err)
}

func (b backend) Withdraw(ctx context.Context, amount *big.Int) error {
	return b.once(ctx, "withdraw", protocol.Withdraw{Amount: amount})
}

// Pay sends money of the account to another one, without the contract.
func (b backend) Pay(ctx context.Context, to common.Address, amount *big.Int) error {
	key, err := b.onceKey("pay")
	if err != nil {
		return err
	}
	out, err := b.sender.Send(ctx, chain.Intent{Key: key, To: to, Value: amount})
	if err == nil && out.Reverted {
		return api.BadRequest{Err: fmt.Errorf("%s is a contract that does not take the money", to)}
	}
	return lacking(err)
}

// Register enters the registry; the stake must be there.
func (b backend) Register(ctx context.Context) error {
	wallet, err := b.market.Wallet(ctx, b.self)
	if err != nil {
		return err
	}
	stake, has := b.market.Deployed().MinStake, new(big.Int).Add(wallet.Free, wallet.Locked)
	switch {
	case b.compute == nil:
		return api.BadRequest{Err: errors.New("this is not a compute node: who is registered and does not work is fined; serve it with --compute")}
	case b.compute.Retired():
		return errRetired
	case wallet.Registered:
		return api.BadRequest{Err: errors.New("the node is registered already")}
	case has.Cmp(stake) < 0:
		return api.InsufficientFunds{Err: fmt.Errorf(
			"a registered node has a stake of %s wei in the contract, and this one has %s: add %s wei with `bacalhau node stake`",
			stake, has, new(big.Int).Sub(stake, has))}
	}
	return b.once(ctx, "register", protocol.Register{})
}

// errRetired is the answer to who wants work for a node that takes none.
var errRetired = api.BadRequest{Err: errors.New("the node takes no more work since `bacalhau node drain`: start it again first")}

// Pause keeps new work away. What has begun goes on.
func (b backend) Pause(ctx context.Context) error {
	wallet, err := b.registered(ctx)
	switch {
	case err != nil:
		return err
	case wallet.Paused:
		return api.BadRequest{Err: errors.New("the node is paused already: `bacalhau node resume` ends the pause")}
	}
	return b.once(ctx, "pause", protocol.Pause{})
}

// Resume ends a pause.
func (b backend) Resume(ctx context.Context) error {
	wallet, err := b.registered(ctx)
	switch {
	case err != nil:
		return err
	case !wallet.Paused:
		return api.BadRequest{Err: errors.New("the node is not paused")}
	case b.compute != nil && b.compute.Retired():
		return errRetired
	}
	return b.once(ctx, "resume", protocol.Resume{})
}

// Exit leaves the registry. What has begun goes on.
func (b backend) Exit(ctx context.Context) error {
	if _, err := b.registered(ctx); err != nil {
		return err
	}
	return b.once(ctx, "exit", protocol.Exit{})
}

// registered is the node's wallet if it is in the registry.
func (b backend) registered(ctx context.Context) (protocol.Wallet, error) {
	wallet, err := b.market.Wallet(ctx, b.self)
	if err == nil && !wallet.Registered {
		err = api.BadRequest{Err: errors.New("the node is not registered: `bacalhau node register` enters the registry")}
	}
	return wallet, err
}

// once makes a call that is like no other, however often it was made before.
func (b backend) once(ctx context.Context, what string, call protocol.Call) error {
	key, err := b.onceKey(what)
	if err != nil {
		return err
	}
	_, err = b.market.Send(ctx, key, call)
	return lacking(err)
}

// onceKey names a transaction that is like no other.
func (b backend) onceKey(what string) (string, error) {
	nonce, err := b.store.NextNonce()
	return fmt.Sprintf("%s:%d", what, nonce), err
}

// lacking tells an account that cannot pay from the node's own troubles.
func lacking(err error) error {
	if errors.Is(err, chain.ErrNoFunds) {
		return api.InsufficientFunds{Err: err}
	}
	return err
}
