package wasm_test

import "strings"

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
