package agent

import (
	"context"
	"log/slog"
	"maps"
	"strings"
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
	log      *slog.Logger
	feed     *Feed
	observer Observer      // nil if nobody looks
	wake     chan struct{} // something ended: plan again

	mu      sync.Mutex
	running map[string]task
	failed  map[string]failure
	asked   map[string]bool // by the plan that is being performed
	rounds  int             // plans performed
	halted  bool            // no work is begun any more
	settled chan struct{}   // closed and replaced after every plan
	group   sync.WaitGroup
}

// task is a running action.
type task struct {
	cancel context.CancelFunc
	// lapses means that it ends when the plan asks for it no more.
	lapses bool
}

type failure struct {
	count int
	until time.Time
	err   error
}

func newPerformer(log *slog.Logger, feed *Feed, observer Observer) *performer {
	return &performer{
		log: log, feed: feed, observer: observer, wake: make(chan struct{}, 1),
		running: map[string]task{}, failed: map[string]failure{}, asked: map[string]bool{},
		settled: make(chan struct{}),
	}
}

// do starts fn unless it runs already or has just failed. It reports whether it started.
func (p *performer) do(ctx context.Context, key string, fn func(context.Context) error) bool {
	return p.start(ctx, key, false, fn)
}

// doWhileAsked does the same, and ends fn's context when a plan asks for it no more.
func (p *performer) doWhileAsked(ctx context.Context, key string, fn func(context.Context) error) bool {
	return p.start(ctx, key, true, fn)
}

func (p *performer) start(ctx context.Context, key string, lapses bool, fn func(context.Context) error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[key] = true
	if lapses && p.halted {
		return false
	}
	if _, running := p.running[key]; running || time.Now().Before(p.failed[key].until) {
		return false
	}
	ctx, cancel := context.WithCancel(ctx)
	p.running[key] = task{cancel, lapses}
	p.group.Go(func() {
		defer cancel()
		p.finish(ctx, key, p.observed(ctx, key, fn))
	})
	return true
}

// observed runs an action under the observer's eyes.
func (p *performer) observed(ctx context.Context, key string, fn func(context.Context) error) error {
	a, ok := About{}, false
	if p.observer != nil {
		a, ok = p.feed.about(key)
	}
	if !ok {
		return fn(ctx)
	}
	ctx, ended := p.observer.Begin(ctx, a)
	err := fn(ctx)
	ended(err)
	return err
}

// halt lets what runs go on, but nothing else begin that lapses.
func (p *performer) halt() {
	p.mu.Lock()
	p.halted = true
	p.mu.Unlock()
	p.nudge()
}

// finish notes how an action ended. One that was ended from outside has not failed.
func (p *performer) finish(ctx context.Context, key string, err error) {
	p.mu.Lock()
	delete(p.running, key)
	switch {
	case err == nil:
		delete(p.failed, key)
	case ctx.Err() == nil:
		f := p.failed[key]
		pause := pauseAfter(f.count + 1)
		p.failed[key] = failure{count: f.count + 1, until: time.Now().Add(pause), err: err}
		log := p.log
		if a, ok := p.feed.about(key); ok {
			log = log.With(a.attributes()...)
		}
		log.Warn("action failed", "action", key, "attempt", f.count+1, "retry", pause, "err", err)
	}
	p.mu.Unlock()
	p.nudge()
}

// pauseAfter is how long to wait after a number of failures in a row.
func pauseAfter(failures int) time.Duration { return min(firstRetry<<min(failures-1, 10), lastRetry) }

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

// Activity counts actions by kind: those being performed, and those that failed last and are to be tried again.
type Activity struct{ Running, Failing map[string]int }

// Add adds another agent's.
func (a Activity) Add(b Activity) {
	for kind, count := range b.Running {
		a.Running[kind] += count
	}
	for kind, count := range b.Failing {
		a.Failing[kind] += count
	}
}

func (p *performer) activity() Activity {
	a := Activity{map[string]int{}, map[string]int{}}
	kind := func(key string) string { return key[:max(0, strings.IndexByte(key, ':'))] }
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.running {
		a.Running[kind(key)]++
	}
	for key := range p.failed {
		a.Failing[kind(key)]++
	}
	return a
}

// wait returns when everything that was started has ended.
func (p *performer) wait() { p.group.Wait() }

// loop plans and performs whenever the view or anything else has changed or something is to be tried again, until ctx
// ends.
func (p *performer) loop(ctx context.Context, feed *Feed, step func(context.Context) error) error {
	defer p.wait()
	retry := time.NewTimer(lastRetry)
	defer retry.Stop()
	failures := 0
	for {
		changed := feed.Changed()
		retry.Stop()
		if feed.Ready() {
			err := p.round(ctx, step)
			if err == nil {
				failures = 0
				if pause, some := p.nextRetry(); some {
					retry.Reset(pause)
				}
			} else if ctx.Err() == nil {
				failures++
				p.log.Warn("cannot plan, trying again", "err", err)
				retry.Reset(pauseAfter(failures))
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-p.wake:
		case <-retry.C:
		}
	}
}

// round plans once. What failed and is not asked for any more is forgotten, and what lapses ends.
func (p *performer) round(ctx context.Context, step func(context.Context) error) error {
	p.mu.Lock()
	clear(p.asked)
	p.mu.Unlock()
	if err := step(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, t := range p.running {
		if t.lapses && !p.asked[key] {
			t.cancel()
		}
	}
	maps.DeleteFunc(p.failed, func(key string, _ failure) bool {
		_, running := p.running[key]
		return !p.asked[key] && !running
	})
	p.rounds++
	close(p.settled)
	p.settled = make(chan struct{})
	return nil
}

// idle waits until a whole plan from now on has left nothing running, or for ctx.
func (p *performer) idle(ctx context.Context) error {
	p.mu.Lock()
	from := p.rounds + 1 // one may be half through
	p.mu.Unlock()
	for {
		p.mu.Lock()
		whole, running, settled := p.rounds > from, len(p.running), p.settled
		p.mu.Unlock()
		if whole && running == 0 {
			return nil
		}
		if !whole { // else what ends asks for the next plan
			p.nudge()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-settled:
		}
	}
}

// nextRetry says after what pause something that failed may be tried again.
func (p *performer) nextRetry() (pause time.Duration, some bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, f := range p.failed {
		if _, running := p.running[key]; running {
			continue
		}
		if left := max(0, time.Until(f.until)); !some || left < pause {
			pause, some = left, true
		}
	}
	return pause, some
}
