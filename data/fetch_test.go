package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
)

var local = NewClient(ClientOptions{AllowPrivate: true})

// serving is a provider whose requests are recorded.
type serving struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // "car" or "raw"
}

func serve(t testing.TB, h http.Handler) *serving {
	t.Helper()
	p := &serving{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests = append(p.requests, r.URL.Query().Get("format"))
		p.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *serving) count(format string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r == format {
			n++
		}
	}
	return n
}

// fetched checks that a store has all of c, pinned.
func fetched(t *testing.T, s *Store, c cid.Cid) {
	t.Helper()
	if err := s.Verify(t.Context(), c); err != nil {
		t.Error(err)
	}
	if pinned := must(s.Pinned(t.Context(), c))(t); !pinned {
		t.Error("not pinned")
	}
}

func TestFetch(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	p := serve(t, src.Handler())
	var done []int64
	f := &Fetcher{Store: dst, HTTP: local, Progress: func(n int64) { done = append(done, n) }}
	if err := f.Fetch(ctx, root, []string{p.URL + "/"}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
	if p.count("car") != 1 || p.count("raw") != 0 {
		t.Errorf("requests %v, want one CAR", p.requests)
	}
	if want := int64(len(exported(t, src, root))); !slices.IsSorted(done) || len(done) == 0 || done[len(done)-1] != want {
		t.Errorf("progress %v, want it to end at %d", done, want)
	}
	if err := f.Fetch(ctx, root, nil); err != nil || len(p.requests) != 1 {
		t.Errorf("what is here is fetched again: error %v, requests %v", err, p.requests)
	}
}

func TestFetchSharded(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := must(src.AddFiles(ctx, many(6000)))(t)
	p := serve(t, src.Handler())
	if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(ctx, root, []string{p.URL}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
}

// noCAR serves single blocks only.
func noCAR(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "car" {
			http.Error(w, "no CARs here", http.StatusNotAcceptable)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func TestFetchFromBlocksOnly(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	p := serve(t, noCAR(src.Handler()))
	if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(ctx, root, []string{p.URL}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
	if p.count("car") != 1 || p.count("raw") != 11 {
		t.Errorf("%d CARs, %d blocks; want 1 and 11", p.count("car"), p.count("raw"))
	}
}

// Of what a first, broken fetch brought, nothing is asked for again.
func TestFetchResumes(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	car := exported(t, src, root)
	cut := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "raw" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(car)))
		_, _ = w.Write(car[:2<<20]) // root, two small files, inner nodes and one leaf of a MiB
	}))
	f := &Fetcher{Store: dst, HTTP: local}
	var missing *NotFoundError
	if err := f.Fetch(ctx, root, []string{cut.URL}); !errors.As(err, &missing) {
		t.Fatalf("got %v, want a NotFoundError", err)
	}
	p := serve(t, src.Handler())
	var got int64
	f.Progress = func(n int64) { got = n }
	if err := f.Fetch(ctx, root, []string{p.URL}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
	if got >= int64(len(car))-1<<20 {
		t.Errorf("%d bytes came again of %d", got, len(car))
	}
}

// A leaf damaged on disk is fetched again, and nothing else.
func TestFetchRepairs(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	sample(t, dst)
	leaf := must(src.links(ctx, must(src.Resolve(ctx, root, "sub/big"))(t), false))(t)[1]
	damage(t, dst, leaf)
	p := serve(t, src.Handler())
	if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(ctx, root, []string{p.URL}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
	if len(p.requests) != 1 || p.count("raw") != 1 {
		t.Errorf("requests %v, want one block", p.requests)
	}
}

// Two providers that each have a part are enough.
func TestFetchFromParts(t *testing.T) {
	ctx, whole, part, dst := t.Context(), open(t), open(t), open(t)
	root := sample(t, whole)
	sample(t, part)
	c := specCID(cid.Raw, []byte("c"))
	if err := errors.Join(part.blocks.DeleteBlock(ctx, c), whole.blocks.DeleteBlock(ctx, specCID(cid.Raw, []byte("hello")))); err != nil {
		t.Fatal(err)
	}
	first, second := serve(t, part.Handler()), serve(t, whole.Handler())
	if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(ctx, root, []string{first.URL, second.URL}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
}

// hijacked answers with what is written to the connection itself.
func hijacked(answer func(conn net.Conn, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			defer conn.Close()
			answer(conn, r)
		}
	}
}

// repeated writes a line again and again, with a pause after each, until nobody reads.
func repeated(conn net.Conn, line string, pause time.Duration) {
	for err := error(nil); err == nil; time.Sleep(pause) {
		_, err = io.WriteString(conn, line)
	}
}

// zipped is n zeros in gzip, of which it takes a thousand to make a byte.
func zipped(t *testing.T, n int64) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	must(io.CopyN(w, &loop{b: make([]byte, 1<<20)}, n))(t)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every hostile provider is named with its fault, costs no wrong block, and an
// honest one after it still completes the fetch.
func TestFetchHostileProviders(t *testing.T) {
	ctx, src := t.Context(), open(t)
	root := sample(t, src)
	good := exported(t, src, root)
	h := headerBytes(good)
	flip := bytes.Clone(good)
	flip[len(flip)-1] ^= 1
	junk := section(specCID(cid.Raw, []byte("junk")), []byte("junk"))
	repeat := section(root, must(src.block(ctx, root))(t).RawData())
	write := func(b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(b) }
	}
	bomb := zipped(t, 64<<20)
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"flipped":   {write(flip), "untrue data"},
		"stuffed":   {write(append(bytes.Clone(good[:h]), junk...)), "not part of what was asked for"},
		"empty":     {write(nil), "untrue data"}, // as a block, nothing has a wrong hash
		"a page":    {write(bytes.Repeat([]byte("<html>"), 100)), "not a CAR"},
		"404":       {http.NotFound, "404 Not Found"},
		"500":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no\x1b[2J", 500) }, `no\x1b[2J`},
		"redirects": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, "redirects"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, io.MultiReader(bytes.NewReader(good[:h]), &loop{b: repeat}))
		}, "more bytes than allowed"},
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "too slow"},
		"stalls": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(good[:h])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "too slow"},
		"drips": {func(w http.ResponseWriter, r *http.Request) {
			for i := 0; r.Context().Err() == nil && i < len(good); i++ {
				_, _ = w.Write(good[i : i+1])
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		}, "too slow"},
		"huge header": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "header"},
		"endless header": {hijacked(func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, ok)
			repeated(conn, "X: y\r\n", 0)
		}), "header"},
		"endless hints": {hijacked(func(conn net.Conn, _ *http.Request) {
			repeated(conn, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", 0)
		}), "header"},
		"drips the header": {hijacked(func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, ok)
			repeated(conn, "X: y\r\n", 10*time.Millisecond)
		}), "too slow"},
		"gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		}, `content encoding "gzip"`},
		"huge section": {write(append(bytes.Clone(good[:h]), 0xff, 0xff, 0xff, 0xff, 0x7f)), "untrue data"},
		"wrong blocks": {noCAR(write([]byte("junk"))).ServeHTTP, "another hash"},
		"endless block": {noCAR(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, &loop{b: bytes.Repeat([]byte("junk"), 1<<10)})
		})).ServeHTTP, "more than a block may have"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dst := open(t)
			bad, honest := serve(t, c.handler), serve(t, src.Handler())
			f := &Fetcher{Store: dst, HTTP: local, MaxBytes: 8 << 20}
			if c.says == "too slow" { // with the others, a busy machine may take its time
				f.Idle = 300 * time.Millisecond
			}
			err := f.Fetch(t.Context(), root, []string{bad.URL})
			var missing *NotFoundError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), bad.URL) {
				t.Fatalf("got %v, want a NotFoundError with %q", err, c.says)
			}
			if has := must(dst.blocks.Has(t.Context(), specCID(cid.Raw, []byte("junk"))))(t); has {
				t.Error("a block that nobody asked for was stored")
			}
			both := []string{bad.URL, honest.URL}
			if f.Idle > 0 { // a busy machine's honest provider needs more, and the bad one would get it too
				f.Idle, both = 0, both[1:]
			}
			if err := f.Fetch(t.Context(), root, both); err != nil {
				t.Fatal(err)
			}
			fetched(t, dst, root)
		})
	}
}

func TestFetchErrors(t *testing.T) {
	s := open(t)
	absent := specCID(cid.DagProtobuf, []byte("absent"))
	f := &Fetcher{Store: s, HTTP: local}
	err := f.Fetch(t.Context(), absent, nil)
	var missing *NotFoundError
	if !errors.As(err, &missing) || missing.CID != absent || !strings.Contains(err.Error(), "no provider is known") {
		t.Errorf("no providers: got %v", err)
	}
	err = f.Fetch(t.Context(), absent, []string{"http://127.0.0.1:1", "ftp://example.org", "http://user:pw@example.org"})
	if !errors.As(err, &missing) || len(missing.Tried) != 3 || strings.Contains(err.Error(), "pw@") {
		t.Errorf("bad providers: got %v", err)
	}
	guarded := &Fetcher{Store: s}
	if err := guarded.Fetch(t.Context(), absent, []string{"http://127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), ErrPrivateAddress.Error()) {
		t.Errorf("default client: got %v, want a private address refused", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	if err := f.Fetch(ctx, absent, []string{p.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// A full disk is this machine's fault and no provider's.
func TestFetchDiskFull(t *testing.T) {
	ctx, src := t.Context(), open(t)
	root := sample(t, src)
	dst := must(openStore(t.TempDir(), newTightDisk(reserveBytes+100)))(t)
	p := serve(t, src.Handler())
	err := (&Fetcher{Store: dst, HTTP: local}).Fetch(ctx, root, []string{p.URL, p.URL})
	var missing *NotFoundError
	if !errors.Is(err, ErrDiskFull) || errors.As(err, &missing) || len(p.requests) != 1 {
		t.Errorf("got %v after %d requests, want ErrDiskFull after one", err, len(p.requests))
	}
	if err := dst.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkFetch(b *testing.B) {
	src := open(b)
	const size = 256 << 20
	root := must(src.AddFiles(b.Context(), map[string]Source{"big": Bytes(pattern(9, size))}))(b)
	p := serve(b, src.Handler())
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		dst := must(OpenStore(b.TempDir()))(b)
		b.StartTimer()
		if err := (&Fetcher{Store: dst, HTTP: local}).Fetch(b.Context(), root, []string{p.URL}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := dst.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
