package rewrite

import "slices"

// bulk charges the instructions whose work depends on an operand, the i32 on
// top of the stack, before they run.
func (e *emitter) bulk(in instr) {
	switch {
	case in.op != opPrefixMisc:
	case in.sub == miscMemoryInit, in.sub == miscMemoryCopy, in.sub == miscMemoryFill:
		e.chargeOperand(func(c *code) { c.i64(bytesPerUnitLog2).op(opI64ShrU) })
	case in.sub == miscTableInit, in.sub == miscTableCopy, in.sub == miscTableGrow, in.sub == miscTableFill:
		e.chargeOperand(func(c *code) { c.i64(unitsPerElement).op(opI64Mul) })
	}
}

// chargeOperand takes scale(operand) from the fuel and leaves the operand.
func (e *emitter) chargeOperand(scale func(*code)) {
	n, c := e.local(typeI32), &e.region
	c.localSet(n).localGet(e.fuel).localGet(n).op(opI64ExtendU)
	scale(c)
	c.op(opI64Sub).localSet(e.fuel)
	e.stopBelowZero(c)
	c.localGet(n)
}

// misc writes an instruction behind 0xfc, with the segment that it copies from.
func (e *emitter) misc(in instr, raw []byte) {
	index := in.imm
	switch in.sub {
	case miscMemoryInit:
		index = e.m.initData(in.imm)
	case miscTableInit:
		index = e.m.initElem(in.imm)
	}
	if index == in.imm {
		e.region.op(raw...)
		return
	}
	r := &reader{b: raw, p: 2} // behind prefix and opcode
	r.u32()
	e.region.op(opPrefixMisc).index(byte(in.sub), index).op(raw[r.p:]...)
}

// growMemory charges for the pages that the limit allows, grows, and stops the
// run if the engine then refuses: a machine short of memory must not change a
// result. A request over the limit costs nothing and yields -1 everywhere.
func (e *emitter) growMemory() {
	n, fits, c := e.local(typeI32), e.second(typeI32), &e.region
	c.localSet(n)
	c.op(opMemorySize, 0, opI64ExtendU).localGet(n).op(opI64ExtendU, opI64Add)
	c.i64(int64(e.m.maxPages)).op(opI64LeU).localSet(fits)
	c.localGet(e.fuel)
	c.localGet(n).op(opI64ExtendU).i64(unitsPerPage).op(opI64Mul).i64(0).localGet(fits).op(opSelect)
	c.op(opI64Sub).localSet(e.fuel)
	e.stopBelowZero(c)
	c.localGet(n).op(opMemoryGrow, 0).localTee(n)
	c.i32(-1).op(opI32Eq).localGet(fits).op(opI32And, opIf, voidBlock)
	c.i32(StopMemory).index(opCall, e.m.meterFunc()).op(opUnreachable, opEnd)
	c.localGet(n)
}

// second returns a scratch local apart from the first of its type.
func (e *emitter) second(kind byte) uint32 {
	first := int(e.local(kind) - e.locals)
	i := slices.Index(e.scratch[first+1:], kind)
	if i < 0 {
		e.scratch = append(e.scratch, kind)
		return e.locals + uint32(len(e.scratch)-1)
	}
	return e.locals + uint32(first+1+i)
}

// calleeType gives the type of the function that a call reaches.
func (m *Module) calleeType(in instr) uint32 {
	if in.op == opCall {
		return m.funcs[in.imm]
	}
	return in.imm
}

// blockArity gives the parameters and results of a block type: a type index,
// or a negative number for none or one value type.
func (e *emitter) blockArity(block int64) (params, results int) {
	switch {
	case block == emptyBlock:
		return 0, 0
	case block < 0:
		return 0, 1
	}
	t := e.m.signature[block]
	return len(t.params), len(t.results)
}
