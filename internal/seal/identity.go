package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"strings"

	"filippo.io/age"
	"github.com/btcsuite/btcd/btcutil/bech32"
)

const (
	// info separates this use of a shared secret from any other.
	info = "bacalhau/seal/1 X25519 identity"
	// minSecretBytes keeps a guessable secret from becoming a key.
	minSecretBytes = 32
	identityPrefix = "age-secret-key-"
)

// Identity returns the age private key, "AGE-SECRET-KEY-1…", that follows from
// secret. With it, the standard age tool opens what Encrypt wrote. A secret has
// at least 32 bytes.
func Identity(secret []byte) (string, error) {
	if len(secret) < minSecretBytes {
		return "", fmt.Errorf("secret has %d bytes, needs at least %d", len(secret), minSecretBytes)
	}
	scalar, err := hkdf.Key(sha256.New, secret, nil, info, 32)
	if err != nil {
		return "", fmt.Errorf("derive identity: %w", err)
	}
	digits, err := bech32.ConvertBits(scalar, 8, 5, true)
	if err != nil {
		return "", fmt.Errorf("derive identity: %w", err)
	}
	text, err := bech32.Encode(identityPrefix, digits)
	if err != nil {
		return "", fmt.Errorf("derive identity: %w", err)
	}
	return strings.ToUpper(text), nil
}

func identity(secret []byte) (*age.X25519Identity, error) {
	text, err := Identity(secret)
	if err != nil {
		return nil, err
	}
	id, err := age.ParseX25519Identity(text)
	if err != nil {
		return nil, fmt.Errorf("derive identity: %w", err)
	}
	return id, nil
}
