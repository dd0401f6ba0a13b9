package protocol_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// What the contract would refuse is refused. That the digest is the contract's is tested where there is a contract.
func TestOffersAreCheckedAsByTheContract(t *testing.T) {
	const chainID = 314
	contract := common.HexToAddress("0xc0")
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	good := protocol.SignedOffer{Offer: protocol.Offer{
		Job: common.HexToHash("0x0a"), Node: crypto.PubkeyToAddress(key.PublicKey), Pieces: 7, Nonce: 3, Deadline: 1 << 40,
	}}
	digest := protocol.OfferDigest(chainID, contract, good.Offer)
	if good.Signature, err = crypto.Sign(digest[:], key); err != nil {
		t.Fatal(err)
	}
	good.Signature[64] += 27
	if err := good.Check(chainID, contract); err != nil {
		t.Fatal(err)
	}
	if good.Check(chainID+1, contract) == nil || good.Check(chainID, common.HexToAddress("0xc1")) == nil {
		t.Error("an offer for another chain or contract passes")
	}
	for name, spoil := range map[string]func(*protocol.SignedOffer){
		"more pieces":    func(o *protocol.SignedOffer) { o.Offer.Pieces++ },
		"another job":    func(o *protocol.SignedOffer) { o.Offer.Job[0]++ },
		"another nonce":  func(o *protocol.SignedOffer) { o.Offer.Nonce++ },
		"a later end":    func(o *protocol.SignedOffer) { o.Offer.Deadline++ },
		"another's name": func(o *protocol.SignedOffer) { o.Offer.Node[0]++ },
		"too short":      func(o *protocol.SignedOffer) { o.Signature = o.Signature[:64] },
		"too long":       func(o *protocol.SignedOffer) { o.Signature = append(o.Signature, 0) },
		"nothing":        func(o *protocol.SignedOffer) { o.Signature = nil },
		"v without 27":   func(o *protocol.SignedOffer) { o.Signature[64] -= 27 },
		"v of 29":        func(o *protocol.SignedOffer) { o.Signature[64] = 29 },
		"r of zero":      func(o *protocol.SignedOffer) { clear(o.Signature[:32]) },
		"s of zero":      func(o *protocol.SignedOffer) { clear(o.Signature[32:64]) },
		"the upper s": func(o *protocol.SignedOffer) {
			s := new(big.Int).SetBytes(o.Signature[32:64])
			s.Sub(crypto.S256().Params().N, s).FillBytes(o.Signature[32:64])
			o.Signature[64] = 27 + (28 - o.Signature[64])
		},
	} {
		bad := good
		bad.Signature = append([]byte(nil), good.Signature...)
		if spoil(&bad); bad.Check(chainID, contract) == nil {
			t.Errorf("%s: passes", name)
		}
	}
}
