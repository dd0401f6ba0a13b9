package protocol

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

var (
	domainType    = crypto.Keccak256Hash([]byte("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"))
	domainName    = crypto.Keccak256Hash([]byte("Bacalhau Market"))
	domainVersion = crypto.Keccak256Hash([]byte("1"))
	offerType     = crypto.Keccak256Hash([]byte("Offer(bytes32 job,address node,uint32 pieces,uint32 nonce,uint64 deadline)"))
)

// OfferDigest is what a node signs to make an offer: EIP-712 typed data, as the contract's offerDigest.
func OfferDigest(chainID uint64, contract common.Address, o Offer) common.Hash {
	domain := words{}.hash(domainType).hash(domainName).hash(domainVersion).uint(chainID).address(contract).keccak()
	content := words{}.hash(offerType).hash(o.Job).address(o.Node).uint(uint64(o.Pieces)).uint(uint64(o.Nonce)).
		uint(o.Deadline).keccak()
	return crypto.Keccak256Hash([]byte{0x19, 0x01}, domain[:], content[:])
}

// Check says whether the offer's node signed it, as strictly as the contract: r, s in the lower half, v of 27 or 28.
func (s SignedOffer) Check(chainID uint64, contract common.Address) error {
	if len(s.Signature) != crypto.SignatureLength {
		return fmt.Errorf("the signature has %d bytes, want %d", len(s.Signature), crypto.SignatureLength)
	}
	v := s.Signature[crypto.RecoveryIDOffset]
	r, low := new(big.Int).SetBytes(s.Signature[:32]), new(big.Int).SetBytes(s.Signature[32:64])
	if v < 27 || !crypto.ValidateSignatureValues(v-27, r, low, true) {
		return errors.New("the signature is malformed")
	}
	digest := OfferDigest(chainID, contract, s.Offer)
	plain := append(append([]byte(nil), s.Signature[:64]...), v-27)
	key, err := crypto.SigToPub(digest[:], plain)
	if err != nil {
		return fmt.Errorf("the signature is malformed: %w", err)
	}
	if signer := crypto.PubkeyToAddress(*key); signer != s.Offer.Node {
		return fmt.Errorf("the offer is in the name of %s and signed by %s", s.Offer.Node, signer)
	}
	return nil
}
