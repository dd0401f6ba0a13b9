//go:build kubo

// With a real Kubo daemon, which takes minutes to build: make test-kubo.

package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
)

// kuboBinary builds the Kubo release that tools/kubo pins, once.
var kuboBinary = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "tool", "-modfile=../tools/kubo/go.mod", "-n", "ipfs")
	var said bytes.Buffer
	cmd.Stderr = &said
	path, err := cmd.Output()
	if err != nil {
		return "", errors.Join(err, errors.New(said.String()))
	}
	return strings.TrimSpace(string(path)), nil
})

// kuboDaemon is a Kubo of its own: on loopback, without any peers.
type kuboDaemon struct {
	Kubo
	t       testing.TB
	repo    string
	gateway string
	cmd     *exec.Cmd
}

func freePort(t testing.TB) string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startKubo starts a daemon whose RPC API wants the given token.
func startKubo(t testing.TB, token string) *kuboDaemon {
	t.Helper()
	api, web := freePort(t), freePort(t)
	d := &kuboDaemon{
		Kubo: Kubo{URL: "http://127.0.0.1:" + api, Authorization: "Bearer " + token},
		t:    t, repo: t.TempDir(), gateway: "http://127.0.0.1:" + web,
	}
	d.ipfs("init", "--profile=unixfs-v1-2025,test")
	for name, value := range map[string]any{
		"Addresses.API": "/ip4/127.0.0.1/tcp/" + api, "Addresses.Gateway": "/ip4/127.0.0.1/tcp/" + web,
		"Addresses.Swarm": []string{}, "Bootstrap": []string{}, "Routing.Type": "none", "AutoConf.Enabled": false,
		"DNS.Resolvers": map[string]string{}, "Routing.DelegatedRouters": []string{}, "Ipns.DelegatedPublishers": []string{},
		"Gateway.NoFetch":    true,
		"API.Authorizations": map[string]any{"test": map[string]any{"AuthSecret": "bearer:" + token, "AllowedPaths": []string{"/api/v0"}}},
	} {
		d.ipfs("config", "--json", name, string(must(json.Marshal(value))(t)))
	}
	d.start()
	t.Cleanup(d.stop)
	t.Logf("Kubo %s", must(d.Version(t.Context()))(t))
	return d
}

func (d *kuboDaemon) command(args ...string) *exec.Cmd {
	cmd := exec.Command(must(kuboBinary())(d.t), args...)
	cmd.Env = append(os.Environ(), "IPFS_PATH="+d.repo, "IPFS_TELEMETRY=off")
	return cmd
}

func (d *kuboDaemon) ipfs(args ...string) {
	d.t.Helper()
	if said, err := d.command(args...).CombinedOutput(); err != nil {
		d.t.Fatalf("ipfs %v: %v\n%s", args, err, said)
	}
}

// start starts the daemon and waits until it answers.
func (d *kuboDaemon) start() {
	d.t.Helper()
	var said bytes.Buffer
	d.cmd = d.command("daemon", "--offline")
	d.cmd.Stdout, d.cmd.Stderr = &said, &said
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		_, err := d.Version(d.t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			d.stop()
			d.t.Fatalf("Kubo does not answer: %v\n%s", err, said.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *kuboDaemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = d.cmd.Wait()
}

// rpc makes a call of Kubo's API and returns its answer.
func (d *kuboDaemon) rpc(name string, query url.Values, body io.Reader, contentType string) []byte {
	d.t.Helper()
	u := must(d.call(name, query))(d.t)
	req := must(d.post(d.t.Context(), u, body))(d.t)
	req.Header.Set("Content-Type", contentType)
	resp := must(http.DefaultClient.Do(req))(d.t)
	defer resp.Body.Close()
	answer := must(io.ReadAll(resp.Body))(d.t)
	if resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %s: %s", name, resp.Status, answer)
	}
	return answer
}

// add lets Kubo's own importer make a directory of the files in a folder.
func (d *kuboDaemon) add(files map[string][]byte) cid.Cid {
	d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for path, content := range files {
		part := must(form.CreateFormFile("file", url.PathEscape("dir/"+path)))(d.t)
		must(part.Write(content))(d.t)
	}
	if err := form.Close(); err != nil {
		d.t.Fatal(err)
	}
	var last struct{ Hash string }
	answer := json.NewDecoder(bytes.NewReader(d.rpc("add", nil, &body, form.FormDataContentType())))
	for answer.More() {
		if err := answer.Decode(&last); err != nil {
			d.t.Fatal(err)
		}
	}
	return must(ParseCID(last.Hash))(d.t)
}

func (d *kuboDaemon) pinned(c cid.Cid) bool {
	return bytes.Contains(d.rpc("pin/ls", url.Values{"type": {"recursive"}}, nil, ""), []byte(c.String()))
}

// Kubo's importer and ours give the same CIDs; what is in Kubo is fetched by its
// RPC API and by its gateway; what is ours is given to it, pinned, as soon as it
// is there, also if it or we were away meanwhile.
func TestKubo(t *testing.T) {
	ctx := t.Context()
	d := startKubo(t, "secret")
	files := map[string][]byte{"a": []byte("hello"), "empty": nil, "sub/big": pattern(1, 3<<20+5), "sub/deep/c": []byte("c")}
	theirs := d.add(files)
	src := open(t)
	if ours := sample(t, src); ours != theirs {
		t.Fatalf("Kubo's importer says %s, ours %s", theirs, ours)
	}

	t.Run("fetch by RPC", func(t *testing.T) {
		dst := open(t)
		f := &Fetcher{Store: dst, Own: Sources{Kubo: d.Kubo}}
		if err := f.Fetch(t.Context(), theirs, []string{"http://127.0.0.1:1"}); err != nil {
			t.Fatal(err)
		}
		fetched(t, dst, theirs)
	})
	t.Run("fetch by gateway", func(t *testing.T) {
		dst := open(t)
		f := &Fetcher{Store: dst, Own: Sources{Gateways: []string{d.gateway}}}
		if err := f.Fetch(t.Context(), theirs, nil); err != nil {
			t.Fatal(err)
		}
		fetched(t, dst, theirs)
	})
	t.Run("without the token", func(t *testing.T) {
		f := &Fetcher{Store: open(t), Own: Sources{Kubo: Kubo{URL: d.URL}}}
		var missing *NotFoundError
		if err := f.Fetch(t.Context(), theirs, nil); !errors.As(err, &missing) || !strings.Contains(err.Error(), "403") {
			t.Errorf("got %v, want a NotFoundError with 403", err)
		}
	})
	t.Run("absent", func(t *testing.T) {
		f := &Fetcher{Store: open(t), Own: Sources{Kubo: d.Kubo}}
		var missing *NotFoundError
		if err := f.Fetch(t.Context(), specCID(cid.DagProtobuf, []byte("absent")), nil); !errors.As(err, &missing) {
			t.Errorf("got %v, want a NotFoundError", err)
		}
	})
	t.Run("give", func(t *testing.T) {
		sharded := must(src.AddFiles(t.Context(), many(6000)))(t)
		if err := d.Give(t.Context(), src, sharded); err != nil {
			t.Fatal(err)
		}
		if !d.pinned(sharded) {
			t.Error("not pinned in Kubo")
		}
		if err := d.Give(t.Context(), src, specCID(cid.DagProtobuf, []byte("absent"))); !errors.Is(err, ErrNotLocal) {
			t.Errorf("what is not here: got %v, want ErrNotLocal", err)
		}
	})

	// Kubo away: a fetch goes to the next source, and what is to be given waits,
	// on disk, until Kubo is back.
	d.stop()
	other := serve(t, src.Handler())
	dst := open(t)
	if err := (&Fetcher{Store: dst, HTTP: local, Own: Sources{Kubo: d.Kubo}}).Fetch(ctx, theirs, []string{other.URL}); err != nil {
		t.Fatal(err)
	}
	var missing *NotFoundError
	err := (&Fetcher{Store: open(t), Own: Sources{Kubo: d.Kubo}}).Fetch(ctx, theirs, nil)
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "Kubo at "+d.URL) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("Kubo away: got %v", err)
	}

	dir := t.TempDir()
	late := must(OpenStore(dir))(t)
	output := must(late.AddFiles(ctx, map[string]Source{"output": Bytes([]byte("late"))}))(t)
	if err := errors.Join(NewMirror(late, d.Kubo, nil).Add(ctx, output), late.Close()); err != nil {
		t.Fatal(err)
	}
	late = openAt(t, dir)
	attempts := make(chan error, 100)
	m := NewMirror(late, d.Kubo, func(_ cid.Cid, err error) { attempts <- err })
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- m.Run(running) }()
	if err := <-attempts; err == nil {
		t.Error("given to a Kubo that is away")
	}
	d.start()
	for err := range attempts {
		if err == nil {
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !d.pinned(output) {
		t.Error("not pinned in Kubo")
	}
	if pending := must(m.Pending(ctx))(t); len(pending) != 0 {
		t.Errorf("still to be given: %v", pending)
	}
}
