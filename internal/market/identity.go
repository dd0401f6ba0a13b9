package market

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
)

// Coder reads the code of the contract at an address, empty if there is none.
type Coder interface {
	Code(ctx context.Context, at common.Address) ([]byte, error)
}

// Recognise makes sure that the contract at an address runs the code that this build would deploy there, and so do its
// parts: who lends the market other parts takes its money. Only what constructors fill in may differ.
func Recognise(ctx context.Context, chain Coder, at common.Address) error {
	code, err := chain.Code(ctx, at)
	switch {
	case err != nil:
		return fmt.Errorf("read the code of contract %s: %w", at, err)
	case len(code) == 0:
		return fmt.Errorf("there is no contract at %s on this chain: check the address and the chain", at)
	}
	build := Compiled()
	filled, ours := compareCode(build.Market, code)
	if !ours {
		return fmt.Errorf("the contract at %s is not the market that this program knows: it is another contract, or of another "+
			"version; check the address, or use the release of this program that deployed it", at)
	}
	missing := build.Parts
	for _, address := range addressesOf(filled) {
		code, err := chain.Code(ctx, address)
		if err != nil {
			return fmt.Errorf("read the code of the market's part %s: %w", address, err)
		}
		known := slices.IndexFunc(missing, func(part Part) bool {
			_, same := compareCode(part.Hex, code)
			return same
		})
		if known < 0 {
			return fmt.Errorf("the market at %s runs code at %s that this program does not know, which could do anything with "+
				"its money: do not use it", at, address)
		}
		missing = slices.Delete(slices.Clone(missing), known, known+1)
	}
	if len(missing) > 0 {
		return fmt.Errorf("the market at %s lacks its part %s: do not use it", at, missing[0].Name)
	}
	return nil
}

// compareCode compares code on a chain with what creation code (hex) makes. The compiler leaves zeros for what the
// constructor fills in, each as the operand of a PUSH32; what stands there is returned.
func compareCode(creationHex string, code []byte) (filled []common.Hash, same bool) {
	creation := decodeHex(creationHex)
	if len(code) == 0 || len(code) > len(creation) {
		return nil, false
	}
	template := creation[len(creation)-len(code):] // the constructor's own code comes before
	for i := 0; i < len(code); {
		op := vm.OpCode(template[i])
		end := min(i+1, len(code))
		if op.IsPush() {
			end = min(i+1+int(op-vm.PUSH0), len(code))
		}
		operand := template[i+1 : end]
		switch {
		case code[i] != template[i]:
			return nil, false
		case op == vm.PUSH32 && common.BytesToHash(operand) == common.Hash{}:
			filled = append(filled, common.BytesToHash(code[i+1:end]))
		case !bytes.Equal(code[i+1:end], operand):
			return nil, false
		}
		i = end
	}
	return filled, true
}

// addressesOf picks the words that may be addresses: 20 bytes long, and more than the 12 bytes of an amount.
func addressesOf(words []common.Hash) []common.Address {
	var found []common.Address
	for _, w := range words {
		address := common.BytesToAddress(w[:])
		if common.BytesToHash(address[:]) == w && !bytes.Equal(address[:8], make([]byte, 8)) && !slices.Contains(found, address) {
			found = append(found, address)
		}
	}
	return found
}
