package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

const (
	demoNodes = 5
	// demoCheckRate is far above the usual 3 %, so that the one cheat is certainly met: it escapes with a chance of
	// one half to the number of its pieces, which is about 14.
	demoCheckRate = 0.5
	// demoAppealSeconds halves the time between a verdict and its execution, for one may follow on another.
	demoAppealSeconds = 10
)

type demoOptions struct {
	devstackOptions
	out string
}

func newDemoCommand(a *app) *cobra.Command {
	o := &demoOptions{devstackOptions: devstackOptions{app: a, nodes: demoNodes, badActors: 1, listen: "127.0.0.1:0", period: time.Second}}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch a network run a job, pay for it and catch a cheat",
		Long: `Start a network of five compute nodes of which one cheats, count the words of the
66 books of the King James Bible on it as one job with a piece per book, check the
results, fine the cheat, and compare what came out with a run outside the network.
Needs nothing but this program and takes about a minute.`,
		Example: "  bacalhau demo\n  bacalhau demo --output json",
		Args:    takesNothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "folder for the outputs, which must not exist (default ./bacalhau-<job>)")
	f.StringSliceVar(&o.engines, "engine", nil, engineHelp)
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log what the nodes do")
	return cmd
}

// demoReport is what the demo prints.
type demoReport struct {
	runReport
	// CheckRate of the demo, 0 to 1.
	CheckRate float64 `json:"checkRate"`
	// Cheats are the nodes that claimed results without running anything, Slashed those that were fined.
	Cheats  []common.Address `json:"cheats"`
	Slashed []common.Address `json:"slashed"`
	Fined   client.Wei       `json:"finedWei"`
	// Matches means that the outputs are those of a run outside the network.
	Matches bool    `json:"matches"`
	Seconds float64 `json:"seconds"`
}

func (o *demoOptions) run(ctx context.Context) (err error) {
	if o.out != "" {
		if err := mustNotExist(o.out); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "bacalhau-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.dir = filepath.Join(dir, "network")
	cfg, err := o.config()
	if err != nil {
		return err
	}
	cfg.Parameters.AppealWindow = demoAppealSeconds
	if !o.verbose {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	began := time.Now()
	p := o.app.progress()
	defer p.clear()
	p.note("starting an embedded chain, a requester and %d compute nodes, one of which cheats", demoNodes)
	return withNetwork(ctx, cfg, func(ctx context.Context, n *node.Network) error {
		report, err := o.play(ctx, n, p, dir)
		if err != nil {
			return err
		}
		report.Seconds = time.Since(began).Seconds()
		p.clear()
		if err := o.app.print(report, func(w io.Writer) { printDemo(w, report) }); err != nil {
			return err
		}
		return report.verdict()
	})
}

// play runs the job as a user would and looks at what came of it.
func (o *demoOptions) play(ctx context.Context, n *node.Network, p *progress, dir string) (r demoReport, err error) {
	api, err := client.New(n.URL(), &http.Client{})
	if err != nil {
		return r, err
	}
	p.step("waiting until all nodes have staked and registered")
	if err := n.Await(ctx); err != nil {
		return r, err
	}
	books, module := filepath.Join(dir, "kjv"), filepath.Join(dir, "wordcount.wasm")
	if err := os.CopyFS(books, examples.KJV()); err != nil {
		return r, err
	}
	if err := os.WriteFile(module, examples.Wordcount, 0o600); err != nil {
		return r, err
	}
	job := &runOptions{
		app: o.app, module: module, inputs: []string{books}, eachFile: true, out: o.out,
		checkRate: fmt.Sprint(demoCheckRate), memory: "64MiB", fuel: "10G",
	}
	request, err := job.request()
	if err != nil {
		return r, err
	}
	if err := job.prepare(ctx, api, p, &request); err != nil {
		return r, err
	}
	id, err := api.Submit(ctx, request)
	if err != nil {
		return r, err
	}
	p.note("submitted job %s: %d pieces, one for each book; dice raised to %.0f %% so that the cheat is certainly met",
		shortHash(id), len(request.Pieces), 100*demoCheckRate)
	if r.Job, err = o.app.follow(ctx, api, p, id); err != nil {
		return r, err
	}
	r.CheckRate, r.Cheats = demoCheckRate, n.BadActors()
	r.fines()
	if r.Result == "" {
		return r, nil
	}
	if r.Out = o.out; r.Out == "" {
		r.Out = defaultOut(id)
	}
	if err := o.app.save(ctx, api, p, r.Result, r.Out); err != nil {
		return r, err
	}
	p.step("running the same program outside the network")
	r.Matches, err = o.matches(ctx, r.Out)
	return r, err
}

// fines fills in who was slashed.
func (r *demoReport) fines() {
	total := new(big.Int)
	for _, x := range r.Executions {
		for _, p := range x.Penalties {
			if p.Kind == protocol.PenaltySlash {
				if !slices.Contains(r.Slashed, p.Wallet) {
					r.Slashed = append(r.Slashed, p.Wallet)
				}
				total.Add(total, p.Wei.Int)
			}
		}
	}
	r.Fined = client.Wei{Int: total}
}

// matches runs the program over each book here and compares it with what the network gave.
func (o *demoOptions) matches(ctx context.Context, out string) (bool, error) {
	runner, err := wasm.NewRunner("") // whatever the nodes ran it on
	if err != nil {
		return false, err
	}
	defer runner.Close()
	books, err := fs.ReadDir(examples.KJV(), ".")
	if err != nil {
		return false, err
	}
	var all bytes.Buffer
	for _, book := range books {
		text, err := fs.ReadFile(examples.KJV(), book.Name())
		if err != nil {
			return false, err
		}
		result, err := runner.Run(ctx, wasm.Task{
			Module: examples.Wordcount, Inputs: map[string]wasm.File{book.Name(): bytes.NewReader(text)},
			Limits: wasm.Limits{MemoryBytes: 64 << 20, Fuel: 1e10, OutputBytes: 64 << 20},
		})
		if err != nil {
			return false, err
		}
		stdout, err := wasm.ReadAll(result.Stdout)
		if err != nil {
			return false, err
		}
		all.Write(stdout)
		for _, f := range result.Outputs {
			got, err := os.ReadFile(filepath.Join(out, "pieces", book.Name(), "outputs", f.Path))
			if err != nil {
				return false, err
			}
			want, err := wasm.ReadAll(f)
			if err != nil || !bytes.Equal(got, want) {
				return false, err
			}
		}
	}
	got, err := os.ReadFile(filepath.Join(out, "stdout"))
	return bytes.Equal(got, all.Bytes()), err
}

// verdict is the error of a demo that did not show what it should.
func (r *demoReport) verdict() error {
	switch {
	case r.Status != client.JobDone:
		return verdict(r.Job)
	case !r.Matches:
		return workError{errors.New("the outputs differ from those of a run outside the network")}
	case len(r.Slashed) == 0:
		return workError{errors.New("the cheat was not met by the dice; run the demo again")}
	}
	return nil
}

func printDemo(w io.Writer, r demoReport) {
	fmt.Fprintln(w, "PIECES")
	printPieces(w, r.Job)
	fmt.Fprintln(w, "\nEXECUTIONS")
	printExecutions(w, r.Job)
	fmt.Fprintln(w, "\nPAYMENTS AND PENALTIES")
	printMoney(w, r.Job)
	fmt.Fprintln(w, "\nCOST")
	printCost(w, r.Job)
	fmt.Fprintf(w, "         with the usual 3 %% of pieces checked once more, a job costs about 103 %% of one run\n")
	fmt.Fprintln(w, "\nRESULT")
	fmt.Fprintf(w, "outputs  %s (%s)\n", r.Out, r.Result)
	fmt.Fprintf(w, "compare  %s\n", map[bool]string{
		true:  "the same as a run of the program outside the network",
		false: "NOT the same as a run of the program outside the network",
	}[r.Matches])
	for _, cheat := range r.Slashed {
		fmt.Fprintf(w, "cheat    node %s was proved wrong on chain; its fine is burned\n", cheat)
	}
	fmt.Fprintf(w, "fines    %s burned\ntime     %.0f s\n", formatAmount(r.Fined), r.Seconds)
}
