package rewrite

// Readers of the sections that fill tables, memory and functions.

// elemKind is what matters of an element segment to a table.init: whether it is
// there to be copied from, and the type of its references.
type elemKind struct {
	passive   bool
	reference byte
}

// Flags of element segments; those of data segments are the first two.
const (
	segmentInactive = 1
	segmentExplicit = 2 // has an index; with segmentInactive: only declares functions
	segmentExprs    = 4 // holds expressions
)

func (m *Module) readElements() {
	r := m.section(secElem)
	for n := r.atMost(MaxSegments, "element segments"); n > 0; n-- {
		flags := r.u32()
		if flags > 7 {
			malformed("element segment of kind %d", flags)
		}
		table, active := uint32(0), flags&segmentInactive == 0
		if active {
			if flags&segmentExplicit != 0 {
				table = r.u32()
			}
			m.checkTable(table)
			m.constant(r, typeI32)
		}
		kind := r.elementType(flags)
		if active && m.tables[table].kind != kind {
			invalid("an element segment of %s is for a table of %s", typeName(kind), typeName(m.tables[table].kind))
		}
		for items := r.u32(); items > 0; items-- {
			if flags&segmentExprs != 0 {
				m.constant(r, kind)
			} else {
				m.declare(r.u32())
			}
		}
		m.elems = append(m.elems, elemKind{flags&(segmentInactive|segmentExplicit) == segmentInactive, kind})
	}
	r.done("element segments")
}

// elementType reads the type of a segment's references, which some kinds leave
// out.
func (r *reader) elementType(flags uint32) byte {
	switch {
	case flags&(segmentInactive|segmentExplicit) == 0:
	case flags&segmentExprs != 0:
		return r.reference()
	default:
		if kind := r.byte(); kind != 0 {
			malformed("element kind %#x", kind)
		}
	}
	return typeFuncref
}

func (m *Module) readData() {
	r := m.section(secData)
	n := r.atMost(MaxSegments, "data segments")
	if count := m.section(secDataCount); count.more() {
		if declared := count.u32(); declared != n {
			malformed("%d data segments are counted and %d there", declared, n)
		}
		count.done("count of data segments")
	}
	for ; n > 0; n-- {
		flags := r.u32()
		if flags > 2 {
			malformed("data segment of kind %d", flags)
		}
		if flags == segmentExplicit {
			if memory := r.u32(); memory != 0 {
				invalid("memory %d does not exist", memory)
			}
		}
		if flags != segmentInactive {
			m.checkMemory()
			m.constant(r, typeI32)
		}
		r.take(r.u32())
		m.data = append(m.data, flags == segmentInactive)
	}
	r.done("data segments")
}

func (m *Module) readCode() {
	r := m.section(secCode)
	n := r.count()
	if uint64(n)+uint64(m.imported) != uint64(len(m.funcs)) {
		malformed("%d functions are declared and %d defined", len(m.funcs)-int(m.imported), n)
	}
	c := newChecker(m)
	for i := range n {
		c.function(m.imported+i, r.take(r.u32()))
	}
	r.done("functions")
}
