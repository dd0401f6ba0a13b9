package data

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
)

// Mirror gives DAGs of a store to a Kubo daemon, which pins them. What it is to
// give is on disk until the daemon has confirmed it, so neither a crash here nor
// a daemon that is away for a while loses anything.
type Mirror struct {
	Store *Store
	Kubo  Kubo
	// Report is told how each attempt went. It may be nil.
	Report func(c cid.Cid, err error)

	added chan struct{} // wakes Run
}

// NewMirror returns a mirror that has yet to Run.
func NewMirror(s *Store, k Kubo, report func(cid.Cid, error)) *Mirror {
	return &Mirror{Store: s, Kubo: k, Report: report, added: make(chan struct{}, 1)}
}

var outboxPrefix = ds.NewKey("/outbox")

// Add puts a DAG that the store has on the list, durably.
func (m *Mirror) Add(ctx context.Context, c cid.Cid) error {
	if err := m.Store.engine.Put(ctx, outboxPrefix.ChildString(c.String()), nil); err != nil {
		return fmt.Errorf("list %s for Kubo: %w", c, err)
	}
	select {
	case m.added <- struct{}{}:
	default:
	}
	return nil
}

// Pending returns what the daemon has not confirmed yet.
func (m *Mirror) Pending(ctx context.Context) ([]cid.Cid, error) {
	return m.Store.listed(ctx, outboxPrefix)
}

const (
	minMirrorPause = time.Second
	maxMirrorPause = 5 * time.Minute
)

// Run gives what is on the list until ctx ends. After a failure it waits, longer
// each time, and tries again. It returns an error only when the store cannot be
// used any more.
func (m *Mirror) Run(ctx context.Context) error {
	pause := minMirrorPause
	for {
		failed, err := m.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("mirror to Kubo: %w", err)
		}
		wake, retry := m.added, (<-chan time.Time)(nil)
		if failed { // new work does not shorten the wait
			wake, retry = nil, time.After(pause)
			pause = min(2*pause, maxMirrorPause)
		} else {
			pause = minMirrorPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-retry:
		}
	}
}

// round tries everything on the list once.
func (m *Mirror) round(ctx context.Context) (failed bool, err error) {
	pending, err := m.Pending(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range pending {
		given := m.Kubo.Give(ctx, m.Store, c)
		if ctx.Err() != nil {
			return false, nil
		}
		if m.Report != nil {
			m.Report(c, given)
		}
		if given != nil {
			failed = true
			if errors.Is(given, errNoAnswer) {
				return true, nil
			}
			continue
		}
		if err := m.Store.engine.Delete(ctx, outboxPrefix.ChildString(c.String())); err != nil {
			return false, err
		}
	}
	return failed, nil
}
