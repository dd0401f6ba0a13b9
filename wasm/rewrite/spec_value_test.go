package rewrite

import (
	"fmt"
	"strconv"
	"strings"
)

// suiteValue is an argument or an expected result. Value is a decimal number,
// "null" or a pattern of NaNs, or a list of those for the lanes of a vector.
type suiteValue struct {
	Type     string `json:"type"`
	LaneType string `json:"lane_type"`
	Value    any    `json:"value"`
}

var suiteBits = map[string]int{"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64, "externref": 63, "funcref": 63}

// words is the value as engines take it: one word, or two for a vector.
func (v suiteValue) words() []uint64 {
	if v.Type != "v128" {
		return []uint64{suiteNumber(v.Type, fmt.Sprint(v.Value))}
	}
	words := make([]uint64, 2)
	for i, lane := range v.lanes() {
		at := i * suiteBits[v.LaneType]
		words[at/64] |= suiteNumber(v.LaneType, lane) << (at % 64)
	}
	return words
}

func (v suiteValue) lanes() (list []string) {
	for _, lane := range v.Value.([]any) {
		list = append(list, lane.(string))
	}
	return list
}

// suiteNumber reads a number. The NaN patterns stand for the canonical NaN,
// which is the only one that rewritten arithmetic gives.
func suiteNumber(kind, text string) uint64 {
	switch {
	case text == "null":
		return 0
	case strings.HasPrefix(text, "nan:") && kind == "f32":
		return 0x7fc00000
	case strings.HasPrefix(text, "nan:"):
		return 0x7ff8000000000000
	}
	bits := suiteBits[kind]
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		signed, err := strconv.ParseInt(text, 10, bits)
		if err != nil {
			panic(err)
		}
		n = uint64(signed) & (1<<bits - 1)
	}
	if bits == 63 { // a reference
		n++
	}
	return n
}

// matches compares with what an engine gave. Some leave bits above 32 as they
// are; neither sign of a NaN is more canonical than the other.
func (v suiteValue) matches(have []uint64) bool {
	switch {
	case v.Value == nil: // any reference that is not null
		return have[0] != 0
	case v.Type == "v128":
		for i, lane := range v.lanes() {
			at := i * suiteBits[v.LaneType]
			if !sameNumber(v.LaneType, lane, have[at/64]>>(at%64)) {
				return false
			}
		}
		return true
	}
	return sameNumber(v.Type, fmt.Sprint(v.Value), have[0])
}

func sameNumber(kind, want string, have uint64) bool {
	if bits := suiteBits[kind]; bits < 63 {
		have &= 1<<bits - 1
		if strings.HasPrefix(want, "nan:") {
			have &^= 1 << (bits - 1)
		}
	} else if strings.HasPrefix(want, "nan:") {
		have &^= 1 << 63
	}
	return suiteNumber(kind, want) == have
}
