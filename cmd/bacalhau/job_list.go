package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

func newJobListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the jobs of the node's wallet",
		Example: "  bacalhau job list --output json",
		Args:    takesNothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.listJobs(cmd.Context()) },
	}
}

func (a *app) listJobs(ctx context.Context) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	jobs, err := node.Jobs(ctx)
	if err != nil {
		return err
	}
	return a.print(jobs, func(w io.Writer) { printJobs(w, jobs) })
}

func printJobs(w io.Writer, jobs []client.JobSummary) {
	if len(jobs) == 0 {
		fmt.Fprintln(w, "no jobs yet: `bacalhau run` makes one")
		return
	}
	t := newTable("JOB", "CREATED", "STATUS", "PIECES", "COMMITTED", "DELIVERED", "RESULT")
	for _, j := range jobs {
		result := j.Result
		if j.Rejected != "" {
			result = j.Rejected
		}
		t.row(shortHash(j.ID), formatTime(j.Created), string(j.Status),
			number(j.Pieces), number(j.Committed), number(j.Delivered), orDash(result))
	}
	t.write(w)
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
