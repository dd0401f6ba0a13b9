package rewrite

import "testing"

func TestExplain(t *testing.T) {
	module := moduleOf([]byte{typeI32}, nil, []byte{
		opCall, 0, // 36
		opI32Const, 1, opDrop, // 1
		opLoop, voidBlock, // 50, from here on in the loop
		opBlock, voidBlock, opLocalGet, 0, opBrIf, 0, opEnd, // 1 + 4
		opLoop, voidBlock, opEnd, // 50
		opI32Const, 1, opMemoryGrow, 0, opDrop, // 1 + 100
		opEnd,
		opI32Const, 0, opCallIndirect, 0, 0, // 1 + 48
		opEnd,
	})
	names := append([]byte{0, 2, 1, 'm', 1, 4}, append([]byte{1, 1}, appendName(nil, "f")...)...)
	names[5] = byte(len(names) - 6)
	section := append(appendName(nil, "name"), names...)
	module = append(append(module, secCustom, byte(len(section))), section...)
	m, err := Inspect(module, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Explain()
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	want := FunctionPrice{
		Index: 1, Name: "f", Instructions: 17, Straight: priceFrame + 40 + 1 + 49, Looped: 16 + 9 + 16 + 101,
		Loops: 2, Calls: 1, IndirectCalls: 1, Sized: 1,
	}
	if list[1] != want {
		t.Errorf("%+v\nwant %+v", list[1], want)
	}
	if want := (FunctionPrice{Index: 0, Instructions: 1, Straight: priceFrame}); list[0] != want {
		t.Errorf("%+v\nwant %+v", list[0], want)
	}
}

func TestExplainBearsAnyNames(t *testing.T) {
	for _, names := range []string{"\x01", "\x01\x7f", "\x01\x03\xff\xff\x01", "\x01\x04\x01\x00\x7fx"} {
		section := append(appendName(nil, "name"), names...)
		module := append(moduleOf(nil, nil, []byte{opEnd}), secCustom, byte(len(section)))
		m, err := Inspect(append(module, section...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := m.Explain(); err != nil || len(list) != 2 || list[0].Name != "" {
			t.Errorf("%q: %+v, %v", names, list, err)
		}
	}
}
