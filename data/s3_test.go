package data

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Server starts an S3 server and fills its bucket.
func s3Server(t *testing.T, objects map[string][]byte) string {
	t.Helper()
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	base := startPeer(t, "s3.mjs", t.TempDir())
	client := must(minio.New(must(url.Parse(base))(t).Host, &minio.Options{Creds: credentials.NewStaticV4("S3RVER", "S3RVER", "")}))(t)
	for key, content := range objects {
		_, err := client.PutObject(t.Context(), "bucket", key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableContentSha256: true})
		if err != nil {
			t.Fatal(err)
		}
	}
	return base
}

func TestAddS3(t *testing.T) {
	ctx := t.Context()
	base := s3Server(t, map[string][]byte{
		"in/a": []byte("hello"), "in/empty": nil, "in/sub/big": pattern(1, 3<<20+5), "in/sub/deep/c": []byte("c"),
		"in/folder/": nil, "other": []byte("other"),
	})
	s := open(t)
	want := sample(t, s)
	var signed atomic.Value // the Authorization header of the last request
	signed.Store("")
	target := must(url.Parse(base))(t)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		signed.Store(r.In.Header.Get("Authorization"))
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}})
	defer proxy.Close()
	base = proxy.URL
	store := S3{Endpoint: base, Region: "us-east-1"}
	if got := must(s.AddS3(ctx, store, "s3://bucket/in/", 4<<20))(t); got != want || signed.Load() != "" {
		t.Errorf("prefix, without credentials: got %s signed %q, want %s", got, signed.Load(), want)
	}
	profile := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(profile, []byte("[work]\naws_access_key_id = S3RVER\naws_secret_access_key = S3RVER\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", profile)
	t.Setenv("AWS_PROFILE", "work")
	if got := must(s.AddS3(ctx, store, "s3://bucket/in/", 4<<20))(t); got != want || !strings.Contains(signed.Load().(string), "S3RVER/") {
		t.Errorf("prefix, by profile: got %s signed %q, want %s", got, signed.Load(), want)
	}
	store.Anonymous = true
	must(s.AddS3(ctx, store, "s3://bucket/other", 0))(t)
	if signed.Load() != "" {
		t.Errorf("anonymous: signed %q", signed.Load())
	}
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "S3RVER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "S3RVER")
	t.Setenv("AWS_ENDPOINT_URL", base)
	if got, want := must(s.AddS3(ctx, S3{}, "s3://bucket/in/sub/big", 0))(t), must(s.Resolve(ctx, want, "sub/big"))(t); got != want {
		t.Errorf("object, by environment: got %s, want %s", got, want)
	}

	pins := len(must(s.Pins(ctx))(t))
	for source, says := range map[string]string{
		"s3://bucket/in/sub/big": "more bytes than allowed",
		"s3://bucket/in/":        "more bytes than allowed",
		"s3://bucket/absent":     "check the name",
		"s3://bucket/absent/":    "no objects there",
		"s3://nowhere/x":         "check the name",
		"s3://bucket":            "s3://bucket/key",
		"s3:///key":              "s3://bucket/key",
	} {
		if _, err := s.AddS3(ctx, store, source, 1<<20); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want an error with %q", source, err, says)
		}
	}
	denied := s3Error(minio.ErrorResponse{Code: minio.AccessDenied})
	if !strings.Contains(denied.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("access denied: got %v, want advice", denied)
	}
	if left := len(must(s.Pins(ctx))(t)); left != pins {
		t.Errorf("failures left %d pins", left-pins)
	}
	for _, bad := range []string{"ftp://x", "http://", "https://example.org/path", "https://a:b@example.org"} {
		if err := (S3{Endpoint: bad}).Check(); err == nil || strings.Contains(err.Error(), "a:b") {
			t.Errorf("endpoint %s: got %v", bad, err)
		}
	}
}

// breaking is a reverse proxy that cuts each of the first answers to a GET of an
// object after so many bytes.
func breaking(t *testing.T, to string, cuts int32, after int64) (base string, requests *atomic.Int32) {
	t.Helper()
	target := must(url.Parse(to))(t)
	requests = new(atomic.Int32)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.RawQuery != "" { // not for content
				return nil
			}
			if n := requests.Add(1); n <= cuts && r.ContentLength > after {
				r.Body = struct {
					io.Reader
					io.Closer
				}{io.LimitReader(r.Body, after), r.Body}
			}
			return nil
		},
	}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // it complains of the cuts
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	return srv.URL, requests
}

// A download that breaks off goes on where it was.
func TestAddS3Resumes(t *testing.T) {
	big := pattern(1, 3<<20)
	base := s3Server(t, map[string][]byte{"big": big})
	t.Setenv("AWS_ACCESS_KEY_ID", "S3RVER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "S3RVER")
	s := open(t)
	want := must(s.AddFile(t.Context(), bytes.NewReader(big)))(t)
	through, requests := breaking(t, base, 2, 1<<20)
	if got := must(s.AddS3(t.Context(), S3{Endpoint: through, Region: "us-east-1"}, "s3://bucket/big", 0))(t); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests for content, want 3", n)
	}
}

// A URL whose server names versions and serves ranges is resumed; without, or
// with another version, the error says so.
func TestAddURLResumes(t *testing.T) {
	big := pattern(1, 3<<20)
	var versions atomic.Int32
	mux := http.NewServeMux()
	content := func(etag func() string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if tag := etag(); tag != "" {
				w.Header().Set("ETag", tag)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(big))
		}
	}
	mux.HandleFunc("/good", content(func() string { return `"v1"` }))
	mux.HandleFunc("/weak", content(func() string { return `W/"v1"` }))
	mux.HandleFunc("/bare", content(func() string { return "" }))
	mux.HandleFunc("/changes", content(func() string { return `"v` + strconv.Itoa(int(versions.Add(1))) + `"` }))
	mux.HandleFunc("/liar", func(w http.ResponseWriter, r *http.Request) { // always the whole, as if it were the range
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(big)))
		if r.Header.Get("Range") != "" {
			w.Header().Set("Content-Range", "bytes 0-"+strconv.Itoa(len(big)-1)+"/*")
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(big)
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			http.NotFound(w, r)
			return
		}
		content(func() string { return `"v1"` })(w, r)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	s := open(t)
	want := must(s.AddFile(t.Context(), bytes.NewReader(big)))(t)
	for path, says := range map[string]string{
		"/good": "", "/weak": "does not name its version", "/bare": "does not name its version",
		"/changes": "changed meanwhile", "/liar": "another range", "/gone": "404",
	} {
		through, requests := breaking(t, srv.URL, 2, 1<<20)
		c, _, err := s.AddURL(t.Context(), local, through+path, 0)
		switch {
		case says == "" && (err != nil || c != want || requests.Load() != 3):
			t.Errorf("%s: got %v, %v after %d requests", path, c, err, requests.Load())
		case says != "" && (!errors.Is(err, errNotResumable) || !strings.Contains(err.Error(), says)):
			t.Errorf("%s: got %v, want an error with %q", path, err, says)
		}
	}
	dead, requests := breaking(t, srv.URL, 1000, 0)
	if _, _, err := s.AddURL(t.Context(), local, dead+"/good", 0); err == nil || !strings.Contains(err.Error(), "4 attempts") || requests.Load() != 1+maxFruitless {
		t.Errorf("a server that sends nothing: got %v after %d requests", err, requests.Load())
	}
}
