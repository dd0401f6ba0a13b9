package wasm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// What is on disk does not show in a result: of a program that writes as much as it may to stdout, with the threshold
// below, at and above that, and of two that work with files.
func TestSpillDoesNotShow(t *testing.T) {
	bomb := wasm.Task{Module: load(t, "run/output_bomb.wasm"), Limits: limits}
	c := wasm.Task{
		Module: load(t, "cprogram/main.wasm"), Args: []string{"x"}, Env: map[string]string{"HOME": "/outputs"},
		Inputs: map[string]wasm.File{"text": strings.NewReader("HAL")}, Limits: limits,
	}
	for name, test := range map[string]struct {
		task  wasm.Task
		after []uint64
	}{
		"stdout": {bomb, []uint64{0, limits.OutputBytes - 4096, limits.OutputBytes, limits.OutputBytes + 4096}},
		"C":      {c, []uint64{0}},
		"Go":     {goTask(t), []uint64{0, 8192}},
	} {
		want := describe(onEngines(t, test.task))
		for _, after := range test.after {
			file, err := os.Create(t.TempDir() + "/outputs")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			for _, engine := range wasm.Engines() {
				if err := file.Truncate(0); err != nil {
					t.Fatal(err)
				}
				task := test.task
				task.Spill = wasm.Spill{Disk: file, After: after}
				res, err := runner(t, engine).Run(t.Context(), task)
				if err != nil {
					t.Fatal(err)
				}
				if have := describe(res); have != want {
					t.Errorf("%s on %s, %d bytes in memory: %s, want %s", name, engine, after, have, want)
				}
				info, err := file.Stat()
				if err != nil {
					t.Fatal(err)
				}
				if spilled := info.Size() > 0; spilled != (after < limits.OutputBytes) {
					t.Errorf("%s, %d bytes in memory: %d on disk", name, after, info.Size())
				}
			}
		}
	}
}
