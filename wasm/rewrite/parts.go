package rewrite

// Parts of the rewriting whose cost can be measured by leaving them out.
type Parts uint

const (
	Charges  Parts = 1 << iota // fuel, region by region
	Checks                     // for fuel below zero
	Saves                      // of the fuel at every turn of a loop
	Depth                      // the stack budget
	NaNs                       // their canonical bits
	Unfusing                   // of comparisons and choices that one engine gets wrong
)

// RewriteWithout is Rewrite without some of its parts. What comes out is for
// measuring only: it is not bounded, and its results may differ.
func (m *Module) RewriteWithout(left Parts, maxPages uint32) ([]byte, error) {
	m.without = left
	defer func() { m.without = 0 }()
	return m.Rewrite(maxPages)
}

func (m *Module) keeps(p Parts) bool { return m.without&p == 0 }

// RewriteCounting is Rewrite with prices of the caller's, who may count with
// them how often instructions are executed: op is the opcode, and sub the one
// behind a prefix, 0xfc or 0xfd. Entering a function is free; work by size and
// the host have their usual price. What comes out is for measuring only.
func (m *Module) RewriteCounting(price func(op byte, sub uint32) uint64, maxPages uint32) ([]byte, error) {
	m.counted = price
	defer func() { m.counted = nil }()
	return m.Rewrite(maxPages)
}

func (m *Module) price(in instr) uint64 {
	if m.counted != nil {
		return m.counted(in.op, in.sub)
	}
	return in.price()
}

func (m *Module) framePrice(locals uint64) uint64 {
	if m.counted != nil {
		return 0
	}
	return framePrice(locals)
}
