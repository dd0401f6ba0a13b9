// Package confine runs one execution in a child process that can do nothing else.
//
// A Runner starts the program that it is part of once more for every job: to check a module, to compile it, or to run
// what was compiled. The child shuts itself in before it looks at anything that a stranger wrote, and asks for bytes of
// its inputs through a pipe. It is believed only in what a guest may decide: whatever else it says or does, the attempt
// has failed, which is never a result.
package confine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/imagestore"
)

// ErrAborted is an attempt that ended without a result: the engine crashed, the child was killed, used up what it may
// use, or did what it must not. It says nothing about what the result would be.
var ErrAborted = errors.New("execution aborted")

// Runner runs tasks as wasm.Runner does, each in a process of its own. It is safe for concurrent use.
type Runner struct {
	engine  string
	nursery *nursery
	images  images
	layers  []string
	spill   spill           // of runs, without Most
	ended   context.Context // done once Close is called
	end     context.CancelFunc
}

// NewRunner makes a runner on the named engine, as wasm.NewRunner does, and finds out what the system has to confine
// children with. Outputs of a run beyond 16 MiB are kept in the folder spill, in files that have no name and end with
// the processes that use them; if it is "" they are kept in memory.
func NewRunner(ctx context.Context, engine, spill string) (*Runner, error) {
	return newRunner(ctx, engine, spill)
}

// newRunner also gives the children environment variables, "NAME=value" each.
func newRunner(ctx context.Context, engine, spillTo string, env ...string) (_ *Runner, err error) {
	if Started() {
		return nil, errors.New("this process was started for one execution: its main has to begin with confine.Serve")
	}
	// The child would say so too, but less clearly.
	here, err := wasm.NewRunner(engine)
	if err != nil {
		return nil, err
	}
	r := &Runner{engine: here.Engine(), spill: spill{Dir: spillTo, After: spillAfter, Free: spillFree}}
	if err := here.Close(); err != nil {
		return nil, err
	}
	r.ended, r.end = context.WithCancel(context.WithoutCancel(ctx))
	r.nursery = newNursery(r.engine, spillTo, env)
	r.images.compile = r.compile
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	a := &attempt{job: job{Task: taskProbe}}
	if err := r.attempt(ctx, a); err != nil {
		return nil, fmt.Errorf("start a process for executions: %w", err)
	}
	r.layers = a.layers
	return r, nil
}

// KeepImages keeps compiled modules in a directory of this user's own, at most maxBytes bytes of them, for other
// processes of the same binary. It must be called before Run.
func (r *Runner) KeepImages(dir string, maxBytes int64) error {
	disk, err := imagestore.Open(dir, maxBytes)
	if err != nil {
		return err
	}
	r.images.disk, r.images.maker = disk, "confined "+r.engine
	return nil
}

// Engine names the engine in use.
func (r *Runner) Engine() string { return r.engine }

// Layers names what holds the children: of landlock, rlimits and seccomp those that this system has.
func (r *Runner) Layers() []string { return r.layers }

// Lacks names the others.
func (r *Runner) Lacks() []string {
	return slices.DeleteFunc([]string{"landlock", "rlimits", "seccomp"}, func(layer string) bool {
		return slices.Contains(r.layers, layer)
	})
}

// Close ends all children. It must not be called while Run or Check is.
func (r *Runner) Close() error {
	r.end()
	r.images.working.Wait()
	r.nursery.close()
	return nil
}

// Check says whether a module fits the execution profile and the limits, as wasm.CheckWithin does. A *wasm.ProfileError
// says that it does not; any other error says nothing.
func (r *Runner) Check(ctx context.Context, module []byte, l wasm.Limits) error {
	if err := l.Check(); err != nil {
		return err
	}
	return r.attempt(ctx, &attempt{job: job{Task: taskCheck, Limits: l}, module: module})
}

// Run runs a task to its end, as wasm.Runner.Run does and with the same result, which the caller closes. A child that
// ended otherwise is an ErrAborted. t.Spill is not used.
func (r *Runner) Run(ctx context.Context, t wasm.Task) (*wasm.Result, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	image, err := r.images.get(ctx, t.Module, t.Limits)
	if err != nil {
		return nil, err
	}
	a := runOf(&t)
	a.image = image
	if err := r.attempt(ctx, a); err != nil {
		return nil, err
	}
	return a.result, nil
}

// compile makes the image of a module in a child that runs none.
func (r *Runner) compile(module []byte, l wasm.Limits) ([]byte, error) {
	a := &attempt{job: job{Task: taskCompile, Limits: l}, module: module}
	if err := r.attempt(r.ended, a); err != nil {
		return nil, err
	}
	return a.compiled, nil
}

// attempt has a child do a job.
func (r *Runner) attempt(ctx context.Context, a *attempt) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	child, err := r.nursery.take()
	if err != nil {
		return err
	}
	defer r.nursery.bury(child)
	a.child = child
	defer a.close()
	j := &a.job
	j.Module, j.Scratch = len(a.module), child.scratch
	if a.image != nil {
		info, err := a.image.Stat()
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		j.Module = int(info.Size())
	}
	if j.Task == taskRun && child.spill != nil && j.Limits.OutputBytes > r.spill.After {
		j.Spill = r.spill
		j.Spill.Most = j.Limits.SpillBytes()
	}
	j.allow()
	unwatch := context.AfterFunc(ctx, child.kill)
	defer unwatch()
	// For a child that waits rather than computes, which the limit of its processor time does not end.
	overdue := time.AfterFunc(j.patience(), child.expire)
	defer overdue.Stop()
	err = a.converse()
	if ctx.Err() != nil {
		return fmt.Errorf("run: %w", context.Cause(ctx))
	}
	if err == nil && a.spilled {
		a.result.Disk = child.keep()
	}
	return err
}
