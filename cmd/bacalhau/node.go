package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
)

func newNodeCommand(a *app) *cobra.Command {
	return newGroup("node", "See compute nodes, and bring this one into the registry",
		&cobra.Command{
			Use:     "list",
			Short:   "List the compute nodes with their stakes and reputation",
			Example: "  bacalhau node list",
			Args:    takesNothing,
			RunE:    func(cmd *cobra.Command, _ []string) error { return a.listNodes(cmd.Context()) },
		},
		newNodeDecisionsCommand(a),
		newNodeDrainCommand(a),
		a.newStakeCommand(),
		a.newNodeVerb("register", "Enter the registry: the node may be given work and may be drawn", (*client.Client).Register),
		a.newNodeVerb("pause", "Keep new work away; what has begun goes on", (*client.Client).Pause),
		a.newNodeVerb("resume", "End a pause", (*client.Client).Resume),
		a.newNodeVerb("exit", "Leave the registry; locked money comes back as the work ends", (*client.Client).Exit),
	)
}

func (a *app) listNodes(ctx context.Context) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	nodes, err := node.Nodes(ctx)
	if err != nil {
		return err
	}
	return a.print(nodes, func(w io.Writer) { printNodes(w, nodes) })
}

func printNodes(w io.Writer, nodes []client.Node) {
	if len(nodes) == 0 {
		fmt.Fprintln(w, "no compute node is registered with the contract")
		return
	}
	t := newTable("NODE", "FREE", "LOCKED", "EXECUTIONS", "SETTLED", "VERIFIED", "DECLINED", "NO-SHOWS", "SLASHED",
		"APPEALS WON", "TAKES WORK", "ENDPOINT")
	for _, n := range nodes {
		takes := "yes"
		if n.Paused {
			takes = "paused"
		}
		t.row(n.Address.Hex(), formatAmount(n.Free), formatAmount(n.Locked), number(n.Executions), number(n.Settled),
			number(n.Verified), number(n.Declined), number(n.NoShows), number(n.Slashed), number(n.AppealsWon), takes,
			orDash(n.Endpoint))
	}
	t.write(w)
}
