package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"
)

// cancelReport is what `job cancel --output json` prints.
type cancelReport struct {
	Cancelled common.Hash `json:"cancelled"`
}

func newJobCancelCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "cancel JOB",
		Short:   "Take back the pieces that no node has yet; running ones end normally",
		Example: "  bacalhau job cancel 0x3f2a91c0",
		Args:    takes("a job's id, or the beginning of one"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.cancelJob(cmd.Context(), args[0]) },
	}
}

func (a *app) cancelJob(ctx context.Context, text string) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	id, err := findJob(ctx, node, text)
	if err != nil {
		return err
	}
	if err := node.Cancel(ctx, id); err != nil {
		return err
	}
	return a.print(cancelReport{id}, func(w io.Writer) {
		fmt.Fprintf(w, "job %s takes no more nodes; what is running ends and is paid\n", shortHash(id))
	})
}
