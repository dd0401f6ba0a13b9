package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/api/apitest"
)

const wordcountWasm = "../../examples/wordcount/wordcount.wasm"

// ran is what a command left behind.
type ran struct {
	code           int
	stdout, stderr string
}

// bacalhau runs a command in this process.
func bacalhau(t *testing.T, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(args, strings.NewReader(""), &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

// network starts a node that the commands of this test talk to.
func network(t *testing.T) *apitest.Node {
	t.Helper()
	node := apitest.New(t)
	server := httptest.NewServer(api.New(node, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	t.Setenv("HOME", t.TempDir())
	t.Setenv(envAPI, server.URL)
	return node
}

// nobody is a URL that nothing answers at.
func nobody(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// write makes a file below the test's own folder and returns its path.
func write(t *testing.T, content string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// decodeInto reads what a command printed with --output json, which is one value and nothing else.
func decodeInto(t *testing.T, stdout string, into any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(stdout))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("stdout %q: %v", stdout, err)
	}
	if dec.More() {
		t.Fatalf("stdout has more than one JSON value: %q", stdout)
	}
}

// TestMistakes: what is wrong, the exit code, and the one line that says what to do.
func TestMistakes(t *testing.T) {
	node := network(t)
	dir := t.TempDir()
	text := write(t, "hello", dir, "text.txt")
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	twin := write(t, "other", dir, "twin", "text.txt")
	linked := filepath.Join(dir, "linked")
	write(t, "x", linked, "x")
	if err := os.Symlink("x", filepath.Join(linked, "link")); err != nil {
		t.Fatal(err)
	}
	const nowhere = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"fly", 2, `"fly" is not a command of bacalhau`},
		{"job", 0, ""},
		{"job fly", 2, `"fly" is not a command of bacalhau job`},
		{"version extra", 2, "takes no arguments"},
		{"version --fast", 2, "unknown flag: --fast (see `bacalhau version --help`)"},
		{"version --output xml", 2, `--output "xml" is neither table nor json`},
		{"wallet show --api ftp://x", 2, `--api: "ftp://x" is not the URL of a node`},

		{"wallet deposit", 2, "give an amount"},
		{"wallet deposit 0", 2, "the amount is zero"},
		{"wallet deposit 5dollars", 2, `unknown unit "dollars"`},
		{"wallet deposit 1.5wei", 2, "not a whole number of wei"},
		{"wallet deposit 1e3", 2, `"1e3" is not an amount`},
		{"wallet deposit 99999999999eth", 2, "more money than the contract can hold"},
		{"wallet deposit 1eth", 1, "too little balance: 5000 wei are there and 1000000000000000000 are needed"},

		{"job describe", 2, "give a job's id"},
		{"job describe xyz", 2, `"xyz" is neither a job's id`},
		{"job describe 0xab", 1, "no job's id begins with 0xab: see `bacalhau job list`"},
		{"job describe 0x" + strings.Repeat("ab", 32), 1, "not found"},
		{"job cancel 0xab", 1, "no job's id begins with 0xab"},
		{"get nothing", 2, `"nothing" is neither a job's id`},
		{"get " + nowhere, 1, "nobody on the network has " + nowhere},

		{"run", 2, "give the program to run"},
		{"run a.wasm b.wasm", 2, "put the program's own arguments behind --: bacalhau run a.wasm -- b.wasm"},
		{"run missing.wasm", 1, `module "missing.wasm" is neither a file here, nor a CID, nor a URL`},
		{"run " + dir, 1, "is not a file: give a WASI program"},
		{"run " + text, 1, "it is not a core WebAssembly module; compile the program to a WASI preview1 command"},
		{"run " + nowhere, 1, "module: nobody on the network has " + nowhere},
		{"run --memory 100GiB " + wordcountWasm, 2, `--memory: "100GiB" is more than a piece can have`},
		{"run --memory much " + wordcountWasm, 2, `--memory: "much" is not a size`},
		{"run --memory 0 " + wordcountWasm, 2, `--memory: "0" is zero: leave the flag out`},
		{"run --fuel -1 " + wordcountWasm, 2, `--fuel: "-1" is not a number`},
		{"run --bid free " + wordcountWasm, 2, `--bid: "free" is not an amount`},
		{"run --check-rate 300% " + wordcountWasm, 2, `--check-rate: "300%" is not a share between 0 and 1`},
		{"run --check-rate 0.0000001 " + wordcountWasm, 2, "--check-rate:"},
		{"run --check-rate 0.5% " + wordcountWasm, 2, "--check-rate: the contract takes no less than 1 %"},
		{"run --flat --fuel-price 1 " + wordcountWasm, 2, "--flat and --fuel-price exclude each other"},
		{"run --detach --out x " + wordcountWasm, 2, "--detach and --out exclude each other"},
		{"run --env NAME " + wordcountWasm, 2, `--env: "NAME" is not of the form K=V`},
		{"run --env A=1 --env A=2 " + wordcountWasm, 2, "--env: A is given twice"},
		{"run --expiry 1500ms " + wordcountWasm, 2, "--expiry: 1.5s is not a time of whole seconds"},
		{"run --expiry soon " + wordcountWasm, 2, `invalid argument "soon"`},
		{"run --out " + dir + " " + wordcountWasm, 1, dir + " exists already"},
		{"run --each-file " + wordcountWasm, 2, "--each-file needs at least one --input"},
		{"run --input missing.txt " + wordcountWasm, 1, `input: "missing.txt" is neither a file or folder here, nor a CID, nor a URL`},
		{"run --input ftp://host/key " + wordcountWasm, 1, "only http, https, s3 and ipfs URLs are read"},
		{"run --input ipfs://x " + wordcountWasm, 1, `"ipfs://x" is not a CID`},
		{"run --input " + nowhere + " " + wordcountWasm, 1, "nobody on the network has " + nowhere},
		{"run --input " + empty + " " + wordcountWasm, 1, "has no files"},
		{"run --input " + empty + " --each-file " + wordcountWasm, 1, "has no files"},
		{"run --input " + linked + " " + wordcountWasm, 1, "is a symlink"},
		{"run --input " + text + " --input " + twin + " " + wordcountWasm, 1, "would both be /inputs/text.txt: rename one"},
		{"run --bid 1gwei --input " + text + " " + wordcountWasm, 1, "too little balance"},
	} {
		t.Run(test.args, func(t *testing.T) {
			got := bacalhau(t, strings.Fields(test.args)...)
			if got.code != test.code {
				t.Errorf("exit code %d, want %d", got.code, test.code)
			}
			lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
			last := lines[len(lines)-1]
			if !strings.Contains(last, test.says) || (test.code != 0 && !strings.HasPrefix(last, "bacalhau: ")) {
				t.Errorf("stderr ends with %q, want %q", last, test.says)
			}
			if strings.Count(got.stderr, "bacalhau: ") > 1 || (test.code == 2 && len(lines) != 1) {
				t.Errorf("stderr is %q, want one line", got.stderr)
			}
			if test.code != 0 && got.stdout != "" {
				t.Errorf("stdout is %q, want nothing", got.stdout)
			}
		})
	}
	jobs, err := node.Jobs(t.Context())
	if err != nil || len(jobs) != 0 {
		t.Errorf("mistakes made the jobs %+v (%v)", jobs, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv(envAPI, nobody(t))
	for _, args := range []string{"wallet show", "wallet deposit 1", "node list", "job list", "job describe 0xab", "get 0xab", "run " + wordcountWasm} {
		got := bacalhau(t, strings.Fields(args)...)
		if got.code != exitError || !strings.Contains(got.stderr, "start one with `bacalhau devstack`") {
			t.Errorf("%s: %+v, want a hint at devstack", args, got)
		}
	}
}

// TestWhichNode: the flag counts before the environment, and that before the devstack's file.
func TestWhichNode(t *testing.T) {
	network(t)
	url := os.Getenv(envAPI)
	dead := nobody(t)
	home := os.Getenv("HOME")
	file := filepath.Join(home, ".bacalhau", "devstack", apiFile)
	for _, test := range []struct {
		name, flag, env, file string
		found                 bool
	}{
		{"flag", url, dead, dead, true},
		{"environment", "", url, dead, true},
		{"file", "", "", url + "\n", true},
		{"flag to nobody", dead, url, url, false},
		{"environment to nobody", "", dead, url, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(envAPI, test.env)
			write(t, test.file, file)
			args := []string{"wallet", "show"}
			if test.flag != "" {
				args = append(args, "--api", test.flag)
			}
			if got := bacalhau(t, args...); (got.code == 0) != test.found {
				t.Errorf("got %+v, want found %t", got, test.found)
			}
		})
	}
}
