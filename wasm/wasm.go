// Package wasm runs a WASI command deterministically: the same module, input and limits give the same Result on every engine and machine.
package wasm

import (
	"fmt"
	"io"
	"strings"

	"github.com/filecoin-project/bacalhau/wasm/engine"
	"github.com/filecoin-project/bacalhau/wasm/rewrite"
	"github.com/filecoin-project/bacalhau/wasm/wasi"
)

// Version numbers the execution profile: the rewriter with its prices, and the
// host. It is part of the result digest's domain, since a change of either can
// change any result.
const Version = 4

// Exit codes of runs that did not exit by themselves. A guest's own codes are
// below 1<<31: higher ones given to proc_exit lose their top bit.
const (
	ExitTrap      uint32 = 1<<31 + 1
	ExitOutOfFuel uint32 = 1<<31 + 2
)

// Reasons in Result.Trap.
const (
	TrapOutOfFuel = "out of fuel"
	TrapStack     = "stack overflow"
	TrapGuest     = "trap" // unreachable, a bad address, a division by zero and the like
)

// Maxima of Limits and Task.
const (
	MaxMemoryBytes = 4<<30 - rewrite.PageBytes
	MaxFuel        = 1 << 62
	MaxOutputBytes = 4 << 30
	MaxStringBytes = 1 << 20 // arguments and environment together
)

// ProfileError says why a module cannot run here and what to change.
type ProfileError = rewrite.ProfileError

// File is an input, read lazily and possibly by several runs at once, or an output.
type File = wasi.File

// Spill is where outputs go that are too large for memory.
type Spill = wasi.Spill

// Extent is a part of an output that lies in one place. Outputs of a Runner's
// Result list theirs by Extents.
type Extent = wasi.Extent

// Place says where an Extent is.
type Place = wasi.Place

// Places of an Extent.
const (
	Nowhere  = wasi.Nowhere
	InMemory = wasi.InMemory
	OnDisk   = wasi.OnDisk
)

// Limits bound a run. All must be set.
type Limits struct {
	MemoryBytes uint64 // linear memory, rounded down to pages of 64 KiB; 4 GiB counts as one page less
	Fuel        uint64 // units
	OutputBytes uint64 // stdout, stderr, output files and 64 bytes + name for each of them
}

// Check says which limit is missing or too high.
func (l Limits) Check() error {
	for _, x := range []struct {
		name           string
		have, min, max uint64
	}{
		{"memory limit (bytes)", l.MemoryBytes, rewrite.PageBytes, 4 << 30},
		{"fuel limit", l.Fuel, 1, MaxFuel},
		{"output limit (bytes)", l.OutputBytes, 1, MaxOutputBytes},
	} {
		if x.have < x.min || x.have > x.max {
			return fmt.Errorf("%s is %d: set it between %d and %d", x.name, x.have, x.min, uint64(x.max))
		}
	}
	return nil
}

// SpillBytes is how long Spill.Disk becomes at most.
func (l Limits) SpillBytes() uint64 { return wasi.SpillBytes(l.OutputBytes) }

func (l Limits) pages() uint32 {
	return uint32(min(l.MemoryBytes, MaxMemoryBytes) / rewrite.PageBytes)
}

// Task is one run: a program and everything that it can see.
type Task struct {
	Module []byte            // as its author built it
	Args   []string          // behind argv[0], which is always "main"
	Env    map[string]string // shown sorted by name
	Inputs map[string]File   // slash path below /inputs; directories are implied
	Seed   [32]byte          // of random_get
	// MemoryKey asks for Result.KeyedMemoryHash unless it is zero. The program
	// does not see it.
	MemoryKey [32]byte
	Limits    Limits
	// Spill takes outputs that are too large for memory and keeps them as long
	// as the Result is of use. It does not show in the result.
	Spill Spill
}

// Check says what is wrong with the task, apart from its module.
func (t *Task) Check() error {
	if err := t.Limits.Check(); err != nil {
		return err
	}
	total := 0
	for _, a := range t.Args {
		if strings.IndexByte(a, 0) >= 0 {
			return fmt.Errorf("argument %q contains a zero byte: remove it", a)
		}
		total += len(a) + 1
	}
	for name, value := range t.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.IndexByte(value, 0) >= 0 {
			return fmt.Errorf("environment variable %q: want a name without '=' and no zero bytes", name)
		}
		total += len(name) + len(value) + 2
	}
	if total > MaxStringBytes {
		return fmt.Errorf("arguments and environment take %d bytes: pass at most %d, or use an input file", total, MaxStringBytes)
	}
	_, err := t.host()
	return err
}

// host is what the guest will see; it fails if the inputs' paths exclude each
// other.
func (t *Task) host() (*wasi.Host, error) {
	return wasi.New(wasi.Config{
		Args: append([]string{"main"}, t.Args...), Env: environment(t.Env),
		Inputs: t.Inputs, Seed: t.Seed, OutputBytes: t.Limits.OutputBytes, Spill: t.Spill,
	})
}

// OutputFile is a file that the guest left below /outputs. Directories without
// files are not part of a result.
type OutputFile struct {
	Path string // relative to /outputs, with slashes
	File
}

// Result is everything that a run's digest covers, and a little more.
type Result struct {
	ExitCode uint32 // the guest's own, ExitTrap or ExitOutOfFuel
	Trap     string // "" or a short reason that is the same on every engine
	// Fuel is the units used. A run that trapped has used what it had paid
	// when it last entered a loop's turn or called a function; a run out of
	// fuel has used its limit.
	Fuel       uint64
	MemoryHash [32]byte // of the final linear memory, see HashMemory
	// KeyedMemoryHash is KeyedHashMemory with the task's MemoryKey, zero
	// without one.
	KeyedMemoryHash [32]byte
	PeakMemory      uint64 // bytes of linear memory
	Stdout, Stderr  File
	Outputs         []OutputFile // sorted by path
	// Disk holds what Stdout, Stderr and Outputs do not have in memory, until
	// it is closed; nil if it is not theirs alone.
	Disk io.Closer
}

// Close frees the disk of outputs that are not in memory. They cannot be read
// any more.
func (r *Result) Close() error {
	if r.Disk == nil {
		return nil
	}
	return r.Disk.Close()
}

// ReadAll reads an output or input whole.
func ReadAll(f File) ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
}

// Check says whether a module fits the execution profile. A *ProfileError says
// what is wrong and what to change.
func Check(module []byte) error {
	_, err := rewrite.Inspect(module, signatures)
	return err
}

// CheckWithin says whether a module fits the execution profile and can start
// within the limits: its initial memory may be too large.
func CheckWithin(module []byte, l Limits) error {
	if err := l.Check(); err != nil {
		return err
	}
	m, err := rewrite.Inspect(module, signatures)
	if err != nil {
		return err
	}
	_, err = m.Rewrite(l.pages())
	return err
}

// FunctionPrice is what one function of a module costs.
type FunctionPrice = rewrite.FunctionPrice

// Explain prices every function that a module defines, in their order. A
// *ProfileError says that the module does not fit.
func Explain(module []byte) ([]FunctionPrice, error) {
	m, err := rewrite.Inspect(module, signatures)
	if err != nil {
		return nil, err
	}
	return m.Explain()
}

// signatures are the functions that a module may import.
var signatures = func() map[string]rewrite.Signature {
	s := map[string]rewrite.Signature{}
	for _, f := range wasi.Funcs {
		s[f.Name] = rewrite.Signature{Params: f.Params, Results: f.Results}
	}
	return s
}()

// hostFuncs are those of the host, and the meter last.
var hostFuncs = func() []engine.Func {
	var list []engine.Func
	for _, f := range wasi.Funcs {
		list = append(list, engine.Func{Module: wasi.Module, Name: f.Name, Params: f.Params, Results: f.Results})
	}
	return append(list, engine.Func{Module: rewrite.MeterModule, Name: rewrite.MeterName, Params: "i"})
}()
