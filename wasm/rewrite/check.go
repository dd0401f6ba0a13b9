package rewrite

import (
	"bytes"
	"slices"
)

// instruction types one instruction.
func (c *checker) instruction(in instr) {
	switch in.op {
	case opNop:
	case opBlock, opLoop, opIf:
		if in.op == opIf {
			c.pop(typeI32)
		}
		t := c.blockType(in.block)
		c.popAll(t.params)
		c.open(in.op, t)
	case opElse, opEnd:
		c.finish(in.op)
	case opUnreachable:
		c.unreachable()
	case opBr:
		c.popAll(c.label(in.imm).label())
		c.unreachable()
	case opBrIf:
		c.pop(typeI32)
		types := c.label(in.imm).label()
		c.popAll(types)
		c.pushAll(types)
	case opBrTable:
		c.branchTable(in)
	case opReturn:
		c.popAll(c.blocks[0].results)
		c.unreachable()
	case opCall:
		c.m.checkFunc(in.imm)
		c.call(c.m.signature[c.m.funcs[in.imm]])
	case opCallIndirect:
		if kind := c.m.checkTable(in.imm2).kind; kind != typeFuncref {
			c.invalid("an indirect call goes through a table of %s", typeName(kind))
		}
		c.pop(typeI32)
		c.call(c.m.signature[c.m.checkType(in.imm)])
	default:
		c.plain(in)
	}
}

func (c *checker) blockType(t int64) functype {
	switch {
	case t == emptyBlock:
		return functype{}
	case t < 0:
		return functype{results: oneType[byte(t&0x7f)]}
	case t >= int64(len(c.m.signature)):
		c.invalid("type %d does not exist", t)
	}
	return c.m.signature[t]
}

// oneType has every value type as a list of one.
var oneType = func() (list [256][]byte) {
	for i := range list {
		list[i] = []byte{byte(i)}
	}
	return list
}()

func (c *checker) finish(op byte) {
	b := c.close()
	t := functype{b.params, b.results}
	switch {
	case op == opElse && b.op != opIf:
		c.invalid("an else belongs to no if")
	case op == opElse:
		c.open(opElse, t)
		return
	case b.op == opIf && !bytes.Equal(b.params, b.results):
		c.invalid("an if without else changes the types of operands")
	}
	if len(c.blocks) > 0 {
		c.pushAll(b.results)
	}
}

// branchTable checks every label once, however often the table names it.
func (c *checker) branchTable(in instr) {
	c.pop(typeI32)
	c.tables++
	arity := len(c.label(in.last).label())
	for r := (&reader{b: in.list}); r.more(); {
		if c.labels++; c.labels > MaxLabels {
			c.tooMuch("more than %d labels in br_table instructions", MaxLabels)
		}
		b := c.label(r.u32())
		if b.table == c.tables {
			continue
		}
		b.table = c.tables
		types := b.label()
		if len(types) != arity {
			c.invalid("the labels of a br_table take %d and %d operands", len(types), arity)
		}
		c.peek(types)
	}
	c.popAll(c.label(in.last).label())
	c.unreachable()
}

// peek checks the operands on top of the stack and leaves them.
func (c *checker) peek(types []byte) {
	c.spend(len(types))
	b := c.top()
	for i := range types {
		at := len(c.values) - 1 - i
		if at < b.height {
			if !b.dead {
				c.invalid("an operand is missing")
			}
			return
		}
		if have, want := c.values[at], types[len(types)-1-i]; have != want && have != unknown {
			c.invalid("an operand is %s where %s is needed", typeName(have), typeName(want))
		}
	}
}

func (c *checker) call(t functype) {
	c.popAll(t.params)
	c.pushAll(t.results)
}

func (c *checker) plain(in instr) {
	if o := in.fixed(); o != nil {
		c.immediates(in)
		c.popAll(o.pops)
		c.pushAll(o.pushes)
		return
	}
	switch in.op {
	case opDrop:
		c.popAny()
	case opSelect:
		c.selectAny()
	case opSelectTyped:
		if len(in.list) != 1 {
			c.invalid("a select names %d types", len(in.list))
		}
		c.pop(typeI32)
		c.pop(in.list[0])
		c.pop(in.list[0])
		c.push(in.list[0])
		c.m.selects = append(c.m.selects, in.list[0])
	case opLocalGet:
		c.push(c.local(in.imm))
	case opLocalSet:
		c.pop(c.local(in.imm))
	case opLocalTee:
		kind := c.local(in.imm)
		c.pop(kind)
		c.push(kind)
	case opGlobalGet:
		c.push(c.m.checkGlobal(in.imm).kind)
	case opGlobalSet:
		g := c.m.checkGlobal(in.imm)
		if !g.mutable {
			c.invalid("global %d is constant", in.imm)
		}
		c.pop(g.kind)
	default:
		c.reference(in)
	}
}

// selectAny types a select that names no type: operands are numbers or vectors
// of one type.
func (c *checker) selectAny() {
	c.pop(typeI32)
	a, b := c.popAny(), c.popAny()
	if isReference(a) || isReference(b) {
		c.invalid("a select of references names no type")
	}
	if a == unknown {
		a = b
	}
	if b != unknown && a != b {
		c.invalid("a select has operands of types %s and %s", typeName(b), typeName(a))
	}
	c.push(a)
	c.m.selects = append(c.m.selects, a)
}

// reference types what depends on the types of tables.
func (c *checker) reference(in instr) {
	switch in.op {
	case opRefNull:
		c.push(byte(in.imm))
	case opRefIsNull:
		if kind := c.popAny(); kind != unknown && !isReference(kind) {
			c.invalid("an operand is %s where a reference is needed", typeName(kind))
		}
		c.push(typeI32)
	case opRefFunc:
		if c.m.checkFunc(in.imm); !c.m.declared[in.imm] {
			c.invalid("function %d is referred to and not declared in an element segment, a global or an export", in.imm)
		}
		c.push(typeFuncref)
	case opTableGet:
		kind := c.m.checkTable(in.imm).kind
		c.pop(typeI32)
		c.push(kind)
	case opTableSet:
		c.pop(c.m.checkTable(in.imm).kind)
		c.pop(typeI32)
	case opPrefixMisc:
		kind := c.m.checkTable(in.imm).kind
		c.pop(typeI32)
		c.pop(kind)
		if in.sub == miscTableFill {
			c.pop(typeI32)
		} else {
			c.push(typeI32)
		}
	}
}

// immediates checks what instructions of fixed types carry.
func (c *checker) immediates(in instr) {
	if log2, ok := in.width(); ok {
		c.m.checkMemory()
		if in.imm > uint32(log2) {
			c.invalid("an access of %d bytes promises an alignment of 2 to the %d", 1<<log2, in.imm)
		}
	}
	switch in.op {
	case opMemorySize, opMemoryGrow:
		c.m.checkMemory()
	case opPrefixMisc:
		c.bulk(in)
	case opPrefixSIMD:
		limit := lanesOf(in.sub)
		if in.sub == simdShuffle {
			limit = 32
		}
		if limit > 0 && slices.ContainsFunc(in.list, func(lane byte) bool { return lane >= limit }) {
			c.invalid("a lane does not exist")
		}
	}
}

func (c *checker) bulk(in instr) {
	switch in.sub {
	case miscMemoryInit, miscMemoryCopy, miscMemoryFill:
		c.m.checkMemory()
	case miscTableInit:
		c.sameReferences(c.m.checkTable(in.imm2).kind, c.segment(in.imm))
	case miscTableCopy:
		c.sameReferences(c.m.checkTable(in.imm).kind, c.m.checkTable(in.imm2).kind)
	case miscTableSize:
		c.m.checkTable(in.imm)
	case miscElemDrop:
		c.segment(in.imm)
	}
	if in.sub == miscMemoryInit || in.sub == miscDataDrop {
		switch {
		case c.m.sections[secDataCount] == nil:
			malformed("function %d uses data segments and none are counted", c.index)
		case uint64(in.imm) >= uint64(len(c.m.data)):
			c.invalid("data segment %d does not exist", in.imm)
		}
	}
}

// segment gives the type of an element segment.
func (c *checker) segment(i uint32) byte {
	if uint64(i) >= uint64(len(c.m.elems)) {
		c.invalid("element segment %d does not exist", i)
	}
	return c.m.elems[i].reference
}

func (c *checker) sameReferences(to, from byte) {
	if to != from {
		c.invalid("references of type %s go to a table of %s", typeName(from), typeName(to))
	}
}
