package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// Feed keeps the contract's events on disk and the view that they fold into, and tells when it changes.
type Feed struct {
	store   *store.Store
	holders []func() Needs // set before the feed is followed

	mu      sync.RWMutex
	view    *protocol.View
	points  []transport.Point // newest first
	caught  bool              // up with the chain at least once
	reorgs  int               // since the start
	moved   time.Time         // when something was last read
	changed chan struct{}     // closed and replaced with every change
}

var _ transport.Subscriber = (*Feed)(nil)

// keptPoints bounds the checkpoints in memory; the store keeps as many.
const keptPoints = 1000

// NewFeed folds what the store has.
func NewFeed(s *store.Store) (*Feed, error) {
	f := &Feed{store: s, changed: make(chan struct{}), moved: time.Now()}
	return f, f.reload()
}

// reload rebuilds the view from the store; the caller owns f.mu or is alone.
func (f *Feed) reload() error {
	stored, err := f.store.Points()
	if err != nil {
		return err
	}
	f.points = nil
	for _, p := range stored {
		f.points = append(f.points, transport.Point{
			Block: protocol.Block{Number: p.Number, Time: p.Time}, Hash: p.Hash,
		})
	}
	f.view = protocol.NewView()
	if err := f.store.Base(f.view); err != nil {
		return err
	}
	err = f.store.Logs(func(l store.Log) error {
		event, err := decode(l)
		if err != nil {
			return err
		}
		return f.view.Fold(event, protocol.Block{Number: l.Block.Number, Time: l.Block.Time})
	})
	if err != nil {
		return fmt.Errorf("replay stored events: %w", err)
	}
	if len(f.points) > 0 {
		f.view.Advance(f.points[0].Block)
	}
	return nil
}

// Apply stores and folds events.
func (f *Feed) Apply(_ context.Context, upTo transport.Point, records []transport.Record) error {
	logs := make([]store.Log, len(records))
	for i, r := range records {
		raw, err := json.Marshal(r.Event)
		if err != nil {
			return fmt.Errorf("encode %s: %w", r.Event.Name(), err)
		}
		logs[i] = store.Log{Block: stored(r.Meta.Block), Tx: r.Meta.Tx, Name: r.Event.Name(), Event: raw}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.store.AppendLogs(stored(upTo), logs); err != nil {
		return err
	}
	for _, r := range records {
		if err := f.view.Fold(r.Event, r.Meta.Block.Block); err != nil {
			return err
		}
	}
	f.view.Advance(upTo.Block)
	f.moved = time.Now()
	f.points = append([]transport.Point{upTo}, f.points[:min(len(f.points), keptPoints-1)]...)
	return nil
}

// Rollback drops events above to and folds the rest again.
func (f *Feed) Rollback(_ context.Context, to transport.Point) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.store.DropAbove(to.Number); err != nil {
		return err
	}
	f.reorgs++
	return f.reload()
}

// Reorgs counts how often the chain took back what it had said, since the start.
func (f *Feed) Reorgs() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.reorgs
}

// Moved is when a part of the chain was last read, or when the feed was made.
func (f *Feed) Moved() time.Time {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.moved
}

// Checkpoints are the points of past Apply calls, newest first.
func (f *Feed) Checkpoints() []transport.Point {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.points
}

// CaughtUp lets the agents plan.
func (f *Feed) CaughtUp(transport.Point) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.caught = true
	close(f.changed)
	f.changed = make(chan struct{})
}

// Read calls fn with the view, which fn must not keep.
func (f *Feed) Read(fn func(*protocol.View)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn(f.view)
}

// Changed is closed when the view has changed and is up with the chain.
func (f *Feed) Changed() <-chan struct{} {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.changed
}

// Ready says whether the view has been up with the chain since the start.
func (f *Feed) Ready() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.caught
}

// Transactions calls visit with every stored event and its transaction, in chain order.
func (f *Feed) Transactions(visit func(event protocol.Event, tx common.Hash) error) error {
	return f.store.Logs(func(l store.Log) error {
		event, err := decode(l)
		if err != nil {
			return err
		}
		return visit(event, l.Tx)
	})
}

func stored(p transport.Point) store.Point {
	return store.Point{Number: p.Number, Hash: p.Hash, Time: p.Time}
}

var eventTypes = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, e := range protocol.Events() {
		types[e.Name()] = reflect.TypeOf(e)
	}
	return types
}()

func decode(l store.Log) (protocol.Event, error) {
	t, known := eventTypes[l.Name]
	if !known {
		return nil, fmt.Errorf("node store has an unknown event %q", l.Name)
	}
	event := reflect.New(t)
	if err := json.Unmarshal(l.Event, event.Interface()); err != nil {
		return nil, fmt.Errorf("node store is damaged: %s: %w", l.Name, err)
	}
	return event.Elem().Interface().(protocol.Event), nil
}
