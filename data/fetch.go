package data

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
)

const (
	// DefaultMaxBytes is what a Fetcher takes from one provider unless told
	// otherwise, in bytes.
	DefaultMaxBytes = 64 << 30
	defaultIdle     = 30 * time.Second
)

// Fetcher brings DAGs from trustless gateways, and from the sources of its owner,
// into a Store.
type Fetcher struct {
	Store    *Store
	HTTP     *http.Client     // for providers that others name; nil: NewClient, public addresses only
	Own      Sources          // asked besides the providers of each call
	MaxBytes int64            // bytes taken from one provider; 0: DefaultMaxBytes
	Idle     time.Duration    // a provider sends at least 16 KiB in this time; 0: 30 s
	Progress func(done int64) // bytes received so far, from all providers; never called concurrently
}

// Attempt is one provider that was asked in vain.
type Attempt struct {
	Provider string
	Err      error
}

// NotFoundError means that no provider could complete the DAG.
type NotFoundError struct {
	CID   cid.Cid
	Tried []Attempt
}

func (e *NotFoundError) Error() string {
	if len(e.Tried) == 0 {
		return fmt.Sprintf("%s is not here and no provider is known: name one that has it", e.CID)
	}
	tried := make([]string, len(e.Tried))
	for i, a := range e.Tried {
		tried[i] = fmt.Sprintf("%s (%v)", a.Provider, a.Err)
	}
	return fmt.Sprintf("nobody has %s: tried %s", e.CID, strings.Join(tried, "; "))
}

// Unwrap returns why each provider failed.
func (e *NotFoundError) Unwrap() []error {
	reasons := make([]error, len(e.Tried))
	for i, a := range e.Tried {
		reasons[i] = a.Err
	}
	return reasons
}

// Fetch completes the DAG under c and pins it. It asks the providers, base URLs
// of trustless gateways, in turn, and the owner's sources before and after them
// (see Sources): for a CAR, then for single blocks that are still missing. Every
// block is verified before it is stored, and what is stored is never asked for
// again, also by a later call. When all have failed the error
// is a *NotFoundError; other errors are the caller's context or this machine's.
func (f *Fetcher) Fetch(ctx context.Context, c cid.Cid, providers []string) error {
	if err := f.Store.writers.enter(ctx); err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	defer f.Store.writers.leave()
	if err := f.fetch(ctx, c, providers); err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	return nil
}

func (f *Fetcher) fetch(ctx context.Context, c cid.Cid, providers []string) error {
	count := &counter{report: f.Progress}
	var tried []Attempt
	ask := f.enquire(c, providers)
	for {
		missing, err := f.Store.missing(ctx, []cid.Cid{c}, true)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			return f.Store.pin(ctx, c)
		}
		from, ok := ask.next(ctx)
		if !ok {
			return &NotFoundError{c, tried}
		}
		err = from.fault
		if err == nil {
			err = newProvider(f, from.client, from.source, count).complete(ctx, missing)
		}
		var local *localError
		switch {
		case err == nil:
			return f.Store.pin(ctx, c)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &local):
			return err
		}
		tried = append(tried, Attempt{from.name, err})
	}
}

// candidate is somebody to ask.
type candidate struct {
	name   string // for errors
	source source
	client *http.Client
	fault  error // why it cannot be asked
}

func gatewayAt(base string, client *http.Client) candidate {
	from, err := newTrustless(base)
	return candidate{redacted(base), from, client, err}
}

// redacted hides a password in a URL.
func redacted(base string) string {
	if u, err := url.Parse(base); err == nil {
		return u.Redacted()
	}
	return "a malformed URL"
}

// counter adds up received bytes and reports them.
type counter struct {
	mu     sync.Mutex
	done   int64
	report func(int64)
}

func (k *counter) add(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done += int64(n)
	if k.report != nil && n > 0 {
		k.report(k.done)
	}
}
