package rewrite

// Readers of the sections that say what there is. Each checks all that the
// core specification asks of its section, and the profile's limits.

func (m *Module) readTypes() {
	r := m.section(secType)
	for n := r.atMost(MaxDefinitions, "types"); n > 0; n-- {
		if r.byte() != 0x60 {
			refuse("compile for WebAssembly 2.0 without the garbage collection proposal", "it declares types other than functions")
		}
		m.signature = append(m.signature, functype{
			params:  r.arity("parameters"),
			results: r.arity("results"),
		})
	}
	r.done("types")
}

func (r *reader) arity(what string) []byte {
	n := r.u32()
	if n > MaxArity {
		refuse("pass the values in memory", "a function type has %d %s and the limit is %d", n, what, MaxArity)
	}
	return r.valueTypes(n)
}

func (m *Module) readImports() {
	r := m.section(secImport)
	for n := r.atMost(MaxDefinitions, "imports"); n > 0; n-- {
		r.name()
		r.name()
		switch kind := r.byte(); kind {
		case externFunc:
			m.funcs = append(m.funcs, m.checkType(r.u32()))
			m.imported++
		case externTable:
			m.tables = append(m.tables, r.table())
		case externMemory:
			m.addMemory(r)
		case externGlobal:
			m.globals = append(m.globals, r.global())
			m.foreign++
		default:
			malformed("import of the unknown kind %d", kind)
		}
	}
	r.done("imports")
}

func (m *Module) readFuncs() {
	r := m.section(secFunc)
	for n := r.atMost(MaxDefinitions, "functions"); n > 0; n-- {
		m.funcs = append(m.funcs, m.checkType(r.u32()))
	}
	r.done("functions")
	m.declared = make([]bool, len(m.funcs))
}

func (m *Module) readTables() {
	r := m.section(secTable)
	for n := r.count(); n > 0; n-- {
		m.tables = append(m.tables, r.table())
		if len(m.tables) > MaxTables {
			refuse("", "it has more than %d tables", MaxTables)
		}
	}
	r.done("tables")
}

func (r *reader) table() tableType {
	t := tableType{kind: r.reference(), hi: 1<<32 - 1}
	flags := r.byte()
	if flags > 1 {
		refuse("compile for WebAssembly 2.0 without threads", "it has a table of an unknown kind")
	}
	if t.lo = r.u32(); flags == 1 {
		t.hi = r.u32()
	}
	if t.lo > t.hi {
		invalid("a table's minimum of %d elements is over its maximum of %d", t.lo, t.hi)
	}
	return t
}

func (r *reader) reference() byte {
	kind := r.byte()
	if !isReference(kind) {
		refuse("compile for WebAssembly 2.0 without typed references", "it uses an unknown type of references")
	}
	return kind
}

func isReference(kind byte) bool { return kind == typeFuncref || kind == typeExternref }

func (m *Module) readMemory() {
	r := m.section(secMemory)
	for n := r.count(); n > 0; n-- {
		m.addMemory(r)
	}
	r.done("memories")
}

func (m *Module) addMemory(r *reader) {
	if m.memories++; m.memories > 1 {
		refuse("compile without multi-memory", "it has %d memories", m.memories)
	}
	flags := r.byte()
	switch {
	case flags > 7:
		malformed("memory flags %#x", flags)
	case flags&2 != 0:
		refuse("compile without threads (no -pthread, no atomics)", "its memory is shared between threads")
	case flags&4 != 0:
		refuse("compile for wasm32", "its memory has 64-bit addresses")
	}
	m.memMin, m.memMax = uint64(r.u32()), MaxPages
	if m.memMin > MaxPages {
		refuse("link with a smaller initial memory", "it asks for %d GiB of memory at the start and no module can have more than 4", m.memMin>>14)
	}
	if flags == 0 {
		return
	}
	if m.memMax = r.u32(); m.memMax > MaxPages {
		invalid("its memory may grow to %d pages and no memory can have more than %d", m.memMax, MaxPages)
	}
	if m.memMin > uint64(m.memMax) {
		invalid("its memory's minimum of %d pages is over its maximum of %d", m.memMin, m.memMax)
	}
}

func (m *Module) readGlobals() {
	r := m.section(secGlobal)
	for n := r.atMost(MaxDefinitions, "globals"); n > 0; n-- {
		g := r.global()
		m.constant(r, g.kind)
		m.globals = append(m.globals, g)
	}
	r.done("globals")
}

func (r *reader) global() globalType {
	kind, mutable := r.valueTypes(1)[0], r.byte()
	if mutable > 1 {
		malformed("a global's mutability is %d", mutable)
	}
	return globalType{kind, mutable == 1}
}

func (m *Module) readExports() {
	r := m.section(secExport)
	seen := map[string]bool{}
	for n := r.atMost(MaxDefinitions, "exports"); n > 0; n-- {
		name, kind, index := r.name(), r.byte(), r.u32()
		if len(name) > MaxNameBytes {
			refuse("shorten it", "an export's name has %d bytes and the limit is %d", len(name), MaxNameBytes)
		}
		if seen[name] {
			invalid("it exports %q twice", name)
		}
		seen[name] = true
		count := 0
		switch kind {
		case externFunc:
			m.declare(index)
			continue
		case externTable:
			count = len(m.tables)
		case externMemory:
			count = m.memories
		case externGlobal:
			count = len(m.globals)
		default:
			malformed("export of the unknown kind %d", kind)
		}
		if uint64(index) >= uint64(count) {
			invalid("export %q is of something that does not exist", name)
		}
	}
	r.done("exports")
}

func (m *Module) readStart() {
	r := m.section(secStart)
	if !r.more() {
		return
	}
	f := r.u32()
	if m.checkFunc(f); !m.isCommand(m.funcs[f]) {
		invalid("its start function has parameters or results")
	}
	r.done("start function")
}

func (m *Module) isCommand(t uint32) bool {
	return len(m.signature[t].params) == 0 && len(m.signature[t].results) == 0
}

func (m *Module) checkType(i uint32) uint32 {
	if uint64(i) >= uint64(len(m.signature)) {
		invalid("type %d does not exist", i)
	}
	return i
}

func (m *Module) checkFunc(i uint32) {
	if uint64(i) >= uint64(len(m.funcs)) {
		invalid("function %d does not exist", i)
	}
}

// declare lets code take references to a function.
func (m *Module) declare(f uint32) {
	m.checkFunc(f)
	m.declared[f] = true
}

func (m *Module) checkTable(i uint32) tableType {
	if uint64(i) >= uint64(len(m.tables)) {
		invalid("table %d does not exist", i)
	}
	return m.tables[i]
}

func (m *Module) checkMemory() {
	if m.memories == 0 {
		invalid("it uses a memory and has none")
	}
}

func (m *Module) checkGlobal(i uint32) globalType {
	if uint64(i) >= uint64(len(m.globals)) {
		invalid("global %d does not exist", i)
	}
	return m.globals[i]
}

// constant reads a constant expression that gives one value of a type.
func (m *Module) constant(r *reader, want byte) {
	var have byte
	switch in := r.instruction(); in.op {
	case opI32Const:
		have = typeI32
	case opI64Const:
		have = typeI64
	case opF32Const:
		have = typeF32
	case opF64Const:
		have = typeF64
	case opRefNull:
		have = byte(in.imm)
	case opRefFunc:
		m.declare(in.imm)
		have = typeFuncref
	case opGlobalGet:
		if uint64(in.imm) >= uint64(m.foreign) || m.globals[in.imm].mutable {
			invalid("a constant expression takes global %d, which is not an imported constant", in.imm)
		}
		have = m.globals[in.imm].kind
	case opPrefixSIMD:
		if in.sub == simdConst {
			have = typeV128
		}
	}
	if have != want {
		invalid("a constant expression is not one constant of type %s", typeName(want))
	}
	if r.instruction().op != opEnd {
		invalid("a constant expression has more than one instruction")
	}
}
