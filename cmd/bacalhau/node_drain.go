package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

func newNodeDrainCommand(a *app) *cobra.Command {
	wait := false
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Have a compute node finish its work and take no more",
		Long: `Have a compute node finish what it has begun, give back what it has not, and take no
more work until it is started again. Call it again to see how much is left, or have
it wait until nothing is; verifiers are still drawn unless the node is paused.

The node goes on running. What it has committed to it serves, and may have to prove,
until its locked money is free: see bacalhau wallet show.`,
		Example: "  bacalhau node drain\n  bacalhau node drain --wait",
		Args:    takesNothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.drain(cmd.Context(), wait) },
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "return once all work is committed to and no offer can be accepted any more")
	return cmd
}

func (a *app) drain(ctx context.Context, wait bool) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	left, err := node.Drain(ctx)
	if err != nil {
		return err
	}
	p := a.progress()
	defer p.clear()
	for wait && left != (client.Draining{}) {
		p.step("%s", stillLeft(left))
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: the node still takes no more work, %s", errInterrupted, stillLeft(left))
		case <-time.After(a.poll):
		}
		if left, err = node.Drain(ctx); err != nil {
			return err
		}
	}
	p.clear()
	return a.print(left, func(w io.Writer) {
		fmt.Fprintf(w, "the node takes no more work until it is started again; %s\n", stillLeft(left))
	})
}

func stillLeft(d client.Draining) string {
	var left []string
	if d.Pieces > 0 {
		left = append(left, plural(int(d.Pieces), "piece")+" to finish")
	}
	if d.Offers > 0 {
		left = append(left, plural(int(d.Offers), "offer")+" to run out")
	}
	return "left: " + cmp.Or(strings.Join(left, ", "), "nothing")
}
