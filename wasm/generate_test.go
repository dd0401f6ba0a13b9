package wasm_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// Value types of generated code, by the letters used in signatures.
var valueTypes = map[byte]byte{'i': 0x7f, 'l': 0x7e, 'f': 0x7d, 'd': 0x7c, 'v': 0x7b}

const letters = "ilfdv"

// generator turns bytes into a module: every choice takes a byte of the data,
// and when that is used up, of a stream that its first bytes seed. Any data
// makes a valid module, and a small change of the data a similar one.
//
// A careful module is the same program with every float result that may be a
// NaN made canonical by the program itself: the specification then leaves
// nothing open, so it shows on any engine what metering must make of the
// careless one.
type generator struct {
	data    []byte
	more    *rand.ChaCha8
	careful bool
	size    int // instructions that may still be generated
	types   []string
	funcs   []uint32 // types of all functions, imports first
}

// imported are host functions by name and type.
var imported = []struct{ name, signature string }{
	{"fd_write", "iiii:i"}, {"random_get", "ii:i"}, {"clock_time_get", "ili:i"}, {"proc_exit", "i:"}, {"args_sizes_get", "ii:i"},
}

// globals are two mutable ones of each type.
const globals = letters + letters

func newGenerator(data []byte, careful bool) *generator {
	var seed [32]byte
	copy(seed[:], data[:min(8, len(data))])
	return &generator{data: data, more: rand.NewChaCha8(seed), careful: careful, size: 600}
}

func (g *generator) byte() byte {
	if len(g.data) > 0 {
		b := g.data[0]
		g.data = g.data[1:]
		return b
	}
	return byte(g.more.Uint64())
}

// n chooses one of k.
func (g *generator) n(k int) int {
	if k > 256 {
		return int(binary.LittleEndian.Uint16([]byte{g.byte(), g.byte()})) % k
	}
	return int(g.byte()) % k
}

// one says yes once in k times.
func (g *generator) one(k int) bool { return g.n(k) == k-1 }

func (g *generator) letter() byte { return letters[g.n(len(letters))] }

func uleb(v int) []byte { return binary.AppendUvarint(nil, uint64(v)) }

func sleb(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func vec(items ...[]byte) []byte { return append(uleb(len(items)), slices.Concat(items...)...) }

func str(s string) []byte { return append(uleb(len(s)), s...) }

// typeOf numbers a signature such as "il:d".
func (g *generator) typeOf(signature string) uint32 {
	i := slices.Index(g.types, signature)
	if i < 0 {
		i = len(g.types)
		g.types = append(g.types, signature)
	}
	return uint32(i)
}

func split(signature string) (params, results string) {
	for i := range len(signature) {
		if signature[i] == ':' {
			return signature[:i], signature[i+1:]
		}
	}
	return signature, ""
}

func typeList(letters string) []byte {
	b := uleb(len(letters))
	for i := range len(letters) {
		b = append(b, valueTypes[letters[i]])
	}
	return b
}

// module generates a command: some functions that call each other, and _start
// as the last.
func (g *generator) module() []byte {
	var imports, declared, bodies, globalList [][]byte
	for _, f := range imported {
		t := g.typeOf(f.signature)
		g.funcs = append(g.funcs, t)
		imports = append(imports, slices.Concat(str("wasi_snapshot_preview1"), str(f.name), []byte{0}, uleb(int(t))))
	}
	for range 1 + g.n(4) {
		var signature []byte
		for range g.n(4) {
			signature = append(signature, g.letter())
		}
		signature = append(signature, ':')
		for range 1 + g.n(2) {
			signature = append(signature, g.letter())
		}
		g.funcs = append(g.funcs, g.typeOf(string(signature)))
	}
	g.funcs = append(g.funcs, g.typeOf(":"))
	defined := g.funcs[len(imported):]
	for i, t := range defined {
		declared = append(declared, uleb(int(t)))
		body := g.body(len(imported)+i, i == len(defined)-1)
		bodies = append(bodies, append(uleb(len(body)), body...))
	}
	for i := range len(globals) {
		globalList = append(globalList, slices.Concat([]byte{valueTypes[globals[i]], 1}, g.constant(globals[i]), []byte{0x0b}))
	}
	var elements [][]byte
	for i := range g.funcs {
		elements = append(elements, uleb(i))
	}
	pages := 1 + g.n(8)
	text := make([]byte, 64)
	for i := range text {
		text[i] = g.byte()
	}
	var types [][]byte
	for _, signature := range g.types {
		params, results := split(signature)
		types = append(types, slices.Concat([]byte{0x60}, typeList(params), typeList(results)))
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, b []byte) { out = append(append(append(out, id), uleb(len(b))...), b...) }
	section(1, vec(types...))
	section(2, vec(imports...))
	section(3, vec(declared...))
	section(4, vec([]byte{0x70, 1, 16, 24}))
	section(5, vec([]byte{1, 1, byte(pages)}))
	section(6, vec(globalList...))
	section(7, vec(append(str("memory"), 2, 0), slices.Concat(str("_start"), []byte{0}, uleb(len(g.funcs)-1))))
	section(9, vec(
		slices.Concat([]byte{0, 0x41, 2, 0x0b}, vec(elements...)),
		slices.Concat([]byte{1, 0}, vec(elements...)),
		[]byte{1, 0, 0}))
	section(12, uleb(3))
	section(10, vec(bodies...))
	section(11, vec(
		slices.Concat([]byte{0, 0x41}, sleb(1024), []byte{0x0b}, uleb(len(text)), text),
		slices.Concat([]byte{1}, uleb(len(text)), text),
		[]byte{1, 0}))
	return out
}
