package rewrite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// suiteEngines makes the engines of this build.
func suiteEngines(t testing.TB) []suiteEngine {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { r.Close(context.Background()) })
	_, err := r.NewHostModuleBuilder(MeterModule).NewFunctionBuilder().WithFunc(func(reason uint32) { panic(suiteMeter(reason)) }).Export(MeterName).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := r.NewHostModuleBuilder("spectest")
	for name, params := range suitePrinters {
		var types []api.ValueType
		for _, p := range params {
			types = append(types, byte(p))
		}
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) {}), types, nil).Export(name)
	}
	if _, err := b.Instantiate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return append([]suiteEngine{&suiteWazero{t.Context(), r}}, suiteWasmtime(t)...)
}

// suitePrinters are the suite's host functions and the types that they take.
var suitePrinters = map[string]string{
	"print": "", "print_i32": "\x7f", "print_i64": "\x7e", "print_f32": "\x7d", "print_f64": "\x7c",
	"print_i32_f32": "\x7f\x7d", "print_f64_f64": "\x7c\x7c",
}

type suiteWazero struct {
	ctx     context.Context
	runtime wazero.Runtime
}

func (*suiteWazero) name() string { return "wazero" }

func (e *suiteWazero) instantiate(wasm []byte) (suiteInstance, error) {
	m, err := e.runtime.InstantiateWithConfig(e.ctx, wasm, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	return &suiteWazeroInstance{e.ctx, m}, err
}

func (e *suiteWazero) link(name string, wasm []byte) error {
	if m := e.runtime.Module(name); m != nil { // of a script before
		if err := m.Close(e.ctx); err != nil {
			return err
		}
	}
	_, err := e.runtime.InstantiateWithConfig(e.ctx, wasm, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil {
		return err
	}
	e.runtime.Module(name).ExportedGlobal(FuelExport).(api.MutableGlobal).Set(suiteFuel)
	return nil
}

type suiteWazeroInstance struct {
	ctx    context.Context
	module api.Module
}

func (i *suiteWazeroInstance) invoke(name string, args []uint64) ([]uint64, error) {
	results, err := i.module.ExportedFunction(name).Call(i.ctx, args...)
	if err != nil && !strings.Contains(err.Error(), "wasm error: ") && !strings.Contains(err.Error(), stackText) {
		return nil, fmt.Errorf("the engine failed: %w", err)
	}
	return results, err
}

func (i *suiteWazeroInstance) global(name string) (uint64, error) {
	g := i.module.ExportedGlobal(name)
	if g == nil {
		return 0, fmt.Errorf("no global %q", name)
	}
	return g.Get(), nil
}

func (i *suiteWazeroInstance) setFuel(fuel int64) error {
	i.module.ExportedGlobal(FuelExport).(api.MutableGlobal).Set(uint64(fuel))
	return nil
}
