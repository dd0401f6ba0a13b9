package rewrite

// choose rewrites a select of floats or vectors, for wazero 1.12.0 on amd64: its
// register allocator takes what a conditional move of these leaves in place for
// dead, so that the first operand, if it has to be fetched from the stack just
// then, overwrites the second and is chosen whatever the condition. Floats are
// chosen as the integers of their bits, vectors by a mask.
func (e *emitter) choose(raw []byte) {
	kind := e.m.selects[e.m.selected]
	e.m.selected++
	forms, ok := choices[kind]
	if !ok || !e.m.keeps(Unfusing) {
		e.region.op(raw...)
		return
	}
	condition, second, c := e.local(typeI32), e.local(kind), &e.region
	c.localSet(condition).localSet(second).op(forms.into...)
	c.localGet(second).op(forms.into...)
	c.localGet(condition).op(forms.choose...)
}

// choice is how to choose between two values of a kind: into prepares each, and
// choose takes them and the condition.
type choice struct{ into, choose []byte }

var choices = map[byte]choice{
	typeF32: {[]byte{opI32Reinterpret}, []byte{opSelect, opF32Reinterpret}},
	typeF64: {[]byte{opI64Reinterpret}, []byte{opSelect, opF64Reinterpret}},
	// A mask of all ones if the condition is not zero: (condition == 0) - 1.
	typeV128: {nil, []byte{opI32Eqz, opI32Const, 1, opI32Sub, opPrefixSIMD, simdI32x4Splat, opPrefixSIMD, simdBitselect}},
}
