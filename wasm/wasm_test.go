package wasm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

var update = flag.Bool("update", false, "rewrite testdata/golden.txt")

var limits = wasm.Limits{MemoryBytes: 4 << 20, Fuel: 50_000_000, OutputBytes: 1 << 20}

// onEngines runs a task on every engine of this build and insists on one result.
func onEngines(t *testing.T, task wasm.Task) *wasm.Result {
	t.Helper()
	var first *wasm.Result
	for _, name := range wasm.Engines() {
		res, err := runner(t, name).Run(t.Context(), task)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if first == nil {
			first = res
		}
		if a, b := describe(first), describe(res); a != b {
			t.Fatalf("engines differ:\n%s: %s\n%s: %s", wasm.Engines()[0], a, name, b)
		}
	}
	return first
}

var (
	runnersMu sync.Mutex
	runners   = map[string]*wasm.Runner{}
)

// runner gives one runner per engine for the whole test binary.
func runner(t testing.TB, name string) *wasm.Runner {
	t.Helper()
	runnersMu.Lock()
	defer runnersMu.Unlock()
	if runners[name] == nil {
		r, err := wasm.NewRunner(name)
		if err != nil {
			t.Fatal(err)
		}
		runners[name] = r
	}
	return runners[name]
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
	return fmt.Sprintf("exit %#x trap %q fuel %d peak %d memory %x output %x", r.ExitCode, r.Trap, r.Fuel, r.PeakMemory, r.MemoryHash[:8], h.Sum(nil)[:8])
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wanted gives what the first line of a source expects, without its comment.
func wanted(t *testing.T, wat string) string {
	t.Helper()
	line, _, _ := strings.Cut(string(load(t, wat)), "\n")
	want, ok := strings.CutPrefix(line, ";; want: ")
	if !ok {
		t.Fatalf("%s: the first line does not say what is wanted", wat)
	}
	want, _, _ = strings.Cut(want, " (")
	return want
}

func sources(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join("testdata", dir, "*.wat"))
	if err != nil || len(list) < 10 {
		t.Fatalf("found %d programs in %s: %v", len(list), dir, err)
	}
	for i := range list {
		list[i] = strings.TrimSuffix(filepath.Base(list[i]), ".wat")
	}
	return list
}

func TestConformance(t *testing.T) {
	var golden strings.Builder
	for _, name := range sources(t, "run") {
		res := onEngines(t, wasm.Task{Module: load(t, "run/"+name+".wasm"), Limits: limits})
		have := fmt.Sprintf("exit %d", res.ExitCode)
		if res.Trap != "" {
			have = res.Trap
		}
		if want := wanted(t, "run/"+name+".wat"); have != want {
			t.Errorf("%s: %s, want %s", name, have, want)
		}
		if (res.ExitCode == wasm.ExitOutOfFuel) != (res.Fuel == limits.Fuel) {
			t.Errorf("%s: exit %#x with fuel %d of %d", name, res.ExitCode, res.Fuel, limits.Fuel)
		}
		fmt.Fprintf(&golden, "%s: %s\n", name, describe(res))
	}
	if *update {
		if err := os.WriteFile("testdata/golden.txt", []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Split(string(load(t, "golden.txt")), "\n")
	for i, line := range strings.Split(golden.String(), "\n") {
		if i >= len(want) || line != want[i] {
			t.Errorf("result changed, which needs a new wasm.Version (and -update):\nhave %s\nwant %s", line, strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
		}
	}
}

func TestRefused(t *testing.T) {
	r := runner(t, "wazero")
	for _, name := range sources(t, "refuse") {
		module := load(t, "refuse/"+name+".wasm")
		err := wasm.Check(module)
		var refused *wasm.ProfileError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), wanted(t, "refuse/"+name+".wat")) {
			t.Errorf("%s: Check says %v", name, err)
		}
		if res, err := r.Run(t.Context(), wasm.Task{Module: module, Limits: limits}); !errors.As(err, &refused) {
			t.Errorf("%s: Run gives %v, %v", name, res, err)
		}
	}
}

func TestRefusedBytes(t *testing.T) {
	whole := load(t, "run/import_in_table.wasm")
	if err := wasm.Check(whole); err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if n == 8 { // an empty module is whole, if useless
			continue
		}
		var refused *wasm.ProfileError
		if err := wasm.Check(whole[:n]); !errors.As(err, &refused) {
			t.Errorf("first %d bytes of a module: %v", n, err)
		}
	}
	// No damage may get past the checks into an engine's panic.
	roomy := limits
	roomy.MemoryBytes = 16 << 20
	for i := range whole {
		for _, b := range []byte{0x00, 0x7f, 0x80, 0xff} {
			broken := bytes.Clone(whole)
			broken[i] = b
			if wasm.Check(broken) == nil {
				onEngines(t, wasm.Task{Module: broken, Limits: roomy})
			}
		}
	}
	if err := wasm.Check([]byte("#!/bin/sh\n")); err == nil || !strings.Contains(err.Error(), "not a core WebAssembly module") {
		t.Error(err)
	}
}

var goProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "wasm-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "program.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s", "-o", out, "./testdata/program")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return os.ReadFile(out)
})

func goTask(t *testing.T) wasm.Task {
	t.Helper()
	module, err := goProgram()
	if err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 300_000)
	for i := range big {
		big[i] = byte(i * i >> 7)
	}
	return wasm.Task{
		Module: module,
		Args:   []string{"one", "two words"},
		Env:    map[string]string{"B": "2", "A": "1"},
		Inputs: map[string]wasm.File{"b/c.txt": bytes.NewReader([]byte("cc")), "a.txt": bytes.NewReader([]byte("hello")), "big/data.bin": bytes.NewReader(big)},
		Seed:   [32]byte{1, 2, 3},
		Limits: wasm.Limits{MemoryBytes: 64 << 20, Fuel: 10_000_000_000, OutputBytes: 1 << 20},
	}
}

func TestGoProgram(t *testing.T) {
	task := goTask(t)
	res := onEngines(t, task)
	if res.ExitCode != 3 || text(res.Stderr) != "to stderr\n" {
		t.Fatalf("exit %d trap %q\n%s%s", res.ExitCode, res.Trap, text(res.Stdout), text(res.Stderr))
	}
	if *update {
		if err := os.WriteFile("testdata/program/want.txt", []byte(text(res.Stdout)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(load(t, "program/want.txt")); text(res.Stdout) != want {
		t.Errorf("stdout:\n%s\nwant:\n%s", text(res.Stdout), want)
	}
	var paths []string
	for _, f := range res.Outputs {
		paths = append(paths, fmt.Sprintf("%s=%d", f.Path, f.Size()))
	}
	if len(paths) != 23 || !slices.IsSorted(paths) || !slices.Contains(paths, "a/uno.txt=3") || !slices.Contains(paths, "a/two.txt=14") || !slices.Contains(paths, "sparse=10003") {
		t.Errorf("outputs: %v", paths)
	}
	task.Seed[0]++
	again := onEngines(t, task)
	if text(again.Stdout) == text(res.Stdout) || again.MemoryHash == res.MemoryHash {
		t.Error("another seed gives the same result")
	}
}

func TestCProgram(t *testing.T) {
	res := onEngines(t, wasm.Task{
		Module: load(t, "cprogram/main.wasm"),
		Args:   []string{"x"},
		Env:    map[string]string{"HOME": "/outputs"},
		Inputs: map[string]wasm.File{"text": strings.NewReader("HAL"), "sub/b": strings.NewReader(""), "sub/a": strings.NewReader("")},
		Limits: limits,
	})
	if res.ExitCode != 4 || text(res.Stderr) != "isatty 0\n" || len(res.Outputs) != 1 || res.Outputs[0].Path != "moved" || text(res.Outputs[0]) != "IB" {
		t.Errorf("exit %d trap %q stderr %q outputs %v", res.ExitCode, res.Trap, text(res.Stderr), res.Outputs)
	}
	if *update {
		if err := os.WriteFile("testdata/cprogram/want.txt", []byte(text(res.Stdout)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(load(t, "cprogram/want.txt")); text(res.Stdout) != want {
		t.Errorf("stdout:\n%s\nwant:\n%s", text(res.Stdout), want)
	}
}

// A failing input is a failure of this machine and never becomes a result.
type brokenFile struct{}

var errDisk = errors.New("disk on fire")

func (brokenFile) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
func (brokenFile) Size() int64                       { return 5 }

type shortFile struct{}

func (shortFile) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }
func (shortFile) Size() int64                       { return 5 }

// TestPosix compares what a program in C sees with what Linux shows it. With
// -update, Linux is asked again.
func TestPosix(t *testing.T) {
	wide := limits
	wide.Fuel = 1_000_000_000 // it makes hundreds of files
	res := onEngines(t, wasm.Task{Module: load(t, "posix/posix.wasm"), Args: []string{"/outputs"}, Limits: wide})
	if *update {
		native := filepath.Join(t.TempDir(), "posix")
		if text, err := exec.Command("cc", "-D_GNU_SOURCE", "-o", native, "testdata/posix/posix.c").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		want, err := exec.Command(native, t.TempDir()).Output()
		if err == nil {
			err = os.WriteFile("testdata/posix/want.txt", want, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := string(load(t, "posix/want.txt")); res.ExitCode != 0 || text(res.Stdout) != want {
		t.Errorf("exit %d trap %q, printed\n%s\nwant\n%s", res.ExitCode, res.Trap, text(res.Stdout), want)
	}
}

func TestBrokenInput(t *testing.T) {
	for _, name := range wasm.Engines() {
		task := goTask(t)
		task.Inputs["a.txt"] = brokenFile{}
		if _, err := runner(t, name).Run(t.Context(), task); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", name, err)
		}
		task.Inputs["a.txt"] = shortFile{}
		if _, err := runner(t, name).Run(t.Context(), task); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// cancelAt is a context that is cancelled at its n-th look, wherever that is.
type cancelAt struct {
	context.Context
	mu    sync.Mutex
	looks int
	at    int
}

func (c *cancelAt) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looks++; c.looks > c.at {
		return context.Canceled
	}
	return nil
}

func TestCancelStopsALoop(t *testing.T) {
	task := wasm.Task{Module: load(t, "run/loop_forever.wasm"), Limits: limits}
	task.Limits.Fuel = wasm.MaxFuel
	ctx := &cancelAt{Context: t.Context(), at: 4}
	res, err := runner(t, "wazero").Run(ctx, task)
	if !errors.Is(err, context.Canceled) || res != nil {
		t.Errorf("%v, %v", res, err)
	}
}

func TestCancelStopsAtACall(t *testing.T) {
	for _, name := range wasm.Engines() {
		ctx := &cancelAt{Context: t.Context(), at: 10}
		res, err := runner(t, name).Run(ctx, goTask(t))
		if !errors.Is(err, context.Canceled) || res != nil {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
}

func TestConcurrentRuns(t *testing.T) {
	task := goTask(t)
	for _, name := range wasm.Engines() {
		r := runner(t, name)
		results := make([]string, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				res, err := r.Run(t.Context(), task)
				if err != nil {
					results[i] = err.Error()
					return
				}
				results[i] = describe(res)
			})
		}
		wg.Wait()
		for _, have := range results {
			if have != results[0] || !strings.HasPrefix(have, "exit 0x3 ") {
				t.Errorf("%s: %s and %s", name, results[0], have)
			}
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	task := wasm.Task{Module: load(t, "run/fill_bomb.wasm"), Limits: limits}
	task.Limits.MemoryBytes = 1 << 20
	var refused *wasm.ProfileError
	if _, err := runner(t, "wazero").Run(t.Context(), task); !errors.As(err, &refused) || !strings.Contains(err.Error(), "asks for 4096 KiB of memory at the start and the limit is 1024 KiB") {
		t.Error(err)
	}
}

func TestTaskCheck(t *testing.T) {
	good := wasm.Task{Limits: limits}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*wasm.Task){
		"no memory":    func(t *wasm.Task) { t.Limits.MemoryBytes = 0 },
		"100 GiB":      func(t *wasm.Task) { t.Limits.MemoryBytes = 100 << 30 },
		"no fuel":      func(t *wasm.Task) { t.Limits.Fuel = 0 },
		"endless fuel": func(t *wasm.Task) { t.Limits.Fuel = 1 << 63 },
		"no output":    func(t *wasm.Task) { t.Limits.OutputBytes = 0 },
		"zero byte":    func(t *wasm.Task) { t.Args = []string{"a\x00"} },
		"long args":    func(t *wasm.Task) { t.Args = []string{strings.Repeat("a", 2<<20)} },
		"env name":     func(t *wasm.Task) { t.Env = map[string]string{"A=B": "c"} },
	} {
		bad := good
		spoil(&bad)
		if bad.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
	for _, path := range []string{"", "/a", "../a", "a/../b", "a//b", "a\x00"} {
		bad := wasm.Task{Module: load(t, "run/exit.wasm"), Limits: limits, Inputs: map[string]wasm.File{path: bytes.NewReader(nil)}}
		if _, err := runner(t, "wazero").Run(t.Context(), bad); err == nil {
			t.Errorf("input path %q passes", path)
		}
	}
}

func TestUnknownEngine(t *testing.T) {
	if _, err := wasm.NewRunner("v8"); err == nil || !strings.Contains(err.Error(), "choose one of") {
		t.Error(err)
	}
}

func TestHashMemory(t *testing.T) {
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	a[5000], b[9000] = 1, 1
	hashes := map[[32]byte]bool{wasm.HashMemory(a): true, wasm.HashMemory(b): true, wasm.HashMemory(a[:1<<19]): true, wasm.HashMemory(nil): true}
	if len(hashes) != 4 {
		t.Error("different memories have equal hashes")
	}
}
