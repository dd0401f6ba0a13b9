package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestAddURL(t *testing.T) {
	ctx, s := t.Context(), open(t)
	body := pattern(1, 3<<20)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusFound)
			return
		}
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding %q", got)
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
		_, _ = w.Write(body)
	}))
	defer srv.Close()
	c, p, err := s.AddURL(ctx, local, srv.URL+"/old", int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	want := Provenance{URL: srv.URL + "/old", FinalURL: srv.URL + "/new", ETag: `"v1"`,
		LastModified: "Sun, 22 Nov 2026 00:00:00 GMT", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body))}
	if p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if want := must(s.AddFile(ctx, bytes.NewReader(body)))(t); c != want {
		t.Errorf("got %s, want %s", c, want)
	}
}

func TestAddURLRefuses(t *testing.T) {
	s := open(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2000)) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		for range 20 {
			_, _ = w.Write(make([]byte, 100))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "900")
		_, _ = w.Write(make([]byte, 100))
	})
	mux.HandleFunc("/zipped", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("x"))
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for url, says := range map[string]string{
		srv.URL + "/large":            "2000 bytes and 1000 are allowed",
		srv.URL + "/chunked":          "more than the 1000 bytes",
		srv.URL + "/short":            "unexpected EOF",
		srv.URL + "/zipped":           `content encoding "gzip"`,
		srv.URL + "/absent":           "404 Not Found",
		srv.URL + "/elsewhere":        "scheme must be http or https",
		"file:///etc/passwd":          "scheme must be http or https",
		"http://":                     "no host",
		"https://user:pw@example.org": "user name or password",
		"http://127.0.0.1:1/":         "connection refused",
		":":                           "missing protocol scheme",
	} {
		_, _, err := s.AddURL(t.Context(), local, url, 1000)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "pw@") {
			t.Errorf("%s: got %v, want an error with %q", url, err, says)
		}
	}
	if pins := must(s.Pins(t.Context()))(t); len(pins) != 0 {
		t.Errorf("failures left the pins %v", pins)
	}
}

// Without leave, no URL reaches this machine or its network, neither by number
// nor by name.
func TestAddURLGuard(t *testing.T) {
	s := open(t)
	reached := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "169.254.169.254"} {
		if _, _, err := s.AddURL(t.Context(), nil, "http://"+host+port+"/", 0); !errors.Is(err, ErrPrivateAddress) {
			t.Errorf("%s: got %v, want ErrPrivateAddress", host, err)
		}
	}
	if reached {
		t.Error("the server was reached")
	}
}

func TestIsPublic(t *testing.T) {
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1", "100.63.255.255", "172.32.0.1"} {
		if !isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as private", a)
		}
	}
	for _, a := range []string{
		"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "fec0::1",
	} {
		if isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
}

func TestRedirectNeverLeavesTLS(t *testing.T) {
	from := must(http.NewRequest("GET", "https://example.org/", nil))(t)
	to := must(http.NewRequest("GET", "http://example.org/", nil))(t)
	if err := checkRedirect(to, []*http.Request{from}); err == nil || !strings.Contains(err.Error(), "https to http") {
		t.Errorf("got %v", err)
	}
	if err := checkRedirect(from, []*http.Request{to}); err != nil {
		t.Errorf("to TLS: got %v", err)
	}
}
