package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"
)

const (
	rawFetchers = 8  // single blocks asked for at one time
	rawBatch    = 64 // single blocks held before they are stored
)

// form is how blocks are asked for.
type form int

const (
	formCAR      form = iota // a DAG
	formRaw                  // one block
	formBlockCAR             // one block in a CAR, for sources that serve nothing else
)

// source is a server of blocks, and how it is asked for them.
type source interface {
	request(ctx context.Context, c cid.Cid, in form) (*http.Request, error)
}

// trustless is a source by the base URL of a trustless gateway.
type trustless struct{ base *url.URL }

func newTrustless(base string) (trustless, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil {
		return trustless{}, err
	}
	return trustless{u}, checkURL(u)
}

func (g trustless) request(ctx context.Context, c cid.Cid, in form) (*http.Request, error) {
	u := g.base.JoinPath("ipfs", c.String())
	accept := typeCAR + "; version=1; order=dfs; dups=n"
	switch in {
	case formCAR:
		u.RawQuery = "format=car&dag-scope=all"
	case formRaw:
		accept = typeRaw
		u.RawQuery = "format=raw"
	case formBlockCAR:
		u.RawQuery = "format=car&dag-scope=block"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	return req, nil
}

// provider is one source during one fetch.
type provider struct {
	source source
	store  *Store
	client *http.Client
	idle   time.Duration
	count  *counter
	noCAR  bool        // it does not serve CARs, or broke one off
	noRaw  atomic.Bool // it does not serve single blocks

	mu   sync.Mutex
	left int64 // bytes that may still come
}

func newProvider(f *Fetcher, client *http.Client, from source, count *counter) *provider {
	p := &provider{source: from, store: f.Store, client: client, idle: f.Idle, left: f.MaxBytes, count: count}
	if p.idle <= 0 {
		p.idle = defaultIdle
	}
	if p.left <= 0 {
		p.left = DefaultMaxBytes
	}
	return p
}

// complete fetches the DAGs under the missing CIDs.
func (p *provider) complete(ctx context.Context, missing []cid.Cid) error {
	for len(missing) > 0 {
		var err error
		if p.noCAR || missing[0].Prefix().Codec == cid.Raw {
			missing, err = p.blocks(ctx, missing)
		} else {
			missing, err = p.subDAG(ctx, missing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// subDAG fetches the first of the missing DAGs as a CAR and returns what is
// missing then. A provider that serves no CAR, or only part of one, is asked for
// blocks from then on.
func (p *provider) subDAG(ctx context.Context, missing []cid.Cid) ([]cid.Cid, error) {
	left, err := p.car(ctx, missing[0])
	switch {
	case err != nil && (ctx.Err() != nil || isFinal(err)):
		return nil, err
	case err != nil:
		p.noCAR = true
		left = missing[:1]
	case len(left) > 0:
		p.noCAR = true
	}
	return p.store.missing(ctx, slices.Concat(left, missing[1:]), true)
}

// errNoAnswer means that a provider cannot be reached.
var errNoAnswer = errors.New("no answer")

// isFinal reports whether it is useless to ask the same provider in another way.
func isFinal(err error) bool {
	var local *localError
	return errors.As(err, &local) || errors.Is(err, errNoAnswer) || errors.Is(err, errStalled) ||
		errors.Is(err, ErrUntrue) || errors.Is(err, ErrTooLarge)
}

func (p *provider) car(ctx context.Context, root cid.Cid) ([]cid.Cid, error) {
	body, err := p.get(ctx, root, formCAR)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return p.store.importCAR(ctx, body, root, Limits{})
}

// blocks fetches each of the missing blocks and returns what is missing below
// them.
func (p *provider) blocks(ctx context.Context, missing []cid.Cid) ([]cid.Cid, error) {
	for rest := missing; len(rest) > 0; {
		n := min(len(rest), rawBatch)
		if err := p.batch(ctx, rest[:n]); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return p.store.missing(ctx, missing, false)
}

func (p *provider) batch(ctx context.Context, cids []cid.Cid) error {
	got := make([]blocks.Block, len(cids))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(rawFetchers)
	for i, c := range cids {
		group.Go(func() (err error) {
			got[i], err = p.block(gctx, c)
			return err
		})
	}
	err := group.Wait()
	out := &blockWriter{store: p.store}
	for _, b := range got { // keep what did come
		if b != nil {
			err = errors.Join(err, out.put(ctx, b))
		}
	}
	return errors.Join(err, out.flush(ctx))
}

func (p *provider) block(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if p.noRaw.Load() {
		return p.blockInCAR(ctx, c)
	}
	body, err := p.get(ctx, c, formRaw)
	var answer *badStatus
	if errors.As(err, &answer) && answer.ofForm() {
		p.noRaw.Store(true)
		return p.blockInCAR(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, maxBlockBytes+1))
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", c, err)
	}
	if len(raw) > maxBlockBytes {
		return nil, fmt.Errorf("%w: for block %s it sends more than a block may have", ErrTooLarge, c)
	}
	sum, err := c.Prefix().Sum(raw)
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", c, err)
	}
	if !sum.Equals(c) {
		return nil, fmt.Errorf("%w: block %s has another hash", ErrUntrue, c)
	}
	return blocks.NewBlockWithCid(raw, c)
}

// blockInCAR fetches a block as the root of a CAR, of which it reads no more: some send the whole DAG whatever they are
// asked for.
func (p *provider) blockInCAR(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	body, err := p.get(ctx, c, formBlockCAR)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	car, err := openCAR(body, c)
	if err != nil {
		return nil, err
	}
	b, err := car.Next() // which checks its hash
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("block %s: the CAR has none", c)
	case err != nil:
		return nil, carError(err)
	case !b.Cid().Equals(c):
		return nil, fmt.Errorf("%w: for block %s a CAR begins with %s", ErrUntrue, c, b.Cid())
	}
	return b, nil
}

// badStatus is an answer that is not what was asked for.
type badStatus struct {
	status int // of HTTP
	text   string
}

func (s *badStatus) Error() string { return s.text }

// ofForm says whether the same may be had in another form: it is not absent, and the source not busy or broken.
func (s *badStatus) ofForm() bool {
	switch s.status {
	case http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests:
		return false
	case http.StatusNotImplemented:
		return true
	}
	return s.status < http.StatusInternalServerError
}

// get asks for one CID in the given form. What its body yields is counted.
func (p *provider) get(ctx context.Context, c cid.Cid, in form) (io.ReadCloser, error) {
	req, err := p.source.request(ctx, c, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := do(p.client, req, p.idle)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // only decorates the error
		resp.Body.Close()
		return nil, &badStatus{resp.StatusCode, fmt.Sprintf("%s for %s: %q", resp.Status, c, strings.TrimSpace(string(said)))}
	}
	if err := checkEncoding(resp); err != nil {
		return nil, err
	}
	return &counted{resp.Body, p.received}, nil
}

// received counts bytes against the provider's limit.
func (p *provider) received(n int) error {
	p.count.add(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left -= int64(n); p.left < 0 {
		return fmt.Errorf("%w: sent more bytes than allowed", ErrTooLarge)
	}
	return nil
}

// counted tells of the bytes that are read, and ends when that is an error.
type counted struct {
	io.ReadCloser
	add func(n int) error
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	if over := c.add(n); over != nil {
		return 0, over
	}
	return n, err
}
