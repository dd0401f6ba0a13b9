package market

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// ErrForeign says that a log or a call is not of the contract's vocabulary.
var ErrForeign = errors.New("not of the market contract")

// DecodeLog returns the event that a log carries, by value (protocol.JobCreated{…}). It fails with ErrForeign if the
// first topic is of no known event.
func DecodeLog(topics []common.Hash, data []byte) (protocol.Event, error) {
	if len(topics) == 0 {
		return nil, fmt.Errorf("log without topics: %w", ErrForeign)
	}
	e, ok := events()[topics[0]]
	if !ok {
		return nil, fmt.Errorf("log with topic %s: %w", topics[0], ErrForeign)
	}
	var words bytes.Buffer
	for _, topic := range topics[1:] {
		words.Write(topic[:])
	}
	decoded := reflect.New(e.typ).Elem()
	if err := e.topics.unpack(words.Bytes(), decoded); err != nil {
		return nil, fmt.Errorf("event %s: topics: %w", e.typ.Name(), err)
	}
	if err := e.content.unpack(data, decoded); err != nil {
		return nil, fmt.Errorf("event %s: %w", e.typ.Name(), err)
	}
	return decoded.Interface().(protocol.Event), nil
}

// EncodeCall returns the calldata of a call, given by value or pointer.
func EncodeCall(call protocol.Call) ([]byte, error) {
	from := reflect.ValueOf(call)
	if !from.IsValid() || from.Kind() == reflect.Pointer && from.IsNil() {
		return nil, errors.New("no call to encode")
	}
	m, ok := calls()[call.Method()]
	if from = reflect.Indirect(from); !ok || from.Type() != m.typ {
		return nil, fmt.Errorf("call %s: %w", call.Method(), ErrForeign)
	}
	arguments, err := m.content.pack(from)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", call.Method(), err)
	}
	return append(m.selector[:], arguments...), nil
}

// DecodeCall returns the call that calldata makes, by value. It fails with ErrForeign if the selector is of no known
// call.
func DecodeCall(data []byte) (protocol.Call, error) {
	m, ok := lookUp(methods(), data)
	if !ok {
		return nil, fmt.Errorf("calldata %s: %w", shorten(data), ErrForeign)
	}
	decoded := reflect.New(m.typ).Elem()
	if err := m.content.unpack(data[selectorLength:], decoded); err != nil {
		return nil, fmt.Errorf("call %s: %w", m.typ.Name(), err)
	}
	return decoded.Interface().(protocol.Call), nil
}

// DecodeError returns what a reverted call's data says: one of the protocol's error types by value
// (protocol.StaleRecord{…}), or an error with the best description there is. It is never nil.
func DecodeError(revertData []byte) error {
	if len(revertData) == 0 {
		return errors.New("reverted without a reason")
	}
	if reason, err := abi.UnpackRevert(revertData); err == nil {
		return fmt.Errorf("reverted: %s", reason)
	}
	m, ok := lookUp(reverts(), revertData)
	if !ok {
		return fmt.Errorf("reverted with an unknown error %s", shorten(revertData))
	}
	decoded := reflect.New(m.typ).Elem()
	if err := m.content.unpack(revertData[selectorLength:], decoded); err != nil {
		return fmt.Errorf("reverted with a malformed %s: %w", m.typ.Name(), err)
	}
	return decoded.Interface().(error)
}

func lookUp(in map[selector]message, data []byte) (message, bool) {
	if len(data) < selectorLength {
		return message{}, false
	}
	m, ok := in[selector(data[:selectorLength])]
	return m, ok
}

// shorten shows the first bytes of something that may be long.
func shorten(data []byte) string {
	const most = 36
	if len(data) <= most {
		return fmt.Sprintf("%#x", data)
	}
	return fmt.Sprintf("%#x… (%d bytes)", data[:most], len(data))
}

// MethodName is the name of the contract's function with a selector, or "other".
func MethodName(selector [4]byte) string {
	a := contract()
	m, err := a.MethodById(selector[:])
	if err != nil {
		return "other"
	}
	return m.Name
}
