package wasm_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// Programs of toolchains that nothing else here uses, as testdata/README.md says how they were built.
func TestToolchains(t *testing.T) {
	var golden strings.Builder
	for _, test := range []struct {
		name string
		task wasm.Task
	}{
		{"words", wasm.Task{ // C++
			Inputs: map[string]wasm.File{"text": strings.NewReader("The quick fox and the lazy dog and THE end\n")},
		}},
		{"sorts", wasm.Task{ // AssemblyScript
			Args: []string{"b", "a", "c", "a"}, Env: map[string]string{"HOME": "/outputs"},
		}},
	} {
		task := test.task
		task.Module, task.Limits = load(t, "toolchains/"+test.name+".wasm"), limits
		res := onEngines(t, task)
		fmt.Fprintf(&golden, "%s: %s\n%s", test.name, describe(res), text(res.Stdout))
		for _, f := range res.Outputs {
			fmt.Fprintf(&golden, "%s:\n%s", f.Path, text(f))
		}
	}
	if *update {
		if err := os.WriteFile("testdata/toolchains/golden.txt", []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(load(t, "toolchains/golden.txt")); golden.String() != want {
		t.Errorf("have\n%s\nwant\n%s", &golden, want)
	}
}
