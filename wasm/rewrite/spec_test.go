package rewrite

import (
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The official core test suite, of WebAssembly 1.0 and 2.0, in the form that
// the pinned module of wazero carries it.
const suiteModule = "github.com/tetratelabs/wazero"

// What the suite must come to: running less of it fails. Assertions that run
// do so on every engine, of rewritten modules.
var suiteCounts = map[string]map[string]int{
	"v1": {
		"action: excluded, has a start section":                        4,
		"action: run":                                                  38,
		"assert_exhaustion: run":                                       15,
		"assert_invalid: excluded, valid since 2.0":                    8,
		"assert_invalid: refused":                                      981,
		"assert_malformed: excluded, in the text format":               430,
		"assert_malformed: refused":                                    661,
		"assert_return: excluded, has a start section":                 6,
		"assert_return: excluded, imports more than functions":         38,
		"assert_return: excluded, links modules":                       50,
		"assert_return: run":                                           15694,
		"assert_trap: excluded, imports more than functions":           8,
		"assert_trap: excluded, links modules":                         20,
		"assert_trap: run":                                             430,
		"assert_uninstantiable: excluded, has a start section":         1,
		"assert_uninstantiable: excluded, imports more than functions": 1,
		"assert_unlinkable: excluded, links modules":                   95,
		"module: excluded, has a start section":                        5,
		"module: excluded, imports more than functions":                63,
		"module: excluded, links modules":                              11,
		"module: run":                                                  701,
		"register: excluded, links modules":                            7,
		"register: run":                                                3,
	},
	"v2": {
		"action: excluded, has a start section":                        4,
		"action: run":                                                  151,
		"assert_exhaustion: run":                                       15,
		"assert_invalid: refused":                                      2146,
		"assert_malformed: excluded, in the text format":               1091,
		"assert_malformed: refused":                                    719,
		"assert_return: excluded, has a start section":                 6,
		"assert_return: excluded, imports more than functions":         103,
		"assert_return: excluded, links modules":                       63,
		"assert_return: run":                                           45562,
		"assert_trap: excluded, imports more than functions":           9,
		"assert_trap: excluded, links modules":                         19,
		"assert_trap: run":                                             2380,
		"assert_uninstantiable: excluded, has a start section":         1,
		"assert_uninstantiable: excluded, imports more than functions": 15,
		"assert_uninstantiable: refused":                               18,
		"assert_unlinkable: excluded, links modules":                   83,
		"module: excluded, an opcode is not in its shortest form":      1,
		"module: excluded, has a start section":                        6,
		"module: excluded, imports more than functions":                85,
		"module: excluded, links modules":                              11,
		"module: run":                                                  1496,
		"register: excluded, imports more than functions":              2,
		"register: excluded, links modules":                            14,
		"register: run":                                                6,
	},
}

func TestSuite(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", suiteModule).Output()
	if err != nil {
		t.Fatalf("find %s: %v", suiteModule, err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	for version, want := range suiteCounts {
		t.Run(version, func(t *testing.T) {
			scripts, err := filepath.Glob(filepath.Join(dir, version, "testdata", "*.json"))
			if err != nil || len(scripts) == 0 {
				t.Fatalf("no scripts in %s: %v", dir, err)
			}
			s := &suite{t: t, version: version, counts: map[string]int{}, engines: suiteEngines(t)}
			for _, path := range scripts {
				s.script(path)
			}
			if !maps.Equal(s.counts, want) {
				t.Errorf("have %#v\nwant %#v", s.counts, want)
			}
			t.Logf("%d scripts on %d engines\n%s", len(scripts), len(s.engines), s.table())
		})
	}
}

// validSince2 are what 1.0 refused: several tables, several results, and a
// br_table in dead code whose labels differ in type.
var validSince2 = map[string]bool{
	"func.20.wasm": true, "func.21.wasm": true, "imports.47.wasm": true, "imports.48.wasm": true, "imports.49.wasm": true,
	"type.3.wasm": true, "type.4.wasm": true, "unreached-invalid.87.wasm": true,
}
