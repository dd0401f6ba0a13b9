package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
)

// deployable is what it takes to deploy the contract and to talk to it.
type deployable struct {
	abi      []byte // JSON, one entry per line
	bytecode []byte // creation code without constructor arguments, hex
}

// readDeployable takes the interface from IMarket and the code from Market, and checks that they belong together.
func readDeployable(contracts string) (*deployable, error) {
	face, err := readArtifact(contracts, "IMarket.sol", "IMarket")
	if err != nil {
		return nil, err
	}
	market, err := readArtifact(contracts, "Market.sol", "Market")
	if err != nil {
		return nil, err
	}
	if err := implements(market.ABI, face.ABI); err != nil {
		return nil, err
	}
	code := strings.TrimPrefix(market.Bytecode.Object, "0x")
	if _, err := hex.DecodeString(code); err != nil || code == "" {
		return nil, errors.New("contract Market has no complete creation code: it is abstract or needs a linked library")
	}
	lines, err := entryPerLine(face.ABI)
	if err != nil {
		return nil, err
	}
	return &deployable{abi: lines, bytecode: []byte(code + "\n")}, nil
}

// implements checks that Market has all of IMarket, no event or error besides, and Parameters as its constructor's
// only argument.
func implements(market, face json.RawMessage) error {
	have, err := abi.JSON(bytes.NewReader(market))
	if err != nil {
		return fmt.Errorf("interface of Market: %w", err)
	}
	want, err := abi.JSON(bytes.NewReader(face))
	if err != nil {
		return fmt.Errorf("interface of IMarket: %w", err)
	}
	for name, m := range want.Methods {
		if have.Methods[name].Sig != m.Sig {
			return fmt.Errorf("contract Market lacks %s", m.Sig)
		}
	}
	haveNames := slices.Sorted(maps.Keys(have.Events))
	haveNames = slices.AppendSeq(haveNames, slices.Values(slices.Sorted(maps.Keys(have.Errors))))
	for _, name := range haveNames {
		if have.Events[name].Sig != want.Events[name].Sig || have.Errors[name].Sig != want.Errors[name].Sig {
			return fmt.Errorf("contract Market declares %s differently from IMarket, or IMarket not at all", name)
		}
	}
	inputs := have.Constructor.Inputs
	if len(inputs) != 1 || inputs[0].Type.String() != want.Methods["parameters"].Outputs[0].Type.String() {
		return errors.New("the constructor of Market must take Parameters and nothing else")
	}
	return nil
}

// entryPerLine formats the interface so that a change of one entry is a change of one line.
func entryPerLine(face json.RawMessage) ([]byte, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(face, &entries); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	separator := "[\n"
	for _, entry := range entries {
		b.WriteString(separator)
		separator = ",\n"
		if err := json.Compact(&b, entry); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}
