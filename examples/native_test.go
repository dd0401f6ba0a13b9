//go:build cgo

package examples

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestProgramsRunTheSameNatively compares each committed module with its source
// compiled for this machine, over the whole data set. A C compiler is there
// because cgo is.
func TestProgramsRunTheSameNatively(t *testing.T) {
	wordcount := filepath.Join(t.TempDir(), "wordcount")
	build(t, compiler(), "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
		"-o", wordcount, "wordcount/wordcount.c")
	concordance := filepath.Join(t.TempDir(), "concordance")
	build(t, "go", "build", "-o", concordance, "./concordance")

	for _, test := range []struct {
		name, program string
		module        []byte
		args          []string
	}{
		{"wordcount", wordcount, Wordcount, nil},
		{"concordance", concordance, Concordance, []string{"faith", `valley of \w+`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			native := runNative(t, test.program, "data/kjv", test.args...)
			if native.exit != 0 || len(native.outputs) == 0 {
				t.Fatalf("exit code %d and %d outputs: %s", native.exit, len(native.outputs), native.stderr)
			}
			if wasm := runWASM(t, test.module, KJV(), test.args...); !reflect.DeepEqual(wasm, native) {
				t.Errorf("WASM and native runs differ: exit codes %d and %d, standard output of %d and %d bytes",
					wasm.exit, native.exit, len(wasm.stdout), len(native.stdout))
			}
		})
	}
}

// compiler returns the C compiler that the go command would use.
func compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "cc"
}

func build(t *testing.T, command string, args ...string) {
	t.Helper()
	if said, err := exec.Command(command, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, said)
	}
}

func runNative(t *testing.T, program, inputs string, args ...string) outcome {
	t.Helper()
	outputs := t.TempDir()
	var stdout, stderr bytes.Buffer
	command := exec.Command(program, append([]string{"-i", inputs, "-o", outputs}, args...)...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{uint32(command.ProcessState.ExitCode()), stdout.String(), stderr.String(), readAll(t, os.DirFS(outputs))}
}
