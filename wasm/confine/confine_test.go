package confine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

var limits = wasm.Limits{MemoryBytes: 4 << 20, Fuel: 50_000_000, OutputBytes: 1 << 20}

// misdeedVariable tells a process of this test to misbehave.
const misdeedVariable = "CONFINE_TEST_MISDEED"

// TestMain makes this program its own child, as main does.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(misdeedVariable) != "":
		os.Exit(misbehave(os.Getenv(misdeedVariable)))
	case Started():
		os.Exit(Serve())
	}
	os.Exit(m.Run())
}

// open gives a runner whose children behave, or misbehave as env says.
func open(t testing.TB, engine string, env ...string) *Runner {
	t.Helper()
	r, err := newRunner(t.Context(), engine, t.TempDir(), env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// text is the content of an output.
func text(f wasm.File) string {
	b, err := wasm.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func describe(r *wasm.Result) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q", text(r.Stdout), text(r.Stderr))
	for _, f := range r.Outputs {
		fmt.Fprintf(h, "%q %q", f.Path, text(f))
	}
	return fmt.Sprintf("exit %#x trap %q fuel %d peak %d memory %x %x output %x", r.ExitCode, r.Trap, r.Fuel, r.PeakMemory, r.MemoryHash[:8], r.KeyedMemoryHash[:8], h.Sum(nil)[:8])
}

// Every program must end alike in this process and in a child.
func TestConfinedRunsAlike(t *testing.T) {
	files, err := filepath.Glob("../testdata/run/*.wasm")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, engine := range wasm.Engines() {
		r := open(t, engine)
		here, err := wasm.NewRunner(engine)
		if err != nil {
			t.Fatal(err)
		}
		defer here.Close()
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				module, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				runAlike(t, here, r, wasm.Task{Module: module, Limits: limits})
			})
		}
		t.Run(engine+"/cprogram", func(t *testing.T) {
			runAlike(t, here, r, wasm.Task{
				Module: load(t, "cprogram/main.wasm"), Args: []string{"x", "not UTF-8: \xff"},
				Env: map[string]string{"HOME": "/outputs=\xfe", "A": ""},
				Inputs: map[string]wasm.File{
					"text": strings.NewReader("HAL"), "sub/b": strings.NewReader(""), "sub/a": strings.NewReader(""),
				},
				Seed: [32]byte{7}, MemoryKey: [32]byte{8}, Limits: limits,
			})
		})
	}
}

func runAlike(t *testing.T, here *wasm.Runner, r *Runner, task wasm.Task) {
	t.Helper()
	want, err := here.Run(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	have, err := r.Run(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := describe(want), describe(have); a != b {
		t.Errorf("in this process: %s\nin a child: %s", a, b)
	}
}

// A Go program has a runtime of its own, which reads, writes and allocates a lot.
func TestGoProgramRunsAlike(t *testing.T) {
	module, err := os.ReadFile("../../examples/concordance/concordance.wasm")
	if err != nil {
		t.Fatal(err)
	}
	book, err := os.ReadFile("../../examples/data/kjv/66-revelation.txt")
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for _, engine := range wasm.Engines() {
		res, err := open(t, engine).Run(t.Context(), wasm.Task{
			Module: module, Args: []string{"dragon"}, Inputs: map[string]wasm.File{"book.txt": bytes.NewReader(book)},
			Limits: wasm.Limits{MemoryBytes: 256 << 20, Fuel: 20_000_000_000, OutputBytes: 16 << 20},
		})
		if err != nil {
			t.Fatal(err)
		}
		have := describe(res)
		if first == "" {
			first = have
		}
		if have != first || res.ExitCode != 0 || res.Stdout.Size() == 0 {
			t.Errorf("%s: %s, want %s", engine, have, first)
		}
	}
}

// The bounds of a child must leave a guest all the memory that its limit promises.
func TestAllOfTheMemory(t *testing.T) {
	for _, engine := range wasm.Engines() {
		task := wasm.Task{Module: load(t, "run/memory_bomb.wasm"), Limits: limits}
		task.Limits.MemoryBytes, task.Limits.Fuel = 256<<20, 10_000_000_000
		res, err := open(t, engine).Run(t.Context(), task)
		if err != nil || res.PeakMemory != 256<<20 {
			t.Errorf("%s: %+v, %v", engine, res, err)
		}
	}
}

func TestModulesThatDoNotFit(t *testing.T) {
	for _, engine := range wasm.Engines() {
		r := open(t, engine)
		module := load(t, "refuse/threads.wasm")
		want := wasm.Check(module).Error()
		var unfit *wasm.ProfileError
		if err := r.Check(t.Context(), module, limits); !errors.As(err, &unfit) || err.Error() != want {
			t.Errorf("%s: Check: %v, want %s", engine, err, want)
		}
		if _, err := r.Run(t.Context(), wasm.Task{Module: module, Limits: limits}); !errors.As(err, &unfit) || err.Error() != want {
			t.Errorf("%s: Run: %v, want %s", engine, err, want)
		}
		if err := r.Check(t.Context(), load(t, "run/exit.wasm"), limits); err != nil {
			t.Errorf("%s: %v", engine, err)
		}
		if err := r.Check(t.Context(), nil, wasm.Limits{}); err == nil {
			t.Errorf("%s: checks without limits", engine)
		}
	}
}

func TestTwentyAtOnce(t *testing.T) {
	r := open(t, "")
	task := reader(t, strings.NewReader("HAL"))
	results := make([]string, 20)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			res, err := r.Run(t.Context(), task)
			if err != nil {
				results[i] = err.Error()
				return
			}
			results[i] = describe(res)
		})
	}
	group.Wait()
	for _, have := range results {
		if have != results[0] || !strings.HasPrefix(have, "exit 0x4 ") {
			t.Errorf("%s and %s", results[0], have)
		}
	}
}

func TestClosedRunner(t *testing.T) {
	r, err := NewRunner(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(t.Context(), reader(t, strings.NewReader(""))); err == nil {
		t.Error("a closed runner runs")
	}
}

// reader is a run of a program that copies its input.
func reader(t testing.TB, text wasm.File) wasm.Task {
	return wasm.Task{
		Module: load(t, "cprogram/main.wasm"), Inputs: map[string]wasm.File{"text": text}, Limits: limits,
	}
}
