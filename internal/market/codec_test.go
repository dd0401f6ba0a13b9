package market

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

const rounds = 50

func all(abi.Argument) bool           { return true }
func isIndexed(a abi.Argument) bool   { return a.Indexed }
func isUnindexed(a abi.Argument) bool { return !a.Indexed }

func source() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// encodeLog builds a log with package abi alone.
func encodeLog(t *testing.T, e abi.Event, v reflect.Value) ([]common.Hash, []byte) {
	t.Helper()
	query := [][]any{{e.ID}}
	for _, field := range fieldsOf(v, e.Inputs, isIndexed) {
		query = append(query, []any{field})
	}
	made, err := abi.MakeTopics(query...)
	if err != nil {
		t.Fatal(err)
	}
	var topics []common.Hash
	for _, alternatives := range made {
		topics = append(topics, alternatives[0])
	}
	data, err := e.Inputs.NonIndexed().Pack(fieldsOf(v, e.Inputs, isUnindexed)...)
	if err != nil {
		t.Fatal(err)
	}
	return topics, data
}

func TestEveryEventRoundTrips(t *testing.T) {
	if got, want := len(protocol.Events()), len(contract().Events); got != want {
		t.Fatalf("%d events in Go, %d in the contract", got, want)
	}
	r := source()
	for _, zero := range protocol.Events() {
		e := contract().Events[zero.Name()]
		for range rounds {
			want := random(t, r, zero, e.Inputs)
			topics, data := encodeLog(t, e, want)
			got, err := DecodeLog(topics, data)
			if err != nil {
				t.Fatalf("%s: %v", zero.Name(), err)
			}
			if !reflect.DeepEqual(got, want.Interface()) {
				t.Fatalf("%s:\n got %+v\nwant %+v", zero.Name(), got, want)
			}
		}
	}
}

// Events are kept as JSON.
func TestEveryEventSurvivesJSON(t *testing.T) {
	r := source()
	for _, zero := range protocol.Events() {
		want := random(t, r, zero, contract().Events[zero.Name()].Inputs)
		text, err := json.Marshal(want.Interface())
		if err != nil {
			t.Fatal(err)
		}
		got := reflect.New(want.Type())
		if err := json.Unmarshal(text, got.Interface()); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(got.Elem().Interface(), want.Interface()) {
			t.Fatalf("%s:\n got %+v\nwant %+v", text, got.Elem(), want)
		}
	}
}

func TestEveryCallRoundTrips(t *testing.T) {
	changing := 0
	for _, m := range contract().Methods {
		if !m.IsConstant() {
			changing++
		}
	}
	if got := len(protocol.Calls()); got != changing {
		t.Fatalf("%d calls in Go, %d state-changing functions in the contract", got, changing)
	}
	r := source()
	for _, zero := range protocol.Calls() {
		for range rounds {
			want := random(t, r, zero, contract().Methods[zero.Method()].Inputs)
			data, err := contract().Pack(zero.Method(), fieldsOf(want, contract().Methods[zero.Method()].Inputs, all)...)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := EncodeCall(want.Interface().(protocol.Call))
			if err != nil {
				t.Fatalf("encode %s: %v", zero.Method(), err)
			}
			if !bytes.Equal(encoded, data) {
				t.Fatalf("%s:\n got %x\nwant %x", zero.Method(), encoded, data)
			}
			got, err := DecodeCall(data)
			if err != nil {
				t.Fatalf("decode %s: %v", zero.Method(), err)
			}
			if !reflect.DeepEqual(got, want.Interface()) {
				t.Fatalf("%s:\n got %+v\nwant %+v", zero.Method(), got, want)
			}
		}
	}
}

func TestEveryErrorRoundTrips(t *testing.T) {
	if got, want := len(protocol.Errors()), len(contract().Errors); got != want {
		t.Fatalf("%d errors in Go, %d in the contract", got, want)
	}
	r := source()
	for _, zero := range protocol.Errors() {
		e := contract().Errors[reflect.TypeOf(zero).Name()]
		for range rounds {
			want := random(t, r, zero, e.Inputs)
			data, err := e.Inputs.Pack(fieldsOf(want, e.Inputs, all)...)
			if err != nil {
				t.Fatal(err)
			}
			got := DecodeError(append(e.ID.Bytes()[:4], data...))
			if !reflect.DeepEqual(got, want.Interface()) {
				t.Fatalf("%s:\n got %+v\nwant %+v", e.Name, got, want)
			}
			for _, input := range e.Inputs {
				if !strings.Contains(got.Error(), input.Name) {
					t.Fatalf("%q does not name %s", got, input.Name)
				}
			}
		}
	}
}

// The words are written out by hand: package abi has no part in this one.
func TestDecodeLogOfKnownBytes(t *testing.T) {
	execution, node := common.Hash{31: 7}, common.Address{19: 9}
	amount := make([]byte, 32)
	amount[31] = 5
	topics := []common.Hash{
		crypto.Keccak256Hash([]byte("Slashed(bytes32,uint8,address,uint96)")),
		execution, {31: 3}, common.BytesToHash(node[:]),
	}
	got, err := DecodeLog(topics, amount)
	if err != nil {
		t.Fatal(err)
	}
	want := protocol.Slashed{Execution: execution, Seat: 3, Node: node, Amount: big.NewInt(5)}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestForeign(t *testing.T) {
	if _, err := DecodeLog(nil, nil); !errors.Is(err, ErrForeign) {
		t.Errorf("log without topics: %v", err)
	}
	if _, err := DecodeLog([]common.Hash{{1}}, nil); !errors.Is(err, ErrForeign) {
		t.Errorf("unknown topic: %v", err)
	}
	for _, data := range [][]byte{nil, {1, 2, 3}, {1, 2, 3, 4, 5}, contract().Methods["burned"].ID} {
		if _, err := DecodeCall(data); !errors.Is(err, ErrForeign) {
			t.Errorf("calldata %x: %v", data, err)
		}
	}
}

func TestMalformedLogs(t *testing.T) {
	e := contract().Events["SeatChanged"]
	topics, data := encodeLog(t, e, random(t, source(), protocol.SeatChanged{}, e.Inputs))
	drawn := contract().Events["SeatDrawn"]
	drawnTopics, drawnData := encodeLog(t, drawn, random(t, source(), protocol.SeatDrawn{}, drawn.Inputs))
	const statusWord = 2
	damage := func(change func([]byte)) []byte {
		damaged := bytes.Clone(data)
		change(damaged)
		return damaged
	}
	for name, log := range map[string]struct {
		topics []common.Hash
		data   []byte
	}{
		"no data":         {topics, nil},
		"short":           {topics, data[:len(data)-1]},
		"long":            {topics, append(bytes.Clone(data), make([]byte, 32)...)},
		"unknown status":  {topics, damage(func(b []byte) { b[32*statusWord+31] = 200 })},
		"wide status":     {topics, damage(func(b []byte) { b[32*statusWord+30] = 1 })},
		"topic missing":   {topics[:2], data},
		"topic too many":  {append(topics[:3:3], common.Hash{}), data},
		"dirty address":   {append(drawnTopics[:3:3], common.Hash{0: 1}), drawnData},
		"number too wide": {append(topics[:2:2], common.Hash{30: 1}), data},
	} {
		if got, err := DecodeLog(log.topics, log.data); err == nil || errors.Is(err, ErrForeign) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestAmountTooWideForItsType(t *testing.T) {
	wide := new(big.Int).Lsh(big.NewInt(1), 96)
	for _, amount := range []*big.Int{nil, big.NewInt(-1), wide} {
		if _, err := EncodeCall(protocol.Withdraw{Amount: amount}); err == nil {
			t.Errorf("amount %v was encoded", amount)
		}
	}
	most := new(big.Int).Sub(wide, big.NewInt(1))
	data, err := EncodeCall(protocol.Withdraw{Amount: most})
	if err != nil {
		t.Fatal(err)
	}
	data[4+19] = 1 // 2^96
	if got, err := DecodeCall(data); err == nil {
		t.Errorf("decoded %+v", got)
	}
}

func TestEncodeCallNamesTheBadField(t *testing.T) {
	call := random(t, source(), protocol.RevealKey{}, contract().Methods["revealKey"].Inputs).Interface().(protocol.RevealKey)
	call.Reveal.Openings[2].Sx = nil
	_, err := EncodeCall(call)
	if err == nil || !strings.Contains(err.Error(), "reveal: openings: [2]: sx: missing") {
		t.Errorf("got %v", err)
	}
	call = random(t, source(), protocol.RevealKey{}, contract().Methods["revealKey"].Inputs).Interface().(protocol.RevealKey)
	call.Execution.Status = 99
	if _, err := EncodeCall(call); err == nil || !strings.Contains(err.Error(), "execution: status") {
		t.Errorf("got %v", err)
	}
}

func TestEncodeCallTakesPointersAndRefusesNothing(t *testing.T) {
	got, err := EncodeCall(&protocol.Withdraw{Amount: big.NewInt(1)})
	want, _ := EncodeCall(protocol.Withdraw{Amount: big.NewInt(1)})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("pointer: %x, %v", got, err)
	}
	for _, call := range []protocol.Call{nil, (*protocol.Withdraw)(nil)} {
		if _, err := EncodeCall(call); err == nil {
			t.Errorf("%#v was encoded", call)
		}
	}
}

func TestDecodeErrorOfTheLanguage(t *testing.T) {
	reason := append(crypto.Keccak256([]byte("Error(string)"))[:4], common.FromHex(
		"0000000000000000000000000000000000000000000000000000000000000020"+
			"0000000000000000000000000000000000000000000000000000000000000002"+
			"6e6f000000000000000000000000000000000000000000000000000000000000")...)
	overflow := append(crypto.Keccak256([]byte("Panic(uint256)"))[:4], common.Hash{31: 0x11}.Bytes()...)
	stale := contract().Errors["StaleRecord"].ID
	for _, test := range []struct {
		data []byte
		want string
	}{
		{nil, "without a reason"},
		{reason, "reverted: no"},
		{overflow, "overflow"},
		{[]byte{1, 2, 3}, "unknown error 0x010203"},
		{make([]byte, 1000), "(1000 bytes)"},
		{stale[:4], "malformed StaleRecord"},
	} {
		if err := DecodeError(test.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%x: got %v, want %q", test.data, err, test.want)
		}
	}
}

// Whatever decodes must encode to the same bytes; the rest must be an error.
func TestRandomBytesNeverPanic(t *testing.T) {
	r := source()
	decoded := 0
	for _, zero := range protocol.Calls() {
		m := contract().Methods[zero.Method()]
		for range 20 * rounds {
			v := random(t, r, zero, m.Inputs)
			data, err := EncodeCall(v.Interface().(protocol.Call))
			if err != nil {
				t.Fatal(err)
			}
			data = mutate(r, data)
			call, err := DecodeCall(data)
			if err != nil {
				continue
			}
			decoded++
			if again, err := EncodeCall(call); err != nil || !bytes.Equal(again, data) {
				t.Fatalf("%x decodes to %+v, which encodes to %x (%v)", data, call, again, err)
			}
		}
	}
	if decoded == 0 {
		t.Error("no mutated call decoded: the test reaches nothing")
	}
	for _, e := range contract().Events {
		for range 5 * rounds {
			topics := []common.Hash{e.ID}
			for range r.IntN(4) {
				topics = append(topics, common.BytesToHash(randomWords(r, 1)))
			}
			DecodeLog(topics, mutate(r, randomWords(r, r.IntN(20))))
		}
	}
	for _, e := range contract().Errors {
		for range rounds {
			if DecodeError(append(e.ID.Bytes()[:4], mutate(r, randomWords(r, r.IntN(5)))...)) == nil {
				t.Fatalf("no error for a revert with %s", e.Name)
			}
		}
	}
}

// mutate changes, cuts or lengthens; words that look like offsets and lengths reach deepest.
func mutate(r *rand.Rand, data []byte) []byte {
	for range 1 + r.IntN(3) {
		switch word := 4 + 32*r.IntN(len(data)/32+1); {
		case word+32 > len(data):
			data = append(data, randomBytes(r, r.IntN(40))...)
		case r.IntN(4) == 0:
			data = data[:word+r.IntN(32)]
		case r.IntN(2) == 0:
			copy(data[word:], randomWords(r, 1))
		default:
			data[4+r.IntN(len(data)-4)] ^= byte(1 << r.IntN(8))
		}
	}
	return data
}

// randomWords returns 32-byte words, most of them small numbers, some enormous.
func randomWords(r *rand.Rand, n int) []byte {
	words := make([]byte, 0, 32*n)
	for range n {
		var word common.Hash
		switch r.IntN(4) {
		case 0:
			copy(word[:], randomBytes(r, 32))
		case 1:
			binary.BigEndian.PutUint64(word[24:], r.Uint64())
		default:
			binary.BigEndian.PutUint64(word[24:], 32*r.Uint64N(20))
		}
		words = append(words, word[:]...)
	}
	return words
}

func FuzzDecode(f *testing.F) {
	for _, zero := range protocol.Calls() {
		f.Add(append(contract().Methods[zero.Method()].ID, make([]byte, 320)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if call, err := DecodeCall(data); err == nil {
			if again, err := EncodeCall(call); err != nil || !bytes.Equal(again, data) {
				t.Fatalf("%x decodes to %+v, which encodes to %x (%v)", data, call, again, err)
			}
		}
		if DecodeError(data) == nil {
			t.Fatal("a revert without an error")
		}
		for topic, e := range events() {
			topics := []common.Hash{topic}
			for i := range e.topics.fields {
				topics = append(topics, common.BytesToHash(data[min(len(data), 32*i):min(len(data), 32*i+32)]))
			}
			DecodeLog(topics, data)
		}
	})
}
