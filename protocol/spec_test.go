package protocol_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

var (
	keyA = hexOf(protocol.ClientSecret(named("secret")).PieceKey(named("salt"), 0).PubKey())
	keyB = hexOf(protocol.ClientSecret(named("secret")).PieceKey(named("salt"), 1).PubKey())
)

const goodJob = `{"version":1,"profile":1,"module":"bafy","limits":{"memoryBytes":65536,"fuel":1000,"outputBytes":10}}`

func goodLines() string { return pieceLine("a", keyA) + pieceLine("b", keyB) }

func pieceLine(name, key string) string {
	return fmt.Sprintf(`{"name":%q,"publicKey":%q}`+"\n", name, key)
}

func spec() protocol.Spec {
	return protocol.Spec{
		Version: 1, Profile: 1, Module: "bafymodule", Args: []string{"-v"}, Env: map[string]string{"LANG": "C", "A": "<&>"},
		Inputs: []protocol.Input{{CID: "bafyinput", Path: "books/moby.txt"}},
		Limits: protocol.Limits{MemoryBytes: 1 << 32, Fuel: 1 << 62, OutputBytes: 1},
	}
}

func piecesOf(n int) []protocol.Piece {
	list := make([]protocol.Piece, n)
	for i := range list {
		key := protocol.ClientSecret(named("secret")).PieceKey(named("salt"), uint32(i))
		list[i] = protocol.Piece{Name: fmt.Sprintf("part-%d", i), Args: []string{fmt.Sprint(i)}, PublicKey: hexOf(key.PubKey())}
	}
	return list
}

func TestDocumentSurvivesPublishing(t *testing.T) {
	for _, n := range []int{1, 2, 3, 17} {
		made := must[*protocol.Document](t)(protocol.NewDocument(spec(), piecesOf(n)))
		read := must[*protocol.Document](t)(protocol.ParseDocument(made.Job, made.Lines))
		if made.Root() != read.Root() {
			t.Errorf("%d pieces: roots %s and %s", n, made.Root(), read.Root())
		}
		if got, want := fmt.Sprintf("%+v %+v", read.Spec, read.Pieces), fmt.Sprintf("%+v %+v", spec(), piecesOf(n)); got != want {
			t.Errorf("read\n%s, wrote\n%s", got, want)
		}
		if err := read.Check(protocol.Terms{Pieces: uint32(n), SpecRoot: made.Root()}); err != nil {
			t.Error(err)
		}
	}
}

// revealKey proves a piece's digest and key against specRoot: leaf = keccak256(abi.encode(index, digest, address)).
func TestDocumentProofVerifiesAgainstTheRoot(t *testing.T) {
	for n := uint32(1); n <= 9; n++ {
		d := must[*protocol.Document](t)(protocol.NewDocument(spec(), piecesOf(int(n))))
		for i := range n {
			digest, proof := d.Proof(i)
			address := protocol.KeyAddress(d.PublicKey(i))
			leaf := crypto.Keccak256Hash(pack(t, "uint32,bytes32,address", i, digest, address))
			if !protocol.VerifySum(protocol.Sum{Hash: d.Root()}, protocol.Sum{Hash: leaf}, i, n, proof) {
				t.Errorf("piece %d of %d is not under the root", i, n)
			}
			line := bytes.Split(d.Lines, []byte("\n"))[i]
			want := crypto.Keccak256Hash(crypto.Keccak256(d.Job), crypto.Keccak256(line))
			if digest != want {
				t.Errorf("piece %d of %d: digest %s, want %s", i, n, digest, want)
			}
		}
	}
}

func TestRootBindsEveryByte(t *testing.T) {
	seen := map[common.Hash]string{}
	for name, text := range map[string][2]string{
		"original":        {goodJob, goodLines()},
		"space in job":    {goodJob + " ", goodLines()},
		"space in piece":  {goodJob, " " + goodLines()},
		"other order":     {goodJob, pieceLine("b", keyB) + pieceLine("a", keyA)},
		"other name":      {goodJob, pieceLine("a", keyA) + pieceLine("c", keyB)},
		"fewer":           {goodJob, pieceLine("a", keyA)},
		"keys exchanged":  {goodJob, pieceLine("a", keyB) + pieceLine("b", keyA)},
		"another profile": {strings.Replace(goodJob, `"profile":1`, `"profile":2`, 1), goodLines()},
	} {
		d, err := protocol.ParseDocument([]byte(text[0]), []byte(text[1]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, known := seen[d.Root()]; known {
			t.Errorf("%s and %s have the same root", name, other)
		}
		seen[d.Root()] = name
	}
	// The last line's end is not part of any piece.
	unended := must[*protocol.Document](t)(protocol.ParseDocument([]byte(goodJob), []byte(strings.TrimSuffix(goodLines(), "\n"))))
	if seen[unended.Root()] != "original" {
		t.Error("the last line's end changes the root")
	}
}

func TestDocumentCheckAgainstTerms(t *testing.T) {
	d := must[*protocol.Document](t)(protocol.ParseDocument([]byte(goodJob), []byte(goodLines())))
	for want, terms := range map[string]protocol.Terms{
		"spec has 2 pieces, the job 3":                                 {Pieces: 3, SpecRoot: d.Root()},
		"spec is not the one the job commits to (Merkle root differs)": {Pieces: 2, SpecRoot: named("other")},
	} {
		if err := d.Check(terms); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	job := func(old, new string) string {
		if !strings.Contains(goodJob, old) {
			t.Fatalf("%s is not in the job", old)
		}
		return strings.Replace(goodJob, old, new, 1)
	}
	withInput := func(cid, path string) string {
		return job(`"limits"`, fmt.Sprintf(`"inputs":[{"cid":%q,"path":%q}],"limits"`, cid, path))
	}
	pieceInput := func(path string) string {
		return fmt.Sprintf(`{"name":"a","inputs":[{"cid":"bafy","path":%q}],"publicKey":%q}`, path, keyA)
	}
	uncompressed := fmt.Sprintf("%x", protocol.ClientSecret(named("secret")).PieceKey(named("salt"), 0).PubKey().SerializeUncompressed())
	cases := []struct{ name, job, lines, want string }{
		{"empty job", "", goodLines(), `job.json: EOF`},
		{"no JSON", "job", goodLines(), `job.json: invalid character 'j' looking for beginning of value`},
		{"job of another kind", "[]", goodLines(), `job.json: json: cannot unmarshal array into Go value of type protocol.Spec`},
		{"null", "null", goodLines(), `job.json: version: 0 is not supported, want 1`},
		{"unknown field", job(`"module"`, `"image":"x","module"`), goodLines(), `job.json: json: unknown field "image"`},
		{"unknown limit", job(`"fuel"`, `"gas":1,"fuel"`), goodLines(), `job.json: json: unknown field "gas"`},
		{"trailing value", goodJob + "{}", goodLines(), `job.json: more after the JSON value`},
		{"trailing junk", goodJob + "]", goodLines(), `job.json: more after the JSON value`},
		{"version", job(`"version":1`, `"version":2`), goodLines(), `job.json: version: 2 is not supported, want 1`},
		{"profile", job(`"profile":1,`, ``), goodLines(), `job.json: profile: missing`},
		{"negative profile", job(`"profile":1`, `"profile":-1`), goodLines(), `job.json: json: cannot unmarshal number -1 into Go struct field Spec.profile of type uint32`},
		{"module", job(`"bafy"`, `""`), goodLines(), `job.json: module: missing; give the CID of a WASI program`},
		{"no memory", job(`65536`, `0`), goodLines(), `job.json: limits.memoryBytes: 0 is not in 1…4294967296`},
		{"too much memory", job(`65536`, `4294967297`), goodLines(), `job.json: limits.memoryBytes: 4294967297 is not in 1…4294967296`},
		{"no fuel", job(`1000`, `0`), goodLines(), `job.json: limits.fuel: 0 is not in 1…2^62`},
		{"too much fuel", job(`1000`, `4611686018427387905`), goodLines(), `job.json: limits.fuel: 4611686018427387905 is not in 1…2^62`},
		{"no output", job(`"outputBytes":10`, `"outputBytes":0`), goodLines(), `job.json: limits.outputBytes: missing`},
		{"input without cid", withInput("", "a"), goodLines(), `job.json: inputs: "a" has no cid`},
		{"absolute path", withInput("bafy", "/etc/passwd"), goodLines(), `job.json: inputs: path "/etc/passwd" must be relative, clean and below /inputs`},
		{"path ..", withInput("bafy", ".."), goodLines(), `job.json: inputs: path ".." must be relative, clean and below /inputs`},
		{"path ../a", withInput("bafy", "../a"), goodLines(), `job.json: inputs: path "../a" must be relative, clean and below /inputs`},
		{"path a/../..", withInput("bafy", "a/../.."), goodLines(), `job.json: inputs: path "a/../.." must be relative, clean and below /inputs`},
		{"path a/", withInput("bafy", "a/"), goodLines(), `job.json: inputs: path "a/" must be relative, clean and below /inputs`},
		{"path a//b", withInput("bafy", "a//b"), goodLines(), `job.json: inputs: path "a//b" must be relative, clean and below /inputs`},
		{"provider of another scheme", job(`"limits"`, `"providers":["ftp://example.org"],"limits"`), goodLines(), `job.json: providers: "ftp://example.org" is not the base URL of a gateway, such as https://example.org`},
		{"provider with a password", job(`"limits"`, `"providers":["https://a:secret@example.org"],"limits"`), goodLines(), `job.json: providers: "https://a:xxxxx@example.org" holds a user name or password, which would be published: use a URL without`},
		{"too many providers", job(`"limits"`, `"providers":["https://example.org"`+strings.Repeat(`,"https://example.org"`, 16)+`],"limits"`), goodLines(), `job.json: providers: 17 are given, at most 16 are asked`},
		{"no path", withInput("bafy", ""), goodLines(), `job.json: inputs: path "" must be relative, clean and below /inputs`},
		{"zero byte in path", job(`"limits"`, `"inputs":[{"cid":"bafy","path":"a\u0000b"}],"limits"`), goodLines(), `job.json: inputs: path "a\x00b" must be relative, clean and below /inputs`},

		{"no pieces", goodJob, "", `pieces.jsonl: no pieces`},
		{"empty line", goodJob, pieceLine("a", keyA) + "\n" + pieceLine("b", keyB), `pieces.jsonl:2: EOF`},
		{"piece of another kind", goodJob, `"a"`, `pieces.jsonl:1: json: cannot unmarshal string into Go value of type protocol.Piece`},
		{"unknown piece field", goodJob, pieceLine("a", keyA) + `{"name":"b","cpu":1}`, `pieces.jsonl:2: json: unknown field "cpu"`},
		{"two on a line", goodJob, strings.ReplaceAll(goodLines(), "\n", ""), `pieces.jsonl:1: more after the JSON value`},
		{"duplicate name", goodJob, pieceLine("a", keyA) + pieceLine("a", keyB), `pieces.jsonl:2: name "a" is used twice`},
		{"no name", goodJob, pieceLine("", keyA), `pieces.jsonl:1: name: "" is not a plain file name`},
		{"name .", goodJob, pieceLine(".", keyA), `pieces.jsonl:1: name: "." is not a plain file name`},
		{"name ..", goodJob, pieceLine("..", keyA), `pieces.jsonl:1: name: ".." is not a plain file name`},
		{"name with a slash", goodJob, pieceLine("a/b", keyA), `pieces.jsonl:1: name: "a/b" is not a plain file name`},
		{"name too long", goodJob, pieceLine(strings.Repeat("n", 256), keyA), fmt.Sprintf(`pieces.jsonl:1: name: %q is not a plain file name`, strings.Repeat("n", 256))},
		{"no key", goodJob, pieceLine("a", ""), `pieces.jsonl:1: publicKey: has 0 bytes, want a compressed key of 33`},
		{"key not hex", goodJob, pieceLine("a", "0x02"), `pieces.jsonl:1: publicKey: encoding/hex: invalid byte: U+0078 'x'`},
		{"key cut", goodJob, pieceLine("a", keyA[:64]), `pieces.jsonl:1: publicKey: has 32 bytes, want a compressed key of 33`},
		{"key uncompressed", goodJob, pieceLine("a", uncompressed), `pieces.jsonl:1: publicKey: has 65 bytes, want a compressed key of 33`},
		{"key of another form", goodJob, pieceLine("a", "05"+keyA[2:]), `pieces.jsonl:1: publicKey: invalid public key: unsupported format: 5`},
		{"key off the curve", goodJob, pieceLine("a", fmt.Sprintf("02%064x", offCurve(t))), fmt.Sprintf("pieces.jsonl:1: publicKey: invalid public key: x coordinate %064x is not on the secp256k1 curve", offCurve(t))},
		{"key over the order", goodJob, pieceLine("a", fmt.Sprintf("02%064x", overOrder(t))), `pieces.jsonl:1: publicKey: x coordinate exceeds the group order`},
		{"piece with path ..", goodJob, pieceInput("../x"), `pieces.jsonl:1: inputs: path "../x" must be relative, clean and below /inputs`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := protocol.ParseDocument([]byte(c.job), []byte(c.lines))
			if err == nil {
				t.Fatalf("accepted as %+v %+v", d.Spec, d.Pieces)
			}
			if err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestParseDocumentTakesEveryPathBelowInputs(t *testing.T) {
	for _, path := range []string{".", "a", "a/b", "..a", "a..", ".hidden", "with space"} {
		with := spec()
		with.Inputs[0].Path = path
		if _, err := protocol.NewDocument(with, piecesOf(1)); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestParseDocumentRefusesGiants(t *testing.T) {
	giant := make([]byte, protocol.MaxSpecBytes+1)
	for _, files := range [][2][]byte{{giant, []byte(goodLines())}, {[]byte(goodJob), giant}} {
		if _, err := protocol.ParseDocument(files[0], files[1]); err == nil || err.Error() != "spec is larger than 67108864 bytes" {
			t.Errorf("got %v", err)
		}
	}
}

func TestNewDocumentChecksLikeAStranger(t *testing.T) {
	bad := spec()
	bad.Inputs[0].Path = "/abs"
	if _, err := protocol.NewDocument(bad, piecesOf(1)); err == nil || !strings.HasPrefix(err.Error(), "job.json: inputs: ") {
		t.Errorf("got %v", err)
	}
	if _, err := protocol.NewDocument(spec(), nil); err == nil || err.Error() != "pieces.jsonl: no pieces" {
		t.Errorf("got %v", err)
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(goodJob), []byte(goodLines()))
	f.Add([]byte(goodJob), []byte(strings.TrimSuffix(goodLines(), "\n")))
	f.Add([]byte(goodJob+"\n"), []byte("{}\r\n"))
	f.Add([]byte("null"), []byte("null\n"))
	f.Add([]byte(strings.Replace(goodJob, `"limits"`, `"inputs":[{"cid":"bafy","path":"a/b"}],"limits"`, 1)), []byte(goodLines()))
	f.Fuzz(func(t *testing.T, job, lines []byte) {
		d, err := protocol.ParseDocument(job, lines)
		if err != nil {
			return
		}
		n := uint32(len(d.Pieces))
		if err := d.Check(protocol.Terms{Pieces: n, SpecRoot: d.Root()}); err != nil {
			t.Error(err)
		}
		for i, p := range d.Pieces {
			digest, proof := d.Proof(uint32(i))
			key := d.PublicKey(uint32(i))
			if key.X().Cmp(order) >= 0 || p.Name == "" || strings.Contains(p.Name, "/") {
				t.Errorf("piece %d was accepted: %+v", i, p)
			}
			leaf := crypto.Keccak256Hash(pack(t, "uint256,bytes32,address", big.NewInt(int64(i)), digest, protocol.KeyAddress(key)))
			if !protocol.VerifySum(protocol.Sum{Hash: d.Root()}, protocol.Sum{Hash: leaf}, uint32(i), n, proof) {
				t.Errorf("piece %d of %d is not under the root", i, n)
			}
		}
		again, err := protocol.NewDocument(d.Spec, d.Pieces)
		if err != nil {
			t.Fatalf("what was accepted cannot be published: %v", err)
		}
		if got, want := fmt.Sprintf("%+v %+v", again.Spec, again.Pieces), fmt.Sprintf("%+v %+v", d.Spec, d.Pieces); got != want {
			t.Errorf("published anew as\n%s, was\n%s", got, want)
		}
	})
}
