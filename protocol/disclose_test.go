package protocol_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// sealed is a document of three pieces with a node's leaves of the last two and their scalars.
func sealed(t *testing.T) (*protocol.Document, []protocol.Leaf, []common.Hash) {
	t.Helper()
	d := must[*protocol.Document](t)(protocol.NewDocument(spec(), piecesOf(3)))
	var leaves []protocol.Leaf
	var scalars []common.Hash
	for piece := uint32(1); piece < 3; piece++ {
		r := numbered("r", uint64(piece))
		b := binding
		b.Index = piece
		s, _, err := protocol.Seal(numbered("digest", uint64(piece)), r, d.PublicKey(piece), b)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, protocol.Leaf{Index: piece, Rx: s.Rx, Parity: s.Parity, C: s.C, Fuel: uint64(piece)})
		scalars = append(scalars, r)
	}
	return d, leaves, scalars
}

// What a node discloses is what the contract needs to read its digest: r·G is R, and r·PK undoes the mask.
func TestDiscloseOpensTheCommitment(t *testing.T) {
	d, leaves, scalars := sealed(t)
	tree := must[*protocol.SumTree](t)(protocol.LeavesTree(leaves))
	for i, piece := range []uint32{1, 2} {
		got := must[protocol.Disclosure](t)(d.Disclose(piece, leaves, i, scalars[i]))
		curve := crypto.S256()
		rx, ry := curve.ScalarBaseMult(got.R.Bytes())
		if leaf := got.Opening.Leaf; leaf.Rx.Cmp(rx) != 0 || uint(leaf.Parity) != ry.Bit(0) {
			t.Errorf("piece %d: r is not the leaf's", piece)
		}
		sx, sy := curve.ScalarMult(got.Pkx, got.Pky, got.R.Bytes())
		if got.Opening.Sx.Cmp(sx) != 0 || got.Opening.Sy.Cmp(sy) != 0 {
			t.Errorf("piece %d: S is not r·PK", piece)
		}
		mask := crypto.Keccak256Hash(pack(t, "uint256,uint256,uint256,address,bytes32,uint32,address",
			sx, sy, new(big.Int).SetUint64(binding.ChainID), binding.Contract, binding.Execution, piece, binding.Node))
		if digest := xor(got.Opening.Leaf.C, mask); digest != numbered("digest", uint64(piece)) {
			t.Errorf("piece %d: the contract reads %s", piece, digest)
		}
		leaf := protocol.Sum{Hash: leaves[i].Hash(), Sum: leaves[i].Fuel}
		if !protocol.VerifySum(tree.Root(), leaf, uint32(i), 2, got.Opening.Proof) {
			t.Errorf("piece %d: the leaf is not under the root", piece)
		}
		key := crypto.Keccak256(common.BigToHash(got.Pkx).Bytes(), common.BigToHash(got.Pky).Bytes())
		entry := crypto.Keccak256Hash(pack(t, "uint32,bytes32,address", piece, got.SpecDigest, common.BytesToAddress(key[12:])))
		if !protocol.VerifySum(protocol.Sum{Hash: d.Root()}, protocol.Sum{Hash: entry}, piece, 3, got.SpecProof) {
			t.Errorf("piece %d: the spec does not have this key", piece)
		}
	}
}

func TestDiscloseRefuses(t *testing.T) {
	d, leaves, scalars := sealed(t)
	for name, c := range map[string]struct {
		piece    uint32
		leaves   []protocol.Leaf
		position int
		r        common.Hash
	}{
		"no leaf 2 among 2":             {2, leaves, 2, scalars[1]},
		"no leaf -1 among 2":            {2, leaves, -1, scalars[1]},
		"no leaf 0 among 0":             {2, nil, 0, scalars[1]},
		"the spec has no piece 3":       {3, leaves, 1, scalars[1]},
		"ephemeral scalar out of range": {2, leaves, 1, common.Hash{}},
	} {
		if _, err := d.Disclose(c.piece, c.leaves, c.position, c.r); err == nil || err.Error() != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	leaves[0].Fuel = 1<<64 - 1
	if _, err := protocol.OpeningAt(leaves, 0); err == nil || err.Error() != "merkle tree: the sum exceeds 2^64" {
		t.Errorf("overflowing fuel: %v", err)
	}
}
