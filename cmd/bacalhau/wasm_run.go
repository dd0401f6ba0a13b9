package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// imageBytes bounds the compiled programs that are kept for the next run, bytes.
const imageBytes = 512 << 20

// wasmRunOptions is the command line of wasm run: of run it has what concerns the program.
type wasmRunOptions struct {
	runOptions
	engine, price string
}

func newWasmRunCommand(a *app) *cobra.Command {
	o := &wasmRunOptions{runOptions: runOptions{app: a}}
	cmd := &cobra.Command{
		Use:   "run [flags] MODULE.wasm [-- ARGS...]",
		Short: "Run a program on this machine exactly as a node would",
		Long: `Run a WASI program (preview 1) on this machine exactly as a node would: the same
module, inputs and limits give the same digest and fuel everywhere. Inputs appear
below /inputs as they do with bacalhau run.

The program's stdout and stderr are passed through and a summary follows on
stderr. A job salts its pieces: their digests differ from the one shown, which is
that of the zero salt, and so does what random_get gives them.

Exit code: 0 when the program exited with 0, 3 when it exited otherwise, 1 on
errors, 2 on wrong usage, 130 when interrupted.`,
		Example: `  bacalhau wasm run --input books examples/wordcount/wordcount.wasm
  bacalhau wasm run --fuel 5G --price 2gwei --out result program.wasm -- -v /inputs/data.csv`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch dash := cmd.ArgsLenAtDash(); {
			case len(args) == 0 || dash == 0:
				return badUsage("give the program to run: %s", cmd.UseLine())
			case len(args) > 1 && dash != 1:
				return badUsage("put the program's own arguments behind --: bacalhau wasm run %s -- %s", args[0], args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.module, o.args = args[0], args[1:]
			err := o.run(cmd.Context())
			if errors.Is(err, context.Canceled) {
				return errInterrupted
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "file or folder to show the program; may be repeated")
	f.BoolVar(&o.hidden, "hidden", false, "include files whose names begin with a dot")
	f.StringVar(&o.engine, "engine", "", "engine to run on: "+strings.Join(wasm.Engines(), " or ")+" (default: the fastest here)")
	f.StringVar(&o.memory, "memory", "1GiB", "memory of the program, at most 4GiB")
	f.StringVar(&o.fuel, "fuel", "100G", "fuel limit")
	f.StringVar(&o.outputBytes, "output-bytes", "64MiB", "most that the program may write")
	f.StringArrayVar(&o.env, "env", nil, "environment variable K=V of the program; may be repeated")
	f.StringVar(&o.out, "out", "", "folder for stdout, stderr and outputs, which must not exist (default: files are not kept)")
	f.StringVar(&o.price, "price", "", "price per unit of fuel, such as 2gwei, to tell what the run would cost")
	return cmd
}

func (o *wasmRunOptions) run(ctx context.Context) (err error) {
	task, price, err := o.task()
	if err != nil {
		return usageError{err}
	}
	if !slices.Contains(append(wasm.Engines(), ""), o.engine) {
		_, err := wasm.NewRunner(o.engine) // says why not
		return badUsage("--engine: %w", err)
	}
	p := o.app.progress()
	defer p.clear()
	s, err := newStaging(nil, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	runner, err := confine.NewRunner(ctx, o.engine, s.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runner.Close()) }()
	if dir, err := os.UserCacheDir(); err == nil { // else every run compiles
		if err := runner.KeepImages(filepath.Join(dir, "bacalhau", "images"), imageBytes); err != nil {
			return err
		}
	}
	if o.out != "" {
		if err := mustNotExist(o.out); err != nil {
			return err
		}
	}
	if task.Module, err = loadModule(o.module); err != nil {
		return err
	}
	if task.Inputs, err = s.show(ctx, o.inputs, o.hidden); err != nil {
		return err
	}
	p.clear()
	result, err := runner.Run(ctx, task)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	report, err := keep(ctx, result, o.out)
	if err != nil {
		return err
	}
	report.Engine, report.Confinement, report.Price = runner.Engine(), runner.Layers(), cost(price, result.Fuel)
	return errors.Join(o.print(report, result), failure(result))
}

// task is the run without program and inputs, and the price of a unit of fuel. Errors name the flag.
func (o *wasmRunOptions) task() (t wasm.Task, price *big.Int, err error) {
	t.Args = o.args
	if t.Env, err = parseEnv(o.env); err != nil {
		return t, nil, err
	}
	limits, err := o.limits()
	if err != nil {
		return t, nil, err
	}
	t.Limits = wasm.Limits{MemoryBytes: limits.MemoryBytes, Fuel: limits.Fuel, OutputBytes: limits.OutputBytes}
	if price, err = flagValue("price", o.price, parseAmount); err != nil {
		return t, nil, err
	}
	return t, price, t.Check()
}

// show opens files and folders of this machine by the paths at which a piece sees them.
func (s *staging) show(ctx context.Context, sources []string, hidden bool) (map[string]wasm.File, error) {
	for _, source := range sources {
		if err := mustBeHere(source); source != "" && err != nil {
			return nil, fmt.Errorf("input %w", err)
		}
	}
	all, err := s.stageAll(ctx, sources, hidden)
	if err != nil {
		return nil, err
	}
	inputs, err := s.wholeInputs(ctx, all)
	if err != nil {
		return nil, err
	}
	files := map[string]wasm.File{}
	for _, in := range inputs {
		c, err := data.ParseCID(in.CID)
		if err != nil {
			return nil, err
		}
		err = s.store.Walk(ctx, c, func(below string, e data.Entry) error {
			f, err := s.store.Open(ctx, e.CID)
			files[path.Join(in.Path, below)] = f
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.Path, err)
		}
	}
	return files, nil
}
