package protocol

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

var witnessDomain = crypto.Keccak256Hash([]byte("bacalhau/witness/1"))

// Witness proves that a juror has the final memory of its own run of a piece: keyedMemory is that memory's hash with the
// jury's salt as key. The salt is younger than every published digest, so nothing published helps to make one up.
func (r Result) Witness(jurySalt common.Hash, index uint32, keyedMemory common.Hash) common.Hash {
	return words{}.hash(witnessDomain).hash(jurySalt).uint(uint64(index)).
		uint(uint64(r.ExitCode)).uint(r.Fuel).hash(r.Outputs).hash(keyedMemory).keccak()
}

// StandsBy is what the contract compares of a seat's result: keccak256(abi.encode(digest, fuel)).
func StandsBy(digest common.Hash, fuel uint64) common.Hash {
	return words{}.hash(digest).uint(fuel).keccak()
}

// Commitment seals a vote until it is revealed with the nonce; it is tied to the juror, so that a copy opens to nothing.
func (v Vote) Commitment(
	chainID uint64, contract common.Address, execution common.Hash, juror common.Address, nonce common.Hash,
) common.Hash {
	return words{}.uint(chainID).address(contract).hash(execution).address(juror).
		hash(v.Digest).uint(v.Fuel).hash(v.Witness).hash(nonce).keccak()
}
