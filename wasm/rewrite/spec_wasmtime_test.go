//go:build cgo && (linux || darwin) && (amd64 || arm64)

package rewrite

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// suiteWasmtime is configured as package engine does it.
func suiteWasmtime(t testing.TB) []suiteEngine {
	t.Helper()
	config := wasmtime.NewConfig()
	config.SetMaxWasmStack(4 << 20)
	config.SetWasmThreads(false)
	config.SetWasmTailCall(false)
	config.SetWasmRelaxedSIMD(false)
	config.SetWasmMultiMemory(false)
	config.SetWasmMemory64(false)
	engine := wasmtime.NewEngineWithConfig(config)
	linker := wasmtime.NewLinker(engine)
	linker.AllowShadowing(true)
	err := linker.FuncWrap(MeterModule, MeterName, func(reason int32) *wasmtime.Trap {
		return wasmtime.NewTrap(suiteMeter(uint32(reason)).Error())
	})
	kinds := map[rune]wasmtime.ValKind{typeI32: wasmtime.KindI32, typeI64: wasmtime.KindI64, typeF32: wasmtime.KindF32, typeF64: wasmtime.KindF64}
	for name, params := range suitePrinters {
		var types []*wasmtime.ValType
		for _, p := range params {
			types = append(types, wasmtime.NewValType(kinds[p]))
		}
		if err == nil {
			err = linker.FuncNew("spectest", name, wasmtime.NewFuncType(types, nil),
				func(*wasmtime.Caller, []wasmtime.Val) ([]wasmtime.Val, *wasmtime.Trap) { return nil, nil })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return []suiteEngine{&suiteWasmtimeEngine{engine, linker, wasmtime.NewStore(engine)}}
}

type suiteWasmtimeEngine struct {
	engine *wasmtime.Engine
	linker *wasmtime.Linker
	store  *wasmtime.Store // of all, so that they can link
}

func (*suiteWasmtimeEngine) name() string { return "wasmtime" }

func (e *suiteWasmtimeEngine) instantiate(wasm []byte) (suiteInstance, error) {
	m, err := wasmtime.NewModule(e.engine, wasm)
	if err != nil {
		return nil, err
	}
	instance, err := e.linker.Instantiate(e.store, m)
	return &suiteWasmtimeInstance{e.store, instance}, err
}

func (e *suiteWasmtimeEngine) link(name string, wasm []byte) error {
	i, err := e.instantiate(wasm)
	if err != nil {
		return err
	}
	return errors.Join(i.setFuel(suiteFuel), e.linker.DefineInstance(e.store, name, i.(*suiteWasmtimeInstance).instance))
}

type suiteWasmtimeInstance struct {
	store    *wasmtime.Store
	instance *wasmtime.Instance
}

func (i *suiteWasmtimeInstance) invoke(name string, args []uint64) ([]uint64, error) {
	f := i.instance.GetFunc(i.store, name)
	if f == nil {
		return nil, fmt.Errorf("no function %q", name)
	}
	var values []any
	for at, t := range f.Type(i.store).Params() {
		values = append(values, wasmtimeValue(t.Kind(), args[at]))
	}
	result, err := f.Call(i.store, values...)
	if err != nil {
		if _, ok := err.(*wasmtime.Trap); !ok {
			return nil, fmt.Errorf("the engine failed: %w", err)
		}
		return nil, err
	}
	switch r := result.(type) {
	case []wasmtime.Val:
		var words []uint64
		for _, v := range r {
			words = append(words, wasmtimeWord(v.Get()))
		}
		return words, nil
	case nil:
		if results := f.Type(i.store).Results(); len(results) == 0 {
			return nil, nil
		}
	}
	return []uint64{wasmtimeWord(result)}, nil
}

func wasmtimeValue(kind wasmtime.ValKind, word uint64) any {
	switch kind {
	case wasmtime.KindI32:
		return int32(word)
	case wasmtime.KindI64:
		return int64(word)
	case wasmtime.KindF32:
		return math.Float32frombits(uint32(word))
	case wasmtime.KindF64:
		return math.Float64frombits(word)
	case wasmtime.KindExternref:
		if word != 0 {
			return wasmtime.ValExternref(word)
		}
		return wasmtime.ValExternref(nil)
	}
	return wasmtime.ValFuncref(nil)
}

func wasmtimeWord(v any) uint64 {
	switch v := v.(type) {
	case int32:
		return uint64(uint32(v))
	case int64:
		return uint64(v)
	case float32:
		return uint64(math.Float32bits(v))
	case float64:
		return math.Float64bits(v)
	case uint64: // an externref
		return v
	case *wasmtime.Func:
		if v != nil {
			return 1
		}
	}
	return 0
}

func (i *suiteWasmtimeInstance) global(name string) (uint64, error) {
	e := i.instance.GetExport(i.store, name)
	if e == nil || e.Global() == nil {
		return 0, fmt.Errorf("no global %q", name)
	}
	return wasmtimeWord(e.Global().Get(i.store).Get()), nil
}

func (i *suiteWasmtimeInstance) setFuel(fuel int64) error {
	return i.instance.GetExport(i.store, FuelExport).Global().Set(i.store, wasmtime.ValI64(fuel))
}
