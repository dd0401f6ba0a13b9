package main

import (
	"context"
	"fmt"
	"io"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

const amountHelp = `Amounts are in wei, or have a unit: 1000, 5gwei, 0.1eth. The chain's token is
called fil on Filecoin; eth, fil and token all mean 10^18 wei.`

func newWalletCommand(a *app) *cobra.Command {
	return newGroup("wallet", "See and move the money of the node's wallet, and keep its keys",
		&cobra.Command{
			Use:     "show",
			Short:   "Show the money in the contract and on the account outside of it",
			Example: "  bacalhau wallet show",
			Args:    takesNothing,
			RunE:    func(cmd *cobra.Command, _ []string) error { return a.showWallet(cmd.Context()) },
		},
		a.newTransferCommand("deposit", "Move money from the account into the contract", (*client.Client).Deposit),
		a.newTransferCommand("withdraw", "Move free money from the contract to the account", (*client.Client).Withdraw),
		a.newPayCommand(),
		a.newKeyCommand("new", "Make a new key in the data folder", false),
		a.newKeyCommand("import", "Take a key from an Ethereum key file, or a file of 64 hexadecimal digits", true),
		a.newWalletListCommand(),
	)
}

func (a *app) newPayCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pay ADDRESS AMOUNT",
		Short: "Send money of the account to another account",
		Long: `Send money of the account to another account, without the contract. The node that
runs an embedded chain has all of its money at first and gives of it this way.

` + amountHelp,
		Example: "  bacalhau wallet pay 0x52908400098527886E0F7030069857D2E4169EE7 10eth",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 || !common.IsHexAddress(args[0]) {
				return badUsage("give an address and an amount: %s", cmd.UseLine())
			}
			amount, err := parseAmount(args[1])
			if err != nil {
				return usageError{err}
			}
			return a.transfer(cmd.Context(), amount, func(c *client.Client, ctx context.Context, amount *big.Int) error {
				return c.Pay(ctx, common.HexToAddress(args[0]), amount)
			})
		},
	}
}

type transfer func(c *client.Client, ctx context.Context, amount *big.Int) error

func (a *app) newTransferCommand(name, short string, move transfer) *cobra.Command {
	return &cobra.Command{
		Use:     name + " AMOUNT",
		Short:   short,
		Long:    short + ".\n\n" + amountHelp,
		Example: "  bacalhau wallet " + name + " 0.1eth",
		Args:    takes("an amount, such as 0.1eth"),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := parseAmount(args[0])
			if err != nil {
				return usageError{err}
			}
			if amount.Sign() == 0 {
				return badUsage("the amount is zero: give one such as 0.1eth")
			}
			return a.transfer(cmd.Context(), amount, move)
		},
	}
}

// transfer moves money and shows what is where afterwards.
func (a *app) transfer(ctx context.Context, amount *big.Int, move transfer) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	if err := move(node, ctx, amount); err != nil {
		return err
	}
	return a.showWallet(ctx)
}

func (a *app) showWallet(ctx context.Context) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	wallet, err := node.Wallet(ctx)
	if err != nil {
		return err
	}
	return a.print(wallet, func(w io.Writer) {
		fmt.Fprintf(w, "wallet   %s\nfree     %s\nlocked   %s\naccount  %s (outside of the contract)\nnode     %s\n",
			wallet.Address, formatAmount(wallet.Free), formatAmount(wallet.Locked), formatAmount(wallet.Account), standing(wallet))
	})
}

// standing is what the registry of compute nodes has about a wallet.
func standing(wallet client.Wallet) string {
	switch {
	case !wallet.Registered:
		return "not registered"
	case wallet.Paused:
		return "registered, paused"
	}
	return "registered"
}
