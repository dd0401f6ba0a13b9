package rewrite

// Prices, in fuel units. A unit is about the cost of one simple integer
// instruction on a compiled engine. Changing a price changes Version.
const (
	// priceFrame is charged on entering a function, plus one unit for every
	// localsPerUnit locals that have to be zeroed.
	priceFrame    = 4
	localsPerUnit = 8

	// Bulk work is charged before it is done: a base, and then by size.
	priceBulk        = 20
	bytesPerUnitLog2 = 3    // memory.fill, copy, init: 8 bytes a unit
	unitsPerPage     = 1024 // memory.grow
	unitsPerElement  = 2    // table.fill, copy, init, grow
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
var pricePlain = priceTable(1,
	span{0x00, 0x02, 0},                      // unreachable, nop, block
	span{0x03, 0x03, 1},                      // loop
	span{0x05, 0x05, 0}, span{0x0b, 0x0b, 0}, // else, end
	span{0x0e, 0x0e, 4},                       // br_table
	span{0x10, 0x10, 6}, span{0x11, 0x11, 10}, // call, call_indirect
	span{0x1a, 0x1a, 0}, // drop
	span{0x1b, 0x1c, 2}, // select
	span{0x23, 0x24, 2}, // globals
	span{0x25, 0x26, 4}, // table.get, table.set
	span{0x28, 0x3e, 2}, // loads, stores
	span{0x40, 0x40, priceBulk},
	span{0x67, 0x69, 2}, span{0x79, 0x7b, 2}, // clz, ctz, popcnt
	span{0x6c, 0x6c, 2}, span{0x7e, 0x7e, 2}, // mul
	span{0x6d, 0x70, 16}, span{0x7f, 0x82, 20}, // div, rem
	span{0x8d, 0x90, 4}, span{0x9b, 0x9e, 4}, // ceil, floor, trunc, nearest
	span{0x91, 0x91, 10}, span{0x9f, 0x9f, 14}, // sqrt
	span{0x92, 0x94, 3}, span{0xa0, 0xa2, 3}, // add, sub, mul
	span{0x95, 0x95, 8}, span{0xa3, 0xa3, 10}, // div
	span{0x96, 0x97, 5}, span{0xa4, 0xa5, 5}, // min, max
	span{0x98, 0x98, 3}, span{0xa6, 0xa6, 3}, // copysign
	span{0xa8, 0xab, 5}, span{0xae, 0xb1, 5}, // trapping truncation
	span{0xb2, 0xbb, 3}, // conversion to float
	span{0xd2, 0xd2, 4}, // ref.func
)

// priceMisc prices instructions behind 0xfc.
var priceMisc = priceTable(priceBulk, span{0, 7, 6}, span{16, 16, 2})

// priceSIMD prices instructions behind 0xfd.
var priceSIMD = priceTable(2,
	span{12, 12, 1},                      // v128.const
	span{13, 13, 3},                      // shuffle
	span{94, 95, 4},                      // float width
	span{103, 106, 6}, span{116, 117, 6}, // rounding
	span{122, 122, 6}, span{148, 148, 6},
	span{98, 98, 6}, span{107, 109, 5}, // popcnt and byte shifts take several instructions
	span{213, 213, 6}, // i64x2.mul
	span{227, 227, 14}, span{239, 239, 18},
	span{228, 230, 4}, span{240, 242, 4},
	span{231, 231, 10}, span{243, 243, 12},
	span{232, 235, 6}, span{244, 247, 6},
	span{248, 255, 5},
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
