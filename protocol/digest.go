package protocol

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

var resultDomain = crypto.Keccak256Hash([]byte("bacalhau/result/1"))

// Result is what running one piece gives, reduced to what is compared.
type Result struct {
	ExitCode uint32 `json:"exitCode"`
	// Fuel the piece used, under the execution profile of the spec.
	Fuel uint64 `json:"fuel"`
	// Outputs is the sha2-256 digest of the CID of the plain output directory.
	Outputs common.Hash `json:"outputs"`
	// Memory is the hash of the guest's final linear memory: even a one-bit answer cannot be guessed.
	Memory common.Hash `json:"memory"`
}

// Digest binds a result to its job and piece. The salt makes an older job's digest worthless here, and the execution
// profile keeps results of different instrumentation apart.
func (r Result) Digest(salt common.Hash, index, profile uint32) common.Hash {
	return words{}.hash(resultDomain).uint(uint64(profile)).hash(salt).uint(uint64(index)).
		uint(uint64(r.ExitCode)).uint(r.Fuel).hash(r.Outputs).hash(r.Memory).keccak()
}

var randomDomain = crypto.Keccak256Hash([]byte("bacalhau/random/1"))

// RandomSeed seeds the random numbers that a program sees: the same for everyone who runs the piece.
func RandomSeed(salt common.Hash, index uint32) common.Hash {
	return words{}.hash(randomDomain).hash(salt).uint(uint64(index)).keccak()
}
