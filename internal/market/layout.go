package market

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"reflect"

	"github.com/ethereum/go-ethereum/accounts/abi"
)

// layout says which fields of a struct are encoded, in which order, as which types.
type layout struct {
	arguments abi.Arguments
	fields    []int
}

// wholeOf is the layout of a struct whose fields are the arguments in order.
func wholeOf(arguments abi.Arguments) layout {
	l := layout{arguments: arguments}
	for i := range arguments {
		l.fields = append(l.fields, i)
	}
	return l
}

// split separates an event's indexed arguments from the others. All of the contract's indexed types take one word, so
// that the topics one after the other are the encoding of the indexed arguments.
func split(arguments abi.Arguments) (indexed, plain layout) {
	for i, a := range arguments {
		l := &plain
		if a.Indexed {
			l = &indexed
			a.Indexed = false
		}
		l.arguments, l.fields = append(l.arguments, a), append(l.fields, i)
	}
	return indexed, plain
}

// pack encodes the layout's fields of a struct. A value that its type on the chain cannot hold is an error.
func (l layout) pack(from reflect.Value) ([]byte, error) {
	values := make([]any, len(l.fields))
	for i, argument := range l.arguments {
		field := from.Field(l.fields[i])
		if err := check(argument.Type, field); err != nil {
			return nil, fmt.Errorf("%s: %w", argument.Name, err)
		}
		values[i] = field.Interface()
	}
	return l.arguments.Pack(values...)
}

// unpack decodes data into the layout's fields of a settable struct. Only the encoding that pack would give is taken:
// no padding, no loose ends, no second spelling of a value.
func (l layout) unpack(data []byte, into reflect.Value) error {
	values, err := l.arguments.UnpackValues(data)
	if err != nil {
		return err
	}
	again, err := l.arguments.Pack(values...)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return errors.New("not encoded as the contract does")
	}
	for i, argument := range l.arguments {
		field := into.Field(l.fields[i])
		assign(field, reflect.ValueOf(values[i]))
		if err := check(argument.Type, field); err != nil {
			return fmt.Errorf("%s: %w", argument.Name, err)
		}
	}
	return nil
}

// assign copies a value of package abi's anonymous types into the vocabulary's types, which differ in names only.
func assign(to, from reflect.Value) {
	switch {
	case from.Type().AssignableTo(to.Type()):
		to.Set(from)
	case from.Kind() == reflect.Struct:
		for i := range from.NumField() {
			assign(to.Field(i), from.Field(i))
		}
	case from.Kind() == reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
		fallthrough
	case from.Kind() == reflect.Array:
		for i := range from.Len() {
			assign(to.Index(i), from.Index(i))
		}
	default:
		to.Set(from.Convert(to.Type()))
	}
}

// check finds values that the type on the chain cannot hold. Package abi would cut them to size or panic.
func check(t abi.Type, v reflect.Value) error {
	switch t.T {
	case abi.TupleTy:
		for i, element := range t.TupleElems {
			if err := check(*element, v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", t.TupleRawNames[i], err)
			}
		}
	case abi.SliceTy, abi.ArrayTy:
		for i := range v.Len() {
			if err := check(*t.Elem, v.Index(i)); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	case abi.UintTy:
		return checkInteger(t, v)
	}
	return nil
}

// checkInteger covers enums and the amounts that Go keeps as big integers; smaller integers fit by their Go type.
func checkInteger(t abi.Type, v reflect.Value) error {
	switch n := v.Interface().(type) {
	case *big.Int:
		switch {
		case n == nil:
			return errors.New("missing")
		case n.Sign() < 0 || n.BitLen() > t.Size:
			return fmt.Errorf("%d is not in the range of %s", n, t)
		}
	case interface{ Valid() bool }:
		if !n.Valid() {
			return fmt.Errorf("%v is not known to the contract", n)
		}
	}
	return nil
}
