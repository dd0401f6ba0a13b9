package archtest

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// TestHouse holds every package of the module to the rules. It reads the sources
// itself: the go command would show one platform's files only, and the test cache
// would not notice that they change.
func TestHouse(t *testing.T) {
	root := os.DirFS("../..")
	packages := readPackages(t, root)
	if !slices.ContainsFunc(packages, func(p pkg) bool { return p.dir == "internal/archtest" }) {
		t.Fatalf("found %d packages without this one", len(packages))
	}
	for _, v := range violations(moduleName(t, root), packages) {
		t.Error(v)
	}
}

func moduleName(t *testing.T, root fs.FS) string {
	t.Helper()
	text, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if name, found := strings.CutPrefix(string(line), "module "); found {
			return strings.TrimSpace(name)
		}
	}
	t.Fatal("go.mod names no module")
	return ""
}

// readPackages finds the packages below root, a directory with Go files each, as
// the go command's "./..." does.
func readPackages(t *testing.T, root fs.FS) []pkg {
	t.Helper()
	imports := map[string][]string{} // by directory
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (ignored(d.Name()) || isModule(root, name)):
			return fs.SkipDir
		case !d.IsDir() && path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go"):
			found, err := readImports(root, name)
			imports[path.Dir(name)] = append(imports[path.Dir(name)], found...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var packages []pkg
	for _, dir := range slices.Sorted(maps.Keys(imports)) {
		slices.Sort(imports[dir])
		packages = append(packages, pkg{dir, slices.Compact(imports[dir])})
	}
	return packages
}

func ignored(dir string) bool {
	return dir == "testdata" || dir == "node_modules" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

func isModule(root fs.FS, dir string) bool {
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

func readImports(root fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imported)
	}
	return imports, nil
}

func TestReadPackagesSeesEveryPlatform(t *testing.T) {
	got := readPackages(t, fstest.MapFS{
		"a/a.go":            {Data: []byte("package a\n\nimport \"fmt\"\n")},
		"a/a_windows.go":    {Data: []byte("//go:build windows\n\npackage a\n\nimport (\n\t\"fmt\"\n\t\"m/b\"\n)\n")},
		"a/a_test.go":       {Data: []byte("package a\n\nimport \"testing\"\n")},
		"a/testdata/x.go":   {Data: []byte("package x\n")},
		"node_modules/y.go": {Data: []byte("package y\n")},
		"own/go.mod":        {Data: []byte("module own\n")},
		"own/z.go":          {Data: []byte("package z\n")},
		"b/b.go":            {Data: []byte("package b\n")},
	})
	want := []pkg{{"a", []string{"fmt", "m/b"}}, {"b", nil}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("packages are %+v, want %+v", got, want)
	}
}

func TestViolations(t *testing.T) {
	for name, test := range map[string]struct {
		dir, imports string
		want         string // "" if it is allowed
	}{
		"a dependency":              {"protocol", "github.com/x/protocol/sim", ""},
		"a namesake's prefix":       {"protocol", "m2/sim", ""},
		"the ground floor":          {"protocol", "m/transport", "protocol may import nothing of the house"},
		"a room within a room":      {"protocol", "m/protocol/plan", "protocol imports protocol/plan"},
		"upwards in one's own room": {"wasm/engine", "m/wasm/wasi", ""},
		"down one floor":            {"protocol/plan", "m/protocol", ""},
		"around an interface":       {"internal/agent", "m/internal/market", "internal/agent may import protocol, protocol/plan, transport"},
		"a part below a room":       {"internal/node", "m/data/car", ""},
		"wiring from below":         {"internal/market", "m/internal/node", "internal/market imports internal/node"},
		"a similar name":            {"wasmtime", "fmt", "wasmtime: no room has this package"},
		"an unknown package":        {"pkg/thing", "fmt", "pkg/thing: no room has this package"},
		"the root":                  {".", "fmt", ".: no room has this package"},
		"importing the root":        {"cmd/bacalhau", "m", "cmd/bacalhau imports ."},
		"a name that says nothing":  {"data/util", "fmt", `"util" says nothing`},
	} {
		t.Run(name, func(t *testing.T) {
			got := violations("m", []pkg{{test.dir, []string{test.imports}}})
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("violations: %q, want none", got)
			case test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)):
				t.Errorf("violations: %q, want one with %q", got, test.want)
			}
		})
	}
}

// TestRoomsAreLayered checks the table itself: every room imports only rooms that
// stand before it, so that no import can point upwards.
func TestRoomsAreLayered(t *testing.T) {
	var before []string
	for _, r := range rooms {
		if slices.Contains(before, r.dir) {
			t.Errorf("%s stands in the table twice", r.dir)
		}
		for _, imported := range r.imports {
			if !slices.Contains(before, imported) {
				t.Errorf("%s may import %s, which does not stand before it", r.dir, imported)
			}
		}
		before = append(before, r.dir)
	}
}
