package rewrite

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// Locals of the function that times instructions.
const (
	fitTurns  = iota // i32, counts down
	fitI32           // and one more of each type, which is its operand
	fitI32Too        //
	fitI64
	fitI64Too
	fitF32
	fitF32Too
	fitF64
	fitF64Too
	fitV128
	fitV128Too
)

// fit is a kind of instruction to time: code that goes from one value to the
// next, so that no compiler leaves any of it out, and how many instructions of
// the kind are in it. less names the kind whose cost the rest of the code has.
type fit struct {
	kind  string
	price uint64
	n     int
	code  func(i int) []byte // the i-th repetition
	less  string
}

// chain applies an instruction of two operands, or of one, to a local.
func chain(x byte, operands int, op ...byte) func(int) []byte {
	b := slices.Concat([]byte{opLocalGet, x, opLocalGet, x + 1}[:2*operands], op, []byte{opLocalSet, x})
	return func(int) []byte { return b }
}

func fixedCode(b ...byte) func(int) []byte { return func(int) []byte { return b } }

func price(op ...byte) uint64 {
	in := instr{op: op[0]}
	if len(op) > 1 {
		in.sub = uint32(op[1])
	}
	return in.price()
}

// fits are timed in the function of fitModule.
var fits = []fit{
	{"i32.add", price(opI32Add), 1, chain(fitI32, 2, opI32Add), ""},
	{"i64.xor", price(0x85), 1, chain(fitI64, 2, 0x85), ""},
	{"i32.lt_s", price(opI32LtS), 1, chain(fitI32, 2, opI32LtS), ""},
	{"i32.clz", price(0x67), 1, chain(fitI32, 1, 0x67), ""},
	{"i32.popcnt", price(0x69), 1, chain(fitI32, 1, 0x69), ""},
	{"i64.mul", price(opI64Mul), 1, chain(fitI64, 2, opI64Mul), ""},
	{"i32.div_u", price(0x6e), 1, chain(fitI32, 2, 0x6e), ""},
	{"i32.rem_s", price(0x6f), 1, chain(fitI32, 2, 0x6f), ""},
	{"i64.div_s", price(0x7f), 1, chain(fitI64, 2, 0x7f), ""},
	{"i64.rem_u", price(0x82), 1, chain(fitI64, 2, 0x82), ""},
	{"f32.mul", price(0x94), 1, chain(fitF32, 2, 0x94), ""},
	{"f64.add", price(0xa0), 1, chain(fitF64, 2, 0xa0), ""},
	{"f64.div", price(0xa3), 1, chain(fitF64, 2, 0xa3), ""},
	{"f64.sqrt", price(0x9f), 1, chain(fitF64, 1, 0x9f), ""},
	{"f64.min", price(0xa4), 1, chain(fitF64, 2, 0xa4), ""},
	{"f64.floor", price(0x9c), 1, chain(fitF64, 1, 0x9c), ""},
	{"f64.copysign", price(0xa6), 1, chain(fitF64, 2, 0xa6), ""},
	{"f64.convert, i32.trunc", price(0xb7), 2, chain(fitI32, 1, 0xb7, 0xaa), ""},
	{"f64.convert, i64.trunc_sat", price(0xb9), 2, chain(fitI64, 1, 0xb9, opPrefixMisc, 6), ""},
	{"f32.demote, f64.promote", price(0xb6), 2, chain(fitF64, 1, 0xb6, 0xbb), ""},
	{"i32.wrap, i64.extend", price(0xa7), 2, chain(fitI64, 1, 0xa7, 0xac), ""},
	{"select", price(opSelect), 1, fixedCode(opLocalGet, fitI32, opLocalGet, fitI32Too, opLocalGet, fitI32, opSelect, opLocalSet, fitI32), ""},
	{"global.get, global.set", price(opGlobalGet), 2, fixedCode(opGlobalGet, 0, opI32Const, 1, opI32Add, opGlobalSet, 0), "i32.add"},
	{"i64.load", price(0x29), 1, func(i int) []byte {
		return slices.Concat([]byte{opLocalGet, fitI64, opLocalGet, fitI32Too, 0x29, 3}, appendU(nil, uint64(8*i)), []byte{0x85, opLocalSet, fitI64})
	}, "i64.xor"},
	{"i64.store", price(0x37), 1, func(i int) []byte {
		return slices.Concat([]byte{opLocalGet, fitI32Too, opLocalGet, fitI64, 0x37, 3}, appendU(nil, uint64(8*i)))
	}, ""},
	{"br_if", price(opBrIf), 1, fixedCode(opBlock, voidBlock, opLocalGet, fitI32, opBrIf, 0, opLocalGet, fitI32, opI32Const, 1, opI32Add, opLocalSet, fitI32, opEnd), "i32.add"},
	{"loop", price(opLoop) + price(opBrIf), 50, fixedCode(opI32Const, 50, opLocalSet, fitI32,
		opLoop, voidBlock, opLocalGet, fitI32, opI32Const, 1, opI32Sub, opLocalTee, fitI32, opBrIf, 0, opEnd), ""},
	{"br_table", price(opBrTable), 1, fixedCode(opBlock, voidBlock, opBlock, voidBlock, opBlock, voidBlock, opLocalGet, fitI32, opBrTable, 2, 0, 1, 2, opEnd,
		opLocalGet, fitI32, opI32Const, 1, opI32Add, opLocalSet, fitI32, opEnd, opEnd), "i32.add"},
	{"call", price(opCall) + priceFrame, 1, fixedCode(opLocalGet, fitI32, opCall, 2, opLocalSet, fitI32), ""},
	{"call_indirect", price(opCallIndirect) + priceFrame, 1, fixedCode(opLocalGet, fitI32, opI32Const, 0, opCallIndirect, 2, 0, opLocalSet, fitI32), ""},
	{"memory.fill, per 1024 bytes", 1024 >> bytesPerUnitLog2, 4, fixedCode(opI32Const, 0, opLocalGet, fitI32, opI32Const, 0x80, 0x20, opPrefixMisc, miscMemoryFill, 0), ""},
	{"memory.copy, per 1024 bytes", 1024 >> bytesPerUnitLog2, 4, fixedCode(opI32Const, 0x80, 0xc0, 0, opI32Const, 0, opI32Const, 0x80, 0x20, opPrefixMisc, miscMemoryCopy, 0, 0), ""},
	{"memory.copy of 8 bytes", priceBulk + 1, 1, fixedCode(opI32Const, 0x80, 0xc0, 0, opI32Const, 0, opI32Const, 8, opPrefixMisc, miscMemoryCopy, 0, 0), ""},
	{"table.fill, per element", unitsPerElement, 60, fixedCode(opI32Const, 0, opRefNull, typeFuncref, opI32Const, 60, opPrefixMisc, miscTableFill, 1), ""},
	{"i32x4.add", price(opPrefixSIMD, 174), 1, chain(fitV128, 2, opPrefixSIMD, 0xae, 1), ""},
	{"i32x4.mul", price(opPrefixSIMD, 181), 1, chain(fitV128, 2, opPrefixSIMD, 0xb5, 1), ""},
	{"i64x2.mul", price(opPrefixSIMD, 213), 1, chain(fitV128, 2, opPrefixSIMD, 0xd5, 1), ""},
	{"i8x16.shuffle", price(opPrefixSIMD, 13), 1, chain(fitV128, 2, opPrefixSIMD, 13, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31), ""},
	{"i8x16.popcnt", price(opPrefixSIMD, 98), 1, chain(fitV128, 1, opPrefixSIMD, 98), ""},
	{"f32x4.mul", price(opPrefixSIMD, 230), 1, chain(fitV128, 2, opPrefixSIMD, 0xe6, 1), ""},
	{"f64x2.div", price(opPrefixSIMD, 243), 1, chain(fitV128, 2, opPrefixSIMD, 0xf3, 1), ""},
	{"f32x4.sqrt", price(opPrefixSIMD, 227), 1, chain(fitV128, 1, opPrefixSIMD, 0xe3, 1), ""},
}

const fitRepeats = 60

// fitModule repeats code in a loop of function 1, whose parameter is the number
// of turns; function 2 returns its parameter.
func fitModule(f fit) []byte {
	body := []byte{10, 1, typeI32, 1, typeI32, 1, typeI64, 1, typeI64, 1, typeF32, 1, typeF32, 1, typeF64, 1, typeF64, 1, typeV128, 1, typeV128}
	body = append(body, opI32Const, 7, opLocalSet, fitI32, opI32Const, 3, opLocalSet, fitI32Too, opI64Const, 7, opLocalSet, fitI64, opI64Const, 3, opLocalSet, fitI64Too)
	body = append(body, opF64Const, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, opLocalTee, fitF64, opLocalSet, fitF64Too, opF32Const, 0, 0, 0x80, 0x3f, opLocalTee, fitF32, opLocalSet, fitF32Too)
	// The operands come from memory, so that no compiler knows them.
	body = append(body, opLocalGet, fitI32Too, opI32Const, 0, 0x28, 2, 0, opI32Or, opLocalSet, fitI32Too)
	body = append(body, opLoop, voidBlock)
	for i := range fitRepeats {
		body = append(body, f.code(i)...)
	}
	body = append(body, opLocalGet, fitTurns, opI32Const, 1, opI32Sub, opLocalTee, fitTurns, opBrIf, 0, opEnd)
	for _, x := range []byte{fitI32, fitI64, fitF32, fitF64} { // and nothing is for nothing
		store := map[byte]byte{fitI32: 0x36, fitI64: 0x37, fitF32: 0x38, fitF64: 0x39}[x]
		body = append(body, opI32Const, 0, opLocalGet, x, store, 0, 0)
	}
	body = append(body, opI32Const, 0, opLocalGet, fitV128, opPrefixSIMD, 11, 0, 0, opEnd)
	same := []byte{0, opLocalGet, 0, opEnd}

	out := []byte(magic)
	add := func(id byte, b []byte) { out = append(appendU(append(out, id), uint64(len(b))), b...) }
	sized := func(b []byte) []byte { return append(appendU(nil, uint64(len(b))), b...) }
	add(secType, vector(functype{}.encode(), functype{params: []byte{typeI32}}.encode(), functype{params: []byte{typeI32}, results: []byte{typeI32}}.encode()))
	add(secFunc, vector([]byte{0}, []byte{1}, []byte{2}))
	add(secTable, vector([]byte{typeFuncref, 0, 4}, []byte{typeFuncref, 0, 64}))
	add(secMemory, vector([]byte{0, 1}))
	add(secGlobal, vector([]byte{typeI32, 1, opI32Const, 0, opEnd}))
	add(secExport, vector(append(appendName(nil, "memory"), externMemory, 0), append(appendName(nil, "_start"), externFunc, 0), append(appendName(nil, "run"), externFunc, 1)))
	add(secElem, vector([]byte{0, opI32Const, 0, opEnd, 1, 2}))
	add(secCode, vector(sized([]byte{0, opEnd}), sized(body), sized(same)))
	return out
}

// BenchmarkWeights times every kind of instruction on every engine and prints
// what one takes beside its price. Runs are short and the fastest of many
// counts, so that a busy machine does little harm.
func BenchmarkWeights(b *testing.B) {
	engines := suiteEngines(b)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "kind\tfuel\t")
	for _, e := range engines {
		fmt.Fprintf(w, "%s ns\tns/fuel\t", e.name())
	}
	fmt.Fprintln(w)
	took := map[string]float64{}
	for _, f := range fits {
		fmt.Fprintf(w, "%s\t%d\t", f.kind, f.price)
		for _, e := range engines {
			ns := fitTime(b, e, f)
			took[f.kind+e.name()] = ns
			ns = max(0, ns-took[f.less+e.name()]) / float64(f.n)
			fmt.Fprintf(w, "%.2f\t%.3f\t", ns, ns/float64(f.price))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

// fitTime gives nanoseconds for each repetition.
func fitTime(b *testing.B, e suiteEngine, f fit) float64 {
	m, err := Inspect(fitModule(f), nil)
	if err != nil {
		b.Fatal(f.kind, err)
	}
	rewritten, err := m.Rewrite(1)
	if err != nil {
		b.Fatal(f.kind, err)
	}
	instance, err := e.instantiate(rewritten)
	if err != nil {
		b.Fatal(f.kind, err)
	}
	const turns, runs = 200, 200
	best := time.Hour
	for range runs {
		if err := instance.setFuel(suiteFuel); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := instance.invoke("run", []uint64{turns}); err != nil {
			b.Fatal(f.kind, err)
		}
		best = min(best, time.Since(start))
	}
	return float64(best) / turns / fitRepeats
}

// Every kind of instruction that is timed is valid, so that the benchmark has
// something to time.
func TestFitsAreValid(t *testing.T) {
	for _, f := range fits {
		if err := Validate(fitModule(f)); err != nil {
			t.Errorf("%s: %v", f.kind, err)
		}
		if !bytes.Contains(fitModule(f), f.code(0)) || f.n == 0 || f.price == 0 {
			t.Errorf("%s times nothing", f.kind)
		}
	}
}
