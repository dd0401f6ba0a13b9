package protocol_test

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

var (
	order   = secp256k1.Params().N
	binding = protocol.Binding{
		ChainID: 314, Contract: wallet("market"), Execution: named("execution"), Index: 7, Node: wallet("node"),
	}
	pieceKey = protocol.ClientSecret(named("secret")).PieceKey(named("salt"), 7)
)

func seal(t *testing.T, digest common.Hash, r string, b protocol.Binding) (protocol.Sealed, protocol.Shared) {
	t.Helper()
	sealed, shared, err := protocol.Seal(digest, named(r), pieceKey.PubKey(), b)
	if err != nil {
		t.Fatal(err)
	}
	return sealed, shared
}

func TestUnsealReadsWhatWasSealed(t *testing.T) {
	parities := map[uint8]bool{}
	for i := range uint64(64) {
		digest := numbered("digest", i)
		sealed, mine, err := protocol.Seal(digest, numbered("r", i), pieceKey.PubKey(), binding)
		if err != nil {
			t.Fatal(err)
		}
		parities[sealed.Parity] = true
		got, theirs, err := protocol.Unseal(sealed, pieceKey, binding)
		if err != nil || got != digest {
			t.Fatalf("r %d: unsealed %s, %v; sealed %s", i, got, err, digest)
		}
		if mine != theirs {
			t.Fatalf("r %d: the two ends know different points", i)
		}
		if sealed.C == digest {
			t.Fatalf("r %d: the digest is in the clear", i)
		}
	}
	if !parities[0] || !parities[1] {
		t.Errorf("only parities %v were tried", parities)
	}
}

// The contract rebuilds the mask from S, which it checks to be sk·R with ecrecover: the same arithmetic, spelled out.
func TestSealIsTheContractsArithmetic(t *testing.T) {
	digest := named("digest")
	sealed, shared := seal(t, digest, "r", binding)

	curve := crypto.S256() // another implementation
	r := named("r")
	rx, ry := curve.ScalarBaseMult(r[:])
	sx, sy := curve.ScalarMult(rx, ry, pieceKey.Serialize())
	if sealed.Rx.Cmp(rx) != 0 || uint(sealed.Parity) != ry.Bit(0) {
		t.Errorf("R is (%x, %d), want (%x, %d)", sealed.Rx, sealed.Parity, rx, ry.Bit(0))
	}
	if shared.X().Cmp(sx) != 0 || shared.Y().Cmp(sy) != 0 {
		t.Errorf("S is (%x, %x), want (%x, %x)", shared.X(), shared.Y(), sx, sy)
	}
	mask := crypto.Keccak256(pack(t, "uint256,uint256,uint256,address,bytes32,uint32,address",
		sx, sy, big.NewInt(314), binding.Contract, binding.Execution, binding.Index, binding.Node))
	if got := xor(sealed.C, common.BytesToHash(mask)); got != digest {
		t.Errorf("the contract reads %s, the node committed to %s", got, digest)
	}

	// ecrecover(0, 27+parity, R.x, sk·R.x mod n) is the address of S.
	s := new(big.Int).Mul(new(big.Int).SetBytes(pieceKey.Serialize()), rx)
	s.Mod(s, order)
	signature := append(append(common.BigToHash(rx).Bytes(), common.BigToHash(s).Bytes()...), sealed.Parity)
	product, err := crypto.SigToPub(make([]byte, 32), signature)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(crypto.FromECDSAPub(product)[1:], shared[:]) {
		t.Error("ecrecover finds another point than S")
	}
}

func TestCopiedCommitmentDecryptsToNoise(t *testing.T) {
	digest := named("digest")
	sealed, _ := seal(t, digest, "r", binding)
	copies := map[string]func(*protocol.Binding){
		"chain":     func(b *protocol.Binding) { b.ChainID++ },
		"contract":  func(b *protocol.Binding) { b.Contract = wallet("fork") },
		"execution": func(b *protocol.Binding) { b.Execution = named("other") },
		"index":     func(b *protocol.Binding) { b.Index++ },
		"node":      func(b *protocol.Binding) { b.Node = wallet("copycat") },
	}
	seen := map[common.Hash]string{digest: "the original"}
	for name, change := range copies {
		b := binding
		change(&b)
		got, _, err := protocol.Unseal(sealed, pieceKey, b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, known := seen[got]; known {
			t.Errorf("under another %s it decrypts to the same as %s", name, other)
		}
		seen[got] = "another " + name
	}
	stranger := protocol.ClientSecret(named("secret")).PieceKey(named("salt"), 8)
	if got, _, err := protocol.Unseal(sealed, stranger, binding); err != nil || got == digest {
		t.Errorf("another key reads %s, %v", got, err)
	}
}

func TestUnsealRefusesWhatIsNoPoint(t *testing.T) {
	sealed, _ := seal(t, named("digest"), "r", binding)
	field := secp256k1.Params().P
	cases := map[string]protocol.Sealed{
		"no R.x":                    {Parity: 0, C: sealed.C},
		"R.x 0":                     {Rx: new(big.Int), C: sealed.C},
		"R.x negative":              {Rx: big.NewInt(-1), C: sealed.C},
		"R.x off the curve":         {Rx: offCurve(t), C: sealed.C},
		"R.x the group order":       {Rx: order, C: sealed.C},
		"R.x a point's, over order": {Rx: overOrder(t), C: sealed.C},
		"R.x the field's size":      {Rx: field, C: sealed.C},
		"R.x 2^256":                 {Rx: new(big.Int).Lsh(big.NewInt(1), 256), C: sealed.C},
		"parity 2":                  {Rx: sealed.Rx, Parity: 2, C: sealed.C},
		"parity 255":                {Rx: sealed.Rx, Parity: 255, C: sealed.C},
	}
	for name, s := range cases {
		if _, _, err := protocol.Unseal(s, pieceKey, binding); !errors.Is(err, protocol.ErrUnreadable) {
			t.Errorf("%s: got %v, want ErrUnreadable", name, err)
		}
	}
}

func TestSealRefusesScalarsOutOfRange(t *testing.T) {
	for name, r := range map[string]*big.Int{"zero": new(big.Int), "the group order": order} {
		_, _, err := protocol.Seal(named("digest"), common.BigToHash(r), pieceKey.PubKey(), binding)
		if err == nil || err.Error() != "ephemeral scalar out of range" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// offCurve is an x below the group order for which x³ + 7 has no root.
func offCurve(t *testing.T) *big.Int {
	for x := int64(1); x < 100; x++ {
		if !onCurve(big.NewInt(x)) {
			return big.NewInt(x)
		}
	}
	t.Fatal("every small x is on the curve")
	return nil
}

// overOrder is the x coordinate of a real point that is not below the group order.
func overOrder(t *testing.T) *big.Int {
	for i := int64(0); i < 100; i++ {
		if x := new(big.Int).Add(order, big.NewInt(i)); onCurve(x) {
			return x
		}
	}
	t.Fatal("no point above the order")
	return nil
}

func onCurve(x *big.Int) bool {
	compressed := append([]byte{secp256k1.PubKeyFormatCompressedEven}, x.FillBytes(make([]byte, 32))...)
	_, err := secp256k1.ParsePubKey(compressed)
	return err == nil
}

func xor(a, b common.Hash) (c common.Hash) {
	for i := range c {
		c[i] = a[i] ^ b[i]
	}
	return c
}

func TestSharedIsXAndY(t *testing.T) {
	_, shared := seal(t, named("digest"), "r", binding)
	joined := append(shared.X().FillBytes(make([]byte, 32)), shared.Y().FillBytes(make([]byte, 32))...)
	if !bytes.Equal(joined, shared[:]) {
		t.Errorf("X and Y are %x, the point %x", joined, shared[:])
	}
}
