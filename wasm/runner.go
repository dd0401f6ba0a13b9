package wasm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/filecoin-project/bacalhau/wasm/engine"
	"github.com/filecoin-project/bacalhau/wasm/rewrite"
)

// Engines lists the engines of this build.
func Engines() []string { return engine.Names() }

// Runner runs tasks on one engine. It is safe for concurrent use and keeps the
// modules that it compiled last.
type Runner struct {
	engine engine.Engine
	cache  cache
}

// NewRunner makes a runner on the named engine: "wazero", "wasmtime" (in
// builds with cgo), or "" for the default of this platform.
func NewRunner(engineName string) (*Runner, error) {
	e, err := engine.New(engineName, hostFuncs, rewrite.FuelExport)
	if err != nil {
		return nil, err
	}
	r := &Runner{engine: e}
	r.cache.compile = r.compile
	return r, nil
}

// Engine names the engine in use.
func (r *Runner) Engine() string { return r.engine.Name() }

// Close waits for nothing: it must not be called while Run is.
func (r *Runner) Close() error { return errors.Join(r.cache.close(), r.engine.Close()) }

// Run runs a task to its end. Exit codes, traps and spent fuel are results. An
// error says that this attempt failed and nothing about what the result would
// be: a task or module that does not fit (*ProfileError), a cancelled context,
// an input that could not be read, a machine out of memory.
//
// A cancelled context ends a run when the guest next calls the host, and on
// wazero also within a loop. Package confine ends it at once.
func (r *Runner) Run(ctx context.Context, t Task) (*Result, error) {
	return r.run(ctx, t, func() (engine.Program, func(), error) {
		return r.cache.get(ctx, t.Module, t.Limits.pages())
	})
}

// Image compiles a module, for runs within the limits, to native code for Load
// in this process or another one of the same binary on this machine. The limit
// of memory is part of it, the others are not.
func (r *Runner) Image(ctx context.Context, module []byte, l Limits) ([]byte, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	rewritten, err := r.rewrite(module, l.pages())
	if err != nil {
		return nil, err
	}
	return r.engine.Image(ctx, rewritten)
}

// Program is a loaded image. It is safe for concurrent use.
type Program struct {
	runner  *Runner
	program engine.Program
}

// Load makes a program of a file that has an image, which must stay as it is
// until the program is closed. Its native code is trusted like this binary's:
// an image must come from Image by a way that nobody else writes to.
func (r *Runner) Load(ctx context.Context, image *os.File) (*Program, error) {
	p, err := r.engine.Load(ctx, image)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	return &Program{r, p}, nil
}

// Run runs a task as Runner.Run does, with this program in place of its module.
func (p *Program) Run(ctx context.Context, t Task) (*Result, error) {
	return p.runner.run(ctx, t, func() (engine.Program, func(), error) { return p.program, func() {}, nil })
}

// Close frees the program's memory, after its runs.
func (p *Program) Close() error { return p.program.Close() }

func (r *Runner) run(ctx context.Context, t Task, program func() (engine.Program, func(), error)) (*Result, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	host, err := t.host()
	if err != nil {
		return nil, err
	}
	p, release, err := program()
	if err != nil {
		return nil, err
	}
	defer release()

	slice := int64(t.Limits.Fuel)
	if r.engine.Pauses() {
		slice = min(slice, sliceFuel)
	}
	s := &session{ctx: ctx, host: host, reserve: int64(t.Limits.Fuel) - slice}
	res := &Result{}
	var out engine.Outcome
	err = p.Run(ctx, s, slice, func(o engine.Outcome, memory []byte) {
		if out = o; out.Trapped {
			clearTorn(memory)
		}
		res.PeakMemory = uint64(len(memory)) // memory never shrinks
		res.MemoryHash = HashMemory(memory)
		if t.MemoryKey != ([32]byte{}) {
			res.KeyedMemoryHash = KeyedHashMemory(t.MemoryKey, memory)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	if err := s.finish(res, out, t.Limits.Fuel); err != nil {
		return nil, err
	}
	return res, nil
}

func environment(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// compile makes a program of the module that its author built.
func (r *Runner) compile(ctx context.Context, module []byte, pages uint32) (engine.Program, error) {
	rewritten, err := r.rewrite(module, pages)
	if err != nil {
		return nil, err
	}
	return r.engine.Compile(ctx, rewritten)
}

// rewrite gives the module the form that the engine runs.
func (r *Runner) rewrite(module []byte, pages uint32) ([]byte, error) {
	m, err := rewrite.Inspect(module, signatures)
	if err != nil {
		return nil, err
	}
	m.Paused = r.engine.Pauses()
	return m.Rewrite(pages)
}
