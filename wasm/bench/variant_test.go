//go:build unix

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/filecoin-project/bacalhau/wasm"
)

// subject is a program that was built, and the data that it may read.
type subject struct {
	Program
	native string
	module []byte
	data   string // path of the data file
}

// run is one run of a subject on a variant, of which compiling is no part.
type run struct {
	cpu    time.Duration // user and system time
	fuel   uint64
	stdout string
}

// variant is a way to run programs. prepare compiles; what it returns may run
// several times.
type variant struct {
	name    string
	prepare func(subject) (func() (run, error), error)
}

// variants are those of this build: native code, plain engines, and ours.
func variants() []variant {
	list := []variant{{"native", native}}
	list = append(list, plainWasmtime...)
	list = append(list, variant{"plain wazero", plainWazero})
	for _, engine := range wasm.Engines() {
		list = append(list, variant{"ours on " + engine, func(s subject) (func() (run, error), error) { return ours(engine, s) }})
	}
	return list
}

func (s subject) args() []string {
	if s.Reads {
		return []string{"/inputs/" + filepath.Base(s.data)}
	}
	return nil
}

// cpuTime is what this process has used so far, the garbage collector included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only for an unknown argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func native(s subject) (func() (run, error), error) {
	return func() (run, error) {
		cmd := exec.Command(s.native)
		if s.Reads {
			cmd.Args = append(cmd.Args, s.data)
		}
		out, err := cmd.Output()
		if err != nil {
			return run{}, err
		}
		return run{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), stdout: string(out)}, nil
	}, nil
}

func plainWazero(s subject) (func() (run, error), error) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	compiled, err := r.CompileModule(ctx, s.module)
	if err != nil {
		return nil, err
	}
	return func() (run, error) {
		var stdout bytes.Buffer
		config := wazero.NewModuleConfig().WithName("").WithArgs(append([]string{"main"}, s.args()...)...).WithStdout(&stdout).
			WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(filepath.Dir(s.data), "/inputs"))
		before := cpuTime()
		m, err := r.InstantiateModule(ctx, compiled, config)
		if m != nil {
			err = errors.Join(err, m.Close(ctx))
		}
		var exit *sys.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 0 {
			err = nil
		}
		return run{cpu: cpuTime() - before, stdout: stdout.String()}, err
	}, nil
}

// input is a file as a run sees it.
type input struct {
	*os.File
	size int64
}

func (i input) Size() int64 { return i.size }

// task is the subject's run, with next to no fuel.
func (s subject) task() (wasm.Task, error) {
	f, err := os.Open(s.data)
	if err != nil {
		return wasm.Task{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return wasm.Task{}, err
	}
	return wasm.Task{
		Module: s.module, Args: s.args(), Inputs: map[string]wasm.File{filepath.Base(s.data): input{f, info.Size()}},
		Limits: wasm.Limits{MemoryBytes: 1 << 30, Fuel: 1, OutputBytes: 1 << 20},
	}, nil
}

func ours(engine string, s subject) (func() (run, error), error) {
	runner, err := wasm.NewRunner(engine)
	if err != nil {
		return nil, err
	}
	task, err := s.task()
	if err != nil {
		return nil, err
	}
	// This compiles, and then stops at once.
	if _, err := runner.Run(context.Background(), task); err != nil {
		return nil, err
	}
	task.Limits.Fuel = wasm.MaxFuel
	return func() (run, error) {
		before := cpuTime()
		res, err := runner.Run(context.Background(), task)
		used := cpuTime() - before
		if err == nil && res.ExitCode != 0 {
			stderr, _ := wasm.ReadAll(res.Stderr) // it is in memory
			err = fmt.Errorf("exit code %d %s: %s", res.ExitCode, res.Trap, stderr)
		}
		if err != nil {
			return run{}, err
		}
		stdout, err := wasm.ReadAll(res.Stdout)
		return run{used, res.Fuel, string(stdout)}, err
	}, nil
}
