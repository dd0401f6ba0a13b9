package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

const wasmTests = "../../wasm/testdata/"

// TestWasmMistakes: what is wrong, the exit code, and the one line that says what to do.
func TestWasmMistakes(t *testing.T) {
	t.Setenv(envAPI, nobody(t)) // none of this needs a node
	dir := t.TempDir()
	text := write(t, "hello", dir, "text.txt")
	twin := write(t, "other", dir, "twin", "text.txt")
	exits := wasmTests + "run/exit.wasm"
	const nowhere = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"fly", 2, `"fly" is not a command of bacalhau wasm`},
		{"run", 2, "give the program to run"},
		{"run a.wasm b.wasm", 2, "put the program's own arguments behind --: bacalhau wasm run a.wasm -- b.wasm"},
		{"run missing.wasm", 1, `module "missing.wasm" is not on this machine`},
		{"run " + nowhere, 1, "`bacalhau get` fetches a CID"},
		{"run " + dir, 1, "is not a file: give a WASI program"},
		{"run " + text, 1, "it is not a core WebAssembly module; compile the program to a WASI preview1 command"},
		{"run --engine v8 " + exits, 2, `--engine: unknown engine "v8": choose one of`},
		{"run --memory 100GiB " + exits, 2, `--memory: "100GiB" is more than a piece can have`},
		{"run --memory 1KiB " + exits, 2, "memory limit (bytes) is 1024: set it between 65536"},
		{"run --memory 64KiB " + wasmTests + "run/fill_bomb.wasm", 1, "raise the memory limit"},
		{"run --fuel 0 " + exits, 2, `--fuel: "0" is zero`},
		{"run --output-bytes x " + exits, 2, `--output-bytes: "x" is not a size`},
		{"run --price free " + exits, 2, `--price: "free" is not an amount`},
		{"run --env NAME " + exits, 2, `--env: "NAME" is not of the form K=V`},
		{"run --out " + dir + " " + exits, 1, dir + " exists already"},
		{"run --input missing.txt " + exits, 1, `input "missing.txt" is not on this machine`},
		{"run --input= " + exits, 2, "--input is empty"},
		{"run --input https://example.org/x " + exits, 1, "is not on this machine"},
		{"run --input " + text + " --input " + twin + " " + exits, 1, "would both be /inputs/text.txt: rename one"},
		{"check", 2, "give the program to look at"},
		{"check missing.wasm", 1, `module "missing.wasm" is not on this machine`},
		{"check " + wasmTests + "refuse/threads.wasm", 3, "compile without threads (no -pthread, no atomics)"},
		{"explain " + wasmTests + "refuse/no_start.wasm", 1, "compile a program with a main function, not a library"},
	} {
		t.Run(test.args, func(t *testing.T) {
			got := bacalhau(t, append([]string{"wasm"}, strings.Fields(test.args)...)...)
			if got.code != test.code || got.stdout != "" {
				t.Errorf("exit code %d and stdout %q, want %d and nothing", got.code, got.stdout, test.code)
			}
			if strings.Count(got.stderr, "\n") != 1 || !strings.HasPrefix(got.stderr, "bacalhau: ") || !strings.Contains(got.stderr, test.says) {
				t.Errorf("stderr is %q, want one line with %q", got.stderr, test.says)
			}
		})
	}
}

func TestWasmRun(t *testing.T) {
	dir := t.TempDir()
	write(t, "to be or not to be\n", dir, "plays", "hamlet.txt")
	write(t, "be quiet\n", dir, "plays", "acts", "one.txt")
	note := write(t, "be\n", dir, "note.txt")
	write(t, "be hidden\n", dir, "plays", ".draft")
	var first wasmReport
	for _, engine := range wasm.Engines() {
		out := filepath.Join(dir, "out-"+engine)
		got := bacalhau(t, "wasm", "run", "--engine", engine, "--input", filepath.Join(dir, "plays"), "--input", note,
			"--price", "3gwei", "--out", out, "--output", "json", wordcountWasm)
		if got.code != 0 || got.stderr != "" {
			t.Fatalf("%s: %+v", engine, got)
		}
		var report wasmReport
		decodeInto(t, got.stdout, &report)
		if report.Engine != engine || report.Fuel == 0 || report.ExitCode != 0 || report.Price.Uint64() != 3e9*report.Fuel {
			t.Errorf("%s: %+v", engine, report)
		}
		for _, name := range []string{"hamlet.txt", "acts/one.txt", "note.txt"} {
			if !strings.Contains(report.Stdout, name+"\n") {
				t.Errorf("%s: the program did not see %s: %q", engine, name, report.Stdout)
			}
		}
		if strings.Contains(report.Stdout, "draft") {
			t.Errorf("%s: the program saw a hidden file", engine)
		}
		if have := read(t, out, "stdout"); have != report.Stdout {
			t.Errorf("%s: stdout is %q in a file and %q in the report", engine, have, report.Stdout)
		}
		if len(report.Files) == 0 {
			t.Fatalf("%s: no outputs", engine)
		}
		for _, f := range report.Files {
			if have := read(t, out, "outputs", f.Path); int64(len(have)) != f.Bytes {
				t.Errorf("%s: %s has %d bytes, want %d", engine, f.Path, len(have), f.Bytes)
			}
		}
		if first.Engine == "" {
			first = report
		}
		if report.Digest != first.Digest || report.Memory != first.Memory || report.OutputsCID != first.OutputsCID {
			t.Errorf("engines differ:\n%+v\n%+v", first, report)
		}
	}
}

// TestWasmRunIsWhatAJobGives: the outputs are those that a node delivers, to the byte.
func TestWasmRunIsWhatAJobGives(t *testing.T) {
	network(t)
	dir := t.TempDir()
	write(t, "to be or not to be\n", dir, "plays", "hamlet.txt")
	local, remote := filepath.Join(dir, "local"), filepath.Join(dir, "remote")
	for out, command := range map[string][]string{local: {"wasm", "run"}, remote: {"run"}} {
		args := append(command, "--input", filepath.Join(dir, "plays"), "--out", out, wordcountWasm)
		if got := bacalhau(t, args...); got.code != 0 {
			t.Fatalf("%v: %+v", command, got)
		}
	}
	want := map[string]string{}
	collect(t, local, want)
	have := map[string]string{}
	collect(t, remote, have)
	if len(want) < 4 {
		t.Fatalf("only %d files: %v", len(want), want)
	}
	if !maps.Equal(have, want) {
		t.Errorf("the job gave %q, the local run %q", slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)))
	}
}

// collect reads every file below dir by its relative path.
func collect(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			into[filepath.ToSlash(name)] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWasmRunPassesTheProgramsOutputThrough(t *testing.T) {
	c := wasmTests + "cprogram/main.wasm"
	dir := t.TempDir()
	input := write(t, "HAL", dir, "text")
	write(t, "", dir, "in", "sub", "a")
	write(t, "", dir, "in", "sub", "b")
	got := bacalhau(t, "wasm", "run", "--input", input, "--input", filepath.Join(dir, "in"), "--env", "HOME=/outputs", c, "--", "x")
	if want := read(t, wasmTests, "cprogram", "want.txt"); got.stdout != want {
		t.Errorf("stdout is %q, want %q", got.stdout, want)
	}
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	if got.code != exitWork || lines[0] != "isatty 0" || lines[1] != "exit     4" || lines[len(lines)-1] != "bacalhau: the program failed: exit code 4" {
		t.Errorf("exit code %d and stderr %q", got.code, got.stderr)
	}
}

func TestWasmRunFailures(t *testing.T) {
	for program, says := range map[string]string{
		"loop_forever": "out of fuel, raise --fuel", "trap_div": "trap", "recurse_forever": "stack overflow", "exit": "exit code 7",
	} {
		got := bacalhau(t, "wasm", "run", "--fuel", "30M", "--output", "json", wasmTests+"run/"+program+".wasm")
		var report wasmReport
		decodeInto(t, got.stdout, &report)
		if got.code != exitWork || got.stderr != "bacalhau: the program failed: "+says+"\n" || report.ExitCode == 0 {
			t.Errorf("%s: %+v, want %q", program, got, says)
		}
	}
}

func TestWasmCheck(t *testing.T) {
	for program, fits := range map[string]bool{wordcountWasm: true, wasmTests + "refuse/tail_call.wasm": false} {
		got := bacalhau(t, "wasm", "check", "--output", "json", program)
		var report checkReport
		decodeInto(t, got.stdout, &report)
		if report.Fits != fits || (report.Fix == "") != fits || (got.code == exitOK) != fits || (got.stderr == "") != fits {
			t.Errorf("%s: %+v", program, got)
		}
	}
	if got := bacalhau(t, "wasm", "check", wordcountWasm); got.code != 0 || got.stdout != fmt.Sprintf("%s fits execution profile %d\n", wordcountWasm, wasm.Version) {
		t.Errorf("%+v", got)
	}
}

func TestWasmExplain(t *testing.T) {
	got := bacalhau(t, "wasm", "explain", "--output", "json", wordcountWasm)
	var list []wasm.FunctionPrice
	decodeInto(t, got.stdout, &list)
	var loops, calls int
	for i, f := range list {
		loops, calls = loops+f.Loops, calls+f.Calls
		if f.Straight == 0 || f.Index != list[0].Index+uint32(i) || (f.Looped > 0) != (f.Loops > 0) {
			t.Errorf("%+v", f)
		}
	}
	if got.code != 0 || len(list) < 10 || loops == 0 || calls == 0 {
		t.Errorf("%d functions with %d loops and %d calls", len(list), loops, calls)
	}
	table := bacalhau(t, "wasm", "explain", wordcountWasm)
	if n := strings.Count(table.stdout, "\n"); n != len(list)+1 || !strings.HasPrefix(table.stdout, "FUNCTION") {
		t.Errorf("a table of %d lines for %d functions", n, len(list))
	}
}

func TestFormatPrice(t *testing.T) {
	var text bytes.Buffer
	wasmReport{Price: cost(big.NewInt(2e9), 5)}.write(&text)
	if !strings.Contains(text.String(), "price    10 gwei\n") {
		t.Error(text.String())
	}
}
