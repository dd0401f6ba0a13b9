package wasm_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// fuzzLimits keep a run to a few milliseconds.
var fuzzLimits = wasm.Limits{MemoryBytes: limits.MemoryBytes, Fuel: 1_000_000, OutputBytes: 1 << 16}

// FuzzGenerated runs generated programs: on every engine the rewritten one
// gives the same result, and does what the original does.
func FuzzGenerated(f *testing.F) {
	random := rand.NewChaCha8([32]byte{1})
	for range 20 {
		data := make([]byte, 32)
		random.Read(data)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		compare(t, data)
	})
}

// compare returns the result of a generated program, or nil if it ended in a
// way that the original does not know.
func compare(t *testing.T, data []byte) *wasm.Result {
	t.Helper()
	task := wasm.Task{Module: newGenerator(data, false).module(), Seed: [32]byte{7}, Limits: fuzzLimits}
	if err := wasm.Check(task.Module); err != nil {
		t.Fatalf("the generated module is not valid: %v", keep(t, task.Module, err))
	}
	res := onEngines(t, task)
	if res.Trap == wasm.TrapOutOfFuel || res.Trap == wasm.TrapStack {
		return nil
	}
	plain := task
	plain.Module = newGenerator(data, true).module()
	want := runPlain(t, plain)
	want.Fuel = res.Fuel
	if have, want := describe(res), describe(want); have != want {
		t.Fatalf("rewritten and original differ:\nhave %s\nwant %s\n%v", have, want, keep(t, task.Module, nil))
	}
	return res
}

// keep writes a module where it can be looked at and says where.
func keep(t *testing.T, module []byte, err error) error {
	t.Helper()
	file, createErr := os.CreateTemp("", "differs-*.wasm")
	if createErr != nil {
		return errors.Join(err, createErr)
	}
	_, writeErr := file.Write(module)
	return errors.Join(err, writeErr, file.Close(), errors.New("the module is in "+file.Name()))
}

// Most generated programs get to their end, and most of those do something,
// else the fuzzing would compare little.
func TestGeneratedProgramsDoSomething(t *testing.T) {
	random := rand.NewChaCha8([32]byte{2})
	ended, trapped, hashes := 0, 0, map[[32]byte]bool{}
	const programs = 50
	for range programs {
		data := make([]byte, 48)
		random.Read(data)
		if res := compare(t, data); res != nil {
			ended++
			hashes[res.MemoryHash] = true
			if res.Trap != "" {
				trapped++
			}
		}
	}
	if ended < programs/2 || trapped > ended*3/4 || len(hashes) < ended/2 {
		t.Errorf("of %d programs %d are comparable, %d of them trap, with %d results", programs, ended, trapped, len(hashes))
	}
}

// FuzzModule runs whatever passes the checks: on every engine, or on none.
func FuzzModule(f *testing.F) {
	for _, dir := range []string{"run", "refuse", "bench"} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.wasm"))
		if err != nil || len(files) == 0 {
			f.Fatal(dir, err)
		}
		for _, name := range files {
			module, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(module)
		}
	}
	random := rand.NewChaCha8([32]byte{3})
	for range 10 {
		data := make([]byte, 48)
		random.Read(data)
		f.Add(newGenerator(data, false).module())
	}
	// On a busy machine a large module takes so long to compile that the fuzzer
	// takes it for a hang.
	const maxBytes = 8 << 10
	f.Fuzz(func(t *testing.T, module []byte) {
		if len(module) > maxBytes {
			return
		}
		if err := wasm.CheckWithin(module, fuzzLimits); err != nil {
			var refused *wasm.ProfileError
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			return
		}
		onEngines(t, wasm.Task{Module: module, Limits: fuzzLimits})
	})
}
