package rewrite

// FunctionPrice is what metering charges for one function of the original
// module, as far as it can be told without running it. Prices are in fuel.
type FunctionPrice struct {
	Index        uint32 `json:"index"`          // in the original module; imports come first
	Name         string `json:"name,omitempty"` // from the name section, which may say anything
	Instructions int    `json:"instructions"`
	// Straight is the price of entering the function and of its instructions
	// outside of loops, each counted once. A call that takes every branch
	// costs as much, one that skips some costs less.
	Straight uint64 `json:"straight"`
	// Looped is the price of the instructions in loops, each counted once.
	Looped        uint64 `json:"looped"`
	Loops         int    `json:"loops"`
	Calls         int    `json:"calls"` // of a fixed function
	IndirectCalls int    `json:"indirectCalls"`
	// Sized counts instructions that cost more by the size of their operand.
	Sized int `json:"sized"`
}

// Explain prices every function that the module defines, in their order.
func (m *Module) Explain() (list []FunctionPrice, err error) {
	defer caught(&err)
	names := m.functionNames()
	r := m.section(secCode)
	for i := range r.count() {
		p := m.explain(m.imported+i, &reader{b: r.take(r.u32())})
		p.Name = names[p.Index]
		list = append(list, p)
	}
	return list, nil
}

func (m *Module) explain(index uint32, body *reader) FunctionPrice {
	p := FunctionPrice{Index: index}
	locals := uint64(len(m.signature[m.funcs[index]].params))
	for g := body.u32(); g > 0; g-- {
		locals += uint64(body.u32())
		body.byte()
	}
	p.Straight = framePrice(locals)
	var open []bool // the blocks around, and which of them are loops
	depth := 0      // loops among them
	for body.more() {
		in := body.instruction()
		p.Instructions++
		switch in.op {
		case opBlock, opIf:
			open = append(open, false)
		case opLoop:
			open = append(open, true)
			depth++
			p.Loops++
		case opEnd:
			if n := len(open); n > 0 {
				if open[n-1] {
					depth--
				}
				open = open[:n-1]
			}
		case opCall:
			p.Calls++
		case opCallIndirect:
			p.IndirectCalls++
		}
		if in.sized() {
			p.Sized++
		}
		if depth > 0 {
			p.Looped += in.price()
		} else {
			p.Straight += in.price()
		}
	}
	return p
}

// functionNames reads the names that the module gives to its functions. They
// are there for people only, so whatever is wrong with them leaves them out.
func (m *Module) functionNames() map[uint32]string {
	names := map[uint32]string{}
	var malformed error
	func() {
		defer caught(&malformed)
		const functions = 1
		for r := (&reader{b: m.names}); r.more(); {
			kind, body := r.byte(), r.take(r.u32())
			if kind != functions {
				continue
			}
			list := &reader{b: body}
			for n := list.u32(); n > 0; n-- {
				index := list.u32()
				names[index] = list.name()
			}
		}
	}()
	if malformed != nil {
		return nil
	}
	return names
}
