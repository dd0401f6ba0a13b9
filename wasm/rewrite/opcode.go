package rewrite

// Opcodes that the rewriter treats by name.
const (
	opUnreachable    = 0x00
	opNop            = 0x01
	opBlock          = 0x02
	opLoop           = 0x03
	opIf             = 0x04
	opElse           = 0x05
	opEnd            = 0x0b
	opBr             = 0x0c
	opBrIf           = 0x0d
	opBrTable        = 0x0e
	opReturn         = 0x0f
	opCall           = 0x10
	opCallIndirect   = 0x11
	opDrop           = 0x1a
	opSelect         = 0x1b
	opSelectTyped    = 0x1c
	opLocalGet       = 0x20
	opLocalSet       = 0x21
	opLocalTee       = 0x22
	opGlobalGet      = 0x23
	opGlobalSet      = 0x24
	opTableGet       = 0x25
	opTableSet       = 0x26
	opMemorySize     = 0x3f
	opMemoryGrow     = 0x40
	opI32Const       = 0x41
	opI64Const       = 0x42
	opF32Const       = 0x43
	opF64Const       = 0x44
	opI32Eqz         = 0x45
	opI32Eq          = 0x46
	opI32LtS         = 0x48
	opI64LtS         = 0x53
	opI64LeU         = 0x58
	opI32Add         = 0x6a
	opI32Sub         = 0x6b
	opI32And         = 0x71
	opI32Or          = 0x72
	opI64Add         = 0x7c
	opI64Sub         = 0x7d
	opI64Mul         = 0x7e
	opI64And         = 0x83
	opI64Or          = 0x84
	opI64ShrU        = 0x88
	opI64ExtendU     = 0xad
	opI32Reinterpret = 0xbc
	opI64Reinterpret = 0xbd
	opF32Reinterpret = 0xbe
	opF64Reinterpret = 0xbf
	opRefNull        = 0xd0
	opRefIsNull      = 0xd1
	opRefFunc        = 0xd2
	opPrefixMisc     = 0xfc
	opPrefixSIMD     = 0xfd

	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17

	simdConst      = 12
	simdShuffle    = 13
	simdI32x4Splat = 17
	simdBitselect  = 82

	voidBlock  = 0x40
	emptyBlock = -64 // voidBlock as a signed integer
)

// instr is one decoded instruction.
type instr struct {
	op    byte
	sub   uint32 // opcode behind a prefix
	imm   uint32 // first index, alignment, or type of a null
	imm2  uint32 // second index
	block int64  // type of a block
	list  []byte // types of a select, encoded labels of a br_table but the last, lanes
	last  uint32 // the last label of a br_table
}

// instruction decodes one instruction and refuses those outside the profile.
func (r *reader) instruction() (in instr) {
	in.op = r.byte()
	switch op := in.op; {
	case op == opBlock || op == opLoop || op == opIf:
		in.block = r.blockType()
	case op == opBr || op == opBrIf || op == opCall || (op >= opLocalGet && op <= opTableSet) || op == opRefFunc:
		in.imm = r.u32()
	case op == opBrTable:
		n := r.u32()
		start := r.p
		for ; n > 0; n-- {
			r.u32()
		}
		in.list, in.last = r.b[start:r.p], r.u32()
	case op == opCallIndirect:
		in.imm, in.imm2 = r.u32(), r.u32()
	case op == opSelectTyped:
		in.list = r.valueTypes(r.u32())
	case op >= 0x28 && op <= 0x3e: // loads and stores
		in.imm = r.memarg()
	case op == opMemorySize || op == opMemoryGrow:
		r.memory()
	case op == opI32Const:
		r.signed(32)
	case op == opI64Const:
		r.signed(64)
	case op == opRefNull:
		in.imm = uint32(r.reference())
	case op == opF32Const:
		r.take(4)
	case op == opF64Const:
		r.take(8)
	case op == opPrefixMisc:
		in.sub = r.subOpcode()
		r.miscImmediates(&in)
	case op == opPrefixSIMD:
		in.sub = r.subOpcode()
		r.simdImmediates(&in)
	case op <= opNop || op == opElse || op == opEnd || op == opReturn || op == opDrop || op == opSelect || op == opRefIsNull || plainTypes[op] != nil:
	default:
		refuseOpcode(op)
	}
	return in
}

// blockType reads a type index, or a value type or none as a negative number.
func (r *reader) blockType() int64 {
	start := r.p
	v := r.signed(33)
	if v < 0 && v != emptyBlock {
		checkValueType(byte(max(v, emptyBlock-1) & 0x7f)) // below is none
	}
	if v < 0 && r.p-start > 1 {
		malformed("a block's type is not in its shortest form")
	}
	return v
}

// memarg returns the alignment of a memory access, a power of 2.
func (r *reader) memarg() uint32 {
	align := r.u32()
	if align >= 32 {
		refuse("compile without multi-memory", "it is malformed or uses more than one memory")
	}
	r.u32()
	return align
}

// memory reads the index of the only memory.
func (r *reader) memory() {
	if r.byte() != 0 {
		refuse("compile without multi-memory", "it uses more than one memory")
	}
}

func (r *reader) miscImmediates(in *instr) {
	switch in.sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
	case miscMemoryInit:
		in.imm = r.u32()
		r.memory()
	case miscMemoryCopy:
		r.memory()
		r.memory()
	case miscMemoryFill:
		r.memory()
	case miscTableInit, miscTableCopy:
		in.imm, in.imm2 = r.u32(), r.u32()
	case miscDataDrop, miscElemDrop, miscTableGrow, miscTableSize, miscTableFill:
		in.imm = r.u32()
	default:
		refuse("compile for WebAssembly 2.0", "it uses the instruction 0xfc %d, which is outside the profile", in.sub)
	}
}

func (r *reader) simdImmediates(in *instr) {
	switch sub := in.sub; {
	case sub > 255:
		refuse("compile without -mrelaxed-simd", "it uses relaxed SIMD, whose results differ between machines")
	case simdTypes[byte(sub)] == nil:
		malformed("unknown vector instruction %d", sub)
	case sub == simdConst:
		r.take(16)
	case sub == simdShuffle:
		in.list = r.take(16)
	case accesses(sub):
		in.imm = r.memarg()
	}
	if lanesOf(in.sub) > 0 {
		in.list = r.take(1)
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
		malformed("unknown instruction %#x", op)
	}
}
