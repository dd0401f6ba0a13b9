package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

func newNodeDecisionsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "decisions [JOB]",
		Short: "Show what a compute node made of jobs, and why it did not offer or gave work back",
		Long: "Show what a compute node made of jobs, a line each time that it changed, the oldest first.\n" +
			"The node at --api has to be a compute node. With a job's id, or the beginning of one, only that job is shown.",
		Example: "  bacalhau node decisions\n  bacalhau node decisions 0x3f2a91c0 --output json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			prefix := ""
			if len(args) == 1 {
				var err error
				if prefix, err = idPrefix(args[0]); err != nil {
					return err
				}
			}
			return a.showDecisions(cmd.Context(), prefix)
		},
	}
}

func (a *app) showDecisions(ctx context.Context, prefix string) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	all, err := node.Decisions(ctx, common.Hash{})
	if err != nil {
		return err
	}
	list := []client.Decision{}
	for _, d := range all {
		if strings.HasPrefix(d.Job.Hex()[2:], prefix) {
			list = append(list, d)
		}
	}
	return a.print(list, func(w io.Writer) { printDecisions(w, list) })
}

func printDecisions(w io.Writer, list []client.Decision) {
	if len(list) == 0 {
		fmt.Fprintln(w, "the node has seen no such job")
		return
	}
	t := newTable("TIME", "JOB", "EXECUTION", "VERDICT", "PIECES", "WHY")
	for _, d := range list {
		execution, pieces := "-", "-"
		if d.Execution != (common.Hash{}) {
			execution = shortHash(d.Execution)
		}
		if d.Pieces > 0 {
			pieces = number(d.Pieces)
		}
		t.row(formatTime(d.Time), shortHash(d.Job), execution, d.Verdict, pieces, printable(d.Text))
	}
	t.write(w)
}
