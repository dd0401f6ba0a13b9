package rewrite

// effect gives how many operands an instruction pops and pushes. Control
// instructions and calls depend on types and are handled where they are met.
func effect(in instr) (pops, pushes int) {
	if o := in.fixed(); o != nil {
		return len(o.pops), len(o.pushes)
	}
	switch in.op {
	case opDrop, opLocalSet, opGlobalSet:
		return 1, 0
	case opSelect, opSelectTyped:
		return 3, 1
	case opLocalGet, opGlobalGet, opRefNull, opRefFunc:
		return 0, 1
	case opLocalTee, opTableGet, opRefIsNull:
		return 1, 1
	case opTableSet:
		return 2, 0
	case opPrefixMisc:
		if in.sub == miscTableGrow {
			return 2, 1
		}
		return 3, 0 // table.fill
	}
	return 0, 0 // nop
}
