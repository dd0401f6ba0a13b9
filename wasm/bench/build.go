package bench

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// builtDir is where compiled programs are kept, by what they were made from: a
// compiler that is itself WebAssembly takes minutes for a database. The paths
// here are relative to the package's directory.
const (
	builtDir  = "../../bin/bench"
	toolchain = "../../examples/toolchain"
)

// BuildNative compiles the program for this machine and returns its path. C
// takes cc, or what $CC names.
func (p Program) BuildNative() (string, error) {
	if !p.IsC() {
		out := filepath.Join(builtDir, filepath.Base(p.Source))
		return out, execute(nil, "go", "build", "-o", out, "./"+p.Source)
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	return p.compile(cc, strings.Fields(cc), nil, "", "-lm")
}

// BuildWASM compiles the program to a WASI command and returns its path. C
// takes the compiler of examples/toolchain, or what $WASI_CC names, such as
// "clang --target=wasm32-wasi", which is faster where it is installed.
func (p Program) BuildWASM() (string, error) {
	if !p.IsC() {
		out := filepath.Join(builtDir, filepath.Base(p.Source)+".wasm")
		return out, execute([]string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./"+p.Source)
	}
	if cc := os.Getenv("WASI_CC"); cc != "" {
		return p.compile(cc, strings.Fields(cc), append(slices.Clone(p.WASM), "-Wl,--strip-all"), ".wasm")
	}
	dir, err := p.Library.dir()
	if err != nil {
		return "", err
	}
	version, err := os.ReadFile(toolchain + "/package-lock.json")
	if err != nil {
		return "", err
	}
	args := slices.Clone(p.WASM)
	if dir != "" {
		args = slices.Concat([]string{dir, "-w"}, p.Library.Flags, args)
		for _, f := range p.Library.Files {
			args = append(args, "lib/"+f+".c")
		}
	}
	return p.keep(string(version), ".wasm", args, func(out string) error {
		return execute(nil, "node", append([]string{toolchain + "/cc.mjs", p.Source, out}, args...)...)
	})
}

// compile compiles C with a compiler that takes the usual flags.
func (p Program) compile(version string, cc, flags []string, suffix string, last ...string) (string, error) {
	dir, err := p.Library.dir()
	if err != nil {
		return "", err
	}
	args := append(slices.Clone(cc[1:]), "-O2", "-std=c11", "-D_POSIX_C_SOURCE=200809L", p.Source)
	if dir != "" {
		args = slices.Concat(args, []string{"-w", "-isystem", dir}, p.Library.Flags)
		for _, f := range p.Library.Files {
			args = append(args, filepath.Join(dir, f+".c"))
		}
	}
	args = slices.Concat(args, flags, last)
	return p.keep(version, suffix, args, func(out string) error {
		return execute(nil, cc[0], append(args, "-o", out)...)
	})
}

// keep returns the file that make writes, and that of an earlier time if the
// source, the compiler and its arguments are the same.
func (p Program) keep(version, suffix string, args []string, make func(out string) error) (string, error) {
	source, err := os.ReadFile(p.Source)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", version, args, source))
	name := strings.TrimSuffix(filepath.Base(p.Source), ".c")
	file := filepath.Join(builtDir, fmt.Sprintf("%s-%x%s", name, key[:6], suffix))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(builtDir, 0o755); err != nil {
		return "", err
	}
	if err := make(file + ".new"); err != nil {
		return "", err
	}
	return file, os.Rename(file+".new", file)
}

// dir is where the library's files are; it is fetched if it has to be. The
// library without a module has none.
func (l library) dir() (string, error) {
	if l.Module == "" {
		return "", nil
	}
	cmd := exec.Command("go", "mod", "download", "-json", l.Module)
	cmd.Dir = "sources"
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("fetch the source of %s: %w: %s", l.Module, err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("fetch the source of %s: %w", l.Module, err)
	}
	return module.Dir, nil
}

func execute(env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, text)
	}
	return nil
}
