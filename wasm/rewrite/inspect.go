package rewrite

func (m *Module) readMemory() {
	r := m.section(secMemory)
	switch n := r.count(); {
	case n == 0:
		refuse("define one memory and export it as \"memory\"", "it has no memory of its own")
	case n > 1:
		refuse("compile without multi-memory", "it has %d memories", n)
	}
	flags := r.byte()
	if flags&2 != 0 {
		refuse("compile without threads (no -pthread, no atomics)", "its memory is shared between threads")
	}
	if flags&4 != 0 {
		refuse("compile for wasm32", "its memory has 64-bit addresses")
	}
	if flags > 1 {
		refuse("", "it is malformed: memory flags %#x", flags)
	}
	m.memMin, m.memMax = r.u64(), MaxPages
	if m.memMin > MaxPages {
		refuse("link with a smaller initial memory", "it asks for %d GiB of memory at the start and no module can have more than 4", m.memMin>>14)
	}
	if flags == 1 {
		m.memMax = uint32(min(r.u64(), MaxPages))
	}
}

func (m *Module) readTables() {
	r := m.section(secTable)
	n := r.count()
	if n > MaxTables {
		refuse("", "it has %d tables and the limit is %d", n, MaxTables)
	}
	for ; n > 0; n-- {
		_, lo, _ := r.table()
		if lo > MaxTableElements {
			refuse("", "it has a table of %d elements and the limit is %d", lo, MaxTableElements)
		}
		m.tableMin = append(m.tableMin, lo)
	}
}

// table reads one table type; hi is the profile's limit where none is given.
func (r *reader) table() (kind byte, lo, hi uint32) {
	kind = r.byte()
	flags := r.byte()
	if flags > 1 {
		refuse("compile for WebAssembly 2.0 without threads", "it has a table of an unknown kind")
	}
	lo, hi = r.u32(), MaxTableElements
	if flags == 1 {
		hi = min(r.u32(), MaxTableElements)
	}
	return kind, lo, hi
}

func (m *Module) readExports() {
	var start, memory bool
	r := m.section(secExport)
	for n := r.atMost(MaxDefinitions, "exports"); n > 0; n-- {
		name, kind, index := r.name(), r.byte(), r.u32()
		if len(name) > MaxNameBytes {
			refuse("shorten it", "an export's name has %d bytes and the limit is %d", len(name), MaxNameBytes)
		}
		switch name {
		case FuelExport:
			refuse("rename it", "it exports %q, a name that the metering uses", name)
		case "memory":
			memory = kind == 2
		case "_start":
			start = kind == 0 && index >= m.imported && uint64(index) < uint64(len(m.funcs)) && m.isCommand(m.funcs[index])
		}
	}
	if !start {
		refuse("compile a program with a main function, not a library", "it exports no function _start without parameters and results")
	}
	if !memory {
		refuse("export the memory (--export-memory)", "it does not export its memory as \"memory\"")
	}
}

func (m *Module) isCommand(t uint32) bool {
	return len(m.signature[t].params) == 0 && len(m.signature[t].results) == 0
}

// readCode walks every instruction once, so that a refusal names the feature
// rather than a validator's opcode.
func (m *Module) readCode() {
	r := m.section(secCode)
	n := r.count()
	if uint64(n)+uint64(m.imported) != uint64(len(m.funcs)) {
		refuse("", "it is malformed: %d functions declared, %d defined", len(m.funcs)-int(m.imported), n)
	}
	for i := range n {
		body := &reader{b: r.take(r.u32())}
		locals := uint64(len(m.signature[m.funcs[m.imported+i]].params))
		for g := body.u32(); g > 0; g-- {
			locals += uint64(body.u32())
			body.valueTypes(1)
			if locals > MaxLocals {
				refuse("split the function", "function %d has more than %d locals", m.imported+i, MaxLocals)
			}
		}
		for body.more() {
			body.instruction()
		}
	}
}

// readSegments refuses active segments that do not fit, which would trap
// before the program starts. Offsets are constants since no global is imported.
func (m *Module) readSegments() {
	r := m.section(secElem)
	for n := r.atMost(MaxSegments, "element segments"); n > 0; n-- {
		s := r.elements(func(f uint32) uint32 { return f })
		if s.active && (uint64(s.table) >= uint64(len(m.tableMin)) || uint64(s.offset)+uint64(s.items) > uint64(m.tableMin[s.table])) {
			refuse("", "an element segment lies outside its table")
		}
		m.elems = append(m.elems, s.elemKind)
	}
	r = m.section(secData)
	for n := r.atMost(MaxSegments, "data segments"); n > 0; n-- {
		flags := r.u32()
		var end uint64
		if flags != 1 {
			if flags == 2 {
				r.u32()
			}
			end = uint64(r.offset())
		}
		end += uint64(len(r.take(r.u32())))
		if flags != 1 && end > m.memMin*PageBytes {
			refuse("link with a larger initial memory", "a data segment lies outside the initial memory")
		}
		m.data = append(m.data, flags == 1)
	}
}

// offset reads a constant expression of one i32.const.
func (r *reader) offset() uint32 {
	if r.byte() != opI32Const {
		refuse("", "a segment's offset is not a constant")
	}
	v := uint32(r.signed(32))
	if r.byte() != opEnd {
		refuse("", "a segment's offset is not a constant")
	}
	return v
}
