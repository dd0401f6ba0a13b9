package rewrite

import (
	"bytes"
	"unicode/utf8"
)

const magic = "\x00asm\x01\x00\x00\x00"

// Section identifiers.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunc      = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElem      = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
	secTag       = 13
)

// sectionOrder gives the place of every section in a module, by identifier.
var sectionOrder = [14]int{
	secType: 1, secImport: 2, secFunc: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7,
	secStart: 8, secElem: 9, secDataCount: 10, secCode: 11, secData: 12,
}

// Kinds of imports and exports.
const (
	externFunc   = 0
	externTable  = 1
	externMemory = 2
	externGlobal = 3
)

// Value types.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
)

type functype struct{ params, results []byte }

func (t functype) encode() []byte {
	b := append(appendU([]byte{0x60}, uint64(len(t.params))), t.params...)
	return append(appendU(b, uint64(len(t.results))), t.results...)
}

// Module is a valid module. Its index spaces begin with what is imported.
type Module struct {
	// Paused makes the rewritten module go on after the meter has put more
	// fuel into the global, so that a host can give the fuel in slices. Without
	// it the module runs faster, with the same results.
	Paused bool

	sections  [14][]byte
	signature []functype // the type section
	funcs     []uint32   // type of every function
	imported  uint32     // functions imported
	tables    []tableType
	memories  int
	memMin    uint64 // pages
	memMax    uint32 // pages
	globals   []globalType
	foreign   int    // globals imported
	names     []byte // content of the name section
	data      []bool // of every data segment, whether it is there to be copied from
	elems     []elemKind
	declared  []bool // functions that ref.func may name
	locals    uint64 // of all functions
	selects   []byte // what every select in the code chooses between, or unknown

	maxPages uint32
	without  Parts                            // left out, for measuring
	counted  func(op byte, sub uint32) uint64 // in place of prices, for measuring
	selected int                              // selects rewritten so far
	newTypes []functype
	typeAt   map[string]uint32 // of newTypes, by encoding
	// Empty segments to add, for what initialises from segments that are gone.
	emptyElems []byte // their reference types
	emptyData  bool
	meterType  uint32
}

// tableType is a table's reference type and size in elements; no maximum is
// the largest.
type tableType struct {
	kind   byte
	lo, hi uint32
}

type globalType struct {
	kind    byte
	mutable bool
}

// Inspect validates the module and refuses, with a *ProfileError, what is not
// valid and what the profile leaves out. imports lists the host functions of
// wasi_snapshot_preview1.
func Inspect(wasm []byte, imports map[string]Signature) (m *Module, err error) {
	defer caught(&err)
	x := read(wasm)
	x.command(imports)
	return x, nil
}

// Validate says, with a *ProfileError, what keeps bytes from being a valid
// module of WebAssembly 2.0, command or not, within the limits of the profile.
func Validate(wasm []byte) (err error) {
	defer caught(&err)
	read(wasm)
	return nil
}

// read takes the sections apart and validates every one.
func read(wasm []byte) *Module {
	m := &Module{}
	m.split(wasm)
	m.readTypes()
	m.readImports()
	m.readFuncs()
	m.readTables()
	m.readMemory()
	m.readGlobals()
	m.readExports()
	m.readStart()
	m.readElements()
	m.readData()
	m.readCode()
	return m
}

func (m *Module) split(wasm []byte) {
	if len(wasm) > MaxModuleBytes {
		refuse("strip it (wasm-strip, -ldflags=-s, -Wl,-s)", "it is %d bytes long and the limit is %d", len(wasm), MaxModuleBytes)
	}
	if !bytes.HasPrefix(wasm, []byte(magic)) {
		refuse("compile the program to a WASI preview1 command (GOOS=wasip1, wasm32-wasip1)", "it is not a core WebAssembly module")
	}
	last := 0
	for r := (&reader{b: wasm, p: len(magic)}); r.more(); {
		id := r.byte()
		body := r.take(r.u32())
		switch {
		case id == secCustom:
			m.custom(body)
			continue
		case id == secTag:
			refuse("compile without exceptions (-fno-exceptions)", "it uses exceptions")
		case id > secTag:
			malformed("unknown section %d", id)
		case m.sections[id] != nil:
			malformed("section %d appears twice", id)
		case sectionOrder[id] < last:
			malformed("section %d is out of order", id)
		case len(body) == 0:
			malformed("section %d is empty", id)
		}
		last = sectionOrder[id]
		m.sections[id] = body[:len(body):len(body)]
	}
}

// custom keeps the names of functions. Custom sections play no part in a run.
func (m *Module) custom(body []byte) {
	r := &reader{b: body}
	if r.name() == "name" {
		m.names = body[r.p:]
	}
}

func (m *Module) section(id byte) *reader { return &reader{b: m.sections[id]} }

// count reads the length of a section's vector, which is 0 if it is absent.
func (r *reader) count() uint32 {
	if !r.more() {
		return 0
	}
	return r.u32()
}

// atMost is count for a section that may not be long.
func (r *reader) atMost(limit uint32, what string) uint32 {
	n := r.count()
	if n > limit {
		refuse("split the program", "it has %d %s and the limit is %d", n, what, limit)
	}
	return n
}

// done refuses what is left of a section behind its vector.
func (r *reader) done(what string) {
	if r.more() {
		malformed("%d bytes are left over behind its %s", len(r.b)-r.p, what)
	}
}

// name reads text, which must be UTF-8.
func (r *reader) name() string {
	b := r.take(r.u32())
	if !utf8.Valid(b) {
		malformed("a name is not UTF-8")
	}
	return string(b)
}
