//go:build cgo && (linux || darwin) && (amd64 || arm64)

package rewrite

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// stricter are the reasons for which we refuse what wasmtime takes: parts of
// WebAssembly 3.0 that it cannot be told to leave out, and opcodes that one
// engine misreads.
var stricter = []string{"constant expression", "shortest form"}

// FuzzValidate compares with wasmtime's validator. What we take it must take;
// what we call malformed or not valid it must refuse.
func FuzzValidate(f *testing.F) {
	files, err := filepath.Glob("../testdata/*/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatal("no programs in testdata: ", err)
	}
	for _, name := range files {
		module, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(module, uint64(0))
	}
	for op := range 256 {
		f.Add(moduleOf([]byte{typeI32}, nil, append(immediates(byte(op), 1), opEnd)), uint64(op))
	}
	config := wasmtime.NewConfig()
	config.SetWasmThreads(false)
	config.SetWasmTailCall(false)
	config.SetWasmRelaxedSIMD(false)
	config.SetWasmMultiMemory(false)
	config.SetWasmMemory64(false)
	config.SetWasmFunctionReferences(false)
	config.SetWasmGC(false)
	engine := wasmtime.NewEngineWithConfig(config)
	f.Fuzz(func(t *testing.T, module []byte, seed uint64) {
		agree(t, engine, module)
		agree(t, engine, mutated(module, seed))
	})
}

func agree(t *testing.T, engine *wasmtime.Engine, module []byte) {
	ours, theirs := Validate(module), wasmtime.ModuleValidate(engine, module)
	if ours == nil && theirs != nil {
		t.Fatalf("we take what wasmtime refuses: %v\n%x", theirs, module)
	}
	if ours == nil || theirs != nil {
		return
	}
	text := ours.Error()
	if !strings.Contains(text, "malformed") && !strings.Contains(text, "not a valid") {
		return // the profile's limits
	}
	for _, reason := range stricter {
		if strings.Contains(text, reason) {
			return
		}
	}
	t.Fatalf("wasmtime takes what we refuse: %v\n%x", ours, module)
}

// mutated changes a few bytes behind the module's beginning, to others that
// mean something at most places.
func mutated(module []byte, seed uint64) []byte {
	const telling = "\x00\x01\x02\x03\x04\x05\x0b\x0c\x0d\x0e\x0f\x10\x11\x1a\x1b\x1c\x20\x21\x22\x23\x24\x40\x41\x42\x43\x44\x6f\x70\x7b\x7c\x7d\x7e\x7f\x80\xd0\xd1\xd2\xfc\xfd\xff"
	random := rand.New(rand.NewPCG(seed, 1))
	m := append([]byte{}, module...)
	if len(m) <= len(magic) {
		return m
	}
	for range 1 + random.IntN(4) {
		at := len(magic) + random.IntN(len(m)-len(magic))
		if m[at] = byte(random.Uint32()); random.IntN(2) == 0 {
			m[at] = telling[random.IntN(len(telling))]
		}
	}
	return m
}
