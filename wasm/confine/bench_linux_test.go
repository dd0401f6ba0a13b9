package confine

import (
	"os"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// BenchmarkRun measures whole executions in a process each, from an image that is at hand: of a program that exits at
// once, of one in C, and of one in Go of 4 MB.
func BenchmarkRun(b *testing.B) {
	for _, engine := range wasm.Engines() {
		for _, p := range []struct{ name, path string }{
			{"exit", "../testdata/run/exit.wasm"},
			{"c", "../../examples/wordcount/wordcount.wasm"},
			{"go", "../../examples/concordance/concordance.wasm"},
		} {
			module, err := os.ReadFile(p.path)
			if err != nil {
				b.Fatal(err)
			}
			task := wasm.Task{Module: module, Limits: wasm.Limits{MemoryBytes: 64 << 20, Fuel: 1e9, OutputBytes: 1 << 20}}
			b.Run(engine+"/"+p.name, func(b *testing.B) {
				r := open(b, engine)
				if _, err := r.Run(b.Context(), task); err != nil { // and compile it
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := r.Run(b.Context(), task); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkInput measures how fast a child reads an input in pieces of 4 KiB.
func BenchmarkInput(b *testing.B) {
	r := open(b, "", misdeedVariable+"=any")
	file := sparse{1 << 30, new(atomic.Int64)}
	task := reader(b, file)
	task.Args = []string{"read all"}
	b.SetBytes(file.size)
	for b.Loop() {
		if _, err := r.Run(b.Context(), task); err == nil || err.Error() != "read all" {
			b.Fatal(err)
		}
	}
}
