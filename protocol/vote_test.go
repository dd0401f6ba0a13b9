package protocol_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

func TestWitnessBindsTheMemoryAndTheJury(t *testing.T) {
	result := protocol.Result{ExitCode: 3, Fuel: 1 << 40, Outputs: named("outputs"), Memory: named("memory")}
	salt, keyed := named("jury"), named("keyed memory")
	want := crypto.Keccak256Hash(pack(t, "bytes32,bytes32,uint256,uint256,uint256,bytes32,bytes32",
		named("bacalhau/witness/1"), salt, big.NewInt(9), big.NewInt(3), big.NewInt(1<<40), result.Outputs, keyed))
	if got := result.Witness(salt, 9, keyed); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	other := result
	other.Memory = named("other")
	if other.Witness(salt, 9, keyed) != want {
		t.Error("the published memory hash is part of the witness")
	}
	for name, witness := range map[string]common.Hash{
		"salt":   result.Witness(named("other"), 9, keyed),
		"index":  result.Witness(salt, 8, keyed),
		"memory": result.Witness(salt, 9, result.Memory),
	} {
		if witness == want {
			t.Errorf("another %s gives the same witness", name)
		}
	}
}

// keccak256(abi.encode(chainid, contract, execution, juror, vote, nonce)), as the contract opens it.
func TestVoteCommitmentIsTheContracts(t *testing.T) {
	typ, ok := records(t)["Vote"]
	if !ok {
		t.Fatal("the contract's interface has no Vote")
	}
	c := newChance(5)
	for range draws {
		vote := protocol.Vote{Digest: c.hash(), Fuel: c.Uint64(), Witness: c.hash()}
		contract, execution, juror, nonce := c.address(), c.hash(), c.address(), c.hash()
		want := crypto.Keccak256Hash(
			pack(t, "uint256,address,bytes32,address", big.NewInt(314), contract, execution, juror),
			packRecord(t, typ, nil, vote), nonce[:])
		if got := vote.Commitment(314, contract, execution, juror, nonce); got != want {
			t.Fatalf("%+v: got %s, want %s", vote, got, want)
		}
	}
}

func TestStandsByIsWhatTheContractCompares(t *testing.T) {
	want := crypto.Keccak256Hash(pack(t, "bytes32,uint64", named("digest"), uint64(7)))
	if got := protocol.StandsBy(named("digest"), 7); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
