// Package market speaks the contract's binary interface: it is the only place that knows how calls, events and errors
// look on the chain.
package market

import (
	_ "embed"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

var (
	//go:embed market.abi.json
	interfaceJSON string
	//go:embed market.bin
	marketHex string
	//go:embed accounts.bin
	accountsHex string
	//go:embed verifications.bin
	verificationsHex string
	//go:embed disputes.bin
	disputesHex string
	//go:embed appeals.bin
	appealsHex string
)

const selectorLength = 4

type selector [selectorLength]byte

// The vocabulary with its encodings, made when it is first needed: processes that only run programs never need it, and
// are started for every piece.
var (
	contract = sync.OnceValue(func() abi.ABI { return parse(interfaceJSON) })
	events   = sync.OnceValue(func() map[common.Hash]event { return bindEvents(contract()) })
	calls    = sync.OnceValue(func() map[string]message { return bindCalls(contract()) })
	methods  = sync.OnceValue(func() map[selector]message { return bySelector(calls()) })
	reverts  = sync.OnceValue(func() map[selector]message { return bindErrors(contract()) })
)

// event binds a Go type to an event. Indexed fields travel as topics, the others as data.
type event struct {
	typ             reflect.Type
	topic           common.Hash
	topics, content layout
}

// message binds a Go type to something that starts with a selector: a call or an error.
type message struct {
	typ      reflect.Type
	selector selector
	content  layout
}

// Creation returns what to send, to no address, to deploy a contract with these parameters, and with these parts if it
// is the market itself.
func Creation(codeHex string, params protocol.Parameters, parts ...common.Address) ([]byte, error) {
	arguments, err := wholeOf(contract().Methods["parameters"].Outputs).pack(reflect.ValueOf(struct{ P protocol.Parameters }{params}))
	if err != nil {
		return nil, fmt.Errorf("constructor: %w", err)
	}
	code := append(decodeHex(codeHex), arguments...)
	for _, part := range parts {
		code = append(code, common.LeftPadBytes(part.Bytes(), 32)...)
	}
	return code, nil
}

// The functions below run once, on constants that the tests cover; failing there is a defect of the build.

func parse(text string) abi.ABI {
	a, err := abi.JSON(strings.NewReader(text))
	if err != nil {
		panic(fmt.Sprintf("market.abi.json: %v", err))
	}
	return a
}

func decodeHex(text string) []byte {
	code, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		panic(fmt.Sprintf("creation code: %v", err))
	}
	return code
}

func bindEvents(a abi.ABI) map[common.Hash]event {
	bound := make(map[common.Hash]event)
	for _, zero := range protocol.Events() {
		e, typ := a.Events[zero.Name()], reflect.TypeOf(zero)
		mustMatch(zero.Name(), typ, e.Inputs)
		indexed, plain := split(e.Inputs)
		bound[e.ID] = event{typ: typ, topic: e.ID, topics: indexed, content: plain}
	}
	return bound
}

func bindCalls(a abi.ABI) map[string]message {
	bound := make(map[string]message)
	for _, zero := range protocol.Calls() {
		m, typ := a.Methods[zero.Method()], reflect.TypeOf(zero)
		mustMatch(zero.Method(), typ, m.Inputs)
		bound[zero.Method()] = message{typ: typ, selector: selector(m.ID), content: wholeOf(m.Inputs)}
	}
	return bound
}

func bySelector(bound map[string]message) map[selector]message {
	index := make(map[selector]message)
	for _, m := range bound {
		index[m.selector] = m
	}
	return index
}

func bindErrors(a abi.ABI) map[selector]message {
	bound := make(map[selector]message)
	for _, zero := range protocol.Errors() {
		typ := reflect.TypeOf(zero)
		e := a.Errors[typ.Name()]
		mustMatch(typ.Name(), typ, e.Inputs)
		s := selector(e.ID[:selectorLength])
		bound[s] = message{typ: typ, selector: s, content: wholeOf(e.Inputs)}
	}
	return bound
}

// mustMatch panics unless the Go type has exactly the contract's fields in the contract's order.
func mustMatch(name string, typ reflect.Type, inputs abi.Arguments) {
	same := typ.NumField() == len(inputs)
	for i := 0; same && i < len(inputs); i++ {
		same = typ.Field(i).Tag.Get("abi") == inputs[i].Name
	}
	if !same {
		panic(fmt.Sprintf("%s differs between protocol/vocab.gen.go and market.abi.json; run tools/vocab", name))
	}
}
