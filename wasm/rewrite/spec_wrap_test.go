package rewrite

import "bytes"

func wrapperName(export string) string { return "words of " + export }

// wrapVectors adds, for every exported function that takes or gives vectors,
// one that does the same in words of 64 bits, which is what hosts can pass.
func wrapVectors(m *Module) (wasm []byte, wrapped map[string]functype) {
	wrapped = map[string]functype{}
	var types, funcs, exports, bodies [][]byte
	r := m.section(secExport)
	for n := r.count(); n > 0; n-- {
		name, kind, index := r.name(), r.byte(), r.u32()
		if kind != externFunc {
			continue
		}
		t := m.signature[m.funcs[index]]
		if !bytes.Contains(append(bytes.Clone(t.params), t.results...), []byte{typeV128}) {
			continue
		}
		wrapped[name] = t
		exports = append(exports, appendU(append(appendName(nil, wrapperName(name)), externFunc), uint64(len(m.funcs)+len(funcs))))
		funcs = append(funcs, appendU(nil, uint64(len(m.signature)+len(types))))
		types = append(types, functype{inWords(t.params), inWords(t.results)}.encode())
		body := wrapper(t, index)
		bodies = append(bodies, append(appendU(nil, uint64(len(body))), body...))
	}
	out := []byte(magic)
	for _, id := range []byte{secType, secImport, secFunc, secTable, secMemory, secGlobal, secExport, secElem, secDataCount, secCode, secData} {
		body := m.sections[id]
		more := map[byte][][]byte{secType: types, secFunc: funcs, secExport: exports, secCode: bodies}[id]
		if body == nil && more == nil {
			continue
		}
		if more != nil {
			s := m.section(id)
			n := s.count() + uint32(len(more))
			body = append(append(appendU(nil, uint64(n)), s.b[s.p:]...), bytes.Join(more, nil)...)
		}
		out = append(appendU(append(out, id), uint64(len(body))), body...)
	}
	return out, wrapped
}

// inWords has two words for every vector.
func inWords(types []byte) (list []byte) {
	for _, t := range types {
		if t == typeV128 {
			list = append(list, typeI64, typeI64)
		} else {
			list = append(list, t)
		}
	}
	return list
}

func wrapper(t functype, index uint32) []byte {
	const splat, replaceLane, extractLane = 18, 30, 29
	w := code{appendU(nil, uint64(len(t.results)))}
	for _, result := range t.results {
		w.op(1, result)
	}
	next := uint32(0)
	for _, param := range t.params {
		w.localGet(next)
		next++
		if param == typeV128 {
			w.op(opPrefixSIMD, splat).localGet(next).op(opPrefixSIMD, replaceLane, 1)
			next++
		}
	}
	w.index(opCall, index)
	for i := len(t.results) - 1; i >= 0; i-- {
		w.localSet(next + uint32(i))
	}
	for i, result := range t.results {
		w.localGet(next + uint32(i))
		if result == typeV128 {
			w.op(opPrefixSIMD, extractLane, 0).localGet(next+uint32(i)).op(opPrefixSIMD, extractLane, 1)
		}
	}
	return w.op(opEnd).b
}
