package market

import (
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
)

// fill sets every field below v to a random value that the type on the chain can hold; slices have one to three
// elements.
func fill(t *testing.T, r *rand.Rand, typ abi.Type, v reflect.Value) {
	t.Helper()
	switch typ.T {
	case abi.TupleTy:
		for i, element := range typ.TupleElems {
			fill(t, r, *element, v.Field(i))
		}
	case abi.SliceTy:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 4))
		fallthrough
	case abi.ArrayTy:
		for i := range v.Len() {
			fill(t, r, *typ.Elem, v.Index(i))
		}
	case abi.BytesTy:
		v.SetBytes(randomBytes(r, 1+r.IntN(100)))
	case abi.StringTy:
		v.SetString(strings.Repeat("é/?", 1+r.IntN(30)))
	case abi.FixedBytesTy, abi.AddressTy:
		reflect.Copy(v, reflect.ValueOf(randomBytes(r, v.Len())))
	case abi.BoolTy:
		v.SetBool(true)
	case abi.UintTy:
		fillInteger(r, typ, v)
	default:
		t.Fatalf("no random %s", typ)
	}
}

func fillInteger(r *rand.Rand, typ abi.Type, v reflect.Value) {
	n := new(big.Int).SetBytes(randomBytes(r, typ.Size/8))
	if _, big := v.Interface().(*big.Int); big {
		v.Set(reflect.ValueOf(n))
		return
	}
	v.SetUint(n.Uint64())
	for enum, ok := v.Interface().(interface{ Valid() bool }); ok && !enum.Valid(); {
		v.SetUint(v.Uint() / 2)
		enum = v.Interface().(interface{ Valid() bool })
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(1 + r.IntN(255))
	}
	return b
}

// random returns a new value of zero's type whose fields are random.
func random(t *testing.T, r *rand.Rand, zero any, inputs abi.Arguments) reflect.Value {
	t.Helper()
	v := reflect.New(reflect.TypeOf(zero)).Elem()
	for i, input := range inputs {
		fill(t, r, input.Type, v.Field(i))
	}
	return v
}

// fieldsOf returns the fields whose argument satisfies keep.
func fieldsOf(v reflect.Value, inputs abi.Arguments, keep func(abi.Argument) bool) []any {
	var fields []any
	for i, input := range inputs {
		if keep(input) {
			fields = append(fields, v.Field(i).Interface())
		}
	}
	return fields
}
