package protocol

import (
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
)

// OpeningAt opens the leaf at a position of a seat's own leaves, without the shared point: the answer to a challenge.
func OpeningAt(leaves []Leaf, position int) (Opening, error) {
	if position < 0 || position >= len(leaves) {
		return Opening{}, fmt.Errorf("no leaf %d among %d", position, len(leaves))
	}
	tree, err := LeavesTree(leaves)
	if err != nil {
		return Opening{}, err
	}
	return Opening{Leaf: leaves[position], Proof: tree.Proof(position), Sx: new(big.Int), Sy: new(big.Int)}, nil
}

// Disclose opens the leaf of a piece at a position of a seat's own leaves with the leaf's ephemeral scalar r, as openSelf
// wants it.
func (d *Document) Disclose(piece uint32, leaves []Leaf, position int, r common.Hash) (Disclosure, error) {
	opening, err := OpeningAt(leaves, position)
	if err != nil {
		return Disclosure{}, err
	}
	if int(piece) >= len(d.keys) {
		return Disclosure{}, fmt.Errorf("the spec has no piece %d", piece)
	}
	var scalar secp256k1.ModNScalar
	if overflow := scalar.SetBytes((*[32]byte)(&r)); overflow != 0 || scalar.IsZero() {
		return Disclosure{}, fmt.Errorf("ephemeral scalar out of range")
	}
	pk := d.PublicKey(piece)
	shared := multiply(&scalar, pk)
	opening.Sx, opening.Sy = shared.X(), shared.Y()
	digest, proof := d.Proof(piece)
	return Disclosure{
		Piece: piece, R: r.Big(), Pkx: pk.X(), Pky: pk.Y(), SpecDigest: digest, SpecProof: proof, Opening: opening,
	}, nil
}
