package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// vocabulary is everything that the contract and its callers name, in the order of declaration.
type vocabulary struct {
	enums, structs, events, calls, errors []declaration
}

// declaration is one named thing of the contract: an enum with its values, or something with fields.
type declaration struct {
	name   string // as in Solidity
	doc    []string
	fields []field
}

// field is a member, a parameter or, without a type, an enum's value.
type field struct {
	name    string // as in Solidity
	doc     []string
	typ     string // as in Solidity, for example "struct Seat[]"
	indexed bool
}

// readVocabulary reads the interface IMarket and the type files that it imports.
func readVocabulary(contracts string) (*vocabulary, error) {
	market, err := readArtifact(contracts, "IMarket.sol", "IMarket")
	if err != nil {
		return nil, err
	}
	v := new(vocabulary)
	for _, n := range market.AST.Nodes {
		switch n.NodeType {
		case "ImportDirective":
			err = v.readTypes(contracts, n.AbsolutePath)
		case "ContractDefinition":
			err = v.readInterface(n)
		}
		if err != nil {
			return nil, err
		}
	}
	return v, v.check()
}

// readTypes adds the enums and structs of one file.
func (v *vocabulary) readTypes(contracts, source string) error {
	file := path.Base(source)
	a, err := readArtifact(contracts, file, strings.TrimSuffix(file, ".sol"))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(contracts, filepath.FromSlash(source)))
	if err != nil {
		return err
	}
	for _, n := range a.AST.Nodes {
		d := declaration{name: n.Name, doc: n.doc()}
		switch n.NodeType {
		case "EnumDefinition":
			for _, m := range n.Members {
				d.fields = append(d.fields, field{name: m.Name, doc: m.doc()})
			}
			v.enums = append(v.enums, d)
		case "StructDefinition":
			if d.fields, err = members(n, text); err != nil {
				return fmt.Errorf("%s: %w", source, err)
			}
			v.structs = append(v.structs, d)
		}
	}
	return nil
}

// members returns a struct's fields. The compiler keeps no documentation of them, so it is taken from the source text
// between a field and the one before.
func members(n node, source []byte) ([]field, error) {
	after, end, err := n.span()
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, m := range n.Members {
		start, stop, err := m.span()
		if err != nil {
			return nil, err
		}
		if start < after || stop > end || end > len(source) || !bytes.Contains(source[start:stop], []byte(m.Name)) {
			return nil, fmt.Errorf("field %s.%s is not where the artifact says; build the contracts again", n.Name, m.Name)
		}
		f := parameter(m)
		for line := range strings.Lines(string(source[after:start])) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "///"); ok {
				f.doc = append(f.doc, strings.TrimSpace(text))
			}
		}
		fields = append(fields, f)
		after = stop
	}
	return fields, nil
}

// readInterface adds the events, the state-changing functions and the errors.
func (v *vocabulary) readInterface(contract node) error {
	for _, n := range contract.Nodes {
		d := declaration{name: n.Name, doc: n.doc()}
		for _, p := range n.Parameters.Parameters {
			d.fields = append(d.fields, parameter(p))
		}
		switch n.NodeType {
		case "EventDefinition":
			v.events = append(v.events, d)
		case "ErrorDefinition":
			v.errors = append(v.errors, d)
		case "FunctionDefinition":
			if n.StateMutability == "nonpayable" || n.StateMutability == "payable" {
				v.calls = append(v.calls, d)
			}
		default:
			return fmt.Errorf("the interface declares a %s, which has no Go form yet", n.NodeType)
		}
	}
	return nil
}

func parameter(n node) field {
	return field{name: n.Name, typ: n.TypeName.TypeDescriptions.TypeString, indexed: n.Indexed}
}

// check finds what would not compile in Go or could not be decoded.
func (v *vocabulary) check() error {
	taken := map[string]bool{"Event": true, "Call": true, "Events": true, "Calls": true, "Errors": true}
	for _, d := range slices.Concat(v.enums, v.structs, v.events, v.calls, v.errors) {
		name := exported(d.name)
		if taken[name] {
			return fmt.Errorf("two declarations would be called %s in Go; rename one", name)
		}
		taken[name] = true
		for _, f := range d.fields {
			if f.name == "" {
				return fmt.Errorf("%s has a parameter without a name", d.name)
			}
			if slices.Contains([]string{"Name", "Method", "Error"}, exported(f.name)) {
				return fmt.Errorf("%s.%s collides with a Go method; rename it", d.name, f.name)
			}
			if f.indexed && (f.typ == "string" || f.typ == "bytes" || strings.ContainsAny(f.typ, " [")) {
				return fmt.Errorf("%s.%s is indexed, so that its %s would be lost in a hash", d.name, f.name, f.typ)
			}
		}
	}
	return nil
}
