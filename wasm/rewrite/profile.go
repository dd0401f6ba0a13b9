package rewrite

// command refuses valid modules that are no commands of the profile.
func (m *Module) command(imports map[string]Signature) {
	m.checkImports(imports)
	m.checkBounds()
	if m.memories == 0 {
		refuse("define one memory and export it as \"memory\"", "it has no memory of its own")
	}
	if m.sections[secStart] != nil {
		refuse("run that code from _start instead", "it has a start section")
	}
	m.checkExports()
}

func (m *Module) checkImports(known map[string]Signature) {
	r := m.section(secImport)
	for n := r.count(); n > 0; n-- {
		module, name, kind := r.name(), r.name(), r.byte()
		if kind != externFunc {
			refuse("define memory, tables and globals in the module itself", "it imports %q %q, which is not a function", module, name)
		}
		t := m.signature[r.u32()]
		sig, ok := known[name]
		if module != "wasi_snapshot_preview1" || !ok {
			refuse("compile for WASI preview1 (GOOS=wasip1, wasm32-wasip1) and link every function in", "it imports %q %q, which no node offers", module, name)
		}
		if sig.Params != letters(t.params) || sig.Results != letters(t.results) {
			refuse("", "it imports %q with the wrong type", name)
		}
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

func (m *Module) checkExports() {
	var start, memory bool
	r := m.section(secExport)
	for n := r.count(); n > 0; n-- {
		name, kind, index := r.name(), r.byte(), r.u32()
		switch name {
		case FuelExport:
			refuse("rename it", "it exports %q, a name that the metering uses", name)
		case "memory":
			memory = kind == externMemory
		case "_start":
			start = kind == externFunc && index >= m.imported && m.isCommand(m.funcs[index])
		}
	}
	if !start {
		refuse("compile a program with a main function, not a library", "it exports no function _start without parameters and results")
	}
	if !memory {
		refuse("export the memory (--export-memory)", "it does not export its memory as \"memory\"")
	}
}

// checkBounds refuses large tables, and active segments that do not fit, which
// would trap before the program starts. Their offsets are constants, since no
// global is imported.
func (m *Module) checkBounds() {
	for _, t := range m.tables {
		if t.lo > MaxTableElements {
			refuse("", "it has a table of %d elements and the limit is %d", t.lo, MaxTableElements)
		}
	}
	r := m.section(secElem)
	for n := r.count(); n > 0; n-- {
		s := r.elements(func(f uint32) uint32 { return f })
		if s.active && uint64(s.offset)+uint64(s.items) > uint64(m.tables[s.table].lo) {
			refuse("", "an element segment lies outside its table")
		}
	}
	r = m.section(secData)
	for n := r.count(); n > 0; n-- {
		flags := r.u32()
		if flags == segmentExplicit {
			r.u32()
		}
		var end uint64
		if flags != segmentInactive {
			end = uint64(r.offset())
		}
		end += uint64(len(r.take(r.u32())))
		if flags != segmentInactive && end > m.memMin*PageBytes {
			refuse("link with a larger initial memory", "a data segment lies outside the initial memory")
		}
	}
}

// offset reads a constant expression of one i32.const.
func (r *reader) offset() uint32 {
	if r.byte() != opI32Const {
		refuse("", "a segment's offset is not a constant")
	}
	v := uint32(r.signed(32))
	r.byte() // end
	return v
}
