package rewrite

// unfuse keeps wazero 1.12.0 from a mistake. Where a branch depends on an
// ordered comparison of zero with an and that nothing else uses, its compilers
// take the flags that the and sets for those of the comparison. That is wrong
// where the zero is on the left, and on arm64 also for unsigned comparisons
// with the zero on the right. An or with zero behind the and hides it; other
// compilers see through that. It is left out where the next instruction takes
// the value and does not compare it by order.
func (e *emitter) unfuse(next instr) {
	mask := e.mask
	if e.mask = 0; mask == 0 || !e.m.keeps(Unfusing) || next.takesUnordered() {
		return
	}
	if mask == opI32And {
		e.region.i32(0).op(opI32Or)
	} else {
		e.region.i64(0).op(opI64Or)
	}
}

// unordered are instructions that take an integer from the top of the stack and
// neither compare it by order nor pass it on as it is.
var unordered = spans(
	opIf, opIf, opBrIf, opBrTable, 0x1a, opSelect,
	0x28, 0x3e, // loads, stores
	0x45, 0x47, 0x50, 0x52, // eqz, eq, ne
	0x67, 0x8a, // arithmetic
	0xa7, 0xa7, 0xac, 0xad, 0xb2, 0xb5, 0xb7, 0xba, 0xbe, 0xc4, // conversions
)

func (in instr) takesUnordered() bool { return unordered[in.op] }
