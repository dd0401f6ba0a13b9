// Package bench measures what it costs to run programs deterministically, against plain engines and native code.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is a benchmark program. It prints a result that depends on all of its
// work, the same one however it was built.
type Program struct {
	Name string
	// Source is a C file or a directory with a Go command, below the package's.
	Source string
	// Reads says that it takes the path of the data file as its argument.
	Reads bool
}

// Programs are those of the table.
var Programs = []Program{
	{Name: "hash", Source: "programs/hash.c"},
	{Name: "nbody", Source: "programs/nbody.c"},
	{Name: "matmul", Source: "programs/matmul.c"},
	{Name: "sort", Source: "programs/sort.c"},
	{Name: "mandelbrot", Source: "programs/mandelbrot.c"},
	{Name: "csv", Source: "programs/csv.c", Reads: true},
	{Name: "read", Source: "programs/read.c", Reads: true},
	{Name: "json (Go)", Source: "programs/json"},
}

// Hello is the program whose start is measured.
var Hello = Program{Name: "hello (Go)", Source: "programs/hello"}

// IsC says whether the program is written in C.
func (p Program) IsC() bool { return strings.HasSuffix(p.Source, ".c") }

// file is where the built program goes.
func (p Program) file(dir, suffix string) string {
	return filepath.Join(dir, strings.TrimSuffix(filepath.Base(p.Source), ".c")+suffix)
}

// BuildNative compiles the program for this machine, below dir. C takes cc, or
// what $CC names.
func (p Program) BuildNative(dir string) (string, error) {
	out := p.file(dir, "")
	if !p.IsC() {
		return out, build(nil, "go", "build", "-o", out, "./"+p.Source)
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	return out, build(nil, cc, "-O2", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-o", out, p.Source, "-lm")
}

// BuildWASM compiles the program to a WASI command, below dir. C takes the
// compiler of examples/toolchain.
func (p Program) BuildWASM(dir string) (string, error) {
	out := p.file(dir, ".wasm")
	if !p.IsC() {
		return out, build([]string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./"+p.Source)
	}
	return out, build(nil, "node", "../../examples/toolchain/cc.mjs", p.Source, out)
}

func build(env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, text)
	}
	return nil
}

// WriteData writes a table of numbers, 16 MiB of CSV.
func WriteData(path string) error {
	var b strings.Builder
	for x := uint32(1); b.Len() < 16<<20; {
		for column := range 8 {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			separator := ","
			if column == 7 {
				separator = "\n"
			}
			fmt.Fprintf(&b, "%d%s", x>>(x%24), separator)
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
