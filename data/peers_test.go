package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"
)

// installPeers installs the packages that tools/peers locks, once.
var installPeers = sync.OnceValue(func() error {
	if _, err := os.Stat("../tools/peers/node_modules/.package-lock.json"); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	cmd := exec.Command("npm", "ci")
	cmd.Dir = "../tools/peers"
	said, err := cmd.CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(string(said)))
	}
	return nil
})

// startPeer runs a server of tools/peers until the test ends and returns its URL.
func startPeer(t testing.TB, args ...string) string {
	t.Helper()
	if err := installPeers(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", args...)
	cmd.Dir = "../tools/peers"
	var said bytes.Buffer
	cmd.Stderr = &said
	in := must(cmd.StdinPipe())(t)
	out := must(cmd.StdoutPipe())(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Logf("%v: %v\n%s", args, err, said.String())
		}
	})
	var hello struct {
		URL      string
		Versions map[string]string
	}
	if err := json.NewDecoder(out).Decode(&hello); err != nil {
		t.Fatalf("%v does not start: %v\n%s", args, err, said.String())
	}
	t.Logf("%s: %v", args[0], hello.Versions)
	return hello.URL
}

// post sends a body and returns the answer's.
func post(t *testing.T, to string, body io.Reader) string {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, to, body))(t)
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close()
	said := must(io.ReadAll(resp.Body))(t)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", to, resp.Status, said)
	}
	return string(said)
}

// Helia's importer gives our CIDs; we fetch from it, it fetches from us, and each
// reads the other's CARs.
func TestHelia(t *testing.T) {
	helia := startPeer(t, "helia.mjs")
	src := open(t)
	large, shards := map[string]Source{}, map[string][]byte{} // a sharded directory
	for i := range 1500 {
		name := strconv.Itoa(i) + strings.Repeat("ä", 100)
		large[name], shards[name] = Bytes([]byte(name)), []byte(name)
	}
	ours := map[string]cid.Cid{
		"tree":    sample(t, src),
		"sharded": must(src.AddFiles(t.Context(), large))(t),
	}
	encoded := func(files map[string][]byte) io.Reader { return bytes.NewReader(must(json.Marshal(files))(t)) }
	theirs := map[string]string{
		"tree": post(t, helia+"/add", encoded(map[string][]byte{
			"a": []byte("hello"), "empty": {}, "sub/big": pattern(1, 3<<20+5), "sub/deep/c": []byte("c"),
		})),
		"sharded": post(t, helia+"/add", encoded(shards)),
	}
	for name, root := range ours {
		t.Run(name, func(t *testing.T) {
			if theirs[name] != root.String() {
				t.Errorf("Helia's importer says %s, ours %s", theirs[name], root)
			}
			dst := open(t)
			p := serve(t, src.Handler())
			if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(t.Context(), root, []string{helia}); err != nil {
				t.Fatal(err)
			}
			fetched(t, dst, root)
			got := post(t, helia+"/fetch?"+url.Values{"cid": {root.String()}, "from": {p.URL}}.Encode(), nil)
			if want := strconv.Itoa(len(exported(t, src, root))); got != want {
				t.Errorf("Helia fetched a CAR of %s bytes from us, want %s", got, want)
			}
		})
	}
	t.Run("CAR", func(t *testing.T) {
		root := must(src.AddFiles(t.Context(), map[string]Source{"only ours": Bytes(pattern(7, 2<<20))}))(t)
		if got := post(t, helia+"/import", bytes.NewReader(exported(t, src, root))); got != root.String() {
			t.Errorf("Helia imported %s, want %s", got, root)
		}
		dst := open(t)
		if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(t.Context(), root, []string{helia}); err != nil {
			t.Fatal(err)
		}
		fetched(t, dst, root)
	})
}
