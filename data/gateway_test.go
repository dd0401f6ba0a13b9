package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	carv2 "github.com/ipld/go-car/v2"
)

func request(t *testing.T, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, url, nil))(t)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close()
	return resp, must(io.ReadAll(resp.Body))(t)
}

// carCIDs reads a CAR with the reference library.
func carCIDs(t *testing.T, car []byte) (cids []cid.Cid) {
	t.Helper()
	r := must(carv2.NewBlockReader(bytes.NewReader(car)))(t)
	for {
		b, err := r.Next()
		if err == io.EOF {
			return cids
		}
		if err != nil {
			t.Fatal(err)
		}
		cids = append(cids, b.Cid())
	}
}

func TestGateway(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	big := must(s.Resolve(ctx, root, "sub/big"))(t)
	sharded := must(s.AddFiles(ctx, many(6000)))(t)
	base := serve(t, s.Handler()).URL + "/ipfs/"

	block := must(s.block(ctx, root))(t).RawData()
	for _, by := range []struct{ query, accept string }{{"?format=raw", ""}, {"", typeRaw}} {
		resp, body := request(t, "GET", base+root.String()+by.query, "Accept", by.accept)
		if resp.StatusCode != 200 || !bytes.Equal(body, block) || resp.Header.Get("Content-Type") != typeRaw {
			t.Errorf("raw %v: %s, %d bytes of %s", by, resp.Status, len(body), resp.Header.Get("Content-Type"))
		}
	}
	for _, c := range []struct {
		of     cid.Cid
		scope  string
		blocks int
	}{{root, "", 11}, {root, "&dag-scope=all", 11}, {root, "&dag-scope=block", 1}, {root, "&dag-scope=entity", 1}, {big, "&dag-scope=entity", 5}} {
		resp, body := request(t, "GET", base+c.of.String()+"?format=car"+c.scope)
		if got := carCIDs(t, body); resp.StatusCode != 200 || len(got) != c.blocks || got[0] != c.of {
			t.Errorf("car of %s%s: %s, blocks %v, want %d", c.of, c.scope, resp.Status, got, c.blocks)
		}
	}
	_, body := request(t, "GET", base+sharded.String()+"?dag-scope=entity", "Accept", typeCAR)
	for _, c := range carCIDs(t, body) {
		if c.Prefix().Codec == cid.Raw {
			t.Errorf("a directory as an entity brings the file %s", c)
		}
	}
	if n := len(carCIDs(t, body)); n < 100 {
		t.Errorf("a sharded directory as an entity has %d blocks", n)
	}
}

func TestGatewayHeadAndCache(t *testing.T) {
	s := open(t)
	root := sample(t, s)
	base := serve(t, s.Handler()).URL + "/ipfs/"
	for _, format := range []string{"raw", "car"} {
		url := base + root.String() + "?format=" + format
		resp, _ := request(t, "HEAD", url)
		etag := resp.Header.Get("Etag")
		if resp.StatusCode != 200 || !strings.Contains(etag, root.String()) {
			t.Errorf("HEAD %s: %s, Etag %q", format, resp.Status, etag)
		}
		if resp, body := request(t, "GET", url, "If-None-Match", etag); resp.StatusCode != 304 || len(body) > 0 {
			t.Errorf("GET %s of what the client has: %s", format, resp.Status)
		}
	}
}

func TestGatewayRefuses(t *testing.T) {
	s := open(t)
	root := sample(t, s).String()
	base := serve(t, s.Handler()).URL
	for _, c := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/ipfs/" + root, 406, "?format=car"},
		{"GET", "/ipfs/" + root + "?format=tar", 406, "?format=car"},
		{"GET", "/ipfs/" + root + "/a?format=raw", 400, "paths below"},
		{"GET", "/ipfs/nonsense?format=raw", 400, "not a CID"},
		{"GET", "/ipfs/" + root + "?format=car&dag-scope=half", 400, "dag-scope"},
		{"GET", "/ipfs/" + root + "?format=car&entity-bytes=9", 400, "entity-bytes"},
		{"GET", "/ipfs/" + root + "?format=car&entity-bytes=0:99999999999999999999", 400, "entity-bytes"},
		{"GET", "/ipfs/" + root + strings.Repeat("/a", 4000) + "?format=car", 400, "paths below"},
		{"GET", "/ipfs/" + emptyDirCID + "?format=raw", 404, "not in the local data store"},
		{"GET", "/ipfs/" + emptyDirCID + "?format=car", 404, "not in the local data store"},
		{"POST", "/ipfs/" + root + "?format=raw", 405, ""},
		{"GET", "/ipns/example.org?format=raw", 404, ""},
		{"GET", "/", 404, ""},
	} {
		resp, body := request(t, c.method, base+c.path)
		if resp.StatusCode != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%s %s: %s %q, want %d", c.method, c.path, resp.Status, body, c.status)
		}
	}
}

// When a block is missing in the middle, the client sees the download break off.
func TestGatewayIncomplete(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := sample(t, s)
	if err := s.blocks.DeleteBlock(ctx, specCID(cid.Raw, []byte("c"))); err != nil {
		t.Fatal(err)
	}
	resp := must(http.Get(serve(t, s.Handler()).URL + "/ipfs/" + root.String() + "?format=car"))(t)
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("a CAR that lacks a block ends as if it were whole")
	}
}

func TestGatewayBoundsDownloads(t *testing.T) {
	s := open(t)
	root := sample(t, s).String()
	g := &gateway{store: s, slots: make(chan struct{}, 1), piece: time.Minute, busy: time.Minute} // without patience
	g.slots <- struct{}{}
	url := serve(t, s.handler(g)).URL + "/ipfs/" + root + "?format=raw"
	if resp, _ := request(t, "GET", url); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("with all slots taken: %s", resp.Status)
	}
	<-g.slots
	g.queue = time.Minute
	for i := range 3 { // each needs the slot that the one before gives back
		if resp, _ := request(t, "GET", url); resp.StatusCode != 200 {
			t.Errorf("request %d with a free slot: %s", i, resp.Status)
		}
	}
}

// A reader that stops is given up, so that others get its place; one that is slow is not, however long it takes.
func TestGatewayGivesUpReadersThatStop(t *testing.T) {
	s := open(t)
	// More than what the connection's two ends buffer, which differs between systems.
	root := must(s.AddFile(t.Context(), bytes.NewReader(pattern(1, 12<<20))))(t)
	g := &gateway{store: s, slots: make(chan struct{}, 2), queue: time.Minute, piece: 3 * time.Second, busy: 3 * time.Second}
	listener := must(Listen(t.Context(), "127.0.0.1:0"))(t)
	server := http.Server{Handler: s.handler(g)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	get := func() net.Conn {
		t.Helper()
		conn := must(net.Dial("tcp", listener.Addr().String()))(t)
		t.Cleanup(func() { conn.Close() })
		if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
		must(fmt.Fprintf(conn, "GET /ipfs/%s?format=car HTTP/1.1\r\nHost: x\r\n\r\n", root))(t)
		return conn
	}
	stopped, slow := get(), get()
	waits := make(chan error, 1)
	go func() { // both places are taken: it gets that of the one that stopped
		resp, err := http.Get("http://" + listener.Addr().String() + "/ipfs/" + root.String() + "?format=raw")
		if err == nil && resp.StatusCode != http.StatusOK {
			err = errors.New(resp.Status)
		}
		waits <- err
	}()
	answer := must(http.ReadResponse(bufio.NewReader(slow), nil))(t)
	for begin := time.Now(); time.Since(begin) < g.piece+g.piece/2; time.Sleep(20 * time.Millisecond) {
		if _, err := io.CopyN(io.Discard, answer.Body, 16<<10); err != nil {
			t.Fatalf("a slow reader was given up after %v: %v", time.Since(begin), err)
		}
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Errorf("a slow reader did not get all: %v", err)
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
	answer = must(http.ReadResponse(bufio.NewReader(stopped), nil))(t)
	if n, err := io.Copy(io.Discard, answer.Body); err == nil {
		t.Errorf("the reader that stopped got all %d bytes", n)
	}
}

// While every place is taken, readers have to be faster.
func TestGatewayWithoutRoomWantsFasterReaders(t *testing.T) {
	s := open(t)
	root := must(s.AddFile(t.Context(), bytes.NewReader(pattern(1, 12<<20))))(t)
	g := &gateway{store: s, slots: make(chan struct{}, 1), queue: time.Minute, piece: time.Hour, busy: 100 * time.Millisecond}
	server := serve(t, s.handler(g))
	conn := must(net.Dial("tcp", server.Listener.Addr().String()))(t)
	defer conn.Close()
	must(fmt.Fprintf(conn, "GET /ipfs/%s?format=car HTTP/1.1\r\nHost: x\r\n\r\n", root))(t)
	must(conn.Read(make([]byte, 1)))(t) // it has its place
	if resp, _ := request(t, "GET", server.URL+"/ipfs/"+root.String()+"?format=raw"); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}

// A body that never comes holds nothing up.
func TestGatewayWaitsForNoBody(t *testing.T) {
	s := open(t)
	root := sample(t, s)
	g := &gateway{store: s, slots: make(chan struct{}, 1), queue: time.Minute, piece: time.Minute, busy: time.Minute}
	server := serve(t, s.handler(g))
	for _, length := range []string{"Content-Length: 1000", "Content-Length: 99999999999", "Transfer-Encoding: chunked"} {
		conn := must(net.Dial("tcp", server.Listener.Addr().String()))(t)
		defer conn.Close()
		must(fmt.Fprintf(conn, "GET /ipfs/%s?format=car HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", root, length))(t)
		answer := must(http.ReadResponse(bufio.NewReader(conn), nil))(t)
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", length, answer.Status)
		}
	}
	if resp, _ := request(t, "GET", server.URL+"/ipfs/"+root.String()+"?format=raw"); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}
