package rewrite

import "slices"

// emitter rewrites the instructions of one function, region by region.
type emitter struct {
	m       *Module
	out     code // finished regions
	region  code // the current one
	price   uint64
	check   bool // the current region stops when fuel is below zero
	nans    known
	locals  uint32 // of the original, parameters included
	results []byte
	scratch []byte // types of the locals added
	fuel    uint32 // the local that caches the fuel global
	wide    bool   // uses v128
	mask    byte   // opcode of the instruction before if it was an and, else 0

	frames  []frame
	height  int // operands on the stack, of this function
	highest int
}

// frame is an open block: base is the height below its parameters.
type frame struct {
	base            int
	params, results int
	dead            bool // after an unconditional branch; heights are a lower bound
}

// local returns the scratch local of a type; one of each is enough, since none
// is live across two uses.
func (e *emitter) local(kind byte) uint32 {
	i := slices.Index(e.scratch, kind)
	if i < 0 {
		i = len(e.scratch)
		e.scratch = append(e.scratch, kind)
	}
	e.wide = e.wide || kind == typeV128
	return e.locals + uint32(i)
}

func (e *emitter) top() *frame { return &e.frames[len(e.frames)-1] }

// pop and push keep the height; those of the known operands as well.
func (e *emitter) pop(n int, by instr) {
	e.nans.pop(n, by)
	e.height -= n
	if f := e.top(); f.dead {
		e.height = max(e.height, f.base)
	}
}

func (e *emitter) push(n int) {
	e.nans.push(n)
	e.raise(n)
}

func (e *emitter) raise(n int) {
	e.height += n
	e.highest = max(e.highest, e.height)
}

// flush ends the region: its price goes out first, then its instructions with
// the NaNs that matter made canonical.
func (e *emitter) flush() {
	e.nans.forget()
	e.charge()
	from := 0
	for _, p := range e.nans.list {
		e.out.op(e.region.b[from:p.at]...)
		from = p.at
		if p.wanted && e.m.keeps(NaNs) {
			e.canonical(p.kind)
		}
	}
	e.out.op(e.region.b[from:]...)
	e.region.b, e.nans.list, e.nans.stack = e.region.b[:0], e.nans.list[:0], e.nans.stack[:0]
	e.price, e.check = 0, false
}

func (e *emitter) charge() {
	if e.price > 0 && e.m.keeps(Charges) {
		e.out.localGet(e.fuel).i64(int64(e.price)).op(opI64Sub).localSet(e.fuel)
	}
	if e.check && e.m.keeps(Checks) {
		e.stopBelowZero(&e.out)
	}
}

// stopBelowZero calls the meter when fuel has run out. A call that does not
// return leaves the registers of the code around it alone.
func (e *emitter) stopBelowZero(c *code) {
	c.localGet(e.fuel).i64(0).op(opI64LtS, opIf, voidBlock)
	e.save(c)
	c.i32(StopFuel).index(opCall, e.m.meterFunc())
	if e.m.Paused {
		c.op(opNop) // as long as the other form: both fit the same limits
	} else {
		c.op(opUnreachable)
	}
	e.load(c)
	c.op(opEnd)
}

func (e *emitter) save(c *code) { c.localGet(e.fuel).globalSet(e.m.fuelGlobal()) }
func (e *emitter) load(c *code) { c.globalGet(e.m.fuelGlobal()).localSet(e.fuel) }

// canonical replaces the NaNs in the value on top of the stack. For one float a
// branch is cheaper than a choice: it always goes one way in practice, and what
// follows need not wait for the comparison. For lanes one engine takes a branch
// far worse.
func (e *emitter) canonical(kind lanes) {
	f := &nanForms[kind]
	x := e.local(f.local)
	if f.choose != nil {
		c := e.out.localTee(x)
		c.op(f.canonical...).localGet(x).localGet(x).op(f.compare...).op(f.choose...)
		return
	}
	c := e.out.localSet(x).op(opBlock, voidBlock)
	c.localGet(x).localGet(x).op(f.compare...).index(opBrIf, 0)
	c.op(f.canonical...).localSet(x).op(opEnd).localGet(x)
}

// body rewrites up to the function's last end.
func (e *emitter) body(r *reader) {
	for {
		start := r.p
		in := r.instruction()
		raw := r.b[start:r.p]
		e.unfuse(in)
		e.price += e.m.price(in)
		switch in.op {
		case opBlock, opLoop, opIf:
			e.open(in, raw)
		case opElse, opEnd:
			if e.close(in, raw) {
				return
			}
		case opBr, opBrIf, opBrTable, opReturn, opUnreachable:
			e.branch(in, raw)
		case opCall, opCallIndirect:
			e.call(in, raw)
		default:
			e.plain(in, raw)
		}
	}
}

func (e *emitter) open(in instr, raw []byte) {
	if in.op == opIf {
		e.pop(1, in)
	}
	params, results := e.blockArity(in.block)
	e.frames = append(e.frames, frame{base: max(0, e.height-params), params: params, results: results, dead: e.top().dead})
	switch in.op {
	case opBlock: // still a straight line, but what is inside cannot reach the operands below
		e.nans.forget()
		e.region.op(raw...)
	case opIf:
		e.region.op(raw...)
		e.flush()
	case opLoop:
		e.price -= e.m.price(in) // it belongs to every turn
		e.flush()
		e.out.op(raw...)
		// A trap reports the fuel of the global: without this a long loop
		// that ends in a trap would have cost nothing.
		if e.m.keeps(Saves) {
			e.save(&e.out)
		}
		e.price, e.check = e.m.price(in), true
	}
}

// close handles else and end; it reports the end of the function.
func (e *emitter) close(in instr, raw []byte) bool {
	f := e.top()
	if in.op == opElse {
		e.region.op(raw...)
		e.flush()
		e.height, f.dead = f.base, e.frames[len(e.frames)-2].dead
		e.raise(f.params)
		return false
	}
	if len(e.frames) == 1 {
		e.flush()
		return true
	}
	e.region.op(raw...)
	e.flush()
	e.height = f.base
	e.raise(f.results)
	e.frames = e.frames[:len(e.frames)-1]
	return false
}

func (e *emitter) branch(in instr, raw []byte) {
	switch in.op {
	case opReturn: // to the end of the wrapping block, where fuel and depth are put back
		e.region.index(opBr, uint32(len(e.frames)-1))
	case opUnreachable:
		e.save(&e.region)
		e.region.op(raw...)
	default:
		if in.op != opBr {
			e.pop(1, in)
		}
		e.region.op(raw...)
	}
	e.flush()
	if f := e.top(); in.op != opBrIf {
		e.height, f.dead = f.base, true
	}
}

func (e *emitter) call(in instr, raw []byte) {
	t := e.m.signature[e.m.calleeType(in)]
	if in.op == opCallIndirect {
		e.pop(1, in)
	}
	e.pop(len(t.params), in)
	e.push(len(t.results))
	e.save(&e.region)
	if in.op == opCall {
		e.region.index(opCall, e.m.shift(in.imm))
	} else {
		e.region.op(raw...)
	}
	e.load(&e.region)
}

func (e *emitter) plain(in instr, raw []byte) {
	pops, pushes := effect(in)
	e.wide = e.wide || in.op == opPrefixSIMD
	e.pop(pops, in)
	e.bulk(in)
	switch in.op {
	case opMemoryGrow:
		e.growMemory()
	case opRefFunc:
		e.region.index(opRefFunc, e.m.shift(in.imm))
	case opPrefixMisc:
		e.misc(in, raw)
	case opSelect, opSelectTyped:
		e.choose(raw)
	case opI32And, opI64And:
		e.region.op(raw...)
		e.mask = in.op
	default:
		e.region.op(raw...)
	}
	if kind := in.nan(); kind != notFloat {
		e.nans.pushPending(len(e.region.b), kind)
		e.raise(pushes)
		return
	}
	e.push(pushes)
}
