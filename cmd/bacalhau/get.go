package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/protocol"
)

// gotReport is what `get --output json` prints.
type gotReport struct {
	CID string `json:"cid"`
	Out string `json:"out"`
}

func newGetCommand(a *app) *cobra.Command {
	var out string
	var providers []string
	cmd := &cobra.Command{
		Use:   "get JOB|CID",
		Short: "Fetch the outputs of a job, or any data by its CID",
		Example: `  bacalhau get 0x3f2a91c0
  bacalhau get bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi --out books`,
		Args: takes("a job's id or a CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.get(cmd.Context(), args[0], out, providers)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "where to write to, which must not exist (default ./bacalhau-<job>, or ./<CID>)")
	cmd.Flags().StringArrayVar(&providers, "provider", nil, providerHelp)
	return cmd
}

func (a *app) get(ctx context.Context, what, out string, providers []string) error {
	if err := protocol.CheckProviders(providers); err != nil {
		return badUsage("--provider: %w", err)
	}
	node, err := a.node()
	if err != nil {
		return err
	}
	p := a.progress()
	defer p.clear()
	cid, place, err := a.locate(ctx, node, p, what, providers)
	if err != nil {
		return err
	}
	if out == "" {
		out = place
	}
	if err := a.save(ctx, node, p, cid, out); err != nil {
		return err
	}
	p.clear()
	return a.print(gotReport{cid, out}, func(w io.Writer) { fmt.Fprintf(w, "%s\n", out) })
}

// locate finds the CID that is meant and where it is written to by default; the node has it afterwards.
func (a *app) locate(ctx context.Context, node *client.Client, p *progress, what string, providers []string) (cid, place string, err error) {
	if c, err := data.ParseCID(what); err == nil {
		return c.String(), c.String(), fetch(ctx, node.Fetch, p, c, providers)
	}
	id, err := findJob(ctx, node, what)
	if err != nil {
		return "", "", err
	}
	job, err := node.Job(ctx, id)
	switch {
	case err != nil:
		return "", "", err
	case job.Result != "":
		return job.Result, defaultOut(id), nil
	case job.Status.Ended():
		return "", "", fmt.Errorf("job %s has no outputs: it is %s", shortHash(id), job.Status)
	}
	return "", "", fmt.Errorf("job %s is still %s: its outputs are there when it has ended", shortHash(id), job.Status)
}
