package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// features are all that the example programs may ask of an engine.
const features = api.CoreFeaturesV1 | api.CoreFeatureBulkMemoryOperations | api.CoreFeatureMultiValue |
	api.CoreFeatureNonTrappingFloatToIntConversion | api.CoreFeatureReferenceTypes | api.CoreFeatureSignExtensionOps

// engine is shared, and keeps what it compiled, since that takes longer than most runs.
var engine = sync.OnceValue(func() wazero.Runtime {
	ctx := context.Background()
	e := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	wasi_snapshot_preview1.MustInstantiate(ctx, e)
	return e
})

// outcome is everything that a program leaves behind.
type outcome struct {
	exit           uint32
	stdout, stderr string
	outputs        map[string]string // by file name
}

// runWASM runs a module under wazero's own WASI host, which shares no code with
// the project's: what the programs do here, they do because of WASI alone.
func runWASM(t *testing.T, module []byte, inputs fs.FS, args ...string) outcome {
	t.Helper()
	ctx := context.Background()
	compiled, err := engine().CompileModule(ctx, module)
	if err != nil {
		t.Fatal(err)
	}

	outputs := t.TempDir()
	var stdout, stderr bytes.Buffer
	config := wazero.NewModuleConfig().WithName("").
		WithArgs(append([]string{"main"}, args...)...).
		WithStdout(&stdout).WithStderr(&stderr).
		WithFSConfig(wazero.NewFSConfig().WithFSMount(inputs, "/inputs").WithDirMount(outputs, "/outputs"))
	var exit *sys.ExitError
	_, err = engine().InstantiateModule(ctx, compiled, config)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	code := uint32(0)
	if exit != nil {
		code = exit.ExitCode()
	}
	return outcome{code, stdout.String(), stderr.String(), readAll(t, os.DirFS(outputs))}
}

func readAll(t *testing.T, files fs.FS) map[string]string {
	t.Helper()
	contents := map[string]string{}
	names, err := fs.Glob(files, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		contents[name] = string(text)
	}
	return contents
}

// texts lays out input files, by path, in a directory of their own.
func texts(t *testing.T, contents map[string]string) fs.FS {
	t.Helper()
	root := t.TempDir()
	for name, text := range contents {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return os.DirFS(root)
}

func TestWordcountCorners(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, test := range map[string]struct{ text, file, frequencies string }{
		"empty file":            {"", "0\t0\t0\t0", ""},
		"no last newline":       {"one\ntwo", "2\t2\t7\t2", "one\t1\ntwo\t1\n"},
		"order and case":        {"b A a B c\n", "1\t5\t10\t3", "a\t2\nb\t2\nc\t1\n"},
		"apostrophes":           {"'God's' sons' o''er\n", "1\t4\t20\t4", "er\t1\ngod's\t1\no\t1\nsons\t1\n"},
		"digits and dashes":     {"1:1 in-to 2nd\n", "1\t3\t14\t3", "in\t1\nnd\t1\nto\t1\n"},
		"UTF-8 stays whole":     {"né à Zürich\n", "1\t3\t15\t3", "né\t1\nzürich\t1\nà\t1\n"},
		"zero bytes":            {"a\x00b\x00a", "1\t3\t5\t2", "a\t2\nb\t1\n"},
		"long words share":      {long + "y " + long + "z\n", "1\t2\t604\t1", long[:255] + "\t2\n"},
		"words across a buffer": {strings.Repeat("abcdef ", 20000), "1\t20000\t140000\t1", "abcdef\t20000\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runWASM(t, Wordcount, texts(t, map[string]string{"f": test.text}))
			if got.exit != 0 || got.stderr != "" {
				t.Fatalf("exit code %d: %s", got.exit, got.stderr)
			}
			if want := "f\t" + test.file + "\n"; got.outputs["files.tsv"] != want {
				t.Errorf("files.tsv is %q, want %q", got.outputs["files.tsv"], want)
			}
			if got.outputs["frequencies.tsv"] != test.frequencies {
				t.Errorf("frequencies.tsv is %q, want %q", got.outputs["frequencies.tsv"], test.frequencies)
			}
		})
	}
}

// TestWordcountOfTheWholeSet counts again in another way: with a regular
// expression and a map.
func TestWordcountOfTheWholeSet(t *testing.T) {
	counts := map[string]int{}
	word := regexp.MustCompile(`[a-z]+('[a-z]+)*`)
	for _, text := range readAll(t, KJV()) {
		for _, w := range word.FindAllString(strings.ToLower(text), -1) {
			counts[w]++
		}
	}
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	var want strings.Builder
	for _, w := range words {
		fmt.Fprintf(&want, "%s\t%d\n", w, counts[w])
	}

	got := runWASM(t, Wordcount, KJV())
	if got.exit != 0 || got.outputs["frequencies.tsv"] != want.String() {
		t.Errorf("exit code %d and a frequency table that is not the one counted here", got.exit)
	}
	if !strings.Contains(got.stdout, "all files\n  31102 lines, ") {
		t.Errorf("no total in the report:\n%s", got.stdout)
	}
}

func TestWordcountWalksDirectoriesInOrder(t *testing.T) {
	got := runWASM(t, Wordcount, texts(t, map[string]string{"b": "x", "a/2": "y y", "a/1": "x z"}))
	if want := "a/1\t1\t2\t3\t2\na/2\t1\t2\t3\t1\nb\t1\t1\t1\t1\n"; got.outputs["files.tsv"] != want {
		t.Errorf("files.tsv is %q, want %q", got.outputs["files.tsv"], want)
	}
	if want := "x\t2\ny\t2\nz\t1\n"; got.outputs["frequencies.tsv"] != want {
		t.Errorf("frequencies.tsv is %q, want %q", got.outputs["frequencies.tsv"], want)
	}
}

func TestConcordance(t *testing.T) {
	inputs := texts(t, map[string]string{
		"a.txt": "1:1 Faith, hope, charity.\n1:2 nothing\n1:3 Charity and\tfaith. Faithful.\n",
		"b.txt": "plain héros faith héros",
	})
	got := runWASM(t, Concordance, inputs, "-context", "6", "faith", "n[a-z]+g")
	want := "" +
		"a 1:1                            [Faith], hope\n" +
		"a 1:3                      y and [faith]. Fait\n" +
		"b:1                        héros [faith] héros\n" +
		"faith: 3 matches on 3 lines of 2 files\n\n" +
		"a 1:2                            [nothing]\n" +
		"n[a-z]+g: 1 matches on 1 lines of 1 files\n\n"
	if got.exit != 0 || got.stdout != want {
		t.Errorf("exit code %d, listing\n%s\nwant\n%s%s", got.exit, got.stdout, want, got.stderr)
	}
	var summary struct {
		Files, Lines int
		Patterns     []struct {
			Pattern        string
			Lines, Matches int
			Files          []struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(got.outputs["summary.json"]), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Files != 2 || summary.Lines != 4 || len(summary.Patterns) != 2 ||
		summary.Patterns[0].Matches != 3 || len(summary.Patterns[0].Files) != 2 {
		t.Errorf("summary is %+v", summary)
	}
}

func TestConcordanceTellsCase(t *testing.T) {
	got := runWASM(t, Concordance, texts(t, map[string]string{"f": "Lord LORD lord"}), "-case", "LORD")
	if !strings.Contains(got.stdout, "LORD: 1 matches on 1 lines of 1 files") {
		t.Errorf("listing:\n%s%s", got.stdout, got.stderr)
	}
}

func TestBadInput(t *testing.T) {
	full := map[string]string{"f": "text"}
	for name, test := range map[string]struct {
		module []byte
		files  map[string]string
		args   []string
		exit   uint32
		says   string
	}{
		"wordcount without files":   {Wordcount, nil, nil, 2, "give the job an input"},
		"wordcount, unknown option": {Wordcount, full, []string{"-x"}, 2, "usage:"},
		"wordcount, no value":       {Wordcount, full, []string{"-i"}, 2, "usage:"},
		"wordcount, no such input":  {Wordcount, full, []string{"-i", "/inputs/none"}, 1, "cannot list /inputs/none"},
		"wordcount, no outputs":     {Wordcount, full, []string{"-o", "/outputs/none"}, 1, "cannot create /outputs/none/files.tsv"},
		"concordance without files": {Concordance, nil, []string{"a"}, 2, "give the job an input"},
		"concordance, no pattern":   {Concordance, full, nil, 2, "no PATTERN given"},
		"concordance, bad pattern":  {Concordance, full, []string{"("}, 2, "missing closing )"},
		"concordance, empty match":  {Concordance, full, []string{"x*"}, 2, "matches the empty string"},
		"concordance, bad context":  {Concordance, full, []string{"-context", "-1", "a"}, 2, "want 0 to 1000 runes"},
		"concordance, no outputs":   {Concordance, full, []string{"-o", "/outputs/none", "a"}, 1, "write the summary"},
		"concordance, endless line": {Concordance, map[string]string{"f": strings.Repeat("a", 1<<20)}, []string{"b"}, 1, "read f after line 0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runWASM(t, test.module, texts(t, test.files), test.args...)
			if got.exit != test.exit || !strings.Contains(got.stderr, test.says) || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("exit code %d, want %d; message %q, want one line with %q", got.exit, test.exit, got.stderr, test.says)
			}
		})
	}
}
