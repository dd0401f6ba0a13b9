package wasm_test

import (
	"encoding/binary"
	"math"
	"strings"
)

// maxNesting bounds expressions and blocks in each other.
const maxNesting = 6

// function generates one body.
type function struct {
	*generator
	code   []byte
	locals string // types, parameters first
	first  int    // of the locals declared: two of each type, then one counter per nesting, then scratch of each type
	own    int    // this function's index
	labels []string
	depth  int
}

func (f *function) counter() int { return f.first + 2*len(letters) + f.depth }
func (f *function) scratch(kind byte) int {
	return f.first + 2*len(letters) + maxNesting + 1 + strings.IndexByte(letters, kind)
}

func (f *function) op(b ...byte)         { f.code = append(f.code, b...) }
func (f *function) index(op byte, i int) { f.code = append(append(f.code, op), uleb(i)...) }
func (f *function) i32(v int64)          { f.code = append(append(f.code, 0x41), sleb(v)...) }
func (f *function) misc(sub int, b ...byte) {
	f.op(append(append([]byte{0xfc}, uleb(sub)...), b...)...)
}

// body generates a function; the last one leaves all that it has in memory.
func (g *generator) body(own int, last bool) []byte {
	signature := g.types[g.funcs[own]]
	params, results := split(signature)
	f := &function{generator: g, own: own, first: len(params), locals: params + letters + letters + strings.Repeat("i", maxNesting+1) + letters}
	f.labels = []string{results}
	f.statements(2 + f.n(8))
	if last {
		f.spill()
	}
	for i := range len(results) {
		f.value(results[i])
	}
	var declared [][]byte
	for _, kind := range []byte(f.locals[f.first:]) {
		declared = append(declared, []byte{1, valueTypes[kind]})
	}
	return append(append(vec(declared...), f.code...), 0x0b)
}

// spill stores locals and globals from address 0 on.
func (f *function) spill() {
	at := 0
	store := func(kind byte, op byte, index int) {
		f.i32(int64(at))
		f.index(op, index)
		f.op(stores[kind][0].code...)
		f.op(0, 0)
		at += 16
	}
	for i := range f.first + 2*len(letters) { // not the scratch, which careless code leaves alone
		store(f.locals[i], 0x20, i)
	}
	for i := range len(globals) {
		store(globals[i], 0x23, i)
	}
}

func (f *function) statements(n int) {
	for range n {
		if f.size <= 0 {
			return
		}
		f.statement()
	}
}

func (f *function) statement() {
	f.size--
	f.depth++
	defer func() { f.depth-- }()
	if f.depth >= maxNesting {
		f.set()
		return
	}
	switch f.n(16) {
	case 0, 1, 2:
		f.set()
	case 3, 4, 5:
		f.store()
	case 6:
		i := f.n(len(globals))
		f.value(globals[i])
		f.index(0x24, i)
	case 7:
		f.value(f.letter())
		f.op(0x1a)
	case 8:
		f.value('i')
		f.block(0x04, "", func() {
			f.statements(1 + f.n(3))
			if f.one(2) {
				f.op(0x05)
				f.statements(1 + f.n(3))
			}
		})
	case 9, 10:
		f.loop()
	case 11:
		f.block(0x02, "", func() { f.statements(1 + f.n(3)) })
	case 12:
		f.jump()
	case 13:
		f.bulk()
	case 14:
		f.table()
	case 15:
		f.host()
	}
}

// set gives a local a value; counters are left alone so that loops end.
func (f *function) set() {
	i := f.n(f.first + 2*len(letters))
	f.value(f.locals[i])
	f.index(0x21, i)
}

func (f *function) block(op byte, results string, inside func()) {
	f.op(op)
	if results == "" {
		f.op(0x40)
	} else {
		f.op(valueTypes[results[0]])
	}
	label := results
	if op == 0x03 {
		label = ""
	}
	f.labels = append(f.labels, label)
	inside()
	f.labels = f.labels[:len(f.labels)-1]
	f.op(0x0b)
}

// loop turns a few times; once in a while it may be for ever.
func (f *function) loop() {
	counter := f.counter()
	f.i32(int64(1 + f.n(12)))
	f.index(0x21, counter)
	f.block(0x03, "", func() {
		f.statements(1 + f.n(3))
		f.index(0x20, counter)
		f.i32(1)
		f.op(0x6b)
		f.index(0x22, counter)
		f.op(0x0d, 0)
	})
}

// target is a label that takes these results, or -1.
func (f *function) target(results string) int {
	var fitting []int
	for i, r := range f.labels {
		if r == results {
			fitting = append(fitting, len(f.labels)-1-i)
		}
	}
	if len(fitting) == 0 {
		return -1
	}
	return fitting[f.n(len(fitting))]
}

func (f *function) jump() {
	to := f.target("")
	switch kind := f.n(8); {
	case kind == 0 && f.one(4):
		f.op(0x00)
	case kind == 1 && f.one(2):
		for i := range len(f.labels[0]) {
			f.value(f.labels[0][i])
		}
		f.op(0x0f)
	case to < 0:
		f.op(0x01)
	case kind == 2 && f.one(2):
		f.index(0x0c, to)
	case kind == 3:
		f.value('i')
		f.op(0x0e, 2)
		f.op(uleb(f.target(""))...)
		f.op(uleb(f.target(""))...)
		f.op(uleb(to)...)
	default:
		f.value('i')
		f.index(0x0d, to)
	}
}

// address is mostly one that exists.
func (f *function) address(mask int64) {
	f.value('i')
	if !f.one(64) {
		f.i32(mask)
		f.op(0x71)
	}
}

func (f *function) memarg(a access) {
	f.op(a.code...)
	f.op(0)
	f.op(uleb(f.n(256) << (f.n(2) * 4))...)
	if a.lanes > 0 {
		f.op(byte(f.n(a.lanes)))
	}
}

func (f *function) store() {
	kind := f.letter()
	f.address(0x7fff)
	f.value(kind)
	f.memarg(stores[kind][f.n(len(stores[kind]))])
}

func (f *function) bulk() {
	f.address(0x3fff)
	switch f.n(4) {
	case 0:
		f.value('i')
		f.address(0x3fff)
		f.misc(11, 0)
	case 1:
		f.address(0x3fff)
		f.address(0x3fff)
		f.misc(10, 0, 0)
	case 2:
		f.address(31)
		f.address(31)
		f.misc(8, f.segment(), 0)
	case 3:
		f.op(0x1a)
		f.misc(9, f.segment())
	}
}

// segment is an active one, which is empty once the program runs, or a passive
// one. Careful code names an empty passive one in place of the first, since
// wazero does not empty it.
func (f *function) segment() byte {
	segment := byte(f.n(2))
	if f.careful && segment == 0 {
		return 2
	}
	return segment
}

func (f *function) table() {
	f.address(15)
	switch f.n(7) {
	case 0:
		f.reference()
		f.op(0x26, 0)
	case 1:
		f.reference()
		f.address(7)
		f.misc(17, 0)
	case 2:
		f.address(15)
		f.address(3)
		f.misc(14, 0, 0)
	case 3:
		f.address(3)
		f.address(3)
		f.misc(12, f.segment(), 0)
	case 4:
		f.op(0x1a)
		f.misc(13, f.segment())
	case 5:
		f.op(0x1a)
		f.reference()
		f.address(7)
		f.misc(15, 0)
		f.index(0x21, f.first)
	case 6:
		f.op(0x1a)
		f.value('i')
		f.block(0x04, "", func() {
			f.i32(int64(f.n(200)))
			f.index(0x10, 3) // proc_exit
		})
	}
}

func (f *function) reference() {
	if f.one(4) {
		f.op(0xd0, 0x70)
		return
	}
	f.index(0xd2, f.n(len(f.funcs)))
}

// host writes a part of memory to stdout or stderr, asks for random bytes or
// for the time.
func (f *function) host() {
	switch f.n(3) {
	case 0:
		f.i32(8192)
		f.address(0x3fff)
		f.op(0x36, 2, 0)
		f.i32(8196)
		f.address(0x3f)
		f.op(0x36, 2, 0)
		f.i32(int64(1 + f.n(2)))
		f.i32(8192)
		f.i32(1)
		f.i32(8200)
		f.index(0x10, 0)
	case 1:
		f.address(0x3fff)
		f.address(0x3f)
		f.index(0x10, 1)
	case 2:
		f.address(1)
		f.value('l')
		f.address(0x3fff)
		f.index(0x10, 2)
	}
	f.index(0x21, f.first)
}

// value generates an expression of a type.
func (f *function) value(kind byte) {
	f.size--
	f.depth++
	defer func() { f.depth-- }()
	choice := f.n(20)
	if f.depth > maxNesting || f.size <= 0 {
		choice %= 4
	}
	switch {
	case choice < 2:
		f.op(f.constant(kind)...)
	case choice < 4:
		i := f.n(2)
		f.index(0x20, f.first+i*len(letters)+strings.IndexByte(letters, kind))
	case choice < 11:
		f.operation(kind)
	case choice == 11:
		f.load(kind)
	case choice == 12:
		f.value(kind)
		f.value(kind)
		f.value('i')
		if f.one(2) {
			f.op(0x1c, 1, valueTypes[kind])
		} else {
			f.op(0x1b)
		}
	case choice == 13:
		f.value(kind)
		f.index(0x22, f.first+f.n(2)*len(letters)+strings.IndexByte(letters, kind))
	case choice == 14:
		f.index(0x23, f.n(2)*len(letters)+strings.IndexByte(letters, kind))
	case choice == 15:
		f.block(0x02, string(kind), func() {
			f.statements(f.n(3))
			f.value(kind)
		})
	case choice == 16:
		f.value('i')
		f.block(0x04, string(kind), func() {
			f.value(kind)
			f.op(0x05)
			f.statements(f.n(2))
			f.value(kind)
		})
	case choice == 17:
		f.value(kind)
		if to := f.target(string(kind)); to >= 0 {
			f.value('i')
			f.index(0x0d, to)
		}
	case choice == 18:
		f.call(kind)
	case kind == 'i':
		f.size32()
	default: // two values through a block, of which the upper one is left out again
		f.value(kind)
		f.value('i')
		f.op(0x02)
		f.op(sleb(int64(f.typeOf(string(kind) + "i:" + string(kind) + "i")))...)
		f.labels = append(f.labels, string(kind)+"i")
		f.statements(f.n(2))
		f.labels = f.labels[:len(f.labels)-1]
		f.op(0x0b, 0x1a)
	}
}

// operation applies an instruction to values of its parameters' types.
func (f *function) operation(kind byte) {
	list := operations[kind]
	o := list[f.n(len(list))]
	for i := range len(o.params) {
		f.value(o.params[i])
	}
	f.op(o.code...)
	switch {
	case o.lanes == 32:
		for range 16 {
			f.op(byte(f.n(32)))
		}
	case o.lanes > 0:
		f.op(byte(f.n(o.lanes)))
	}
	if f.careful && o.open != closed {
		f.op(canonicalise(o.open, f.scratch(kind))...)
	}
}

func (f *function) load(kind byte) {
	a := loads[kind][f.n(len(loads[kind]))]
	f.address(0x7fff)
	if a.lanes > 0 {
		f.value('v')
	}
	f.memarg(a)
}

// call leaves the first result of a function that has one of this type first.
func (f *function) call(kind byte) {
	callable := f.own // mostly no recursion, which few programs survive
	if f.one(8) {
		callable = len(f.funcs)
	}
	var fitting []int
	for i, t := range f.funcs[:callable] {
		if _, results := split(f.types[t]); results != "" && results[0] == kind {
			fitting = append(fitting, i)
		}
	}
	if len(fitting) == 0 {
		f.op(f.constant(kind)...)
		return
	}
	callee := fitting[f.n(len(fitting))]
	params, results := split(f.types[f.funcs[callee]])
	for i := range len(params) {
		f.value(params[i])
	}
	if f.one(3) {
		f.i32(int64(callee + 2)) // where the table has it, unless it was changed
		if f.one(8) {
			f.value('i')
			f.op(0x6a)
		}
		f.index(0x11, int(f.funcs[callee]))
		f.op(0)
	} else {
		f.index(0x10, callee)
	}
	if len(results) > 1 {
		f.op(0x1a)
	}
}

// size32 asks for the size of memory or table, lets memory grow, or looks into
// the table.
func (f *function) size32() {
	switch f.n(4) {
	case 0:
		f.op(0x3f, 0)
	case 1:
		f.address(3)
		f.op(0x40, 0)
	case 2:
		f.misc(16, 0)
	case 3:
		f.address(15)
		f.op(0x25, 0, 0xd1)
	}
}

// Values that programs seldom meet and engines differ about.
var (
	oddInts   = []int64{0, 1, -1, 2, 7, 31, 32, 63, 64, 127, 128, 255, 65535, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	oddFloats = []float64{
		0, math.Copysign(0, -1), 1, -1, 0.5, 1.5, -2.5, math.Inf(1), math.Inf(-1), math.NaN(), math.Float64frombits(0xfff4000000000001),
		math.MaxFloat64, math.SmallestNonzeroFloat64, 2147483647.5, -2147483649, 9.3e18, 4294967296, math.MaxFloat32,
	}
	oddNaNs = []uint32{0x7fc00000, 0xffc00000, 0x7fa00001, 0xff800001}
)

func (g *generator) constant(kind byte) []byte {
	i, x := oddInts[g.n(len(oddInts))], oddFloats[g.n(len(oddFloats))]
	switch kind {
	case 'i':
		return append([]byte{0x41}, sleb(int64(int32(i)))...)
	case 'l':
		return append([]byte{0x42}, sleb(i)...)
	case 'f':
		bits := math.Float32bits(float32(x))
		if x != x {
			bits = oddNaNs[g.n(len(oddNaNs))]
		}
		return binary.LittleEndian.AppendUint32([]byte{0x43}, bits)
	case 'd':
		return binary.LittleEndian.AppendUint64([]byte{0x44}, math.Float64bits(x))
	}
	b := binary.LittleEndian.AppendUint64([]byte{0xfd, 12}, uint64(i))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}
