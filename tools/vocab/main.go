// Command vocab writes the Go vocabulary of the protocol from the compiled contract, so that the two cannot differ.
//
// It reads the artifacts that `forge build` leaves in contracts/out and writes
//
//	protocol/vocab.gen.go             enums, records, events, calls and errors
//	internal/market/market.abi.json   the contract's interface
//	internal/market/*.bin             creation code of the market and its parts, hex
//
// Equal artifacts give equal files, byte for byte.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", ".", "the repository")
	flag.Parse()
	if flag.NArg() != 0 {
		fmt.Fprintln(os.Stderr, "vocab: takes no arguments")
		os.Exit(2)
	}
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "vocab:", err)
		os.Exit(1)
	}
}

// run generates all files before it writes the first, so that a failure leaves the old set.
func run(root string) error {
	contracts := filepath.Join(root, "contracts")
	v, err := readVocabulary(contracts)
	if err != nil {
		return err
	}
	source, err := v.goSource()
	if err != nil {
		return err
	}
	deployable, err := readDeployable(contracts)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"protocol/vocab.gen.go":           source,
		"internal/market/market.abi.json": deployable.abi,
	}
	for name, code := range deployable.codes {
		files["internal/market/"+strings.ToLower(name)+".bin"] = code
	}
	for path, content := range files {
		if err := write(filepath.Join(root, path), content); err != nil {
			return err
		}
	}
	return nil
}

// write leaves a file alone that has this content: something else may be reading it.
func write(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
