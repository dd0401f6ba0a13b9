package rewrite

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// validator is an independent judge of what is a valid module.
func validator(t *testing.T) func([]byte) error {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { r.Close(t.Context()) })
	return func(b []byte) error {
		m, err := r.CompileModule(t.Context(), b)
		if err == nil {
			err = m.Close(t.Context())
		}
		return err
	}
}

func vector(items ...[]byte) []byte {
	return append(appendU(nil, uint64(len(items))), bytes.Join(items, nil)...)
}

// moduleOf builds a command whose function 1 has the given type and body; it
// has a memory, two globals, a table, and passive segments to refer to.
func moduleOf(params, results, body []byte) []byte {
	out := []byte(magic)
	add := func(id byte, b []byte) { out = append(appendU(append(out, id), uint64(len(b))), b...) }
	f := append([]byte{0}, body...)
	add(secType, vector(functype{}.encode(), functype{params: params, results: results}.encode()))
	add(secFunc, vector([]byte{0}, []byte{1}))
	add(secTable, vector([]byte{0x70, 0, 4}))
	add(secMemory, vector([]byte{0, 1}))
	add(secGlobal, vector([]byte{typeI32, 1, opI32Const, 0, opEnd}))
	add(secExport, vector(append(appendName(nil, "memory"), 2, 0), append(appendName(nil, "_start"), 0, 0)))
	add(secElem, vector([]byte{1, 0, 1, 0}))
	add(secDataCount, []byte{1})
	add(secCode, vector([]byte{2, 0, opEnd}, append(appendU(nil, uint64(len(f))), f...)))
	add(secData, vector([]byte{1, 1, 'x'}))
	return out
}

// immediates gives an instruction's bytes with immediates that are valid in
// the module of moduleOf, and in a function with one parameter.
func immediates(op byte, sub uint32) []byte {
	b := []byte{op}
	switch {
	case op == opLocalGet || op == opLocalSet || op == opLocalTee, op == opGlobalGet || op == opGlobalSet, op == 0x25 || op == 0x26:
		return append(b, 0)
	case op >= 0x28 && op <= 0x3e:
		return append(b, 0, 0)
	case op == opMemorySize || op == opMemoryGrow, op == opI32Const || op == opI64Const, op == opRefFunc:
		return append(b, 0)
	case op == 0xd0:
		return append(b, 0x70)
	case op == 0x43:
		return append(b, make([]byte, 4)...)
	case op == 0x44:
		return append(b, make([]byte, 8)...)
	case op == 0x1c:
		return append(b, 1, typeI64)
	case op == opPrefixMisc:
		b = appendU(b, uint64(sub))
		switch {
		case sub == 8 || sub == 10 || sub == 12 || sub == 14:
			return append(b, 0, 0)
		case sub > 7:
			return append(b, 0)
		}
	case op == opPrefixSIMD:
		b = appendU(b, uint64(sub))
		switch {
		case sub <= 11 || sub == 92 || sub == 93:
			return append(b, 0, 0)
		case sub == 12 || sub == 13:
			return append(b, make([]byte, 16)...)
		case sub >= 21 && sub <= 34:
			return append(b, 0)
		case sub >= 84 && sub <= 91:
			return append(b, 0, 0, 0)
		}
	}
	return b
}

// signatures yields every list of n value types.
func signatures(n int) [][]byte {
	list := [][]byte{nil}
	for range n {
		var longer [][]byte
		for _, s := range list {
			for _, kind := range []byte{typeI32, typeI64, typeF32, typeF64, typeV128, 0x70} {
				longer = append(longer, append(bytes.Clone(s), kind))
			}
		}
		list = longer
	}
	return list
}

// Every instruction of the profile has, with the number of operands that the
// rewriter believes, the types that an independent validator accepts, and no
// others. The canonical NaN pass and the stack budget rest on the number.
func TestOperandsAreTrue(t *testing.T) {
	valid := validator(t)
	accepted := func(op byte, sub uint32) bool {
		pops, pushes := effect(instr{op: op, sub: sub})
		accepted := false
		for _, params := range signatures(pops) {
			for _, results := range signatures(pushes) {
				var body []byte
				for i := range params {
					body = append(body, opLocalGet, byte(i))
				}
				body = append(append(body, immediates(op, sub)...), opEnd)
				p := params
				if op == opLocalGet || op == opLocalSet || op == opLocalTee {
					p = append(bytes.Clone(params), params...)
					p = append(p, typeI32)[:max(1, len(params))]
				}
				module := moduleOf(p, results, body)
				theirs, ours := valid(module) == nil, Validate(module)
				ignored := op == opSelectTyped // wazero does not read the type
				if theirs != (ours == nil) && !ignored {
					t.Errorf("%#x %d with %x to %x: valid is %t, and we say %v", op, sub, params, results, theirs, ours)
				}
				accepted = accepted || theirs
			}
		}
		return accepted
	}
	tested := 0
	check := func(op byte, sub uint32) {
		tested++
		if !accepted(op, sub) {
			pops, pushes := effect(instr{op: op, sub: sub})
			t.Errorf("no types make %#x %d valid with %d operands and %d results", op, sub, pops, pushes)
		}
	}
	for op := 0x1a; op <= 0xd2; op++ {
		undefined := (op >= 0x1d && op <= 0x1f) || op == 0x27 || (op >= 0xc5 && op <= 0xcf)
		if !undefined {
			check(byte(op), 0)
		}
	}
	for sub := range uint32(miscTableFill + 1) {
		check(opPrefixMisc, sub)
	}
	for sub := range uint32(256) {
		if simdTypes[sub] != nil {
			check(opPrefixSIMD, sub)
		} else if valid(moduleOf(nil, nil, append(appendU([]byte{opUnreachable, opPrefixSIMD}, uint64(sub)), opEnd))) == nil {
			t.Errorf("vector instruction %d exists", sub)
		}
	}
	if tested < 400 {
		t.Errorf("only %d instructions tested", tested)
	}
}

// What comes out is valid again, whatever the instruction.
func TestRewrittenIsValid(t *testing.T) {
	valid := validator(t)
	bodies := map[string][]byte{
		"grow":      {opI32Const, 1, opMemoryGrow, 0, 0x1a, opEnd},
		"two grows": {opI32Const, 1, opMemoryGrow, 0, opMemoryGrow, 0, 0x1a, opEnd},
		"fill":      {opI32Const, 1, opI32Const, 1, opI32Const, 1, opPrefixMisc, 11, 0, opEnd},
		"dead":      {opUnreachable, 0x92, 0x1a, opPrefixSIMD, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1a, opEnd},
		"return":    {opLoop, voidBlock, opReturn, opEnd, opEnd},
		"recursive": {opCall, 1, opEnd},
		"else":      {opI32Const, 0, opIf, voidBlock, opReturn, opElse, opBr, 0, opEnd, opEnd},
	}
	for name, body := range bodies {
		module := moduleOf(nil, nil, body)
		if err := valid(module); err != nil {
			t.Fatalf("%s: the original is not valid: %v", name, err)
		}
		m, err := Inspect(module, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		first, err := m.Rewrite(16)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// The meter is an import of a module that need not exist to validate.
		if err := valid(first); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if second, err := m.Rewrite(16); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: a second rewriting differs: %v", name, err)
		}
	}
}

func TestEveryTurnCosts(t *testing.T) {
	if pricePlain[opLoop] == 0 || pricePlain[opCall] == 0 || pricePlain[opCallIndirect] == 0 {
		t.Error("a program can repeat itself without paying")
	}
}

func TestIntegersRoundTrip(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 1 << 31, -1 << 31, 1<<62 - 1, 1<<63 - 1, -1 << 63} {
		r := &reader{b: appendS(nil, v)}
		if have := r.signed(64); have != v || r.more() {
			t.Errorf("%d comes back as %d", v, have)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(moduleOf([]byte{typeI32}, nil, []byte{opEnd}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Inspect(b, nil)
		if (m == nil) == (err == nil) {
			t.Fatal(fmt.Sprint(m, err))
		}
	})
}

// replaceBody builds a command whose function 1 has this whole body, locals
// included.
func replaceBody(body []byte) []byte {
	whole := moduleOf(nil, nil, []byte{opEnd})
	old := []byte{secCode, 7, 2, 2, 0, opEnd, 2, 0, opEnd}
	code := vector([]byte{2, 0, opEnd}, append(appendU(nil, uint64(len(body))), body...))
	return bytes.Replace(whole, old, append(appendU([]byte{secCode}, uint64(len(code))), code...), 1)
}

// Encodings that one engine reads differently from another, found by mutation.
func TestOddEncodingsAreRefused(t *testing.T) {
	for name, body := range map[string][]byte{
		"long SIMD opcode": {opPrefixSIMD, 0xa7, 0x00, 0x1a, opEnd},
		"long misc opcode": {opPrefixMisc, 0x80, 0x00, 0x1a, opEnd},
		"wide i32":         {opI32Const, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x1a, opEnd},
		"six byte i32":     {opI32Const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a, opEnd},
		"wide i64":         {opI64Const, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0x1a, opEnd},
		"odd null":         {0xd0, 0x00, 0x1a, opEnd},
		"wide index":       {opLocalGet, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x1a, opEnd},
	} {
		if _, err := Inspect(moduleOf(nil, nil, body), nil); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string][]byte{
		"least i32": {opI32Const, 0x80, 0x80, 0x80, 0x80, 0x78, 0x1a, opEnd},
		"least i64": {opI64Const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x1a, opEnd},
		"long zero": {opI32Const, 0x80, 0x00, 0x1a, opEnd},
	} {
		if _, err := Inspect(moduleOf(nil, nil, body), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
