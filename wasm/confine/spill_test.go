//go:build linux

package confine

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// writer is a run of a program that writes as much as it may to stdout.
func writer(t *testing.T, outputBytes uint64) wasm.Task {
	return wasm.Task{
		Module: load(t, "run/output_bomb.wasm"),
		Limits: wasm.Limits{MemoryBytes: 1 << 20, Fuel: 1_000_000_000, OutputBytes: outputBytes},
	}
}

// Outputs beyond the threshold are on disk, in a file without a name, and the result is the same.
func TestSpill(t *testing.T) {
	const after = 1 << 20
	for _, engine := range wasm.Engines() {
		r := open(t, engine)
		r.spill.After = after
		here, err := wasm.NewRunner(engine)
		if err != nil {
			t.Fatal(err)
		}
		defer here.Close()
		for _, size := range []uint64{after - 1, after, after + 1, 20 * after} {
			want, err := here.Run(t.Context(), writer(t, size))
			if err != nil {
				t.Fatal(err)
			}
			have, err := r.Run(t.Context(), writer(t, size))
			if err != nil {
				t.Fatal(err)
			}
			if a, b := describe(want), describe(have); a != b {
				t.Errorf("%s, %d bytes: %s with a spill and %s without", engine, size, b, a)
			}
			resident := 0
			for _, p := range have.Stdout.(*keptFile).parts {
				resident += len(p.bytes)
			}
			if spilled := have.Disk != nil; spilled != (size > after) || resident > after {
				t.Errorf("%s, %d bytes: on disk %v, %d in memory", engine, size, spilled, resident)
			}
			if names, err := os.ReadDir(r.spill.Dir); err != nil || len(names) > 0 {
				t.Errorf("the folder for outputs has %v, %v", names, err)
			}
			if err := have.Close(); err != nil {
				t.Error(err)
			}
			if size > after {
				if _, err := wasm.ReadAll(have.Stdout); !errors.Is(err, os.ErrClosed) {
					t.Errorf("outputs of a closed result: %v", err)
				}
			}
		}
	}
}

// A disk that has no room left for outputs is this machine's failure, and says so.
func TestFullDisk(t *testing.T) {
	for _, engine := range wasm.Engines() {
		r := open(t, engine)
		r.spill.After, r.spill.Free = 4096, 1<<62
		res, err := r.Run(t.Context(), writer(t, 1<<20))
		if res != nil || err == nil || errors.Is(err, ErrAborted) || !strings.Contains(err.Error(), "the disk with "+r.spill.Dir+" is full") {
			t.Errorf("%s: %v, %v", engine, res, err)
		}
		r.spill.Free = 0
		res, err = r.Run(t.Context(), writer(t, 1<<20)) // once there is room
		if err != nil || res.Stdout.Size() != 1<<20 {
			t.Errorf("%s: %v, %v", engine, res, err)
		}
	}
}
