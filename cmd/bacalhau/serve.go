package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/internal/node"
)

// envTraces is the variable that programs with OpenTelemetry have in common; those beside it, such as that of its headers,
// count too.
const envTraces = "OTEL_EXPORTER_OTLP_ENDPOINT"

func newServeCommand(a *app) *cobra.Command {
	l := newLayers()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node",
		Long: `Run a compute node, a requester node, or both with one wallet, until interrupted.

Every setting is a flag, an environment variable, or a line of the file config.yaml
in the data folder; the first of these that says something counts. The variable of
--min-bid is BACALHAU_MIN_BID, its line "min-bid: 5gwei". See bacalhau config.

Told to stop (SIGTERM, Ctrl-C), the node takes no new work and goes on with what it
has begun, for the time of --drain; told again, it ends at once. Nothing is lost
either way: the next start continues.`,
		Example: `  bacalhau init --compute --chain calibration --contract 0x…
  bacalhau serve
  bacalhau serve --data-dir /srv/bacalhau --requester`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), l) },
	}
	cmd.Flags().AddFlagSet(l.flags)
	cmd.Flags().SortFlags = false
	return cmd
}

// serveReport is what serve prints once the node runs.
type serveReport struct {
	API      string         `json:"api"`
	Public   string         `json:"public"`
	Chain    string         `json:"chain,omitempty"` // of the chain that the process runs
	ChainID  uint64         `json:"chainId"`
	Contract common.Address `json:"contract"`
	Wallet   common.Address `json:"wallet"`
	Dir      string         `json:"dir"`
}

func (a *app) serve(ctx context.Context, l *layers) (err error) {
	cfg, err := a.serviceConfig(ctx, l)
	if err != nil {
		return err
	}
	slog.SetDefault(cfg.Log) // what the chain's packages log
	service, err := node.OpenService(ctx, cfg)
	if err != nil {
		return unlessInterrupted(err)
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	file := filepath.Join(cfg.Dir, apiFile)
	if err := os.WriteFile(file, []byte(service.API()+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	status, err := service.Backend().Status(ctx)
	if err != nil {
		return err
	}
	report := serveReport{
		API: service.API(), Public: service.URL(), Chain: service.ChainURL(), ChainID: status.ChainID,
		Contract: status.Contract, Wallet: status.Wallet, Dir: cfg.Dir,
	}
	if err := a.print(report, func(w io.Writer) { printServed(w, report) }); err != nil {
		return err
	}
	return service.Run(ctx)
}

func printServed(w io.Writer, r serveReport) {
	fmt.Fprintf(w, "api       %s\npublic    %s\ncontract  %s on chain %d\nwallet    %s\nfolder    %s\n",
		r.API, r.Public, r.Contract, r.ChainID, r.Wallet, r.Dir)
	if r.Chain != "" {
		fmt.Fprintf(w, "chain     %s, run by this process\n", r.Chain)
	}
}

// serviceConfig reads all settings and makes a node's configuration of them.
func (a *app) serviceConfig(ctx context.Context, l *layers) (cfg node.ServiceConfig, err error) {
	dir, err := a.dir()
	if err != nil {
		return cfg, err
	}
	if err := l.load(dir); err != nil {
		return cfg, err
	}
	if err := l.Check(); err != nil {
		return cfg, usageError{err}
	}
	key, err := a.walletKey(ctx, dir, &l.settings)
	if err != nil {
		return cfg, err
	}
	cfg.Config = node.Config{
		Dir: dir, Contract: l.contract, Start: l.contractBlock, Key: key, Listen: l.listen, Announce: l.announce,
		API: strings.TrimPrefix(l.api, "http://"), AllowPrivate: l.allowPrivate, Requester: l.requester, Drain: l.drain,
		Sources: l.sources, S3: l.s3, Keep: l.keep, Profiling: l.pprof, Log: l.logger(a.stderr),
		Traces: cmp.Or(l.traces, os.Getenv(envTraces)),
	}
	if l.sources.Kubo.URL != "" {
		cfg.Sources.Kubo.Authorization = os.Getenv(kuboAuthorization)
	}
	if l.compute {
		cfg.Compute = l.work.compute()
	}
	if l.chain == embeddedChain {
		cfg.Embedded = &node.EmbeddedConfig{
			Listen: l.chainListen, PeriodSeconds: uint64(l.chainPeriod / time.Second), Parameters: node.DevelopmentParameters(),
		}
		return cfg, nil
	}
	cfg.Chain, err = node.ChainNamed(l.chain)
	return cfg, err
}

func (s *settings) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: logLevels[s.logLevel]}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
