package rewrite

// Opcodes that the rewriter treats by name.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32Eq        = 0x46
	opI32LtS       = 0x48
	opI64LtS       = 0x53
	opI64LeU       = 0x58
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32And       = 0x71
	opI32Or        = 0x72
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64And       = 0x83
	opI64Or        = 0x84
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opRefFunc      = 0xd2
	opPrefixMisc   = 0xfc
	opPrefixSIMD   = 0xfd

	miscMemoryInit = 8
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableFill  = 17

	voidBlock = 0x40
)

// instr is one decoded instruction: sub is the opcode behind a prefix, imm the
// first immediate of those that carry an index, block the type of a block.
type instr struct {
	op    byte
	sub   uint32
	imm   uint32
	block int64
}

// instruction decodes one instruction and refuses those outside the profile.
func (r *reader) instruction() (in instr) {
	in.op = r.byte()
	switch op := in.op; {
	case op == opBlock || op == opLoop || op == opIf:
		if in.block = r.signed(33); in.block < 0 && in.block != -64 {
			checkValueType(byte(max(in.block, -65) & 0x7f)) // below -64 is none
		}
	case op == opBr || op == opBrIf || op == opCall || (op >= opLocalGet && op <= 0x26) || op == opRefFunc:
		in.imm = r.u32()
	case op == opBrTable:
		for n := r.u32(); n > 0; n-- {
			r.u32()
		}
		r.u32()
	case op == opCallIndirect:
		in.imm = r.u32()
		r.u32()
	case op == 0x1c: // select with types
		r.valueTypes(r.u32())
	case op >= 0x28 && op <= 0x3e: // loads and stores
		r.memarg()
	case op == opMemorySize || op == opMemoryGrow:
		if r.byte() != 0 {
			refuse("compile without multi-memory", "it uses more than one memory")
		}
	case op == opI32Const:
		r.signed(32)
	case op == opI64Const:
		r.signed(64)
	case op == 0xd0: // ref.null
		if kind := r.byte(); kind != 0x70 && kind != 0x6f {
			refuse("compile for WebAssembly 2.0 without typed references", "it uses a null of an unknown type")
		}
	case op == 0x43:
		r.take(4)
	case op == 0x44:
		r.take(8)
	case op == opPrefixMisc:
		in.sub = r.subOpcode()
		in.imm = r.miscImmediates(in.sub)
	case op == opPrefixSIMD:
		in.sub = r.subOpcode()
		r.simdImmediates(in.sub)
	case op <= 0x01 || op == opElse || op == opEnd || op == opReturn || op == 0x1a || op == opSelect || (op >= 0x45 && op <= 0xc4) || op == 0xd1:
	default:
		refuseOpcode(op)
	}
	return in
}

func (r *reader) memarg() {
	if r.u32() >= 32 {
		refuse("compile without multi-memory", "it is malformed or uses more than one memory")
	}
	r.u32()
}

// miscImmediates returns the first index of those that carry one.
func (r *reader) miscImmediates(sub uint32) (index uint32) {
	switch {
	case sub <= 7:
	case sub == miscMemoryInit, sub == miscMemoryCopy, sub == miscTableInit, sub == miscTableCopy:
		index = r.u32()
		r.u32()
	case sub <= miscTableFill:
		index = r.u32()
	default:
		refuse("compile for WebAssembly 2.0", "it uses the instruction 0xfc %d, which is outside the profile", sub)
	}
	return index
}

func (r *reader) simdImmediates(sub uint32) {
	switch {
	case sub <= 11 || sub == 92 || sub == 93:
		r.memarg()
	case sub == 12 || sub == 13:
		r.take(16)
	case sub >= 21 && sub <= 34:
		r.byte()
	case sub >= 84 && sub <= 91:
		r.memarg()
		r.byte()
	case sub > 255:
		refuse("compile without -mrelaxed-simd", "it uses relaxed SIMD, whose results differ between machines")
	}
}

func refuseOpcode(op byte) {
	switch {
	case op == 0xfe:
		refuse("compile without threads (no -pthread, no atomics)", "it uses atomic instructions")
	case op == 0x12 || op == 0x13:
		refuse("compile without -mtail-call", "it uses tail calls")
	case op >= 0x06 && op <= 0x0a, op == 0x18, op == 0x19, op == 0x1f:
		refuse("compile without exceptions (-fno-exceptions)", "it uses exceptions")
	case op == 0xfb || (op >= 0xd3 && op <= 0xd6) || op == 0x14 || op == 0x15:
		refuse("compile for WebAssembly 2.0 without typed references or garbage collection", "it uses typed references")
	default:
		refuse("", "it is malformed or uses the unknown instruction %#x", op)
	}
}
