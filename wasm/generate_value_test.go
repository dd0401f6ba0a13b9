package wasm_test

import (
	"encoding/binary"
	"math"
	"strings"
)

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
