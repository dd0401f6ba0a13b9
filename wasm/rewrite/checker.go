package rewrite

import "fmt"

// checker types function bodies by the algorithm of the core specification's
// appendix: a stack of operand types, and one of the blocks that are open. Time
// and memory are linear in the size of the code: types of many values, which
// let two bytes stand for the work of a thousand, are held to a budget.
type checker struct {
	m      *Module
	r      *reader
	index  uint32 // of the function
	locals []localRun
	values []byte // types of operands; unknown behind an unconditional branch
	blocks []block
	tables uint32 // br_table instructions met
	loops  int    // open
	labels int    // in br_table instructions
	joined uint64 // blocks times locals
	budget int    // operands that may still be pushed or popped
}

// unknown is the type of an operand that unreachable code makes up.
const unknown = 0

// block is an open block. Its operands are those above height.
type block struct {
	op              byte
	params, results []byte
	height          int
	dead            bool
	table           uint32 // the br_table that was the last to have it as a label
}

// label gives the types that a branch to the block takes.
func (b *block) label() []byte {
	if b.op == opLoop {
		return b.params
	}
	return b.results
}

// localRun is consecutive locals of one type, up to end.
type localRun struct {
	end  uint64
	kind byte
}

func newChecker(m *Module) *checker {
	return &checker{m: m, budget: minOperands + operandsPerByte*len(m.sections[secCode])}
}

// invalid refuses the module and says where.
func (c *checker) invalid(format string, args ...any) {
	invalid("function %d, byte %d of its body: %s", c.index, c.r.p, fmt.Sprintf(format, args...))
}

// tooMuch refuses a function that is more than the profile takes.
func (c *checker) tooMuch(format string, args ...any) {
	refuse("split the function", "function %d has %s", c.index, fmt.Sprintf(format, args...))
}

func (c *checker) function(index uint32, body []byte) {
	if len(body) > MaxFunctionBytes {
		refuse("split the function", "function %d takes %d bytes and the limit is %d", index, len(body), MaxFunctionBytes)
	}
	t := c.m.signature[c.m.funcs[index]]
	c.r, c.index, c.labels, c.joined = &reader{b: body}, index, 0, 0
	c.values, c.blocks, c.locals = c.values[:0], c.blocks[:0], c.locals[:0]
	c.readLocals(t.params)
	c.open(opBlock, functype{results: t.results})
	for len(c.blocks) > 0 {
		c.instruction(c.r.instruction())
	}
	c.r.done("last end")
}

func (c *checker) readLocals(params []byte) {
	c.spend(len(params))
	n := uint64(0)
	add := func(count uint32, kind byte) {
		if n += uint64(count); n > MaxLocals {
			c.tooMuch("more than %d locals", MaxLocals)
		}
		if last := len(c.locals) - 1; last >= 0 && c.locals[last].kind == kind {
			c.locals[last].end = n
		} else {
			c.locals = append(c.locals, localRun{n, kind})
		}
	}
	for _, kind := range params {
		add(1, kind)
	}
	for groups := c.r.u32(); groups > 0; groups-- {
		count := c.r.u32()
		add(count, c.r.valueTypes(1)[0])
	}
	if c.m.locals += n; c.m.locals > MaxAllLocals {
		refuse("split the program", "its functions have more than %d locals together", MaxAllLocals)
	}
}

// count is the number of locals.
func (c *checker) count() uint64 {
	if len(c.locals) == 0 {
		return 0
	}
	return c.locals[len(c.locals)-1].end
}

// local gives the type of a local. Runs are in order of their ends.
func (c *checker) local(i uint32) byte {
	lo, hi := 0, len(c.locals)
	for lo < hi {
		if mid := (lo + hi) / 2; c.locals[mid].end <= uint64(i) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(c.locals) {
		c.invalid("local %d does not exist", i)
	}
	return c.locals[lo].kind
}

func (c *checker) spend(operands int) {
	if c.budget -= operands; c.budget < 0 {
		refuse("pass fewer values between blocks and functions", "its code of %d bytes moves too many operands, up to function %d", len(c.m.sections[secCode]), c.index)
	}
}

func (c *checker) top() *block { return &c.blocks[len(c.blocks)-1] }

func (c *checker) push(kind byte) {
	c.spend(1)
	c.values = append(c.values, kind)
}

func (c *checker) pushAll(kinds []byte) {
	c.spend(len(kinds))
	c.values = append(c.values, kinds...)
}

// popAny takes an operand of any type.
func (c *checker) popAny() byte {
	c.spend(1)
	if b := c.top(); len(c.values) == b.height {
		if !b.dead {
			c.invalid("an operand is missing")
		}
		return unknown
	}
	kind := c.values[len(c.values)-1]
	c.values = c.values[:len(c.values)-1]
	return kind
}

func (c *checker) pop(want byte) byte {
	have := c.popAny()
	if have != want && have != unknown {
		c.invalid("an operand is %s where %s is needed", typeName(have), typeName(want))
	}
	return have
}

func (c *checker) popAll(kinds []byte) {
	for i := len(kinds) - 1; i >= 0; i-- {
		c.pop(kinds[i])
	}
}

func (c *checker) open(op byte, t functype) {
	switch c.joined += c.count(); {
	case len(c.blocks) == MaxNesting:
		c.tooMuch("blocks nested more than %d deep", MaxNesting)
	case c.joined > MaxJoinedLocals:
		c.tooMuch("more than %d blocks times locals", MaxJoinedLocals)
	}
	if op == opLoop {
		if c.loops++; c.loops > MaxLoopNesting {
			c.tooMuch("loops nested more than %d deep", MaxLoopNesting)
		}
	}
	c.blocks = append(c.blocks, block{op: op, params: t.params, results: t.results, height: len(c.values)})
	c.pushAll(t.params)
}

// close ends the innermost block, which must have left its results.
func (c *checker) close() block {
	b := *c.top()
	c.popAll(b.results)
	if len(c.values) != b.height {
		c.invalid("a block leaves %d operands too many", len(c.values)-b.height)
	}
	c.blocks = c.blocks[:len(c.blocks)-1]
	if b.op == opLoop {
		c.loops--
	}
	return b
}

// unreachable is what follows an unconditional branch.
func (c *checker) unreachable() {
	b := c.top()
	c.values, b.dead = c.values[:b.height], true
}

func (c *checker) label(depth uint32) *block {
	if uint64(depth) >= uint64(len(c.blocks)) {
		c.invalid("a branch leaves %d blocks and %d are open", uint64(depth)+1, len(c.blocks))
	}
	return &c.blocks[len(c.blocks)-1-int(depth)]
}
