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
// Without a client, it uses one that connects to public addresses only.
func (s *Store) AddURL(ctx context.Context, client *http.Client, rawURL string, maxBytes int64) (cid.Cid, Provenance, error) {
	c, p, err := s.addURL(ctx, client, rawURL, maxBytes)
	if err != nil {
		return cid.Undef, Provenance{}, fmt.Errorf("add URL: %w", err)
	}
	return c, p, nil
}

func (s *Store) addURL(ctx context.Context, client *http.Client, rawURL string, maxBytes int64) (cid.Cid, Provenance, error) {
	resp, err := getURL(ctx, client, rawURL)
	if err != nil {
		return cid.Undef, Provenance{}, err
	}
	defer resp.Body.Close()
	if maxBytes > 0 && resp.ContentLength > maxBytes {
		return cid.Undef, Provenance{}, fmt.Errorf("%w: %s has %d bytes and %d are allowed", ErrTooLarge, rawURL, resp.ContentLength, maxBytes)
	}
	hash := sha256.New()
	body := &capped{r: io.TeeReader(resp.Body, hash), max: maxBytes}
	c, err := s.AddFile(ctx, body)
	if err != nil {
		return cid.Undef, Provenance{}, fmt.Errorf("%s: %w", rawURL, err)
	}
	return c, Provenance{
		URL: rawURL, FinalURL: resp.Request.URL.String(),
		ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified"),
		SHA256: hex.EncodeToString(hash.Sum(nil)), Size: body.n,
	}, nil
}

func getURL(ctx context.Context, client *http.Client, rawURL string) (*http.Response, error) {
	if client == nil {
		client = publicClient()
	}
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
	req.Header.Set("Accept-Encoding", "identity") // the CID is of the bytes as they are
	resp, err := do(client, req, defaultIdle)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rawURL, err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: server answered %s", rawURL, resp.Status)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: server insists on content encoding %q", rawURL, e)
	}
	return resp, nil
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
