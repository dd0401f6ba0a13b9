package wasm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/wasi"
)

// plainRuntime runs modules as their authors built them: interpreted, with this
// project's host but no rewriting and no meter.
var plainRuntime = sync.OnceValues(func() (wazero.Runtime, error) {
	ctx := context.Background()
	config := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(uint32(limits.MemoryBytes >> 16))
	r := wazero.NewRuntimeWithConfig(ctx, config)
	b := r.NewHostModuleBuilder(wasi.Module)
	for i, f := range wasi.Funcs {
		var params, results []api.ValueType
		for _, c := range f.Params {
			params = append(params, map[rune]api.ValueType{'i': api.ValueTypeI32, 'l': api.ValueTypeI64}[c])
		}
		for range f.Results {
			results = append(results, api.ValueTypeI32)
		}
		b.NewFunctionBuilder().WithGoModuleFunction(plainCall(i, f), params, results).Export(f.Name)
	}
	_, err := b.Instantiate(ctx)
	return r, err
})

type plainHost struct{}

// free is a meter that charges nothing.
type free struct{}

func (free) Charge(uint64) error { return nil }

func plainCall(i int, f wasi.Func) api.GoModuleFunc {
	return func(ctx context.Context, m api.Module, stack []uint64) {
		host := ctx.Value(plainHost{}).(*wasi.Host)
		memory, _ := m.Memory().Read(0, m.Memory().Size())
		var args [10]uint64
		for i := range f.Params {
			if args[i] = stack[i]; f.Params[i] == 'i' {
				args[i] = uint64(uint32(stack[i]))
			}
		}
		errno, err := host.Call(i, memory, args[:len(f.Params)], free{})
		if err != nil {
			panic(err)
		}
		if f.Results != "" {
			stack[0] = uint64(errno)
		}
	}
}

// runPlain gives what a module does when nothing meters it; its fuel is 0.
func runPlain(t testing.TB, task wasm.Task) *wasm.Result {
	t.Helper()
	r, err := plainRuntime()
	if err != nil {
		t.Fatal(err)
	}
	host, err := wasi.New(wasi.Config{Args: []string{"main"}, Seed: task.Seed, OutputBytes: task.Limits.OutputBytes})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithValue(t.Context(), plainHost{}, host)
	m, err := r.InstantiateWithConfig(ctx, task.Module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(ctx)
	res := &wasm.Result{}
	_, err = m.ExportedFunction("_start").Call(ctx)
	memory, _ := m.Memory().Read(0, m.Memory().Size())
	switch {
	case errors.Is(err, wasi.ErrExit):
		res.ExitCode = host.ExitCode() &^ (1 << 31)
	case err != nil && !strings.HasPrefix(err.Error(), "wasm error: "):
		t.Fatal(err)
	case err != nil:
		res.ExitCode, res.Trap = wasm.ExitTrap, wasm.TrapGuest
		clear(memory[max(0, len(memory)-15):]) // what a store across the end may have torn
	}
	res.MemoryHash, res.PeakMemory = wasm.HashMemory(memory), uint64(len(memory))
	res.Stdout, res.Stderr = host.Stdout(), host.Stderr()
	return res
}
