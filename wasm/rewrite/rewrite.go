// Package rewrite turns a WebAssembly command into one that meters, bounds and canonicalises itself, so that every engine runs it alike.
//
// The bytecode that comes out counts its own fuel, pays for bulk work by size
// before doing it, bounds its call depth and its memory, and lets no bit of a
// NaN be seen that the specification leaves open. Whatever can differ between
// engines is then gone from the program, and the engine may be any.
package rewrite

import "fmt"

// Version changes whenever the output for any input changes: fuel, and with it
// the result digest, depends on every byte that this package emits.
const Version = 4

// Names that the rewritten module adds. A guest that exports one of them is
// refused, so nothing of the guest can be mistaken for ours.
const (
	// FuelExport is a mutable i64 global: the fuel left in the current slice.
	FuelExport = "bacalhau.fuel"
	// MeterModule and MeterName import a function (i32) -> (): the guest
	// reports one of the Stop reasons. It must not return, except for StopFuel
	// to a module that was rewritten with Paused, after the host has put more
	// fuel into the global.
	MeterModule = "bacalhau"
	MeterName   = "meter"
)

// Reasons with which rewritten code calls the meter.
const (
	StopFuel   = 0 // the fuel global is below zero
	StopStack  = 1 // the deterministic stack budget is used up
	StopMemory = 2 // the engine refused memory that the limits allow
)

// Limits of the profile. They leave room for what rewriting adds below the
// limits of the engines' own parsers, so that all engines take the same modules.
const (
	MaxModuleBytes   = 64 << 20
	MaxFunctionBytes = 7_000_000 // after rewriting
	MaxDefinitions   = 900_000   // of types, functions, globals and exports, each
	MaxSegments      = 90_000    // of data and elements, each
	MaxArity         = 1000      // parameters, and results
	MaxNameBytes     = 90_000
	MaxLocals        = 49_990     // per function, parameters included
	MaxAllLocals     = 10_000_000 // of all functions together
	MaxNesting       = 10_000     // of blocks
	MaxLoopNesting   = 256        // of loops, for which compilers take more than linear time
	MaxLabels        = 65_520     // in the br_table instructions of a function
	MaxJoinedLocals  = 1 << 20    // blocks times locals of a function, the values that compilers may have to merge
	MaxRewritten     = 256 << 20  // bytes of all functions, after rewriting
	MaxTables        = 16         // per module
	MaxTableElements = 1 << 20    // per table
	MaxPages         = 65_536     // 64 KiB each
	PageBytes        = 64 << 10

	// Code may pop and push this many operands for each of its bytes, and a
	// few in any case. A million is what type-checking does in milliseconds.
	operandsPerByte = 16
	minOperands     = 1 << 20

	// StackBudgetBytes bounds the modelled size of all frames of functions
	// that call others. It is half of the native stack that engines
	// get, since their frames may be larger than the model's.
	StackBudgetBytes = 2 << 20
)

// Signature describes a host function: one letter per parameter, 'i' for i32
// and 'l' for i64, then "i" if it returns an i32.
type Signature struct {
	Params, Results string
}

// ProfileError says why a module cannot run here and what to change.
type ProfileError struct {
	What string
	Fix  string
}

func (e *ProfileError) Error() string {
	if e.Fix == "" {
		return "module refused: " + e.What
	}
	return fmt.Sprintf("module refused: %s; %s", e.What, e.Fix)
}

// refuse unwinds to the package's entry point, which returns it as an error.
func refuse(fix, format string, args ...any) {
	panic(&ProfileError{What: fmt.Sprintf(format, args...), Fix: fix})
}

// malformed refuses bytes that no module has.
func malformed(format string, args ...any) {
	refuse("build it again, or check that the file was copied in full", "it is malformed: "+format, args...)
}

// invalid refuses a module that can be read and makes no sense.
func invalid(format string, args ...any) {
	refuse("build it again with a current compiler", "it is not a valid WebAssembly 2.0 module: "+format, args...)
}

// caught turns a refusal into an error and lets any other panic pass.
func caught(err *error) {
	switch x := recover().(type) {
	case nil:
	case *ProfileError:
		*err = x
	default:
		panic(x)
	}
}

// Rewrite returns the self-metering form of the module, whose memory never
// grows past maxPages pages of 64 KiB.
func (m *Module) Rewrite(maxPages uint32) (out []byte, err error) {
	defer caught(&err)
	if m.memMin > uint64(maxPages) {
		refuse("raise the memory limit or link with a smaller initial memory",
			"it asks for %d KiB of memory at the start and the limit is %d KiB", m.memMin<<6, maxPages<<6)
	}
	m.maxPages = min(maxPages, m.memMax)
	m.selected = 0
	m.newTypes, m.typeAt, m.emptyElems, m.emptyData = nil, map[string]uint32{}, nil, false
	m.meterType = m.typeIndex(functype{params: []byte{typeI32}})
	body := map[byte][]byte{
		secImport: m.imports(),
		secTable:  m.tableSection(),
		secGlobal: m.globalSection(),
		secExport: m.exports(),
		secCode:   m.code(),
		secFunc:   m.sections[secFunc],
	}
	if m.memories > 0 {
		body[secMemory] = appendU(appendU([]byte{1, 1}, m.memMin), uint64(m.maxPages))
	}
	// After code, which adds types and segments.
	body[secType], body[secElem], body[secDataCount], body[secData] = m.types(), m.elements(), m.dataCount(), m.dataSegments()
	out = []byte(magic)
	for _, id := range []byte{secType, secImport, secFunc, secTable, secMemory, secGlobal, secExport, secElem, secDataCount, secCode, secData} {
		if b := body[id]; len(b) > 0 {
			out = append(appendU(append(out, id), uint64(len(b))), b...)
		}
	}
	return out, nil
}
