package rewrite

import "slices"

func (m *Module) elements() []byte {
	r := m.section(secElem)
	n := r.count()
	if n == 0 {
		return nil
	}
	b := appendU(nil, uint64(n)+uint64(len(m.emptyElems)))
	for ; n > 0; n-- {
		b = append(b, r.elements(m.shift).encoded...)
	}
	for _, reference := range m.emptyElems {
		const passive, expressions = 1, 4
		b = append(b, passive|expressions, reference, 0)
	}
	return b
}

// initElem gives the segment for a table.init to copy from: an empty one added
// behind the others where the specification says that the segment is gone.
// wazero keeps such segments.
func (m *Module) initElem(i uint32) uint32 {
	if int(i) >= len(m.elems) || m.elems[i].passive {
		return i
	}
	reference := m.elems[i].reference
	at := slices.Index(m.emptyElems, reference)
	if at < 0 {
		at = len(m.emptyElems)
		m.emptyElems = append(m.emptyElems, reference)
	}
	return uint32(len(m.elems) + at)
}

// initData is the like for memory.init.
func (m *Module) initData(i uint32) uint32 {
	if int(i) >= len(m.data) || m.data[i] {
		return i
	}
	m.emptyData = true
	return uint32(len(m.data))
}

func (m *Module) dataCount() []byte {
	if m.emptyData {
		return appendU(nil, uint64(len(m.data))+1)
	}
	return m.sections[secDataCount]
}

func (m *Module) dataSegments() []byte {
	if !m.emptyData {
		return m.sections[secData]
	}
	r := m.section(secData)
	r.count()
	b := append(appendU(nil, uint64(len(m.data))+1), r.b[r.p:]...)
	const passive = 1
	return append(b, passive, 0)
}

// segment is one element segment, encoded with its function indices moved.
type segment struct {
	active               bool
	table, offset, items uint32
	encoded              []byte
}

// elements reads a segment of a valid module.
func (r *reader) elements(shift func(uint32) uint32) (s segment) {
	flags := r.u32()
	b := appendU(nil, uint64(flags))
	if s.active = flags&segmentInactive == 0; s.active {
		if flags&segmentExplicit != 0 {
			s.table = r.u32()
			b = appendU(b, uint64(s.table))
		}
		s.offset = r.offset()
		b = append(appendS(append(b, opI32Const), int64(int32(s.offset))), opEnd)
	}
	if flags&(segmentInactive|segmentExplicit) != 0 {
		b = append(b, r.byte()) // element kind or reference type
	}
	s.items = r.u32()
	b = appendU(b, uint64(s.items))
	for range s.items {
		if flags&segmentExprs != 0 {
			b = append(b, r.constExpr(shift)...)
		} else {
			b = appendU(b, uint64(shift(r.u32())))
		}
	}
	s.encoded = b
	return s
}
