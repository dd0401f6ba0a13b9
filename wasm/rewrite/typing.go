package rewrite

import "strings"

// operands is what an instruction takes from the stack and leaves there.
type operands struct{ pops, pushes []byte }

// typeSpan gives the instructions from first to last one form: the operands
// and, behind a colon, the results, by letter.
type typeSpan struct {
	first, last byte
	form        string
}

var typeLetters = map[rune]byte{'i': typeI32, 'l': typeI64, 'f': typeF32, 'd': typeF64, 'v': typeV128}

func typeTable(list ...typeSpan) (t [256]*operands) {
	valueTypes := func(letters string) (types []byte) {
		for _, c := range letters {
			types = append(types, typeLetters[c])
		}
		return types
	}
	for _, s := range list {
		pops, pushes, _ := strings.Cut(s.form, ":")
		o := &operands{valueTypes(pops), valueTypes(pushes)}
		for op := int(s.first); op <= int(s.last); op++ {
			t[op] = o
		}
	}
	return t
}

// plainTypes types the instructions without prefix whose operands depend on
// nothing else.
var plainTypes = typeTable(
	typeSpan{0x28, 0x28, "i:i"}, typeSpan{0x29, 0x29, "i:l"}, typeSpan{0x2a, 0x2a, "i:f"}, typeSpan{0x2b, 0x2b, "i:d"}, // loads
	typeSpan{0x2c, 0x2f, "i:i"}, typeSpan{0x30, 0x35, "i:l"},
	typeSpan{0x36, 0x36, "ii:"}, typeSpan{0x37, 0x37, "il:"}, typeSpan{0x38, 0x38, "if:"}, typeSpan{0x39, 0x39, "id:"}, // stores
	typeSpan{0x3a, 0x3b, "ii:"}, typeSpan{0x3c, 0x3e, "il:"},
	typeSpan{0x3f, 0x3f, ":i"}, typeSpan{0x40, 0x40, "i:i"}, // memory.size, memory.grow
	typeSpan{0x41, 0x41, ":i"}, typeSpan{0x42, 0x42, ":l"}, typeSpan{0x43, 0x43, ":f"}, typeSpan{0x44, 0x44, ":d"}, // constants
	typeSpan{0x45, 0x45, "i:i"}, typeSpan{0x46, 0x4f, "ii:i"}, // eqz, comparisons
	typeSpan{0x50, 0x50, "l:i"}, typeSpan{0x51, 0x5a, "ll:i"},
	typeSpan{0x5b, 0x60, "ff:i"}, typeSpan{0x61, 0x66, "dd:i"},
	typeSpan{0x67, 0x69, "i:i"}, typeSpan{0x6a, 0x78, "ii:i"}, // arithmetic
	typeSpan{0x79, 0x7b, "l:l"}, typeSpan{0x7c, 0x8a, "ll:l"},
	typeSpan{0x8b, 0x91, "f:f"}, typeSpan{0x92, 0x98, "ff:f"},
	typeSpan{0x99, 0x9f, "d:d"}, typeSpan{0xa0, 0xa6, "dd:d"},
	typeSpan{0xa7, 0xa7, "l:i"}, typeSpan{0xa8, 0xa9, "f:i"}, typeSpan{0xaa, 0xab, "d:i"}, // conversions
	typeSpan{0xac, 0xad, "i:l"}, typeSpan{0xae, 0xaf, "f:l"}, typeSpan{0xb0, 0xb1, "d:l"},
	typeSpan{0xb2, 0xb3, "i:f"}, typeSpan{0xb4, 0xb5, "l:f"}, typeSpan{0xb6, 0xb6, "d:f"},
	typeSpan{0xb7, 0xb8, "i:d"}, typeSpan{0xb9, 0xba, "l:d"}, typeSpan{0xbb, 0xbb, "f:d"},
	typeSpan{0xbc, 0xbc, "f:i"}, typeSpan{0xbd, 0xbd, "d:l"}, typeSpan{0xbe, 0xbe, "i:f"}, typeSpan{0xbf, 0xbf, "l:d"},
	typeSpan{0xc0, 0xc1, "i:i"}, typeSpan{0xc2, 0xc4, "l:l"}, // sign extension
)

// miscTypes types those behind 0xfc.
var miscTypes = typeTable(
	typeSpan{0, 1, "f:i"}, typeSpan{2, 3, "d:i"}, typeSpan{4, 5, "f:l"}, typeSpan{6, 7, "d:l"}, // saturating conversions
	typeSpan{miscMemoryInit, miscMemoryInit, "iii:"}, typeSpan{miscDataDrop, miscDataDrop, ":"},
	typeSpan{miscMemoryCopy, miscMemoryFill, "iii:"}, typeSpan{miscTableInit, miscTableInit, "iii:"},
	typeSpan{miscElemDrop, miscElemDrop, ":"}, typeSpan{miscTableCopy, miscTableCopy, "iii:"}, typeSpan{miscTableSize, miscTableSize, ":i"},
)

// simdTypes types those behind 0xfd; the gaps are undefined.
var simdTypes = typeTable(
	typeSpan{0, 10, "i:v"}, typeSpan{11, 11, "iv:"}, // loads, store
	typeSpan{12, 12, ":v"}, typeSpan{13, 14, "vv:v"}, // const, shuffle, swizzle
	typeSpan{15, 17, "i:v"}, typeSpan{18, 18, "l:v"}, typeSpan{19, 19, "f:v"}, typeSpan{20, 20, "d:v"}, // splat
	typeSpan{21, 22, "v:i"}, typeSpan{23, 23, "vi:v"}, typeSpan{24, 25, "v:i"}, typeSpan{26, 26, "vi:v"}, // lanes
	typeSpan{27, 27, "v:i"}, typeSpan{28, 28, "vi:v"}, typeSpan{29, 29, "v:l"}, typeSpan{30, 30, "vl:v"},
	typeSpan{31, 31, "v:f"}, typeSpan{32, 32, "vf:v"}, typeSpan{33, 33, "v:d"}, typeSpan{34, 34, "vd:v"},
	typeSpan{35, 76, "vv:v"}, typeSpan{77, 77, "v:v"}, typeSpan{78, 81, "vv:v"}, // comparisons, not, bits
	typeSpan{82, 82, "vvv:v"}, typeSpan{83, 83, "v:i"}, // bitselect, any_true
	typeSpan{84, 87, "iv:v"}, typeSpan{88, 91, "iv:"}, typeSpan{92, 93, "i:v"}, // loads and stores of lanes
	typeSpan{94, 98, "v:v"}, typeSpan{99, 100, "v:i"}, typeSpan{101, 102, "vv:v"}, // 8x16
	typeSpan{103, 106, "v:v"}, typeSpan{107, 109, "vi:v"}, typeSpan{110, 115, "vv:v"}, typeSpan{116, 117, "v:v"},
	typeSpan{118, 121, "vv:v"}, typeSpan{122, 122, "v:v"}, typeSpan{123, 123, "vv:v"}, typeSpan{124, 127, "v:v"},
	typeSpan{128, 129, "v:v"}, typeSpan{130, 130, "vv:v"}, typeSpan{131, 132, "v:i"}, typeSpan{133, 134, "vv:v"}, // 16x8
	typeSpan{135, 138, "v:v"}, typeSpan{139, 141, "vi:v"}, typeSpan{142, 147, "vv:v"}, typeSpan{148, 148, "v:v"},
	typeSpan{149, 153, "vv:v"}, typeSpan{155, 159, "vv:v"},
	typeSpan{160, 161, "v:v"}, typeSpan{163, 164, "v:i"}, typeSpan{167, 170, "v:v"}, typeSpan{171, 173, "vi:v"}, // 32x4
	typeSpan{174, 174, "vv:v"}, typeSpan{177, 177, "vv:v"}, typeSpan{181, 186, "vv:v"}, typeSpan{188, 191, "vv:v"},
	typeSpan{192, 193, "v:v"}, typeSpan{195, 196, "v:i"}, typeSpan{199, 202, "v:v"}, typeSpan{203, 205, "vi:v"}, // 64x2
	typeSpan{206, 206, "vv:v"}, typeSpan{209, 209, "vv:v"}, typeSpan{213, 223, "vv:v"},
	typeSpan{224, 225, "v:v"}, typeSpan{227, 227, "v:v"}, typeSpan{228, 235, "vv:v"}, // floats
	typeSpan{236, 237, "v:v"}, typeSpan{239, 239, "v:v"}, typeSpan{240, 247, "vv:v"}, typeSpan{248, 255, "v:v"},
)

// fixed returns the operands of an instruction, or nil if they depend on more
// than its opcode.
func (in *instr) fixed() *operands {
	switch in.op {
	case opPrefixMisc:
		return miscTypes[byte(in.sub)]
	case opPrefixSIMD:
		return simdTypes[byte(in.sub)]
	}
	return plainTypes[in.op]
}

// plainWidths and simdWidths are the sizes of memory accesses, as powers of 2:
// from 0x28, and those of vector instructions from 0, 84 and 92.
const plainWidths = "\x02\x03\x02\x03\x00\x00\x01\x01\x00\x00\x01\x01\x02\x02\x02\x03\x02\x03\x00\x01\x00\x01\x02"

const (
	simdWidths     = "\x04\x03\x03\x03\x03\x03\x03\x00\x01\x02\x03\x04"
	simdLaneWidths = "\x00\x01\x02\x03\x00\x01\x02\x03\x02\x03"
)

// accesses says whether a vector instruction loads or stores.
func accesses(sub uint32) bool { return sub <= 11 || (sub >= 84 && sub <= 93) }

// width is the size of what an instruction loads or stores, as a power of 2; ok
// is false for those that do neither.
func (in *instr) width() (log2 byte, ok bool) {
	switch op := in.op; {
	case op >= 0x28 && op <= 0x3e:
		return plainWidths[op-0x28], true
	case op != opPrefixSIMD || !accesses(in.sub):
		return 0, false
	case in.sub <= 11:
		return simdWidths[in.sub], true
	}
	return simdLaneWidths[in.sub-84], true
}

// lanesOf is how many lanes there are to choose from for vector instructions
// that take one, and 0 for others.
func lanesOf(sub uint32) byte {
	switch {
	case sub >= 21 && sub <= 34:
		return [...]byte{16, 16, 16, 8, 8, 8, 4, 4, 2, 2, 4, 4, 2, 2}[sub-21]
	case sub >= 84 && sub <= 91:
		return 16 >> ((sub - 84) % 4)
	}
	return 0
}

func typeName(kind byte) string {
	switch kind {
	case typeI32:
		return "i32"
	case typeI64:
		return "i64"
	case typeF32:
		return "f32"
	case typeF64:
		return "f64"
	case typeV128:
		return "v128"
	case typeFuncref:
		return "funcref"
	case typeExternref:
		return "externref"
	}
	return "any type"
}
