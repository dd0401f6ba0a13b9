package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

type deployOptions struct {
	*layers
	app    *app
	preset string
	set    []string
}

func newDeployCommand(a *app) *cobra.Command {
	o := &deployOptions{layers: newLayers(), app: a}
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Put a new market on a chain",
		Long: `Deploy the contract with its parts, from the account of the data folder's wallet, and
print its address and parameters. Nobody owns it and nothing in it can be changed
afterwards. Interrupted and started again it goes on; the same again tells of the
market that was made.

Parameters are public (for networks of strangers: a day for whatever a client or a
node may have to do) or development (seconds); --set changes single ones.`,
		Example: `  bacalhau deploy --chain calibration
  bacalhau deploy --chain http://127.0.0.1:8545 --parameters development --set settleWindow=1m --set minStake=10eth`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.preset, "parameters", "public", "where the parameters come from: public or development")
	f.StringArrayVar(&o.set, "set", nil, "a parameter, as name=value: an amount, a time, or a number (may be repeated)")
	o.flags.VisitAll(func(flag *pflag.Flag) {
		switch flag.Name {
		case "chain", "wallet", "password-file", "log-level", "log-format":
			f.AddFlag(flag)
		}
	})
	return cmd
}

func (o *deployOptions) run(ctx context.Context) error {
	dir, err := o.app.dir()
	if err != nil {
		return err
	}
	if err := o.load(dir); err != nil {
		return err
	}
	if o.chain == "" || o.chain == embeddedChain {
		return badUsage("chain: name a chain that runs already, or its URL; an embedded one makes its own market when it is served")
	}
	where, err := node.ChainNamed(o.chain)
	if err != nil {
		return usageError{err}
	}
	parameters, err := o.parameters(where)
	if err != nil {
		return usageError{err}
	}
	key, err := o.app.walletKey(ctx, dir, &o.settings)
	if err != nil {
		return err
	}
	p := o.app.progress()
	defer p.clear()
	p.step("deploying to %s: five transactions, each waits for a block", withoutSecrets(where.URL))
	d, err := node.Deploy(ctx, where, dir, key, parameters, o.logger(o.app.stderr))
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("%w: the same command goes on where it was", errInterrupted)
		}
		return err
	}
	p.clear()
	return o.app.print(d, func(w io.Writer) { printDeployment(w, d) })
}

func (o *deployOptions) parameters(where node.ChainConfig) (p protocol.Parameters, err error) {
	switch o.preset {
	case "public":
		p = node.PublicParameters()
	case "development":
		p = node.DevelopmentParameters()
	default:
		return p, fmt.Errorf("--parameters %q is neither public nor development", o.preset)
	}
	p.Source = where.Source
	for _, s := range o.set {
		name, value, found := strings.Cut(s, "=")
		if !found {
			return p, fmt.Errorf("--set: %q is not of the form name=value", s)
		}
		if err := setParameter(&p, name, value); err != nil {
			return p, fmt.Errorf("--set %s: %w", name, err)
		}
	}
	return p, nil
}

func printDeployment(w io.Writer, d node.Deployment) {
	fmt.Fprintf(w, "contract  %s\nchain     %d\nblock     %d\ntx        %s\n\n", d.Contract, d.ChainID, d.Block, d.Tx)
	printParameters(w, d.Parameters)
}
