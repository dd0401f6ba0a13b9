package protocol_test

import (
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// named is a hash that stands for text.
func named(text string) common.Hash { return crypto.Keccak256Hash([]byte(text)) }

// wallet is an address that stands for text.
func wallet(text string) common.Address { return common.BytesToAddress(crypto.Keccak256([]byte(text))) }

// numbered is a hash that stands for (text, n).
func numbered(text string, n uint64) common.Hash {
	return crypto.Keccak256Hash([]byte(text), binary.BigEndian.AppendUint64(nil, n))
}

// chance gives the same random values in every run.
type chance struct{ *rand.Rand }

func newChance(seed uint64) chance { return chance{rand.New(rand.NewPCG(seed, 0))} }

func (c chance) hash() (h common.Hash) {
	for i := range h {
		h[i] = byte(c.Uint32())
	}
	return h
}

func (c chance) address() common.Address { return common.BytesToAddress(c.hash().Bytes()) }

// amount is a number of up to bits bits.
func (c chance) amount(bits uint) *big.Int {
	return new(big.Int).Rsh(c.hash().Big(), 256-1-uint(c.UintN(bits)))
}

func (c chance) leaf() protocol.Leaf {
	return protocol.Leaf{
		Index: c.Uint32(), Rx: c.hash().Big(), Parity: uint8(c.UintN(256)), C: c.hash(), Fuel: c.Uint64(), Output: c.hash(),
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func hexOf(pk *secp256k1.PublicKey) string { return hex.EncodeToString(pk.SerializeCompressed()) }
