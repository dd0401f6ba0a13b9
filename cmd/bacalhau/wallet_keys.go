package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/internal/seal"
)

// walletReport is a key in the data folder.
type walletReport struct {
	Address common.Address `json:"address"`
}

// newKeyCommand is a command that adds a key to the data folder, where no node need run.
func (a *app) newKeyCommand(name, short string, fromFile bool) *cobra.Command {
	passwordFile := ""
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Long: short + `, as an Ethereum key file in its folder keystore. It is
encrypted with the password of --password-file, $` + envPassword + `, or the terminal;
without any of them with one that is made up and kept beside it.`,
		Example: "  bacalhau wallet new",
		Args:    takesNothing,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if fromFile {
				file = args[0]
			}
			return a.addWallet(cmd.Context(), file, passwordFile)
		},
	}
	if fromFile {
		cmd.Use, cmd.Args, cmd.Example = name+" FILE", takes("the file of the key"), "  bacalhau wallet import key.json"
	}
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with the password for the key")
	return cmd
}

func (a *app) addWallet(ctx context.Context, file, passwordFile string) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	wallet, err := a.addKey(ctx, dir, file, passwordFile)
	if err != nil {
		return err
	}
	return a.print(walletReport{wallet}, func(w io.Writer) {
		fmt.Fprintf(w, "wallet  %s\nfolder  %s\n", wallet, keystoreOf(dir))
	})
}

func (a *app) newWalletListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the keys in the data folder",
		Example: "  bacalhau wallet list",
		Args:    takesNothing,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.dir()
			if err != nil {
				return err
			}
			keys, err := seal.Keys(keystoreOf(dir))
			if err != nil {
				return err
			}
			report := make([]walletReport, len(keys))
			for i, k := range keys {
				report[i].Address = k
			}
			return a.print(report, func(w io.Writer) {
				for _, k := range keys {
					fmt.Fprintln(w, k)
				}
			})
		},
	}
}
