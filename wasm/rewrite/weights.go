package rewrite

// Prices, in fuel units: one is what a compiled program takes to move a value,
// some 0.03 ns on wasmtime and 0.05 ns on wazero. Changing a price changes
// Version.
//
// They were fitted in two steps. BenchmarkWeights (make fit-weights) times every
// kind of instruction by itself on both engines, which says what the rare and
// the slow ones cost against each other. For the common ones that is not what
// they cost in a program, where many run at once and branches are mispredicted;
// so their prices are rounded from a fit to how often each of the fifteen programs
// of wasm/bench executes them and what it takes (make fit-programs), for the smallest
// ratio of ns per fuel between two programs on either engine, near the prices before. A
// conditional branch is dear since it may be mispredicted, a load is cheap since
// many run at once, and a loop's turn stands for its region's charge and check.
// What no price of an instruction can tell apart is a branch or a load that a
// processor foresees from one that it does not: that is the spread left.
const (
	// priceFrame is charged on entering a function, plus one unit for every
	// localsPerUnit locals that have to be zeroed.
	priceFrame    = 24
	localsPerUnit = 4

	// Bulk work is charged before it is done: a base, and then by size.
	priceBulk        = 100
	bytesPerUnitLog2 = 2      // memory.fill, copy, init: 4 bytes a unit
	unitsPerPage     = 32_768 // memory.grow: half a unit a byte, for the first touch
	unitsPerElement  = 6      // table.fill, copy, init, grow
)

// span gives the opcodes from first to last one price.
type span struct {
	first, last byte
	price       uint16
}

func priceTable(base uint16, list ...span) (t [256]uint16) {
	for i := range t {
		t[i] = base
	}
	for _, s := range list {
		for op := int(s.first); op <= int(s.last); op++ {
			t[op] = s.price
		}
	}
	return t
}

// pricePlain prices instructions without prefix. A loop's own instruction is
// charged at every turn and is never free, so that an empty loop ends.
var pricePlain = priceTable(2,
	span{0x00, 0x02, 0},                      // unreachable, nop, block
	span{0x03, 0x03, 16},                     // loop
	span{0x05, 0x05, 0}, span{0x0b, 0x0b, 0}, // else, end
	span{0x04, 0x04, 8}, span{0x0d, 0x0d, 8}, // if, br_if
	span{0x0c, 0x0c, 4}, span{0x0f, 0x0f, 4}, // br, return
	span{0x0e, 0x0e, 96},                       // br_table
	span{0x10, 0x10, 40}, span{0x11, 0x11, 48}, // call, call_indirect
	span{0x1a, 0x1a, 0},  // drop
	span{0x1b, 0x1c, 8},  // select
	span{0x20, 0x22, 1},  // locals
	span{0x23, 0x24, 12}, // globals
	span{0x25, 0x26, 12}, // table.get, table.set
	span{0x36, 0x3e, 3},  // stores
	span{0x40, 0x40, priceBulk},
	span{0x41, 0x44, 1},                      // constants
	span{0x6a, 0x6b, 3}, span{0x71, 0x78, 3}, // integer arithmetic
	span{0x7c, 0x7d, 3}, span{0x83, 0x8a, 3},
	span{0x67, 0x69, 5}, span{0x79, 0x7b, 5}, // clz, ctz, popcnt
	span{0x6c, 0x6c, 3}, span{0x7e, 0x7e, 3}, // mul
	span{0x6d, 0x70, 24}, span{0x7f, 0x82, 30}, // div, rem
	span{0x8d, 0x90, 10}, span{0x9b, 0x9e, 10}, // ceil, floor, trunc, nearest
	span{0x91, 0x91, 24}, span{0x9f, 0x9f, 30}, // sqrt
	span{0x95, 0x95, 22}, span{0xa3, 0xa3, 28}, // div
	span{0x96, 0x97, 8}, span{0xa4, 0xa5, 8}, // min, max
	span{0x98, 0x98, 5}, span{0xa6, 0xa6, 5}, // copysign
	span{0xa8, 0xab, 8}, span{0xae, 0xb1, 8}, // trapping truncation
	span{0xb2, 0xbb, 6}, // conversion to float
	span{0xd2, 0xd2, 8}, // ref.func
)

// priceMisc prices instructions behind 0xfc.
var priceMisc = priceTable(priceBulk, span{0, 7, 10}, span{16, 16, 4})

// priceSIMD prices instructions behind 0xfd.
var priceSIMD = priceTable(6,
	span{0, 11, 4}, span{84, 93, 4}, // loads, stores
	span{12, 12, 2},                      // v128.const
	span{13, 14, 8},                      // shuffle, swizzle
	span{94, 95, 10},                     // float width
	span{98, 98, 14}, span{107, 109, 12}, // popcnt and byte shifts take several instructions
	span{103, 106, 12}, span{116, 117, 12}, // rounding
	span{122, 122, 12}, span{148, 148, 12},
	span{181, 181, 16}, span{213, 213, 24}, // i32x4.mul, i64x2.mul
	span{227, 227, 32}, span{239, 239, 40}, // sqrt
	span{231, 231, 26}, span{243, 243, 32}, // div
	span{232, 235, 12}, span{244, 247, 12}, // min, max
	span{248, 255, 12}, // conversions
)

func (in instr) price() uint64 {
	switch in.op {
	case opPrefixMisc:
		return uint64(priceMisc[byte(in.sub)])
	case opPrefixSIMD:
		return uint64(priceSIMD[byte(in.sub)])
	}
	return uint64(pricePlain[in.op])
}

// framePrice is what entering a function costs.
func framePrice(locals uint64) uint64 { return priceFrame + locals/localsPerUnit }

// sized says whether an instruction costs more by the size of its operand.
func (in instr) sized() bool {
	switch in.op {
	case opMemoryGrow:
		return true
	case opPrefixMisc:
		switch in.sub {
		case miscMemoryInit, miscMemoryCopy, miscMemoryFill, miscTableInit, miscTableCopy, miscTableGrow, miscTableFill:
			return true
		}
	}
	return false
}
