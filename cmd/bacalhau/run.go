package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/protocol"
)

func newRunCommand(a *app) *cobra.Command {
	o := &runOptions{app: a}
	cmd := &cobra.Command{
		Use:   "run [flags] MODULE.wasm|CID|URL [-- ARGS...]",
		Short: "Run a program over data and fetch its outputs",
		Long: `Run a WASI program (preview 1) over data. Every piece of the job runs the program
once: it sees its inputs below /inputs, and what it leaves in /outputs comes back
with its stdout and stderr.

A folder given with --input appears with its contents in /inputs, a file by its
name. With --each-file every file below the inputs becomes a piece of its own,
which sees that file only. Flags about price and limits that are left out take
the node's defaults.

Exit code: 0 when every piece exited with 0, 3 when the job or a piece failed,
1 on errors, 2 on wrong usage, 130 when interrupted; the job then goes on.`,
		Example: `  bacalhau run --input books --each-file examples/wordcount/wordcount.wasm
  bacalhau run --input https://example.org/data.csv --out result program.wasm -- -v /inputs/data.csv
  bacalhau run --input bafybeigdyr… --provider https://provider.example --each-file program.wasm
  bacalhau run --input s3://bucket/prefix/ program.wasm
  bacalhau run --detach --bid 0.01eth --check-rate 5% program.wasm`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch dash := cmd.ArgsLenAtDash(); {
			case len(args) == 0 || dash == 0:
				return badUsage("give the program to run: %s", cmd.UseLine())
			case len(args) > 1 && dash != 1:
				return badUsage("put the program's own arguments behind --: bacalhau run %s -- %s", args[0], args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.module, o.args = args[0], args[1:]
			return o.run(cmd.Context())
		},
	}
	o.register(cmd.Flags())
	return cmd
}

// runReport is what `run --output json` prints.
type runReport struct {
	client.Job
	// Out is the folder with the outputs.
	Out string `json:"out,omitempty"`
}

func (o *runOptions) run(ctx context.Context) error {
	request, err := o.request()
	if err != nil {
		return usageError{err}
	}
	if o.out != "" {
		if err := mustNotExist(o.out); err != nil {
			return err
		}
	}
	if err := checkModule(o.module); err != nil {
		return err
	}
	node, err := o.app.node()
	if err != nil {
		return err
	}
	if err := o.ask(ctx, node); err != nil { // before time goes into preparing data
		return err
	}
	p := o.app.progress()
	defer p.clear()
	if err := o.prepare(ctx, node, p, &request); err != nil {
		return err
	}
	p.step("submitting the job")
	id, err := node.Submit(ctx, request)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%w while submitting: `bacalhau job list` tells whether there is a job", errInterrupted)
		}
		return err
	}
	p.note("job %s submitted: %s", id, plural(max(1, len(request.Pieces)), "piece"))
	if o.detach {
		return o.app.print(client.Submitted{ID: id}, func(w io.Writer) { fmt.Fprintln(w, id) })
	}
	return o.finish(ctx, node, p, id)
}

// ask makes sure that a node is there and that its contract takes such jobs.
func (o *runOptions) ask(ctx context.Context, node *client.Client) error {
	status, err := node.Status(ctx)
	if err != nil {
		return err
	}
	if o.checkRate == "" {
		return nil
	}
	share, err := parseCheckRate(o.checkRate)
	if err != nil {
		return err
	}
	units, err := protocol.CheckRate(share)
	if err == nil && units < status.Parameters.MinCheckRate {
		err = badUsage("--check-rate: the contract takes no less than %.2g %%", float64(status.Parameters.MinCheckRate)/655.36)
	}
	return err
}

// prepare brings the program and the inputs to the node and fills them in.
func (o *runOptions) prepare(ctx context.Context, node *client.Client, p *progress, r *client.JobRequest) (err error) {
	s, err := newStaging(node, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.providers = o.provider
	inputs, err := s.stageAll(ctx, o.inputs, o.hidden)
	if err != nil {
		return err
	}
	if o.eachFile {
		r.Pieces, err = s.eachFile(ctx, inputs)
	} else {
		r.Inputs, err = s.wholeInputs(ctx, inputs)
	}
	if err != nil {
		return err
	}
	for _, in := range inputs {
		if err := s.upload(ctx, in); err != nil {
			return err
		}
	}
	r.Module, err = s.stageModule(ctx, o.module)
	return err
}

// finish waits for a job and hands its outputs over.
func (o *runOptions) finish(ctx context.Context, node *client.Client, p *progress, id common.Hash) error {
	job, err := o.app.follow(ctx, node, p, id)
	if err != nil {
		return goesOn(err, id)
	}
	report := runReport{Job: job}
	if job.Result != "" {
		report.Out = o.out
		if report.Out == "" {
			report.Out = defaultOut(id)
		}
		if err := o.app.save(ctx, node, p, job.Result, report.Out); err != nil {
			return fmt.Errorf("the job ended, its outputs could not be saved (try `bacalhau get %s`): %w", shortHash(id), err)
		}
	}
	p.clear()
	err = o.app.print(report, func(w io.Writer) { printRun(w, report) })
	return errors.Join(err, verdict(job))
}

func printRun(w io.Writer, r runReport) {
	fmt.Fprintf(w, "job      %s\nstatus   %s\n", r.ID, r.Status)
	if r.Result != "" {
		fmt.Fprintf(w, "result   %s\noutputs  %s\n", r.Result, r.Out)
	}
	printCost(w, r.Job)
}

// goesOn tells who gives up waiting what becomes of the job.
func goesOn(err error, id common.Hash) error {
	short := shortHash(id)
	hint := fmt.Sprintf("the job goes on: `bacalhau get %s` fetches its outputs later, `bacalhau job cancel %[1]s` stops it", short)
	if errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	return fmt.Errorf("%w; %s", err, hint)
}

// defaultOut is the folder for a job's outputs.
func defaultOut(id common.Hash) string { return "bacalhau-" + id.Hex()[2:10] }

func mustNotExist(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists already: remove it or choose another place with --out", path)
	}
	return nil
}

// save writes a DAG that the node has to a folder or file that does not exist yet.
func (a *app) save(ctx context.Context, node *client.Client, p *progress, cid, out string) (err error) {
	c, err := data.ParseCID(cid)
	if err != nil {
		return err
	}
	if err := mustNotExist(out); err != nil {
		return err
	}
	s, err := newStaging(node, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.download(ctx, c, filepath.Clean(out))
}
