package protocol

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// ClientSecret is the seed of all of a client's one-time secrets, derived from its wallet key, so that a client that
// lost everything but this key can still open its results.
type ClientSecret [32]byte

// NewClientSecret derives the secret from the wallet's private key (32 bytes).
func NewClientSecret(walletKey []byte) (ClientSecret, error) {
	if len(walletKey) != 32 {
		return ClientSecret{}, fmt.Errorf("wallet key has %d bytes, want 32", len(walletKey))
	}
	return ClientSecret(derive(walletKey, "bacalhau/client-secret/1")), nil
}

// PieceKey is the one-time key pair of piece index of the job with this salt. Its public point's x is below the group
// order, as the contract needs it.
func (s ClientSecret) PieceKey(salt common.Hash, index uint32) *secp256k1.PrivateKey {
	for attempt := uint32(0); ; attempt++ {
		k := derive(s[:], "bacalhau/piece-key/1", salt[:], be32(index), be32(attempt))
		var scalar secp256k1.ModNScalar
		if overflow := scalar.SetBytes((*[32]byte)(&k)); overflow != 0 || scalar.IsZero() {
			continue
		}
		key := secp256k1.NewPrivateKey(&scalar)
		if key.PubKey().X().Cmp(secp256k1.Params().N) < 0 {
			return key
		}
	}
}

// Dice is the dice seed for the execution that accepting this offer makes. An offer is accepted at most once, so no
// seed is ever used twice.
func (s ClientSecret) Dice(job common.Hash, node common.Address, nonce uint32) common.Hash {
	return derive(s[:], "bacalhau/dice/1", job[:], node[:], be32(nonce))
}

// KeyAddress is the Ethereum address of a public key, by which the contract knows a piece's key.
func KeyAddress(pk *secp256k1.PublicKey) common.Address {
	return common.BytesToAddress(crypto.Keccak256(pk.SerializeUncompressed()[1:])[12:])
}

func derive(secret []byte, purpose string, context ...[]byte) common.Hash {
	info := []byte(purpose)
	for _, c := range context {
		info = append(info, c...) // all of fixed size
	}
	key, err := hkdf.Key(sha256.New, secret, nil, string(info), 32)
	if err != nil {
		panic(err) // only for a wrong length, and 32 is right
	}
	return common.BytesToHash(key)
}

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
