package rewrite

// effect gives how many operands an instruction pops and pushes. Control
// instructions and calls depend on types and are handled where they are met.
func effect(in instr) (pops, pushes int) {
	switch in.op {
	case opPrefixMisc:
		return effectMisc(in.sub)
	case opPrefixSIMD:
		return effectSIMD(in.sub)
	}
	switch op := in.op; {
	case op == 0x01:
		return 0, 0
	case op == 0x1a || op == opLocalSet || op == opGlobalSet:
		return 1, 0
	case op == opSelect || op == 0x1c:
		return 3, 1
	case op == opLocalGet || op == opGlobalGet || op == opMemorySize || (op >= opI32Const && op <= 0x44) || op == 0xd0 || op == opRefFunc:
		return 0, 1
	case op == 0x26 || (op >= 0x36 && op <= 0x3e): // table.set, stores
		return 2, 0
	case op == opLocalTee || op == 0x25 || op == opMemoryGrow || op == 0xd1 || (op >= 0x28 && op <= 0x35):
		return 1, 1
	case op == 0x45 || op == 0x50: // eqz
		return 1, 1
	case (op >= 0x67 && op <= 0x69) || (op >= 0x79 && op <= 0x7b): // clz ctz popcnt
		return 1, 1
	case (op >= 0x8b && op <= 0x91) || (op >= 0x99 && op <= 0x9f): // float unary
		return 1, 1
	case op >= 0xa7 && op <= 0xc4: // conversions
		return 1, 1
	}
	return 2, 1 // comparisons and arithmetic of two operands
}

func effectMisc(sub uint32) (pops, pushes int) {
	switch {
	case sub <= 7: // saturating conversions
		return 1, 1
	case sub == 9 || sub == 13: // data.drop, elem.drop
		return 0, 0
	case sub == miscTableGrow:
		return 2, 1
	case sub == 16: // table.size
		return 0, 1
	}
	return 3, 0
}

// simdUnary marks the vector instructions of one operand and one result.
var simdUnary = spans(
	0, 10, 15, 22, 24, 25, 27, 27, 29, 29, 31, 31, 33, 33, 77, 77, 83, 83, 92, 100,
	103, 106, 116, 117, 122, 122, 124, 129, 131, 132, 135, 138, 148, 148, 160, 161,
	163, 164, 167, 170, 192, 193, 195, 196, 199, 202, 224, 225, 227, 227, 236, 237,
	239, 239, 248, 255,
)

func effectSIMD(sub uint32) (pops, pushes int) {
	switch {
	case sub == 12: // v128.const
		return 0, 1
	case sub == 82: // bitselect
		return 3, 1
	case sub == 11 || (sub >= 88 && sub <= 91): // stores
		return 2, 0
	case simdUnary[byte(sub)]:
		return 1, 1
	}
	return 2, 1
}

// spans builds a set from inclusive bounds.
func spans(bounds ...byte) (set [256]bool) {
	for i := 0; i < len(bounds); i += 2 {
		for v := int(bounds[i]); v <= int(bounds[i+1]); v++ {
			set[v] = true
		}
	}
	return set
}
