package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated files to testdata/want")

var outputs = []string{
	"protocol/vocab.gen.go", "internal/market/market.abi.json", "internal/market/market.bin",
	"internal/market/accounts.bin", "internal/market/verifications.bin", "internal/market/disputes.bin",
	"internal/market/appeals.bin",
}

// copyContracts copies the small contract of testdata, after changing one text in one of its files. Its out directory
// is what `forge build` makes of its src, cut down to what the generator reads.
func copyContracts(t *testing.T, file, old, with string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "contracts"), os.DirFS("testdata/contracts")); err != nil {
		t.Fatal(err)
	}
	if file == "" {
		return root
	}
	path := filepath.Join(root, "contracts", file)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.ReplaceAll(content, []byte(old), []byte(with))
	if bytes.Equal(changed, content) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	if err := os.WriteFile(path, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestOutput(t *testing.T) {
	root := copyContracts(t, "", "", "")
	if err := run(root); err != nil {
		t.Fatal(err)
	}
	for _, file := range outputs {
		got, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata/want", filepath.Base(file)+".txt")
		if *update {
			if err := write(golden, got); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s (-update writes it anew):\n%s", file, golden, got)
		}
	}
}

// What cannot be put into Go is one error, and nothing is written.
func TestRefusals(t *testing.T) {
	const (
		face   = "out/IMarket.sol/IMarket.json"
		market = "out/Market.sol/Market.json"
		part   = "out/Accounts.sol/Accounts.json"
		things = "out/Things.sol/Things.json"
	)
	for name, c := range map[string]struct{ file, old, with, want string }{
		"unknown type":       {things, `"uint96"`, `"uint97"`, `Thing.price: no Go type for Solidity's "uint97"`},
		"two of a name":      {face, `"makeThing"`, `"thing"`, "two declarations would be called Thing"},
		"method of its own":  {face, `"hint"`, `"error"`, "WrongFate.error collides"},
		"indexed string":     {face, `"indexed": false`, `"indexed": true`, "indexed, so that its struct Thing would be lost"},
		"new kind of node":   {face, "FunctionDefinition", "ModifierDefinition", "declares a ModifierDefinition"},
		"source has changed": {"src/types/Things.sol", "Who has it.\n", "Who has got it.\n", "Thing.owner is not where the artifact says"},
		"no syntax tree":     {face, `"ast"`, `"tree"`, "needs `ast = true`"},
		"abstract":           {market, `"object": "0x`, `"object": "", "was": "0x`, "no complete creation code"},
		"unlinked":           {market, `"object": "0x`, `"object": "0x__$aa$__`, "no complete creation code"},
		"function missing":   {market, "\"function\",\n   \"name\": \"makeThing\"", `"fallback"`, "neither Market nor a part of it has makeThing("},
		"function twice":     {market, `"PARAMETERS"`, `"parameters"`, "both Market and Accounts have parameters()"},
		"event differs":      {market, `"ThingMade"`, `"ThingBorn"`, "Market declares ThingBorn differently"},
		"error differs":      {market, `"NoThing"`, `"Nothing"`, "Market declares Nothing differently"},
		"constructor":        {market, `"constructor"`, `"fallback"`, "the constructor of Market must take Parameters"},
		"part's call":        {part, `"parameters"`, `"remakeThing"`, "Accounts has remakeThing()"},
		"part's constructor": {part, `"constructor"`, `"fallback"`, "the constructor of Accounts must take Parameters"},
		"no JSON":            {market, "{", "", market},
	} {
		t.Run(name, func(t *testing.T) {
			root := copyContracts(t, c.file, c.old, c.with)
			err := run(root)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			for _, file := range outputs {
				if _, err := os.Stat(filepath.Join(root, file)); err == nil {
					t.Errorf("%s was written", file)
				}
			}
		})
	}
}

func TestMissingArtifactSaysWhatToDo(t *testing.T) {
	root := copyContracts(t, "", "", "")
	if err := os.RemoveAll(filepath.Join(root, "contracts/out/Market.sol")); err != nil {
		t.Fatal(err)
	}
	if err := run(root); err == nil || !strings.Contains(err.Error(), "tools/forge build") {
		t.Fatalf("got %v", err)
	}
}
