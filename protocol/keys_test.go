package protocol_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// The vectors were computed with another implementation of HKDF (RFC 5869, SHA-256, no salt): a client must find its
// keys again with any version of this code.
func TestClientSecretsNeverChange(t *testing.T) {
	var walletKey [32]byte
	var salt common.Hash
	var node common.Address
	for i := range walletKey {
		walletKey[i], salt[i] = byte(i+1), byte(i)
	}
	for i := range node {
		node[i] = byte(i)
	}
	secret := must[protocol.ClientSecret](t)(protocol.NewClientSecret(walletKey[:]))
	check := func(what string, got []byte, want string) {
		t.Helper()
		if hex.EncodeToString(got) != want {
			t.Errorf("%s: got %x, want %s", what, got, want)
		}
	}
	check("secret", secret[:], "e5d096f9d18a87c60a67cf157a0b6632a3da92b67a87e31e5c1836ef2e7c7123")
	for index, want := range map[uint32]string{
		0:              "f7cca722f29d2e89f0237dd98636cb0a3ea65efdc5f058263f93132e4de214f2",
		1:              "36390329f27ca3a47987bf26237e276dc22b39112ac1601dbb8be2f6e221f0bf",
		math.MaxUint32: "20cc041824155a0c7087553d93590bec0d3fbf0bea38cfefe4e8ba5b3a40d8de",
	} {
		check(fmt.Sprintf("key of piece %d", index), secret.PieceKey(salt, index).Serialize(), want)
	}
	for nonce, want := range map[uint32]string{
		1: "4f006c7c8c9dff3732b5d256e212199aa8a9f0453c1b6865d020bf803642e1d4",
		2: "4bae55135ee28781baadba1530d92fb109e322d778fcfb1fe7652f9aee65557d",
	} {
		dice := secret.Dice(salt, node, nonce)
		check(fmt.Sprintf("dice of nonce %d", nonce), dice[:], want)
	}
}

func TestClientSecretsAreDistinct(t *testing.T) {
	seen := map[common.Hash]string{}
	add := func(secret common.Hash, what string, args ...any) {
		t.Helper()
		what = fmt.Sprintf(what, args...)
		if other, known := seen[secret]; known {
			t.Errorf("%s and %s are the same", what, other)
		}
		seen[secret] = what
	}
	for _, owner := range []string{"ann", "ben"} {
		secret := must[protocol.ClientSecret](t)(protocol.NewClientSecret(named(owner).Bytes()))
		add(common.Hash(secret), "the secret of %s", owner)
		for _, job := range []string{"first", "second"} {
			for i := range uint32(20) {
				add(common.Hash(secret.PieceKey(named(job), i).Serialize()), "key %s/%s/%d", owner, job, i)
				for _, node := range []string{"alice", "bob"} {
					add(secret.Dice(named(job), wallet(node), i), "dice %s/%s/%s/%d", owner, job, node, i)
				}
			}
		}
	}
}

// The contract multiplies with ecrecover, which takes x coordinates below the group order only.
func TestPieceKeysAreFitForTheContract(t *testing.T) {
	secret := protocol.ClientSecret(named("secret"))
	for i := range uint32(200) {
		pk := secret.PieceKey(named("salt"), i).PubKey()
		if pk.X().Cmp(order) >= 0 {
			t.Errorf("key %d: x is not below the group order", i)
		}
		if got, want := protocol.KeyAddress(pk), crypto.PubkeyToAddress(*pk.ToECDSA()); got != want {
			t.Errorf("key %d: address %s, want %s", i, got, want)
		}
	}
}

func TestNewClientSecretWantsAWholeKey(t *testing.T) {
	for _, size := range []int{0, 31, 33} {
		_, err := protocol.NewClientSecret(make([]byte, size))
		if want := fmt.Sprintf("wallet key has %d bytes, want 32", size); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
