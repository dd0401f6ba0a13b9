// Package archtest holds the house's import rules and the test that keeps them.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// room is a part of the house: a package directory and everything below it that
// is not a room of its own.
type room struct {
	dir     string   // below the module's root
	imports []string // rooms that it may import, besides itself
}

// rooms says who may import whom, from the ground up. A package outside every
// room breaks the rules: new packages get their place here first.
var rooms = []room{
	// The ground floor imports nothing of the house.
	{"protocol", nil},
	{"wasm", nil},
	{"data", nil},
	{"internal/chain", nil},
	{"internal/seal", nil},
	{"web", nil},
	{"examples", nil},
	{"internal/archtest", nil},
	{"tools", nil},

	{"wasm/confine", []string{"wasm"}},
	{"protocol/plan", []string{"protocol"}},
	{"transport", []string{"protocol"}},
	// The model of the protocol knows its vocabulary; only its tests know the contract.
	{"model", []string{"protocol"}},
	{"internal/store", []string{"protocol"}},
	{"internal/market", []string{"protocol", "transport", "internal/chain"}},
	// Data, execution and transactions reach the agent through interfaces that it declares; its durable facts are its
	// state.
	{"internal/agent", []string{"protocol", "protocol/plan", "transport", "internal/seal", "internal/store"}},
	// The SDK holds the wire format, which the API speaks too.
	{"client", []string{"protocol"}},
	{"internal/api", []string{"client", "protocol", "transport", "web"}},
	// A whole node in miniature, for tests only.
	{"internal/api/apitest", []string{"client", "protocol", "data", "wasm", "internal/api"}},
	{"sim", []string{"protocol", "protocol/plan", "internal/market"}},

	// The node is where the parts are wired together.
	{"internal/node", []string{
		"protocol", "protocol/plan", "transport", "wasm", "wasm/confine", "data", "internal/chain", "internal/seal",
		"internal/store", "internal/market", "internal/agent", "client", "internal/api",
	}},
	// The command line checks modules and builds and verifies data itself, before it troubles a node.
	{"cmd", []string{
		"internal/node", "internal/api", "internal/seal", "client", "data", "wasm", "wasm/confine", "protocol",
		"protocol/plan", "sim", "examples",
	}},
}

// shapeless are names that say nothing about what a package is for.
var shapeless = []string{"util", "utils", "common", "helper", "helpers", "type", "types", "models", "misc"}

// pkg is a package of the module.
type pkg struct {
	dir     string   // below the module's root, with slashes; "." for the root
	imports []string // import paths of all its files but tests, on every platform
}

// violations lists, one sentence each, how packages of module break the rules.
func violations(module string, packages []pkg) []string {
	var found []string
	for _, p := range packages {
		for part := range strings.SplitSeq(p.dir, "/") {
			if slices.Contains(shapeless, part) {
				found = append(found, fmt.Sprintf("%s: %q says nothing: name the package after the noun that it is", p.dir, part))
			}
		}
		from, ok := roomOf(p.dir)
		if !ok {
			found = append(found, fmt.Sprintf("%s: no room has this package: give it a place in archtest.go", p.dir))
			continue
		}
		for _, path := range p.imports {
			if path != module && !strings.HasPrefix(path, module+"/") {
				continue // the standard library and dependencies
			}
			imported := below(module, path)
			to, _ := roomOf(imported)
			if to.dir != from.dir && !slices.Contains(from.imports, to.dir) {
				found = append(found, fmt.Sprintf("%s imports %s: %s may import %s", p.dir, imported, from.dir, orNothing(from.imports)))
			}
		}
	}
	return found
}

// below returns the directory of a package of module.
func below(module, path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// roomOf returns the innermost room that a directory lies in.
func roomOf(dir string) (room, bool) {
	best, found := room{}, false
	for _, r := range rooms {
		if (dir == r.dir || strings.HasPrefix(dir, r.dir+"/")) && len(r.dir) > len(best.dir) {
			best, found = r, true
		}
	}
	return best, found
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing of the house"
	}
	return strings.Join(names, ", ")
}
