package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ipfs/go-cid"
)

// ErrTooLarge means that a source has more bytes than the caller allows.
var ErrTooLarge = errors.New("too large")

// Provenance says what a URL held when it was frozen into a CID.
type Provenance struct {
	URL          string // as asked for
	FinalURL     string // after redirects
	ETag         string
	LastModified string
	SHA256       string // of the bytes, in hexadecimal
	Size         int64  // bytes
}

// AddURL downloads a URL once, stores it as one file and pins it. At most
// maxBytes are accepted (0 is no limit), beyond that the error is ErrTooLarge.
// Where the connection breaks it goes on from there, if the server names the
// version of the content by a strong ETag and serves ranges.
// Without a client, it uses one that connects to public addresses only.
func (s *Store) AddURL(ctx context.Context, client *http.Client, rawURL string, maxBytes int64) (cid.Cid, Provenance, error) {
	c, p, err := s.addURL(ctx, client, rawURL, maxBytes)
	if err != nil {
		return cid.Undef, Provenance{}, fmt.Errorf("add URL: %w", err)
	}
	return c, p, nil
}

func (s *Store) addURL(ctx context.Context, client *http.Client, rawURL string, maxBytes int64) (cid.Cid, Provenance, error) {
	if client == nil {
		client = publicClient()
	}
	resp, err := getURL(ctx, client, rawURL, nil)
	if err != nil {
		return cid.Undef, Provenance{}, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return cid.Undef, Provenance{}, fmt.Errorf("%s: server answered %s", redacted(rawURL), resp.Status)
	}
	if maxBytes > 0 && resp.ContentLength > maxBytes {
		resp.Body.Close()
		return cid.Undef, Provenance{}, fmt.Errorf("%w: %s has %d bytes and %d are allowed", ErrTooLarge, redacted(rawURL), resp.ContentLength, maxBytes)
	}
	from := &resuming{ctx: ctx, body: resp.Body, from: func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		return restOfURL(ctx, client, rawURL, resp.Header, offset)
	}}
	defer func() { from.Close() }()
	hash := sha256.New()
	body := &capped{r: io.TeeReader(from, hash), max: maxBytes}
	c, err := s.AddFile(ctx, body)
	if err != nil {
		return cid.Undef, Provenance{}, fmt.Errorf("%s: %w", redacted(rawURL), err)
	}
	return c, Provenance{
		URL: rawURL, FinalURL: resp.Request.URL.String(),
		ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified"),
		SHA256: hex.EncodeToString(hash.Sum(nil)), Size: body.n,
	}, nil
}

// restOfURL asks for the bytes from offset on of what was answered before with
// the header first.
func restOfURL(ctx context.Context, client *http.Client, rawURL string, first http.Header, offset int64) (io.ReadCloser, error) {
	etag := first.Get("ETag")
	if etag == "" || strings.HasPrefix(etag, "W/") {
		return nil, fmt.Errorf("%w: the server does not name its version", errNotResumable)
	}
	resp, err := getURL(ctx, client, rawURL, http.Header{
		"Range": {fmt.Sprintf("bytes=%d-", offset)}, "If-Range": {etag},
	})
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode >= http.StatusInternalServerError:
		err = fmt.Errorf("server answered %s", resp.Status) // it may recover
	case resp.StatusCode == http.StatusOK:
		err = fmt.Errorf("%w: the content has changed meanwhile, or the server does not serve ranges", errNotResumable)
	case resp.StatusCode != http.StatusPartialContent:
		err = fmt.Errorf("%w: server answered %s", errNotResumable, resp.Status)
	case resp.Header.Get("ETag") != etag || !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset)):
		err = fmt.Errorf("%w: the server sent another range than was asked for", errNotResumable)
	default:
		return resp.Body, nil
	}
	resp.Body.Close()
	return nil, err
}

// getURL asks for the bytes of a URL as they are.
func getURL(ctx context.Context, client *http.Client, rawURL string, header http.Header) (*http.Response, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("Accept-Encoding", "identity") // the CID is of the bytes as they are
	resp, err := do(client, req, defaultIdle)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", redacted(rawURL), err)
	}
	if err := checkEncoding(resp); err != nil {
		return nil, fmt.Errorf("%s: %w", redacted(rawURL), err)
	}
	return resp, nil
}

// checkEncoding closes and refuses a response that is compressed though that was not asked for.
func checkEncoding(resp *http.Response) error {
	e := resp.Header.Get("Content-Encoding")
	if e == "" || e == "identity" {
		return nil
	}
	resp.Body.Close()
	return fmt.Errorf("server insists on content encoding %q", e)
}

// capped reads at most max bytes and fails beyond.
type capped struct {
	r      io.Reader
	n, max int64
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.max > 0 && c.n > c.max {
		return 0, fmt.Errorf("%w: more than the %d bytes allowed", ErrTooLarge, c.max)
	}
	return n, err
}
