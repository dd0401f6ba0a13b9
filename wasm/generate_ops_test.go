package wasm_test

// operation is an instruction that takes and gives values only.
type operation struct {
	code   []byte
	params string
	result byte
	lanes  int    // of a lane index behind the opcode; 16 bytes of them for a shuffle
	open   opened // the NaN bits that the specification leaves open
}

// opened says which float type a result's NaN bits are open in.
type opened byte

const (
	closed opened = iota
	openF32
	openF64
	openF32x4
	openF64x2
)

// operations are all of them by their result.
var operations = func() map[byte][]operation {
	byResult := map[byte][]operation{}
	add := func(prefix byte, first, last int, params string, result byte, open opened) {
		for op := first; op <= last; op++ {
			o := operation{params: params, result: result, open: open}
			switch {
			case prefix == 0:
				o.code = []byte{byte(op)}
			default:
				o.code = append([]byte{prefix}, uleb(op)...)
			}
			if prefix == 0xfd {
				o.lanes = lanesOf(op)
			}
			byResult[result] = append(byResult[result], o)
		}
	}
	for _, x := range []struct {
		first, last int
		params      string
		result      byte
		open        opened
	}{
		{0x45, 0x45, "i", 'i', closed}, {0x46, 0x4f, "ii", 'i', closed}, {0x50, 0x50, "l", 'i', closed}, {0x51, 0x5a, "ll", 'i', closed},
		{0x5b, 0x60, "ff", 'i', closed}, {0x61, 0x66, "dd", 'i', closed}, {0x67, 0x69, "i", 'i', closed}, {0x6a, 0x78, "ii", 'i', closed},
		{0x79, 0x7b, "l", 'l', closed}, {0x7c, 0x8a, "ll", 'l', closed}, {0x8b, 0x8c, "f", 'f', closed}, {0x8d, 0x91, "f", 'f', openF32},
		{0x92, 0x97, "ff", 'f', openF32}, {0x98, 0x98, "ff", 'f', closed}, {0x99, 0x9a, "d", 'd', closed}, {0x9b, 0x9f, "d", 'd', openF64},
		{0xa0, 0xa5, "dd", 'd', openF64}, {0xa6, 0xa6, "dd", 'd', closed}, {0xa7, 0xa7, "l", 'i', closed}, {0xa8, 0xa9, "f", 'i', closed},
		{0xaa, 0xab, "d", 'i', closed}, {0xac, 0xad, "i", 'l', closed}, {0xae, 0xaf, "f", 'l', closed}, {0xb0, 0xb1, "d", 'l', closed},
		{0xb2, 0xb3, "i", 'f', closed}, {0xb4, 0xb5, "l", 'f', closed}, {0xb6, 0xb6, "d", 'f', openF32}, {0xb7, 0xb8, "i", 'd', closed},
		{0xb9, 0xba, "l", 'd', closed}, {0xbb, 0xbb, "f", 'd', openF64}, {0xbc, 0xbc, "f", 'i', closed}, {0xbd, 0xbd, "d", 'l', closed},
		{0xbe, 0xbe, "i", 'f', closed}, {0xbf, 0xbf, "l", 'd', closed}, {0xc0, 0xc1, "i", 'i', closed}, {0xc2, 0xc4, "l", 'l', closed},
	} {
		add(0, x.first, x.last, x.params, x.result, x.open)
	}
	for i, params := range []string{"f", "d"} {
		add(0xfc, 2*i, 2*i+1, params, 'i', closed)
		add(0xfc, 2*i+4, 2*i+5, params, 'l', closed)
	}
	for _, x := range []struct {
		params string
		result byte
		open   opened
		spans  []int
	}{
		{"i", 'v', closed, []int{15, 17}}, {"l", 'v', closed, []int{18, 18}}, {"f", 'v', closed, []int{19, 19}}, {"d", 'v', closed, []int{20, 20}},
		{"v", 'i', closed, []int{21, 22, 24, 25, 27, 27, 83, 83, 99, 100, 131, 132, 163, 164, 195, 196}},
		{"v", 'l', closed, []int{29, 29}}, {"v", 'f', closed, []int{31, 31}}, {"v", 'd', closed, []int{33, 33}},
		{"vi", 'v', closed, []int{23, 23, 26, 26, 28, 28, 107, 109, 139, 141, 171, 173, 203, 205}},
		{"vl", 'v', closed, []int{30, 30}}, {"vf", 'v', closed, []int{32, 32}}, {"vd", 'v', closed, []int{34, 34}},
		{"vv", 'v', closed, []int{13, 14, 35, 76, 78, 81, 101, 102, 110, 115, 118, 121, 123, 123, 130, 130, 133, 134, 142, 147, 149, 153,
			155, 159, 174, 174, 177, 177, 181, 186, 188, 191, 206, 206, 209, 209, 213, 223, 234, 235, 246, 247}},
		{"v", 'v', closed, []int{77, 77, 96, 98, 124, 129, 135, 138, 160, 161, 167, 170, 192, 193, 199, 202, 224, 225, 236, 237, 248, 255}},
		{"vvv", 'v', closed, []int{82, 82}},
		{"v", 'v', openF32x4, []int{94, 94, 103, 106, 227, 227}}, {"vv", 'v', openF32x4, []int{228, 233}},
		{"v", 'v', openF64x2, []int{95, 95, 116, 117, 122, 122, 148, 148, 239, 239}}, {"vv", 'v', openF64x2, []int{240, 245}},
	} {
		for i := 0; i < len(x.spans); i += 2 {
			add(0xfd, x.spans[i], x.spans[i+1], x.params, x.result, x.open)
		}
	}
	return byResult
}()

// lanesOf is how many lanes the lane index of a vector instruction chooses among.
func lanesOf(op int) int {
	switch {
	case op == 13:
		return 32
	case op >= 21 && op <= 23:
		return 16
	case op >= 24 && op <= 26:
		return 8
	case op == 27, op == 28, op == 31, op == 32:
		return 4
	case op == 29, op == 30, op == 33, op == 34:
		return 2
	}
	return 0
}

// access is a load or store.
type access struct {
	code  []byte
	lanes int
}

// loads by their result, stores by what they store. Those with lanes take and
// give a vector too.
var loads, stores = func() (l, s map[byte][]access) {
	l, s = map[byte][]access{}, map[byte][]access{}
	for kind, codes := range map[byte][]byte{
		'i': {0x28, 0x2c, 0x2d, 0x2e, 0x2f}, 'l': {0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35}, 'f': {0x2a}, 'd': {0x2b},
	} {
		for _, c := range codes {
			l[kind] = append(l[kind], access{code: []byte{c}})
		}
	}
	for kind, codes := range map[byte][]byte{'i': {0x36, 0x3a, 0x3b}, 'l': {0x37, 0x3c, 0x3d, 0x3e}, 'f': {0x38}, 'd': {0x39}} {
		for _, c := range codes {
			s[kind] = append(s[kind], access{code: []byte{c}})
		}
	}
	for _, c := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 92, 93} {
		l['v'] = append(l['v'], access{code: append([]byte{0xfd}, uleb(c)...)})
	}
	s['v'] = append(s['v'], access{code: []byte{0xfd, 11}})
	for i := range 4 {
		l['v'] = append(l['v'], access{[]byte{0xfd, byte(84 + i)}, 16 >> i})
		s['v'] = append(s['v'], access{[]byte{0xfd, byte(88 + i)}, 16 >> i})
	}
	return l, s
}()

// canonicalise replaces the NaNs of the value on the stack, by way of a local.
func canonicalise(open opened, local int) []byte {
	get, tee := append([]byte{0x20}, uleb(local)...), append([]byte{0x22}, uleb(local)...)
	b := tee
	switch open {
	case openF32:
		b = append(b, 0x43, 0, 0, 0xc0, 0x7f)
	case openF64:
		b = append(b, 0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
	case openF32x4:
		b = append(b, 0xfd, 12, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f)
	case openF64x2:
		b = append(b, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
	}
	b = append(append(b, get...), get...)
	return append(b, map[opened][]byte{
		openF32: {0x5b, 0x1b}, openF64: {0x61, 0x1b}, openF32x4: {0xfd, 65, 0xfd, 82}, openF64x2: {0xfd, 71, 0xfd, 82},
	}[open]...)
}
