package main

import (
	"context"
	"fmt"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

// newNodeVerb is a command that has the running node do something with its place in the registry.
func (a *app) newNodeVerb(name, short string, do func(*client.Client, context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use:     name,
		Short:   short,
		Example: "  bacalhau node " + name,
		Args:    takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			node, err := a.node()
			if err != nil {
				return err
			}
			if err := do(node, cmd.Context()); err != nil {
				return err
			}
			return a.showWallet(cmd.Context())
		},
	}
}

func (a *app) newStakeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stake [AMOUNT]",
		Short: "Move money from the account into the contract, as the node's stake",
		Long: `Move money from the account into the contract, as the node's stake: what it can lose
if its results are proved wrong. Without an amount it is what is missing to the least
stake that the market asks for.

A node that appeals takes work only while twice the work's fine is free.

` + amountHelp,
		Example: "  bacalhau node stake\n  bacalhau node stake 250eth",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.stake(cmd.Context(), args) },
	}
}

func (a *app) stake(ctx context.Context, args []string) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	amount := new(big.Int)
	if len(args) > 0 {
		if amount, err = parseAmount(args[0]); err != nil {
			return usageError{err}
		}
		if amount.Sign() == 0 {
			return badUsage("the amount is zero: give one such as 0.1eth")
		}
	} else if amount, err = missingStake(ctx, node); err != nil {
		return err
	}
	if amount.Sign() > 0 {
		return a.transfer(ctx, amount, (*client.Client).Deposit)
	}
	return a.showWallet(ctx)
}

// missingStake is what the wallet lacks to the market's least stake, wei.
func missingStake(ctx context.Context, node *client.Client) (*big.Int, error) {
	status, err := node.Status(ctx)
	if err != nil {
		return nil, err
	}
	wallet, err := node.Wallet(ctx)
	if err != nil {
		return nil, err
	}
	missing := new(big.Int).Sub(status.Parameters.MinStake, wallet.Free.Int)
	missing.Sub(missing, wallet.Locked.Int)
	if missing.Sign() < 0 {
		missing.SetInt64(0)
	}
	if missing.Cmp(wallet.Account.Int) > 0 {
		return nil, fmt.Errorf("the stake lacks %s and account %s has %s: send it the rest, and some for transactions",
			formatAmount(client.Wei{Int: missing}), wallet.Address, formatAmount(wallet.Account))
	}
	return missing, nil
}
