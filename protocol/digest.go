package protocol

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

var resultDomain = crypto.Keccak256Hash([]byte("bacalhau/result/1"))

// Result is what running one piece gives, reduced to what is compared.
type Result struct {
	ExitCode uint32
	// Fuel the piece used, under the execution profile of the spec.
	Fuel uint64
	// Outputs is the sha2-256 digest of the CID of the plain output directory.
	Outputs common.Hash
	// Memory is the hash of the guest's final linear memory: even a one-bit answer cannot be guessed.
	Memory common.Hash
}

// Digest binds a result to its job and piece. The salt makes an older job's digest worthless here, and the execution
// profile keeps results of different instrumentation apart.
func (r Result) Digest(salt common.Hash, index, profile uint32) common.Hash {
	return words{}.hash(resultDomain).uint(uint64(profile)).hash(salt).uint(uint64(index)).
		uint(uint64(r.ExitCode)).uint(r.Fuel).hash(r.Outputs).hash(r.Memory).keccak()
}
