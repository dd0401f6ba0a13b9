package rewrite

// Our import comes last among the imported functions, so every defined
// function moves up by one.
func (m *Module) shift(f uint32) uint32 {
	if f >= m.imported {
		return f + 1
	}
	return f
}

func (m *Module) meterFunc() uint32   { return m.imported }
func (m *Module) fuelGlobal() uint32  { return uint32(len(m.globals)) } // globals are never imported
func (m *Module) depthGlobal() uint32 { return m.fuelGlobal() + 1 }

// typeIndex returns the index of a function type, adding it if it is missing
// among those added before.
func (m *Module) typeIndex(t functype) uint32 {
	key := string(t.encode())
	i, ok := m.typeAt[key]
	if !ok {
		i = uint32(len(m.signature) + len(m.newTypes))
		m.newTypes = append(m.newTypes, t)
		m.typeAt[key] = i
	}
	return i
}

func (m *Module) types() []byte {
	r := m.section(secType)
	r.count()
	b := append(appendU(nil, uint64(len(m.signature)+len(m.newTypes))), r.b[r.p:]...)
	for _, t := range m.newTypes {
		b = append(b, t.encode()...)
	}
	return b
}

func (m *Module) imports() []byte {
	r := m.section(secImport)
	r.count()
	b := append(appendU(nil, uint64(m.imported)+1), r.b[r.p:]...)
	b = append(appendName(appendName(b, MeterModule), MeterName), 0)
	return appendU(b, uint64(m.meterType))
}

// tables gives every table an explicit maximum, so that table.grow fails at
// the same size on every engine.
func (m *Module) tableSection() []byte {
	if len(m.tables) == 0 {
		return nil
	}
	b := appendU(nil, uint64(len(m.tables)))
	for _, t := range m.tables {
		b = appendU(appendU(append(b, t.kind, 1), uint64(t.lo)), uint64(min(t.hi, MaxTableElements)))
	}
	return b
}

func (m *Module) globalSection() []byte {
	r := m.section(secGlobal)
	n := r.count()
	b := appendU(nil, uint64(n)+2)
	for ; n > 0; n-- {
		b = append(b, r.take(2)...) // value type, mutability
		b = append(b, r.constExpr(m.shift)...)
	}
	b = append(b, typeI64, 1, opI64Const, 0, opEnd)
	b = appendS(append(b, typeI32, 1, opI32Const), StackBudgetBytes)
	return append(b, opEnd)
}

func (m *Module) exports() []byte {
	r := m.section(secExport)
	n := r.count()
	b := appendU(nil, uint64(n)+1)
	for ; n > 0; n-- {
		name, kind, index := r.name(), r.byte(), r.u32()
		if kind == 0 {
			index = m.shift(index)
		}
		b = appendU(append(appendName(b, name), kind), uint64(index))
	}
	return appendU(append(appendName(b, FuelExport), 3), uint64(m.fuelGlobal()))
}

func (m *Module) code() []byte {
	r := m.section(secCode)
	n := r.count()
	b := appendU(nil, uint64(n))
	for i := range n {
		f := m.function(m.signature[m.funcs[m.imported+i]], r.take(r.u32()))
		if len(f) > MaxFunctionBytes {
			refuse("split the function", "function %d takes %d bytes when metered and the limit is %d", m.imported+i, len(f), MaxFunctionBytes)
		}
		if b = append(appendU(b, uint64(len(f))), f...); len(b) > MaxRewritten {
			refuse("split the program", "its functions take more than %d bytes when metered", MaxRewritten)
		}
	}
	return b
}
