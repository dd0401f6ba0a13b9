package rewrite

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// nested opens a block n times, with what stands before each, and closes all.
func nested(n int, before ...byte) []byte {
	return slices.Concat([]byte{0}, bytes.Repeat(append(before, voidBlock), n), bytes.Repeat([]byte{opEnd}, n+1))
}

func locals(n uint64, code ...byte) []byte {
	return append(append(append(appendU([]byte{1}, n), typeI64), code...), opEnd)
}

// labels is a function with a br_table of n labels.
func labels(n int) []byte {
	return slices.Concat(appendU([]byte{0, opI32Const, 0, opBrTable}, uint64(n)), make([]byte, n+1), []byte{opEnd})
}

// functions builds a module of n functions, each with the same body.
func functions(n int, t functype, body []byte) []byte {
	out := []byte(magic)
	add := func(id byte, b []byte) { out = append(appendU(append(out, id), uint64(len(b))), b...) }
	add(secType, vector(t.encode()))
	add(secFunc, append(appendU(nil, uint64(n)), make([]byte, n)...))
	add(secCode, append(appendU(nil, uint64(n)), bytes.Repeat(append(appendU(nil, uint64(len(body))), body...), n)...))
	return out
}

// Modules that are made to exhaust whoever reads or compiles them are refused,
// for a reason that says what is too much, and at the limit they are not.
func TestTooMuchIsRefused(t *testing.T) {
	wide := functype{params: bytes.Repeat([]byte{typeI32}, MaxArity), results: bytes.Repeat([]byte{typeI32}, MaxArity)}
	turning := append(append([]byte{0, opUnreachable, opLoop, 0}, bytes.Repeat([]byte{opI32Const, 0, opBrIf, 0}, 100_000)...), opUnreachable, opEnd, opUnreachable, opEnd)
	for name, c := range map[string]struct {
		module []byte
		want   string // "" if it is taken
	}{
		"locals":          {replaceBody(locals(MaxLocals)), ""},
		"a local more":    {replaceBody(locals(MaxLocals + 1)), "more than 49990 locals"},
		"all locals":      {replaceBody(locals(1<<32 - 1)), "more than 49990 locals"},
		"many locals":     {functions(201, functype{}, locals(MaxLocals)), "more than 10000000 locals together"},
		"parameters":      {moduleOf(bytes.Repeat([]byte{typeI32}, MaxArity+1), nil, []byte{opEnd}), "1001 parameters"},
		"results":         {moduleOf(nil, bytes.Repeat([]byte{typeI32}, MaxArity+1), []byte{opEnd}), "1001 results"},
		"blocks":          {replaceBody(nested(MaxNesting-1, opBlock)), ""},
		"a block more":    {replaceBody(nested(MaxNesting, opBlock)), "nested more than 10000 deep"},
		"ifs":             {replaceBody(nested(MaxNesting, opI32Const, 0, opIf)), "nested more than 10000 deep"},
		"loops":           {replaceBody(nested(MaxLoopNesting, opLoop)), ""},
		"a loop more":     {replaceBody(nested(MaxLoopNesting+1, opLoop)), "loops nested more than 256 deep"},
		"labels":          {replaceBody(labels(MaxLabels)), ""},
		"a label more":    {replaceBody(labels(MaxLabels + 1)), "more than 65520 labels"},
		"merges":          {replaceBody(locals(40_000, bytes.Repeat([]byte{opBlock, voidBlock, opEnd}, 30)...)), "blocks times locals"},
		"giant function":  {replaceBody(append(bytes.Repeat([]byte{opNop}, MaxFunctionBytes), opEnd)), "function 1 takes 7000001 bytes"},
		"giant module":    {make([]byte, MaxModuleBytes+1), "bytes long"},
		"wide functions":  {functions(100_000, wide, []byte{0, opUnreachable, opEnd}), "moves too many operands"},
		"wide calls":      {functions(1, wide, append(append([]byte{0, opUnreachable}, bytes.Repeat([]byte{opCall, 0}, 100_000)...), opUnreachable, opEnd)), "moves too many operands"},
		"wide branches":   {functions(1, wide, turning), "moves too many operands"},
		"functions":       {functions(MaxDefinitions+1, functype{}, []byte{0, opEnd}), "900001 functions"},
		"tables":          {withSection(secTable, append([]byte{MaxTables + 1}, bytes.Repeat([]byte{typeFuncref, 0, 0}, MaxTables+1)...)), "more than 16 tables"},
		"data segments":   {withSection(secData, append(appendU(nil, MaxSegments+1), bytes.Repeat([]byte{1, 0}, MaxSegments+1)...)), "90001 data segments"},
		"element segment": {withSection(secElem, append(appendU(nil, MaxSegments+1), bytes.Repeat([]byte{1, 0, 0}, MaxSegments+1)...)), "90001 element segments"},
	} {
		switch err := Validate(c.module); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// Two bytes that become twenty: a function that fits until it is metered.
	m, err := Inspect(moduleOf(nil, nil, append(bytes.Repeat([]byte{opBlock, voidBlock, opEnd, opLoop, voidBlock, opEnd}, 200_000), opEnd)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rewrite(1); err == nil || !strings.Contains(err.Error(), "split the function") {
		t.Error(err)
	}
}

// withSection is a module of one section.
func withSection(id byte, body []byte) []byte {
	return append(appendU(append([]byte(magic), id), uint64(len(body))), body...)
}

// Every count may claim more than there is; no memory is set aside for it.
func TestCountsWithNothingBehind(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	for id := byte(secType); id <= secDataCount; id++ {
		if err := Validate(withSection(id, huge)); err == nil {
			t.Errorf("section %d passes", id)
		}
		if err := Validate(append(append([]byte(magic), id), huge...)); err == nil {
			t.Errorf("section %d of 4 GiB passes", id)
		}
		for count := range uint64(3) { // what follows the count is missing
			if err := Validate(withSection(id, appendU(nil, 800_000+count))); err == nil {
				t.Errorf("section %d with a count only passes", id)
			}
		}
	}
	for name, body := range map[string][]byte{
		"local groups":   append(huge, opEnd),
		"labels":         append([]byte{0, opI32Const, 0, opBrTable}, append(huge, opEnd)...),
		"types":          append([]byte{0, opI32Const, 0, opI32Const, 0, opI32Const, 0, opSelectTyped}, append(huge, opEnd)...),
		"nothing at all": {},
	} {
		if err := Validate(replaceBody(body)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// Sections may neither repeat nor change places, and everything up to the last
// byte of a module is needed or refused.
func TestSectionsOfAWholeModule(t *testing.T) {
	module := moduleOf([]byte{typeI32}, nil, []byte{opEnd})
	if err := Validate(module); err != nil {
		t.Fatal(err)
	}
	starts := []int{}
	for r := (&reader{b: module, p: len(magic)}); r.more(); {
		starts = append(starts, r.p)
		r.byte()
		r.take(r.u32())
	}
	starts = append(starts, len(module))
	for n := range len(module) {
		// Only where a section ends may a valid module end, and then functions lack bodies or are not exported.
		if _, err := Inspect(module[:n], nil); err == nil {
			t.Errorf("the first %d bytes pass", n)
		}
	}
	for i := range len(starts) - 1 {
		section := module[starts[i]:starts[i+1]]
		twice := slices.Concat(module[:starts[i+1]], section, module[starts[i+1]:])
		if err := Validate(twice); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("section %d twice: %v", section[0], err)
		}
		if i == 0 {
			continue
		}
		swapped := slices.Concat(module[:starts[i-1]], section, module[starts[i-1]:starts[i]], module[starts[i+1]:])
		if err := Validate(swapped); err == nil || !strings.Contains(err.Error(), "out of order") {
			t.Errorf("section %d early: %v", section[0], err)
		}
		longer := slices.Concat(module[:starts[i]+1], []byte{module[starts[i]+1] + 1}, module[starts[i]+2:starts[i+1]], []byte{0}, module[starts[i+1]:])
		if err := Validate(longer); err == nil {
			t.Errorf("section %d with a byte too many passes", section[0])
		}
	}
}

// Multi-value types are found again at once, however many there are.
func TestManyTypesOfSeveralResults(t *testing.T) {
	const n = 60_000
	kinds := []byte{typeI32, typeI64, typeF32, typeF64}
	types, funcs, bodies := [][]byte{functype{}.encode()}, [][]byte{{0}}, [][]byte{{2, 0, opEnd}}
	for i := range n {
		var results []byte
		for x := i; len(results) < 8; x /= len(kinds) {
			results = append(results, kinds[x%len(kinds)])
		}
		types = append(types, functype{results: results}.encode())
		funcs = append(funcs, appendU(nil, uint64(i+1)))
		bodies = append(bodies, []byte{3, 0, opUnreachable, opEnd})
	}
	out := []byte(magic)
	for _, s := range []struct {
		id   byte
		body []byte
	}{
		{secType, vector(types...)}, {secFunc, vector(funcs...)}, {secMemory, vector([]byte{0, 1})},
		{secExport, vector(append(appendName(nil, "memory"), externMemory, 0), append(appendName(nil, "_start"), externFunc, 0))},
		{secCode, vector(bodies...)},
	} {
		out = append(appendU(append(out, s.id), uint64(len(s.body))), s.body...)
	}
	m, err := Inspect(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	rewritten, err := m.Rewrite(1)
	if err == nil {
		err = Validate(rewritten)
	}
	if err != nil || len(m.newTypes) != n+1 {
		t.Errorf("%d types added: %v", len(m.newTypes), err)
	}
}
