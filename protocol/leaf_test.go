package protocol_test

import (
	"math/big"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

func TestDecodeLeafIsTheInverseOfEncode(t *testing.T) {
	c := newChance(8)
	var leaves []protocol.Leaf
	var raw []byte
	for range draws {
		leaf := c.leaf()
		got, err := protocol.DecodeLeaf(leaf.Encode())
		if err != nil || !reflect.DeepEqual(got, leaf) {
			t.Fatalf("got %+v, %v, want %+v", got, err, leaf)
		}
		leaves, raw = append(leaves, leaf), append(raw, leaf.Encode()...)
	}
	if got, err := protocol.DecodeLeaves(raw); err != nil || !reflect.DeepEqual(got, leaves) {
		t.Errorf("all together: %v", err)
	}
	if got, err := protocol.DecodeLeaves(nil); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
}

// A leaf whose words say more than its fields can hold has another hash than the leaf it would decode to.
func TestDecodeLeafRefusesWhatEncodeNeverGives(t *testing.T) {
	leaf := newChance(9).leaf()
	for word, least := range map[int]uint{0: 32, 2: 8, 4: 64} {
		for bit := least; bit < 256; bit++ {
			raw := leaf.Encode()
			field := raw[32*word : 32*word+32]
			new(big.Int).SetBit(new(big.Int).SetBytes(field), int(bit), 1).FillBytes(field)
			if _, err := protocol.DecodeLeaf(raw); err == nil || err.Error() != "leaf has numbers out of range" {
				t.Fatalf("word %d, bit %d: %v", word, bit, err)
			}
		}
	}
	for _, size := range []int{0, 1, protocol.LeafBytes - 1, protocol.LeafBytes + 1, 2 * protocol.LeafBytes} {
		if _, err := protocol.DecodeLeaf(make([]byte, size)); err == nil {
			t.Errorf("%d bytes were decoded", size)
		}
	}
	if _, err := protocol.DecodeLeaves(make([]byte, protocol.LeafBytes+1)); err == nil || err.Error() != "leaves have 193 bytes, which is no multiple of 192" {
		t.Errorf("got %v", err)
	}
	bad := append(leaf.Encode(), make([]byte, protocol.LeafBytes)...)
	bad[protocol.LeafBytes] = 1
	if _, err := protocol.DecodeLeaves(bad); err == nil {
		t.Error("a bad second leaf was decoded")
	}
}

func TestRandomSeedBelongsToOnePiece(t *testing.T) {
	want := crypto.Keccak256Hash(pack(t, "bytes32,bytes32,uint256", named("bacalhau/random/1"), named("salt"), big.NewInt(7)))
	if got := protocol.RandomSeed(named("salt"), 7); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	seen := map[common.Hash]bool{}
	for _, salt := range []string{"salt", "pepper"} {
		for i := range uint32(50) {
			seen[protocol.RandomSeed(named(salt), i)] = true
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d seeds for 100 pieces", len(seen))
	}
}
