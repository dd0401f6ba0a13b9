package wasm_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/filecoin-project/bacalhau/wasm"
)

// BenchmarkCompute runs the same module, which imports nothing, as a task on
// every engine and without rewriting on plain wazero.
func BenchmarkCompute(b *testing.B) {
	module := load(b, "bench/compute.wasm")
	b.Run("plain-wazero", func(b *testing.B) {
		r := wazero.NewRuntime(b.Context())
		defer r.Close(b.Context())
		compiled, err := r.CompileModule(b.Context(), module)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			m, err := r.InstantiateModule(b.Context(), compiled, wazero.NewModuleConfig().WithName(""))
			if err != nil {
				b.Fatal(err)
			}
			m.Close(b.Context())
		}
	})
	task := wasm.Task{Module: module, Limits: wasm.Limits{MemoryBytes: 1 << 20, Fuel: 1 << 50, OutputBytes: 1}}
	for _, name := range wasm.Engines() {
		b.Run(name, func(b *testing.B) {
			var fuel uint64
			for b.Loop() {
				res, err := runner(b, name).Run(b.Context(), task)
				if err != nil || res.Trap != "" {
					b.Fatal(res, err)
				}
				fuel += res.Fuel
			}
			b.ReportMetric(float64(fuel)/b.Elapsed().Seconds()/1e9, "Gfuel/s")
		})
	}
}

// BenchmarkStart is the cost of one more piece of a module compiled before.
func BenchmarkStart(b *testing.B) {
	task := wasm.Task{Module: load(b, "run/exit.wasm"), Limits: limits}
	for _, name := range wasm.Engines() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := runner(b, name).Run(b.Context(), task); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
