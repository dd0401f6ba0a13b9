package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Features are the parts of WebAssembly that the profile admits: version 2.0.
const features = api.CoreFeaturesV2

// caught turns a panic into an error: modules come from strangers, and one
// that the engine cannot cope with must not end the process.
func caught(err *error) {
	if x := recover(); x != nil {
		*err = fmt.Errorf("wazero: panicked: %v", x)
	}
}

type wazeroEngine struct {
	runtime    wazero.Runtime
	cache      wazero.CompilationCache // nil without one
	funcs      []Func
	fuelExport string
}

type wazeroProgram struct {
	engine *wazeroEngine
	module wazero.CompiledModule
}

// wazeroRun is what a host function needs; it travels in the call's context.
type wazeroRun struct {
	host   Host
	memory api.Memory
	fuel   api.MutableGlobal
	stop   bool
}

type wazeroRunKey struct{}

// stopRun unwinds the guest's stack; the engine turns it into an error.
type stopRun struct{}

func (stopRun) Error() string { return "stopped by the host" }

func newWazero(funcs []Func, fuelExport string) (Engine, error) {
	return newWazeroWith(wazeroConfig(), funcs, fuelExport)
}

// wazeroConfig picks wazero's compiler where the platform has one and its
// interpreter elsewhere.
func wazeroConfig() wazero.RuntimeConfig {
	// Cancellation goes through the fuel meter, so that WithCloseOnContextDone,
	// which leaves the machine code at every turn of every loop, is not needed.
	return wazero.NewRuntimeConfig().WithCoreFeatures(features).WithDebugInfoEnabled(false)
}

func newWazeroWith(config wazero.RuntimeConfig, funcs []Func, fuelExport string) (*wazeroEngine, error) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	builders := map[string]wazero.HostModuleBuilder{}
	for i, f := range funcs {
		b := builders[f.Module]
		if b == nil {
			b = r.NewHostModuleBuilder(f.Module)
			builders[f.Module] = b
		}
		b.NewFunctionBuilder().WithGoModuleFunction(wazeroFunc(i, f), wazeroTypes(f.Params), wazeroTypes(f.Results)).Export(f.Name)
	}
	for name, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			r.Close(ctx)
			return nil, fmt.Errorf("wazero: host module %s: %w", name, err)
		}
	}
	return &wazeroEngine{runtime: r, funcs: funcs, fuelExport: fuelExport}, nil
}

func wazeroTypes(letters string) []api.ValueType {
	var types []api.ValueType
	for _, c := range letters {
		if c == 'i' {
			types = append(types, api.ValueTypeI32)
		} else {
			types = append(types, api.ValueTypeI64)
		}
	}
	return types
}

func wazeroFunc(index int, f Func) api.GoModuleFunc {
	n, returns := len(f.Params), f.Results != ""
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		run := ctx.Value(wazeroRunKey{}).(*wazeroRun)
		var args [10]uint64
		for i := range n {
			if args[i] = stack[i]; f.Params[i] == 'i' {
				args[i] = uint64(uint32(stack[i]))
			}
		}
		memory, _ := run.memory.Read(0, run.memory.Size())
		fuel := int64(run.fuel.Get())
		result, stop := run.host.Call(index, memory, args[:n], &fuel)
		run.fuel.Set(uint64(fuel))
		if stop {
			run.stop = true
			panic(stopRun{})
		}
		if returns {
			stack[0] = uint64(result)
		}
	}
}

func (e *wazeroEngine) Name() string { return "wazero" }

func (e *wazeroEngine) Pauses() bool { return true }

func (e *wazeroEngine) Compile(ctx context.Context, wasm []byte) (_ Program, err error) {
	defer caught(&err)
	m, err := e.runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("wazero: compile: %w", err)
	}
	return &wazeroProgram{e, m}, nil
}

func (e *wazeroEngine) Close() error {
	err := e.runtime.Close(context.Background())
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(context.Background()))
	}
	return err
}

func (p *wazeroProgram) Close() error { return p.module.Close(context.Background()) }

func (p *wazeroProgram) Run(ctx context.Context, host Host, fuel int64, final func(Outcome, []byte)) (err error) {
	defer caught(&err)
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(allocate))
	m, err := p.engine.runtime.InstantiateModule(ctx, p.module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return fmt.Errorf("wazero: instantiate: %w", err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	run := &wazeroRun{host: host, memory: m.ExportedMemory("memory"), fuel: m.ExportedGlobal(p.engine.fuelExport).(api.MutableGlobal)}
	run.fuel.Set(uint64(fuel))
	_, err = m.ExportedFunction("_start").Call(context.WithValue(ctx, wazeroRunKey{}, run))
	if err != nil && !run.stop {
		if err := guestTrap(err); err != nil {
			return err
		}
	}
	memory, _ := run.memory.Read(0, run.memory.Size())
	final(Outcome{Fuel: int64(run.fuel.Get()), Stopped: run.stop, Trapped: err != nil && !run.stop}, memory)
	return nil
}

// guestTrap returns nil for a trap of the guest's own, which wazero only marks
// in the text, and an error for a failure of the engine.
func guestTrap(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	reason, guest := strings.CutPrefix(text, "wasm error: ")
	switch {
	case !guest:
		return fmt.Errorf("wazero: run: %w", err)
	case reason == "stack overflow":
		return fmt.Errorf("wazero: %w", errStack)
	}
	return nil
}
