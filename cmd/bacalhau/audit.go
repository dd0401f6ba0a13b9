package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

func newAuditCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "audit",
		Short: "Compare the contract's balance with everybody's money in it",
		Long: `Read every wallet in the contract and what was burned, and compare the sum with
the contract's balance. Exit code 3 if they differ.`,
		Example: "  bacalhau audit",
		Args:    takesNothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.audit(cmd.Context()) },
	}
}

func (a *app) audit(ctx context.Context) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	books, err := node.Audit(ctx)
	if err != nil {
		return err
	}
	if err := a.print(books, func(w io.Writer) { printAudit(w, books) }); err != nil {
		return err
	}
	if !books.Conserved {
		return workError{errors.New("the contract's balance is not what its wallets and burned money add up to")}
	}
	return nil
}

func printAudit(w io.Writer, a client.Audit) {
	fmt.Fprintf(w, "block    %d\nbalance  %s\nfree     %s\nlocked   %s\nburned   %s\nwallets  %d\n",
		a.Block, formatAmount(a.Balance), formatAmount(a.Free), formatAmount(a.Locked), formatAmount(a.Burned), a.Wallets)
	if a.Conserved {
		fmt.Fprintln(w, "balance = free + locked + burned")
	}
}
