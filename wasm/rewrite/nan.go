package rewrite

// lanes says which floats an instruction yields whose NaN bits the
// specification leaves open.
type lanes byte

const (
	notFloat lanes = iota
	oneF32
	oneF64
	fourF32
	twoF64
)

func (in instr) nan() lanes {
	switch op := in.op; {
	case op >= 0x8d && op <= 0x97, op == 0xb6:
		return oneF32
	case op >= 0x9b && op <= 0xa5, op == 0xbb:
		return oneF64
	case op != opPrefixSIMD:
		return notFloat
	case nanF32x4[byte(in.sub)]:
		return fourF32
	case nanF64x2[byte(in.sub)]:
		return twoF64
	}
	return notFloat
}

var (
	nanF32x4 = spans(94, 94, 103, 106, 227, 233)
	nanF64x2 = spans(95, 95, 116, 117, 122, 122, 148, 148, 239, 245)
)

var (
	// What vector instructions take their operands for, as far as they are
	// blind to the bits of NaNs.
	takesF32x4 = spans(65, 70, 95, 95, 103, 106, 227, 233)
	takesF64x2 = spans(71, 76, 94, 94, 116, 117, 122, 122, 148, 148, 239, 245)
)

// blindTo reports whether the bits of a NaN operand of this kind cannot
// influence the result, so that it need not be canonical: arithmetic (whose
// result is a NaN again, of any bits), comparisons, and conversions to
// integers. A vector must be taken for lanes of the type that has the NaN: half
// of a NaN of 64 bits may be a number, as may two of 32 bits together.
func (in instr) blindTo(kind lanes) bool {
	switch op := in.op; {
	case op == opPrefixSIMD:
		return kind == fourF32 && takesF32x4[byte(in.sub)] || kind == twoF64 && takesF64x2[byte(in.sub)]
	case op == opPrefixMisc:
		return in.sub <= 7
	case op >= 0x5b && op <= 0x66, op >= 0xa8 && op <= 0xab, op >= 0xae && op <= 0xb1:
		return true
	}
	return in.nan() != notFloat
}

// nanForm is how to replace the NaNs x of one kind of value: for one float,
// x = canonical unless x >= x; for lanes, a choice by the mask x == x. On the
// processors that there are x >= x is one jump, where x == x is two on some.
type nanForm struct {
	local     byte // type of the scratch local
	canonical []byte
	compare   []byte
	choose    []byte
}

var nanForms = [...]nanForm{
	oneF32: {typeF32, []byte{0x43, 0, 0, 0xc0, 0x7f}, []byte{0x60}, nil},
	oneF64: {typeF64, []byte{0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, []byte{0x66}, nil},
	fourF32: {typeV128, []byte{opPrefixSIMD, 12, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f},
		[]byte{opPrefixSIMD, 65}, []byte{opPrefixSIMD, 82}},
	twoF64: {typeV128, []byte{opPrefixSIMD, 12, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f},
		[]byte{opPrefixSIMD, 71}, []byte{opPrefixSIMD, 82}},
}

// pending is a float result whose NaN bits are open; wanted once something
// that could tell the bits apart consumes it.
type pending struct {
	at     int // offset in the region, just behind the instruction
	kind   lanes
	wanted bool
}

// known tracks, for the operands that the current region has pushed, which of
// them are pending: an index, or none.
type known struct {
	stack []int
	list  []pending
}

const none = -1

// pop lets an instruction take n operands.
func (k *known) pop(n int, by instr) {
	for ; n > 0 && len(k.stack) > 0; n-- {
		i := k.stack[len(k.stack)-1]
		k.stack = k.stack[:len(k.stack)-1]
		if i != none && !by.blindTo(k.list[i].kind) {
			k.list[i].wanted = true
		}
	}
}

func (k *known) push(n int) {
	for ; n > 0; n-- {
		k.stack = append(k.stack, none)
	}
}

func (k *known) pushPending(at int, kind lanes) {
	k.stack = append(k.stack, len(k.list))
	k.list = append(k.list, pending{at: at, kind: kind})
}

// forget is for the places where other code takes over the operands: whatever
// is still on the stack must be canonical.
func (k *known) forget() { k.pop(len(k.stack), instr{op: opEnd}) }

// spans builds a set from inclusive bounds.
func spans(bounds ...byte) (set [256]bool) {
	for i := 0; i < len(bounds); i += 2 {
		for v := int(bounds[i]); v <= int(bounds[i+1]); v++ {
			set[v] = true
		}
	}
	return set
}
