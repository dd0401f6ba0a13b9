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
