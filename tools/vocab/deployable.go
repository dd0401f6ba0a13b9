package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
)

// deployable is what it takes to deploy the contract and to talk to it.
type deployable struct {
	abi   []byte            // JSON, one entry per line
	codes map[string][]byte // contract → creation code without constructor arguments, hex
}

// parts are the contracts whose code a market runs, in the order of its constructor's arguments.
var parts = []string{"Verifications", "Disputes", "Appeals"}

// readDeployable takes the interface from IMarket and the code from Market and its parts, and checks that they belong
// together.
func readDeployable(contracts string) (*deployable, error) {
	face, err := readArtifact(contracts, "IMarket.sol", "IMarket")
	if err != nil {
		return nil, err
	}
	d := &deployable{codes: map[string][]byte{}}
	for _, name := range append([]string{"Market"}, parts...) {
		artifact, err := readArtifact(contracts, name+".sol", name)
		if err != nil {
			return nil, err
		}
		if err := implements(name, artifact.ABI, face.ABI); err != nil {
			return nil, err
		}
		code := strings.TrimPrefix(artifact.Bytecode.Object, "0x")
		if _, err := hex.DecodeString(code); err != nil || code == "" {
			return nil, fmt.Errorf("contract %s has no complete creation code: it is abstract or needs a linked library", name)
		}
		d.codes[name] = []byte(code + "\n")
	}
	d.abi, err = entryPerLine(face.ABI)
	return d, err
}

// implements checks that a contract has no event or error that IMarket lacks, and Parameters as its constructor's first
// argument; that Market has all calls of IMarket, and a part none besides PARAMETERS; and that Market takes its parts.
func implements(name string, contract, face json.RawMessage) error {
	have, err := abi.JSON(bytes.NewReader(contract))
	if err != nil {
		return fmt.Errorf("interface of %s: %w", name, err)
	}
	want, err := abi.JSON(bytes.NewReader(face))
	if err != nil {
		return fmt.Errorf("interface of IMarket: %w", err)
	}
	for method, m := range want.Methods {
		if name == "Market" && have.Methods[method].Sig != m.Sig {
			return fmt.Errorf("contract Market lacks %s", m.Sig)
		}
	}
	for method, m := range have.Methods {
		if name != "Market" && method != "PARAMETERS" && want.Methods[method].Sig != m.Sig {
			return fmt.Errorf("contract %s has %s, which IMarket lacks", name, m.Sig)
		}
	}
	haveNames := slices.Sorted(maps.Keys(have.Events))
	haveNames = slices.AppendSeq(haveNames, slices.Values(slices.Sorted(maps.Keys(have.Errors))))
	for _, declared := range haveNames {
		if have.Events[declared].Sig != want.Events[declared].Sig || have.Errors[declared].Sig != want.Errors[declared].Sig {
			return fmt.Errorf("contract %s declares %s differently from IMarket, or IMarket not at all", name, declared)
		}
	}
	arguments := 1
	if name == "Market" {
		arguments += len(parts)
	}
	inputs := have.Constructor.Inputs
	if len(inputs) != arguments || inputs[0].Type.String() != want.Methods["parameters"].Outputs[0].Type.String() {
		return fmt.Errorf("the constructor of %s must take Parameters and, if it is Market, %d parts", name, len(parts))
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
