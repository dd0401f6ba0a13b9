package protocol

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
)

// Binding is what a commitment is tied to, so that a copy of it decrypts to noise.
type Binding struct {
	ChainID   uint64
	Contract  common.Address
	Execution common.Hash
	Index     uint32
	Node      common.Address
}

// ErrUnreadable means that a ciphertext's R is no curve point: its digest equals nothing.
var ErrUnreadable = errors.New("unreadable commitment: R is not on the curve")

// Sealed is a digest that only the holder of the piece's private key can read; publishing it commits to the digest.
type Sealed struct {
	Rx     *big.Int
	Parity uint8
	C      common.Hash
}

// Shared is the affine point S = r·PK = sk·R that both ends know: x and y, 32 bytes each.
type Shared [64]byte

// X is the point's x coordinate.
func (s Shared) X() *big.Int { return new(big.Int).SetBytes(s[:32]) }

// Y is the point's y coordinate.
func (s Shared) Y() *big.Int { return new(big.Int).SetBytes(s[32:]) }

func (b Binding) mask(s Shared) common.Hash {
	return words(s[:]).uint(b.ChainID).address(b.Contract).hash(b.Execution).uint(uint64(b.Index)).address(b.Node).keccak()
}

// Seal encrypts digest to pk with the ephemeral scalar r (32 bytes, uniformly random). It fails for the r, about one
// in 2^128, whose R.x the contract cannot handle (R.x must be below the group order); draw another one then.
func Seal(digest common.Hash, r [32]byte, pk *secp256k1.PublicKey, b Binding) (Sealed, Shared, error) {
	var scalar secp256k1.ModNScalar
	if overflow := scalar.SetBytes(&r); overflow != 0 || scalar.IsZero() {
		return Sealed{}, Shared{}, fmt.Errorf("ephemeral scalar out of range")
	}
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(&scalar, &point)
	point.ToAffine()
	rx := new(big.Int).SetBytes(point.X.Bytes()[:])
	if rx.Cmp(secp256k1.Params().N) >= 0 {
		return Sealed{}, Shared{}, fmt.Errorf("ephemeral point out of range")
	}
	shared := multiply(&scalar, pk)
	return Sealed{Rx: rx, Parity: parityOf(&point), C: xor(digest, b.mask(shared))}, shared, nil
}

// Unseal decrypts a digest with the piece's private key. ErrUnreadable is a verdict on the ciphertext, not a failure.
func Unseal(s Sealed, sk *secp256k1.PrivateKey, b Binding) (common.Hash, Shared, error) {
	if s.Rx == nil || s.Rx.Sign() <= 0 || s.Rx.Cmp(secp256k1.Params().N) >= 0 || s.Parity > 1 {
		return common.Hash{}, Shared{}, ErrUnreadable
	}
	compressed := append([]byte{secp256k1.PubKeyFormatCompressedEven + s.Parity}, s.Rx.FillBytes(make([]byte, 32))...)
	point, err := secp256k1.ParsePubKey(compressed)
	if err != nil {
		return common.Hash{}, Shared{}, ErrUnreadable
	}
	shared := multiply(&sk.Key, point)
	return xor(s.C, b.mask(shared)), shared, nil
}

func multiply(k *secp256k1.ModNScalar, pk *secp256k1.PublicKey) Shared {
	var point secp256k1.JacobianPoint
	pk.AsJacobian(&point)
	secp256k1.ScalarMultNonConst(k, &point, &point)
	point.ToAffine()
	var s Shared
	point.X.PutBytesUnchecked(s[:32])
	point.Y.PutBytesUnchecked(s[32:])
	return s
}

func parityOf(p *secp256k1.JacobianPoint) uint8 {
	if p.Y.IsOdd() {
		return 1
	}
	return 0
}

func xor(a, b common.Hash) (c common.Hash) {
	for i := range c {
		c[i] = a[i] ^ b[i]
	}
	return c
}
