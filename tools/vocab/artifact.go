package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// artifact is what forge writes per source file.
type artifact struct {
	ABI      json.RawMessage `json:"abi"`
	Bytecode struct {
		Object string `json:"object"`
	} `json:"bytecode"`
	AST node `json:"ast"`
}

// node is the part of a Solidity syntax tree node that the vocabulary needs.
type node struct {
	NodeType        string `json:"nodeType"`
	Name            string `json:"name"`
	Src             string `json:"src"`
	AbsolutePath    string `json:"absolutePath"`
	StateMutability string `json:"stateMutability"`
	Documentation   *struct {
		Text string `json:"text"`
	} `json:"documentation"`
	Nodes      []node `json:"nodes"`
	Members    []node `json:"members"`
	Parameters struct {
		Parameters []node `json:"parameters"`
	} `json:"parameters"`
	TypeName struct {
		TypeDescriptions struct {
			TypeString string `json:"typeString"`
		} `json:"typeDescriptions"`
	} `json:"typeName"`
	Indexed bool `json:"indexed"`
}

// doc returns the NatSpec text as lines, without the tags that mean nothing in Go.
func (n node) doc() []string {
	if n.Documentation == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(n.Documentation.Text), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		for _, tag := range []string{"@title ", "@notice ", "@dev "} {
			line = strings.TrimPrefix(line, tag)
		}
		lines[i] = line
	}
	return lines
}

// span returns where the node's source text starts and ends, bytes.
func (n node) span() (start, end int, err error) {
	var length, file int
	if _, err := fmt.Sscanf(n.Src, "%d:%d:%d", &start, &length, &file); err != nil {
		return 0, 0, fmt.Errorf("source position %q of %s: %w", n.Src, n.Name, err)
	}
	return start, start + length, nil
}

// readArtifact reads the artifact of contract name in file.sol.
func readArtifact(contracts, file, name string) (artifact, error) {
	var a artifact
	path := filepath.Join(contracts, "out", file, name+".json")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, fmt.Errorf("%s is missing; run `tools/forge build` in %s first", path, contracts)
	}
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(content, &a); err != nil {
		return a, fmt.Errorf("%s: %w", path, err)
	}
	if len(a.AST.Nodes) == 0 {
		return a, fmt.Errorf("%s has no syntax tree; foundry.toml needs `ast = true`", path)
	}
	return a, nil
}
