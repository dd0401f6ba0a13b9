package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/node"
)

// devstackOptions is the command line of devstack.
type devstackOptions struct {
	app       *app
	dir       string
	listen    string
	nodes     int
	badActors int
	cheating  string
	period    time.Duration
	engines   []string
	parallel  int
	sources   data.Sources
	s3        data.S3
	verbose   bool
}

func newDevstackCommand(a *app) *cobra.Command {
	o := &devstackOptions{app: a}
	cmd := &cobra.Command{
		Use:   "devstack",
		Short: "Keep a whole network running on this machine",
		Long: `Run an embedded chain with the contract on it, a requester node and compute nodes,
until interrupted. Each node has its own key, store and data; they talk through
the chain and the data gateway only. Stopping and starting again, or a crash,
continues where it was.`,
		Example: `  bacalhau devstack
  bacalhau devstack --nodes 10 --bad-actors 2 --dir /tmp/net`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the network (default ~/.bacalhau/devstack)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:1234", "address of the requester node's API")
	f.IntVar(&o.nodes, "nodes", 5,
		"number of compute nodes; from 8 on there can be a jury, with fewer an appeal ends in a refund")
	f.IntVar(&o.badActors, "bad-actors", 0, "how many of them cheat")
	f.StringVar(&o.cheating, "cheating", string(node.WrongResults),
		"how they do it: wrong (results without running anything), withhold (what they committed to), silent (no results)")
	f.DurationVar(&o.period, "period", time.Second, "time between blocks, whole seconds")
	f.StringSliceVar(&o.engines, "engine", nil, engineHelp)
	f.IntVar(&o.parallel, "parallel", 0, "pieces that each node runs at once (default: one for each processor)")
	f.StringVar(&o.sources.Kubo.URL, "kubo", "",
		"RPC API of a Kubo daemon, such as http://127.0.0.1:5001, to get data from and to give the nodes' to")
	f.StringVar(&o.sources.Kubo.Authorization, "kubo-authorization", "",
		"Authorization header for it (default: "+kuboAuthorization+" of the environment)")
	f.StringArrayVar(&o.sources.Gateways, "gateway", nil, "base URL of a trustless gateway to get data from; may be repeated")
	f.StringVar(&o.s3.Endpoint, "s3-endpoint", "", "base URL of the store behind s3:// inputs (default: AWS_ENDPOINT_URL, or Amazon's)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log what the nodes do")
	return cmd
}

// kuboAuthorization is the variable that keeps a secret off the command line.
const kuboAuthorization = "BACALHAU_KUBO_AUTHORIZATION"

const engineHelp = "what runs the programs: wasmtime, wazero, or both to deal them out to the nodes (default: the platform's)"

func (o *devstackOptions) config() (node.NetworkConfig, error) {
	if o.period < time.Second || o.period%time.Second != 0 {
		return node.NetworkConfig{}, badUsage("--period %v is not a whole number of seconds", o.period)
	}
	if o.dir == "" {
		var err error
		if o.dir, err = defaultDevstackDir(); err != nil {
			return node.NetworkConfig{}, err
		}
	}
	if o.parallel == 0 {
		o.parallel = runtime.NumCPU()
	}
	if o.sources.Kubo.URL != "" && o.sources.Kubo.Authorization == "" {
		o.sources.Kubo.Authorization = os.Getenv(kuboAuthorization)
	}
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	return node.NetworkConfig{
		Dir: o.dir, Nodes: o.nodes, BadActors: o.badActors, Misbehaviour: node.Misbehaviour(o.cheating),
		PeriodSeconds: uint64(o.period / time.Second), APIAddr: o.listen, Engines: o.engines, Parallel: o.parallel,
		Sources: o.sources, S3: o.s3, Parameters: node.DevelopmentParameters(),
		Log: slog.New(slog.NewTextHandler(o.app.stderr, &slog.HandlerOptions{Level: level})),
	}, nil
}

// devstackReport is what devstack prints once it runs.
type devstackReport struct {
	API    string        `json:"api"`
	Dir    string        `json:"dir"`
	Nodes  int           `json:"nodes"`
	Status client.Status `json:"status"`
}

func (o *devstackOptions) run(ctx context.Context) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	if err := cfg.Check(); err != nil {
		return usageError{err}
	}
	return withNetwork(ctx, cfg, func(ctx context.Context, n *node.Network) error {
		file := filepath.Join(o.dir, apiFile)
		if err := os.WriteFile(file, []byte(n.URL()+"\n"), 0o600); err != nil {
			return err
		}
		defer os.Remove(file)
		if err := n.Await(ctx); err != nil {
			return unlessInterrupted(err)
		}
		status, err := n.Backend().Status(ctx)
		if err != nil {
			return err
		}
		report := devstackReport{API: n.URL(), Dir: o.dir, Nodes: o.nodes, Status: status}
		err = o.app.print(report, func(w io.Writer) {
			fmt.Fprintf(w, "api       %s\ncontract  %s on chain %d\nnodes     %d, of which %d cheat\nfolder    %s\n",
				report.API, status.Contract, status.ChainID, o.nodes, o.badActors, o.dir)
			fmt.Fprintf(w, "\nRun work with `bacalhau run`, in another terminal; stop with Ctrl-C.\n")
		})
		if err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	})
}

// unlessInterrupted makes an interruption a good end.
func unlessInterrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// withNetwork runs a network for as long as use does. An interruption ends both, and is no error of the network's.
func withNetwork(ctx context.Context, cfg node.NetworkConfig, use func(context.Context, *node.Network) error) error {
	n, err := node.OpenNetwork(ctx, cfg)
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer cancel() // a network that fails ends its use
		ended <- n.Run(inner)
	}()
	err = use(inner, n)
	cancel()
	if failed := <-ended; failed != nil {
		err = failed // and what went wrong in use followed from it
	}
	return errors.Join(err, n.Close())
}
