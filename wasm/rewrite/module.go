package rewrite

import "bytes"

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

// Value types.
const (
	typeI32  = 0x7f
	typeI64  = 0x7e
	typeF32  = 0x7d
	typeF64  = 0x7c
	typeV128 = 0x7b

	typeFuncref = 0x70
)

type functype struct{ params, results []byte }

func (t functype) encode() []byte {
	b := append(appendU([]byte{0x60}, uint64(len(t.params))), t.params...)
	return append(appendU(b, uint64(len(t.results))), t.results...)
}

// Module is a command that fits the profile as far as its structure shows;
// only an engine's validator knows whether its code is well-typed.
type Module struct {
	sections  [14][]byte
	signature []functype // the type section
	funcs     []uint32   // type of every function, imports first
	imported  uint32     // functions imported
	defGlobal uint32     // globals defined
	tableMin  []uint32   // elements
	memMin    uint64     // pages
	memMax    uint32     // pages
	names     []byte     // content of the name section
	data      []bool     // of every data segment, whether it is there to be copied from
	elems     []elemKind

	maxPages uint32
	newTypes []functype
	// Empty segments to add, for what initialises from segments that are gone.
	emptyElems []byte // their reference types
	emptyData  bool
	meterType  uint32
}

// Inspect reads the module and refuses, with a *ProfileError, what the profile
// leaves out. imports lists the host functions of wasi_snapshot_preview1.
func Inspect(wasm []byte, imports map[string]Signature) (m *Module, err error) {
	defer func() {
		if err != nil {
			m = nil
		}
	}()
	defer caught(&err)
	if len(wasm) > MaxModuleBytes {
		refuse("strip it (wasm-strip, -ldflags=-s, -Wl,-s)", "it is %d bytes long and the limit is %d", len(wasm), MaxModuleBytes)
	}
	if !bytes.HasPrefix(wasm, []byte(magic)) {
		refuse("compile the program to a WASI preview1 command (GOOS=wasip1, wasm32-wasip1)", "it is not a core WebAssembly module")
	}
	m = &Module{}
	r := &reader{b: wasm, p: len(magic)}
	for r.more() {
		id := r.byte()
		body := r.take(r.u32())
		switch {
		case id == secCustom: // names and debug information play no part in a run
			if name, ok := bytes.CutPrefix(body, []byte("\x04name")); ok {
				m.names = name
			}
			continue
		case id == secStart:
			refuse("run that code from _start instead", "it has a start section")
		case id == secTag:
			refuse("compile without exceptions (-fno-exceptions)", "it uses exceptions")
		case id > secTag:
			refuse("", "it is malformed: unknown section %d", id)
		case m.sections[id] != nil:
			refuse("", "it is malformed: section %d appears twice", id)
		}
		m.sections[id] = body[:len(body):len(body)]
	}
	m.inspect(imports)
	return m, nil
}

func (m *Module) inspect(imports map[string]Signature) {
	m.readTypes()
	m.readImports(imports)
	r := m.section(secFunc)
	for n := r.atMost(MaxDefinitions, "functions"); n > 0; n-- {
		m.funcs = append(m.funcs, m.checkType(r.u32()))
	}
	m.readMemory()
	m.readTables()
	if r := m.section(secGlobal); r.more() {
		m.defGlobal = r.atMost(MaxDefinitions, "globals")
	}
	m.readExports()
	m.readSegments()
	m.readCode()
}

func (m *Module) section(id byte) *reader { return &reader{b: m.sections[id]} }

// count reads a vector's length, which is 0 for an absent section.
func (r *reader) count() uint32 {
	if !r.more() {
		return 0
	}
	return r.u32()
}

// atMost reads a vector's length and refuses a long one.
func (r *reader) atMost(limit uint32, what string) uint32 {
	n := r.count()
	if n > limit {
		refuse("split the program", "it has %d %s and the limit is %d", n, what, limit)
	}
	return n
}

func (m *Module) checkType(i uint32) uint32 {
	if uint64(i) >= uint64(len(m.signature)) {
		refuse("", "it is malformed: type %d does not exist", i)
	}
	return i
}

func (m *Module) readTypes() {
	r := m.section(secType)
	for n := r.atMost(MaxDefinitions, "types"); n > 0; n-- {
		if r.byte() != 0x60 {
			refuse("compile for WebAssembly 2.0 without the garbage collection proposal", "it declares types other than functions")
		}
		m.signature = append(m.signature, functype{
			params:  r.valueTypes(r.atMost(MaxArity, "parameters in a function type")),
			results: r.valueTypes(r.atMost(MaxArity, "results in a function type")),
		})
	}
}

func (m *Module) readImports(known map[string]Signature) {
	r := m.section(secImport)
	for n := r.atMost(MaxDefinitions, "imports"); n > 0; n-- {
		module, name, kind := r.name(), r.name(), r.byte()
		if kind != 0 {
			refuse("define memory, tables and globals in the module itself", "it imports %q %q, which is not a function", module, name)
		}
		index := m.checkType(r.u32())
		t := m.signature[index]
		sig, ok := known[name]
		if module != "wasi_snapshot_preview1" || !ok {
			refuse("compile for WASI preview1 (GOOS=wasip1, wasm32-wasip1) and link every function in", "it imports %q %q, which no node offers", module, name)
		}
		if sig.Params != letters(t.params) || sig.Results != letters(t.results) {
			refuse("", "it imports %q with the wrong type", name)
		}
		m.funcs = append(m.funcs, index)
		m.imported++
	}
}

func letters(types []byte) string {
	b := make([]byte, len(types))
	for i, t := range types {
		switch t {
		case typeI32:
			b[i] = 'i'
		case typeI64:
			b[i] = 'l'
		default:
			b[i] = '?'
		}
	}
	return string(b)
}
