// Package engine runs rewritten modules on interchangeable WebAssembly engines.
//
// An engine only has to follow the specification: what the specification
// leaves open was removed from the module by package rewrite, and the host is
// the same Go code for all.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
)

// Func is one host function: its import module and name, and one letter per
// parameter ('i' for i32, 'l' for i64). Results is "" or "i".
type Func struct {
	Module, Name    string
	Params, Results string
}

// Host answers the guest's calls during one run. It is called from one
// goroutine at a time.
type Host interface {
	// Call runs function number index of the list that the engine was made
	// with. memory is the guest's, valid during the call only; i32 arguments
	// arrive zero-extended; fuel is the guest's fuel global and may be
	// changed. When stop is true the run ends at once and the host knows why.
	Call(index int, memory []byte, args []uint64, fuel *int64) (result uint32, stop bool)
}

// Outcome is how a run ended: by returning from _start, because the host said
// stop, or in a trap of the guest's own.
type Outcome struct {
	Fuel    int64 // the fuel global at the end
	Trapped bool
	Stopped bool
}

// Program is a compiled module. Run is safe for concurrent use.
type Program interface {
	// Run instantiates the module, sets its fuel global, calls _start and
	// shows final the outcome and the guest's memory, valid during that call
	// only. An error means that the engine failed, which says nothing about
	// the program.
	Run(ctx context.Context, host Host, fuel int64, final func(out Outcome, memory []byte)) error
	Close() error
}

// Engine compiles modules. It is safe for concurrent use.
type Engine interface {
	Name() string
	// Pauses says that guests should call the host now and then: they run on
	// a goroutine that Go cannot interrupt, not even to collect garbage.
	Pauses() bool
	// Compile also validates.
	Compile(ctx context.Context, wasm []byte) (Program, error)
	// Image compiles to native code that Load turns into a program, in this
	// process or another one of the same binary on the same machine.
	Image(ctx context.Context, wasm []byte) ([]byte, error)
	// Load makes a program of an image in a file, whose content must stay what
	// it is until the program is closed: an engine may map it rather than read
	// it. It trusts the image as it trusts this binary: native code cannot be
	// checked. Whoever calls it must know that the bytes are what Image gave.
	// An image of another build or for another processor is an error.
	Load(ctx context.Context, image *os.File) (Program, error)
	Close() error
}

// StackBytes is the native stack that an engine has to give a guest.
const StackBytes = 4 << 20

var errStack = errors.New("the engine's native stack overflowed before the deterministic budget")

type maker func(funcs []Func, fuelExport string) (Engine, error)

// makers has the engines of this build by name.
var makers = map[string]maker{"wazero": newWazero}

// Names lists the engines of this build, sorted.
func Names() []string {
	var names []string
	for name := range makers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Default names the faster engine of this build on this platform.
func Default() string {
	if _, ok := makers["wasmtime"]; ok && runtime.GOARCH == "amd64" {
		return "wasmtime"
	}
	return "wazero"
}

// New makes the named engine with the given host functions. fuelExport names
// the exported global that carries the fuel.
func New(name string, funcs []Func, fuelExport string) (Engine, error) {
	if name == "" {
		name = Default()
	}
	mk, ok := makers[name]
	switch {
	case ok:
		return mk(funcs, fuelExport)
	case name == "wasmtime":
		return nil, errors.New("this binary has no wasmtime: build it with CGO_ENABLED=1 and a C compiler, or choose the engine wazero")
	}
	return nil, fmt.Errorf("unknown engine %q: choose one of %v", name, Names())
}
