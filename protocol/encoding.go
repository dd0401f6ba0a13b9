package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// words builds what Solidity's abi.encode gives for a list of static values: one 32-byte big-endian word each.
type words []byte

func (w words) hash(h common.Hash) words { return append(w, h[:]...) }

func (w words) address(a common.Address) words { return append(w, common.LeftPadBytes(a[:], 32)...) }

func (w words) uint(v uint64) words {
	var b [32]byte
	binary.BigEndian.PutUint64(b[24:], v)
	return append(w, b[:]...)
}

// big appends v, which must be in [0, 2^256); nil counts as zero.
func (w words) big(v *big.Int) words {
	var b [32]byte
	if v != nil {
		v.FillBytes(b[:])
	}
	return append(w, b[:]...)
}

func (w words) keccak() common.Hash { return crypto.Keccak256Hash(w) }

// JobID is the id the contract gives to a job with these terms: keccak256(abi.encode(chainid, contract, terms)).
func JobID(chainID uint64, contract common.Address, t Terms) common.Hash {
	return words{}.uint(chainID).address(contract).
		address(t.Client).uint(uint64(t.Nonce)).uint(uint64(t.Pieces)).uint(uint64(t.CheckRate)).
		uint(uint64(t.Seats)).uint(uint64(t.ExecuteWindow)).uint(t.Expiry).
		big(t.Bid).big(t.FuelPrice).big(t.Fine).big(t.Bond).
		hash(t.SpecRoot).hash(t.SpecCID).hash(t.Salt).keccak()
}

// ExecutionID is the id of the execution that takes its first piece `from` out of parent, which is a job's id or that
// of a returned execution: keccak256(abi.encode(parent, from)).
func ExecutionID(parent common.Hash, from uint32) common.Hash {
	return words{}.hash(parent).uint(uint64(from)).keccak()
}

// hash is keccak256(abi.encode(verification)), which an Execution carries.
func (v Verification) hash() common.Hash {
	const fields = 11
	w := words{}.uint(32). // offset of the tuple
				big(v.Bid).uint(uint64(v.Hits)).uint(32 * fields).uint(v.Target).uint(v.Deadline).
				uint(uint64(v.Escalated)).uint(v.ThirdTarget).uint(v.ThirdDeadline).
				uint(uint64(v.Outcome)).uint(uint64(v.Revealed)).hash(v.Results).
				uint(uint64(len(v.Listed)))
	for _, word := range v.Listed {
		w = w.big(word)
	}
	return w.keccak()
}

// Hash is keccak256(abi.encode(leaf)): the leaf's place in a Merkle-sum tree, and for one piece the commitment itself.
func (l Leaf) Hash() common.Hash {
	return words(l.Encode()).keccak()
}

// Encode is abi.encode(leaf): six words.
func (l Leaf) Encode() []byte {
	return words{}.uint(uint64(l.Index)).big(l.Rx).uint(uint64(l.Parity)).hash(l.C).uint(l.Fuel).hash(l.Output)
}

// LeafBytes is the length of an encoded leaf.
const LeafBytes = 6 * 32

// DecodeLeaf is the inverse of Leaf.Encode; it takes nothing but what Encode gives.
func DecodeLeaf(raw []byte) (Leaf, error) {
	if len(raw) != LeafBytes {
		return Leaf{}, fmt.Errorf("leaf has %d bytes, want %d", len(raw), LeafBytes)
	}
	word := func(i int) []byte { return raw[32*i : 32*(i+1)] }
	l := Leaf{
		Index:  binary.BigEndian.Uint32(word(0)[28:]),
		Rx:     new(big.Int).SetBytes(word(1)),
		Parity: word(2)[31],
		C:      common.BytesToHash(word(3)),
		Fuel:   binary.BigEndian.Uint64(word(4)[24:]),
		Output: common.BytesToHash(word(5)),
	}
	if !bytes.Equal(l.Encode(), raw) {
		return Leaf{}, errors.New("leaf has numbers out of range")
	}
	return l, nil
}

// DecodeLeaves reads leaves encoded one after the other.
func DecodeLeaves(raw []byte) ([]Leaf, error) {
	if len(raw)%LeafBytes != 0 {
		return nil, fmt.Errorf("leaves have %d bytes, which is no multiple of %d", len(raw), LeafBytes)
	}
	leaves := make([]Leaf, 0, len(raw)/LeafBytes)
	for i := 0; i < len(raw); i += LeafBytes {
		l, err := DecodeLeaf(raw[i : i+LeafBytes])
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, l)
	}
	return leaves, nil
}
