package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// maxModuleBytes bounds a program, bytes.
const maxModuleBytes = 64 << 20

// executor is agent.Executor over WebAssembly in processes of its own, with inputs from the data store.
type executor struct {
	store   *data.Store
	fetcher *data.Fetcher
	runner  *confine.Runner

	mu     sync.Mutex
	last   cid.Cid // the module used last, for jobs have many pieces
	module []byte
}

func (e *executor) Check(ctx context.Context, doc *protocol.Document, endpoints []string) error {
	if doc.Spec.Profile != wasm.Version {
		return unfit("the job wants execution profile %d and this node has %d", doc.Spec.Profile, wasm.Version)
	}
	module, err := e.load(ctx, doc.Spec.Module, endpoints)
	if err != nil {
		return err
	}
	if err := e.checkModule(ctx, module, limits(doc.Spec)); err != nil {
		return err
	}
	for _, p := range doc.Pieces {
		t := task(module, doc.Spec, p)
		if err := t.Check(); err != nil {
			return unfit("piece %s: %w", p.Name, err)
		}
		for _, in := range allInputs(doc.Spec, p) {
			if _, err := data.ParseCID(in.CID); err != nil {
				return unfit("piece %s: input %s: %w", p.Name, in.Path, err)
			}
		}
	}
	return nil
}

// checkModule tells a module that does not fit from a check that did not succeed, and says nothing about the module.
func (e *executor) checkModule(ctx context.Context, module []byte, l wasm.Limits) error {
	if err := l.Check(); err != nil {
		return agent.UnfitError{Err: err}
	}
	err := e.runner.Check(ctx, module, l)
	var refused *wasm.ProfileError
	if errors.As(err, &refused) {
		return agent.UnfitError{Err: err}
	}
	return err
}

func unfit(format string, args ...any) error {
	return agent.UnfitError{Err: fmt.Errorf(format, args...)}
}

// task is a piece's run, still without its inputs and seed.
func task(module []byte, spec protocol.Spec, p protocol.Piece) wasm.Task {
	return wasm.Task{Module: module, Args: slices.Concat(spec.Args, p.Args), Env: spec.Env, Limits: limits(spec)}
}

func allInputs(spec protocol.Spec, p protocol.Piece) []protocol.Input {
	return slices.Concat(spec.Inputs, p.Inputs)
}

// measuredPieces is of how many pieces of a job the inputs are measured at most, from the first to the last at even
// distances: each may cost a request.
const measuredPieces = 32

// Measure sees what pieces read by the roots of their inputs.
func (e *executor) Measure(
	ctx context.Context, doc *protocol.Document, endpoints []string,
) (inputs agent.Inputs, err error) {
	type measure struct{ bytes, missing uint64 }
	known := map[cid.Cid]measure{}
	for _, p := range sample(doc.Pieces, measuredPieces) {
		var piece measure
		for _, in := range allInputs(doc.Spec, p) {
			c, err := data.ParseCID(in.CID)
			if err != nil {
				return inputs, unfit("piece %s: input %s: %w", p.Name, in.Path, err)
			}
			m, measured := known[c]
			if !measured {
				bytes, here, err := e.fetcher.Measure(ctx, c, providers(doc.Spec, endpoints))
				if err != nil {
					return inputs, fmt.Errorf("piece %s: input %s: %w", p.Name, in.Path, err)
				}
				if m.bytes = bytes; !here {
					m.missing = bytes
				}
				known[c] = m
			}
			piece.bytes, piece.missing = sumOrMost(piece.bytes, m.bytes), sumOrMost(piece.missing, m.missing)
		}
		inputs.MostBytes, inputs.MissingBytes = max(inputs.MostBytes, piece.bytes), max(inputs.MissingBytes, piece.missing)
	}
	return inputs, nil
}

// sumOrMost adds sizes that strangers claim.
func sumOrMost(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// sample takes at most so many of a list, the first and the last among them.
func sample[T any](list []T, most int) []T {
	if len(list) <= most {
		return list
	}
	some := make([]T, most)
	for i := range some {
		some[i] = list[i*(len(list)-1)/(most-1)]
	}
	return some
}

// providers are whom to ask for inputs: first those that the client named for them.
func providers(spec protocol.Spec, endpoints []string) []string {
	return slices.Concat(spec.Providers, endpoints)
}

func (e *executor) Run(ctx context.Context, t agent.Task) (agent.Output, error) {
	module, err := e.load(ctx, t.Spec.Module, t.Endpoints)
	if err != nil {
		return agent.Output{}, err
	}
	run := task(module, t.Spec, t.Piece)
	run.Seed, run.MemoryKey = t.Seed, t.MemoryKey
	bounded := e.fetcher.Within(int64(min(t.MaxInputBytes, math.MaxInt64)))
	run.Inputs, err = inputFiles(allInputs(t.Spec, t.Piece), func(c cid.Cid, add addFile) error {
		return e.open(ctx, bounded, c, providers(t.Spec, t.Endpoints), add)
	})
	if err != nil {
		return agent.Output{}, err
	}
	begin := time.Now()
	result, err := e.runner.Run(ctx, run)
	if err != nil {
		return agent.Output{}, err
	}
	took := time.Since(begin)
	out, err := pack(ctx, result)
	if err != nil {
		return agent.Output{}, errors.Join(err, result.Close())
	}
	out.Took = took
	return out, nil
}

func limits(spec protocol.Spec) wasm.Limits {
	return wasm.Limits{
		MemoryBytes: spec.Limits.MemoryBytes, Fuel: spec.Limits.Fuel, OutputBytes: spec.Limits.OutputBytes,
	}
}

func (e *executor) load(ctx context.Context, name string, endpoints []string) ([]byte, error) {
	c, err := data.ParseCID(name)
	if err != nil {
		return nil, unfit("module: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last == c {
		return e.module, nil
	}
	if err := e.fetcher.Within(2*maxModuleBytes).Fetch(ctx, c, endpoints); err != nil {
		return nil, fmt.Errorf("fetch module: %w", err)
	}
	module, err := readFile(ctx, e.store, c, maxModuleBytes)
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	e.last, e.module = c, module
	return module, nil
}

// maxInputFiles bounds the files of a piece.
const maxInputFiles = 100_000

// addFile takes a file by its path below an input, which is "." for an input that is a file.
type addFile func(below string, f wasm.File) error

// inputFiles are a piece's inputs by their path below /inputs; a directory gives all its files, which list adds.
func inputFiles(inputs []protocol.Input, list func(c cid.Cid, add addFile) error) (map[string]wasm.File, error) {
	files := map[string]wasm.File{}
	for _, in := range inputs {
		c, err := data.ParseCID(in.CID)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.Path, err)
		}
		err = list(c, func(below string, f wasm.File) error {
			name := path.Join(in.Path, below)
			if files[name] != nil {
				return errors.New("two inputs have the same path")
			}
			if len(files) == maxInputFiles {
				return fmt.Errorf("a piece has more than %d input files", maxInputFiles)
			}
			files[name] = f
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.Path, err)
		}
	}
	return files, nil
}

// open fetches an input and adds its files.
func (e *executor) open(ctx context.Context, fetcher *data.Fetcher, c cid.Cid, endpoints []string, add addFile) error {
	if err := fetcher.Fetch(ctx, c, endpoints); err != nil {
		return err
	}
	return e.store.Walk(ctx, c, func(below string, entry data.Entry) error {
		f, err := e.store.Open(ctx, entry.CID)
		if err != nil {
			return err
		}
		return add(below, f)
	})
}

// packed is agent.Packed. Its files are the result's.
type packed struct {
	*wasm.Result
	scratch *data.Scratch
	root    cid.Cid
}

func (p packed) WriteCAR(ctx context.Context, w io.Writer) error {
	return p.scratch.ExportCAR(ctx, p.root, w)
}

// pack makes what a run gave into the directory that the client gets. Nothing is copied.
func pack(ctx context.Context, r *wasm.Result) (agent.Output, error) {
	files := map[string]data.Source{"stdout": data.At(r.Stdout), "stderr": data.At(r.Stderr)}
	for _, f := range r.Outputs {
		files["outputs/"+f.Path] = data.At(f)
	}
	scratch := data.NewScratch()
	outputs, err := scratch.AddFiles(ctx, files)
	if err != nil {
		return agent.Output{}, fmt.Errorf("pack outputs: %w", err)
	}
	digest, err := data.DigestOf(outputs)
	if err != nil {
		return agent.Output{}, err
	}
	out := agent.Output{KeyedMemory: r.KeyedMemoryHash, Result: protocol.Result{
		ExitCode: r.ExitCode, Fuel: r.Fuel, Outputs: digest, Memory: r.MemoryHash,
	}}
	raw, err := json.Marshal(out.Result)
	if err != nil {
		return agent.Output{}, err
	}
	root, err := scratch.AddFiles(ctx, map[string]data.Source{
		agent.ResultFile: data.Bytes(raw), agent.OutputsDir: data.Link(outputs),
	})
	if err != nil {
		return agent.Output{}, fmt.Errorf("pack outputs: %w", err)
	}
	out.Packed = packed{r, scratch, root}
	out.Root, err = data.DigestOf(root)
	return out, err
}
