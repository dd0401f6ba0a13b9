package protocol_test

import (
	"bytes"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

const draws = 100 // random records per test

// pack is abi.encode of values of the comma-separated Solidity types.
func pack(t testing.TB, types string, values ...any) []byte {
	t.Helper()
	var args abi.Arguments
	for name := range strings.SplitSeq(types, ",") {
		typ, err := abi.NewType(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, abi.Argument{Type: typ})
	}
	return must[[]byte](t)(args.Pack(values...))
}

// records finds the contract's structs in its interface, by name.
func records(t *testing.T) map[string]abi.Type {
	t.Helper()
	file := must[*os.File](t)(os.Open("../internal/market/market.abi.json"))
	defer file.Close()
	market := must[abi.ABI](t)(abi.JSON(file))
	found := map[string]abi.Type{}
	var visit func(abi.Type)
	visit = func(typ abi.Type) {
		switch {
		case typ.Elem != nil:
			visit(*typ.Elem)
		case typ.T == abi.TupleTy:
			found[typ.TupleRawName] = typ
			for _, elem := range typ.TupleElems {
				visit(*elem)
			}
		}
	}
	for _, m := range market.Methods {
		for _, arg := range m.Inputs {
			visit(arg.Type)
		}
	}
	return found
}

func packRecord(t *testing.T, typ abi.Type, before abi.Arguments, values ...any) []byte {
	t.Helper()
	return must[[]byte](t)(append(before, abi.Argument{Type: typ}).Pack(values...))
}

func TestJobIDIsTheContracts(t *testing.T) {
	typ, ok := records(t)["Terms"]
	if !ok {
		t.Fatal("the contract's interface has no Terms")
	}
	number, _ := abi.NewType("uint256", "", nil)
	address, _ := abi.NewType("address", "", nil)
	c := newChance(1)
	for range draws {
		terms := protocol.Terms{
			Client: c.address(), Nonce: c.Uint32(), Pieces: c.Uint32(), CheckRate: uint16(c.Uint32()),
			Seats: uint8(c.Uint32()), ExecuteWindow: c.Uint32(), Expiry: c.Uint64(),
			Bid: c.amount(96), FuelPrice: c.amount(96), Fine: c.amount(96), Bond: c.amount(96),
			SpecRoot: c.hash(), SpecCID: c.hash(), Salt: c.hash(),
		}
		chain, contract := c.Uint64(), c.address()
		want := crypto.Keccak256Hash(packRecord(t, typ, abi.Arguments{{Type: number}, {Type: address}},
			new(big.Int).SetUint64(chain), contract, terms))
		if got := protocol.JobID(chain, contract, terms); got != want {
			t.Fatalf("%+v: got %s, want %s", terms, got, want)
		}
	}
}

func TestExecutionIDIsTheContracts(t *testing.T) {
	c := newChance(2)
	for range draws {
		parent, from := c.hash(), c.Uint32()
		want := crypto.Keccak256Hash(pack(t, "bytes32,uint32", parent, from))
		if got := protocol.ExecutionID(parent, from); got != want {
			t.Fatalf("(%s, %d): got %s, want %s", parent, from, got, want)
		}
	}
}

func TestLeafIsEncodedAsTheContractDoes(t *testing.T) {
	typ, ok := records(t)["Leaf"]
	if !ok {
		t.Fatal("the contract's interface has no Leaf")
	}
	c := newChance(3)
	for range draws {
		leaf := c.leaf()
		want := packRecord(t, typ, nil, leaf)
		if got := leaf.Encode(); !bytes.Equal(got, want) {
			t.Fatalf("%+v: encoded as\n%x, want\n%x", leaf, got, want)
		}
		if got := leaf.Hash(); got != crypto.Keccak256Hash(want) {
			t.Fatalf("%+v: hash %s, want %s", leaf, got, crypto.Keccak256Hash(want))
		}
	}
}

// An execution's record names its verification by hash; the view computes it from the event.
func TestVerificationHashIsTheContracts(t *testing.T) {
	typ, ok := records(t)["Verification"]
	if !ok {
		t.Fatal("the contract's interface has no Verification")
	}
	c := newChance(4)
	s := newStory(t)
	run := s.assign("alice", 0, 4)
	s.commit(run)
	for i := range draws {
		check := protocol.Verification{
			Bid: c.amount(96), Hits: c.Uint32(), Target: c.Uint64(), Deadline: c.Uint64(),
			Escalated: c.Uint32(), ThirdTarget: c.Uint64(), ThirdDeadline: c.Uint64(),
			Outcome: protocol.Outcome(c.UintN(6)), Revealed: c.Uint32(), Results: c.hash(), Listed: []*big.Int{},
		}
		for range i % 5 {
			check.Listed = append(check.Listed, c.hash().Big())
		}
		want := crypto.Keccak256Hash(packRecord(t, typ, nil, check))
		s.fold(protocol.VerificationEscalated{Execution: run, Verification: check})
		if got := s.view.Runs[run].Record.Verification; got != want {
			t.Fatalf("%+v: got %s, want %s", check, got, want)
		}
	}
}

func TestResultDigestBindsEveryField(t *testing.T) {
	result := protocol.Result{ExitCode: 3, Fuel: 1 << 40, Outputs: named("outputs"), Memory: named("memory")}
	salt, index, profile := named("salt"), uint32(9), uint32(1)
	want := crypto.Keccak256Hash(pack(t, "bytes32,uint256,bytes32,uint256,uint256,uint256,bytes32,bytes32",
		named("bacalhau/result/1"), big.NewInt(1), salt, big.NewInt(9), big.NewInt(3), big.NewInt(1<<40),
		result.Outputs, result.Memory))
	if got := result.Digest(salt, index, profile); got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	digests := map[common.Hash]string{}
	for name, digest := range map[string]common.Hash{
		"original":  want,
		"salt":      result.Digest(named("other"), index, profile),
		"index":     result.Digest(salt, index+1, profile),
		"profile":   result.Digest(salt, index, profile+1),
		"exit code": protocol.Result{ExitCode: 4, Fuel: 1 << 40, Outputs: result.Outputs, Memory: result.Memory}.Digest(salt, index, profile),
		"fuel":      protocol.Result{ExitCode: 3, Fuel: 1<<40 + 1, Outputs: result.Outputs, Memory: result.Memory}.Digest(salt, index, profile),
		"outputs":   protocol.Result{ExitCode: 3, Fuel: 1 << 40, Memory: result.Memory}.Digest(salt, index, profile),
		"memory":    protocol.Result{ExitCode: 3, Fuel: 1 << 40, Outputs: result.Outputs}.Digest(salt, index, profile),
	} {
		if other, known := digests[digest]; known {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		digests[digest] = name
	}
}
