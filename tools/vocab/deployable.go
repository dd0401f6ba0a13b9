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

// parts are the contracts whose code a market runs besides its own, in the order of its constructor's arguments.
var parts = []string{"Accounts", "Verifications", "Disputes", "Appeals"}

// readDeployable takes the interface from IMarket and the code from Market and its parts, and checks that they belong
// together.
func readDeployable(contracts string) (*deployable, error) {
	face, err := readArtifact(contracts, "IMarket.sol", "IMarket")
	if err != nil {
		return nil, err
	}
	want, err := abi.JSON(bytes.NewReader(face.ABI))
	if err != nil {
		return nil, fmt.Errorf("interface of IMarket: %w", err)
	}
	d := &deployable{codes: map[string][]byte{}}
	home := map[string]string{} // call → contract that has it
	for _, name := range append([]string{"Market"}, parts...) {
		artifact, err := readArtifact(contracts, name+".sol", name)
		if err != nil {
			return nil, err
		}
		have, err := abi.JSON(bytes.NewReader(artifact.ABI))
		if err != nil {
			return nil, fmt.Errorf("interface of %s: %w", name, err)
		}
		if err := belongs(name, have, want); err != nil {
			return nil, err
		}
		if err := settle(home, name, have, want); err != nil {
			return nil, err
		}
		code := strings.TrimPrefix(artifact.Bytecode.Object, "0x")
		if _, err := hex.DecodeString(code); err != nil || code == "" {
			return nil, fmt.Errorf("contract %s has no complete creation code: it is abstract or needs a linked library", name)
		}
		d.codes[name] = []byte(code + "\n")
	}
	for _, method := range slices.Sorted(maps.Keys(want.Methods)) {
		if home[method] == "" {
			return nil, fmt.Errorf("neither Market nor a part of it has %s", want.Methods[method].Sig)
		}
	}
	d.abi, err = entryPerLine(face.ABI)
	return d, err
}

// settle notes where the calls of a contract are. Each must be one of IMarket, but for PARAMETERS, and at home in one
// contract only.
func settle(home map[string]string, name string, have, want abi.ABI) error {
	for _, method := range slices.Sorted(maps.Keys(have.Methods)) {
		if method == "PARAMETERS" {
			continue
		}
		sig := have.Methods[method].Sig
		if want.Methods[method].Sig != sig {
			return fmt.Errorf("contract %s has %s, which IMarket lacks", name, sig)
		}
		if home[method] != "" {
			return fmt.Errorf("both %s and %s have %s", home[method], name, sig)
		}
		home[method] = name
	}
	return nil
}

// belongs checks that a contract has no event or error that IMarket lacks, and Parameters as its constructor's first
// argument; and that Market takes its parts.
func belongs(name string, have, want abi.ABI) error {
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
