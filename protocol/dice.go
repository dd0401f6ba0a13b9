package protocol

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/ethereum/go-ethereum/common"
)

// lanes is how many pieces one hash decides, 16 bits each.
const lanes = 16

// SeedHash is what the client commits to when it assigns an execution: keccak256(abi.encode(seed)).
func SeedHash(seed common.Hash) common.Hash { return words{}.hash(seed).keccak() }

// Roll says which of count pieces of an execution are checked: offsets from its first piece, ascending. Piece k is a
// hit iff lane k mod 16 of keccak256(seed, root, execution, k div 16) is below checkRate (units of 2^-16). The seed
// was sealed before root existed, so neither side can steer.
func Roll(seed, root, execution common.Hash, count uint32, checkRate uint16) []uint32 {
	var hits []uint32
	for first := uint32(0); first < count; first += lanes {
		word := words{}.hash(seed).hash(root).hash(execution).uint(uint64(first / lanes)).keccak()
		for k := first; k < min(first+lanes, count); k++ {
			if binary.BigEndian.Uint16(word[2*(k%lanes):]) < checkRate {
				hits = append(hits, k)
			}
		}
	}
	return hits
}

// List is the bitmap form of offsets for an execution of count pieces: bit k mod 256 of word k div 256.
func List(offsets []uint32, count uint32) []*big.Int {
	listed := make([]*big.Int, (count+255)/256)
	for i := range listed {
		listed[i] = new(big.Int)
	}
	for _, k := range offsets {
		listed[k/256].SetBit(listed[k/256], int(k%256), 1)
	}
	return listed
}

// Offsets is the inverse of List.
func Offsets(listed []*big.Int) []uint32 {
	var offsets []uint32
	for w, word := range listed {
		for i, b := range word.Bits() {
			for ; b != 0; b &= b - 1 {
				offsets = append(offsets, uint32(w*256+i*bits.UintSize+bits.TrailingZeros(uint(b))))
			}
		}
	}
	return offsets
}
