package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// performer runs actions in the background, each key at most once at a time. A failed action is tried again when the
// plan still asks for it, after a pause that doubles.
type performer struct {
	log  *slog.Logger
	wake chan struct{} // something ended: plan again

	mu      sync.Mutex
	running map[string]bool
	failed  map[string]failure
	group   sync.WaitGroup
}

type failure struct {
	count int
	until time.Time
	err   error
}

func newPerformer(log *slog.Logger) *performer {
	return &performer{
		log: log, wake: make(chan struct{}, 1),
		running: map[string]bool{}, failed: map[string]failure{},
	}
}

// do starts fn unless it runs already or has just failed. It reports whether it started.
func (p *performer) do(ctx context.Context, key string, fn func(context.Context) error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[key] || time.Now().Before(p.failed[key].until) {
		return false
	}
	p.running[key] = true
	p.group.Go(func() { p.finish(ctx, key, fn(ctx)) })
	return true
}

func (p *performer) finish(ctx context.Context, key string, err error) {
	p.mu.Lock()
	delete(p.running, key)
	switch {
	case err == nil:
		delete(p.failed, key)
	case ctx.Err() == nil:
		f := p.failed[key]
		pause := min(firstRetry<<min(f.count, 10), lastRetry)
		p.failed[key] = failure{count: f.count + 1, until: time.Now().Add(pause), err: err}
		p.log.Warn("action failed", "action", key, "attempt", f.count+1, "retry", pause, "err", err)
		time.AfterFunc(pause, p.nudge)
	}
	p.mu.Unlock()
	p.nudge()
}

// nudge asks for a new plan.
func (p *performer) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// trouble lists what failed last and is not done yet, by action.
func (p *performer) trouble() map[string]error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]error, len(p.failed))
	for key, f := range p.failed {
		out[key] = f.err
	}
	return out
}

// wait returns when everything that was started has ended.
func (p *performer) wait() { p.group.Wait() }

// loop plans and performs whenever the view or anything else has changed, until ctx ends.
func (p *performer) loop(ctx context.Context, feed *Feed, step func(context.Context) error) error {
	defer p.wait()
	for {
		changed := feed.Changed()
		if feed.Ready() {
			if err := step(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("cannot plan, trying again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-p.wake:
		}
	}
}
