package rewrite

// function rewrites one function body into
//
//	depth -= frame; stop if negative     (only if it calls others)
//	fuel := global
//	block … the body, return turned into a branch … end
//	global = fuel
//	depth += frame
//
// The body is cut into straight-line regions. Each begins with its whole price.
func (m *Module) function(t functype, body []byte) []byte {
	r := &reader{b: body}
	e := &emitter{m: m, locals: uint32(len(t.params)), results: t.results}
	groups := r.u32()
	start := r.p
	for g := groups; g > 0; g-- {
		n, kind := r.u32(), r.byte()
		e.locals += n
		e.wide = e.wide || kind == typeV128
	}
	declared := body[start:r.p]
	e.fuel = e.local(typeI64)
	e.price = e.m.framePrice(uint64(e.locals))
	e.frames = []frame{{results: len(t.results)}}
	calls := callsOthers(body[r.p:])
	e.check = calls // a leaf is checked by whoever loops around it
	e.body(r)

	out := append(appendU(nil, uint64(groups)+uint64(len(e.scratch))), declared...)
	for _, kind := range e.scratch {
		out = append(out, 1, kind)
	}
	w := code{out}
	size := e.frameBytes()
	if calls && m.keeps(Depth) {
		w.globalGet(m.depthGlobal()).i32(size).op(opI32Sub).globalSet(m.depthGlobal())
		w.globalGet(m.depthGlobal()).i32(0).op(opI32LtS, opIf, voidBlock)
		w.i32(StopStack).index(opCall, m.meterFunc()).op(opUnreachable, opEnd)
	}
	w.globalGet(m.fuelGlobal()).localSet(e.fuel)
	w.op(opBlock).blockType(m, t.results)
	w.b = append(w.b, e.out.b...)
	w.op(opEnd)
	w.localGet(e.fuel).globalSet(m.fuelGlobal())
	if calls && m.keeps(Depth) {
		w.globalGet(m.depthGlobal()).i32(size).op(opI32Add).globalSet(m.depthGlobal())
	}
	w.op(opEnd)
	return w.b
}

func callsOthers(body []byte) bool {
	for r := (&reader{b: body}); r.more(); {
		if in := r.instruction(); in.op == opCall || in.op == opCallIndirect {
			return true
		}
	}
	return false
}

// frameBytes models the native frame: every local and operand in a slot, and
// what a call itself takes.
func (e *emitter) frameBytes() int64 {
	slot := int64(8)
	if e.wide {
		slot = 16
	}
	const call = 96
	return call + slot*(int64(e.locals)+int64(len(e.scratch))+int64(e.highest))
}

// code is a growing piece of bytecode.
type code struct{ b []byte }

func (c *code) op(b ...byte) *code { c.b = append(c.b, b...); return c }
func (c *code) index(op byte, i uint32) *code {
	c.b = appendU(append(c.b, op), uint64(i))
	return c
}
func (c *code) localGet(i uint32) *code  { return c.index(opLocalGet, i) }
func (c *code) localSet(i uint32) *code  { return c.index(opLocalSet, i) }
func (c *code) localTee(i uint32) *code  { return c.index(opLocalTee, i) }
func (c *code) globalGet(i uint32) *code { return c.index(opGlobalGet, i) }
func (c *code) globalSet(i uint32) *code { return c.index(opGlobalSet, i) }
func (c *code) i32(v int64) *code        { c.b = appendS(append(c.b, opI32Const), v); return c }
func (c *code) i64(v int64) *code        { c.b = appendS(append(c.b, opI64Const), v); return c }

func (c *code) blockType(m *Module, results []byte) *code {
	switch len(results) {
	case 0:
		c.b = append(c.b, voidBlock)
	case 1:
		c.b = append(c.b, results[0])
	default:
		c.b = appendS(c.b, int64(m.typeIndex(functype{results: results})))
	}
	return c
}
