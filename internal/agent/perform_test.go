package agent

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

var errTest = errors.New("it failed")

// looping runs a performer over a view that stays as it is, in a bubble with a clock of its own.
func looping(t *testing.T, step func(*performer, context.Context) error) (p *performer, feed *Feed, stop func()) {
	t.Helper()
	feed = &Feed{view: protocol.NewView(), changed: make(chan struct{}), caught: true}
	p = newPerformer(slog.New(slog.DiscardHandler), feed, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.loop(ctx, feed, func(ctx context.Context) error { return step(p, ctx) }) }()
	return p, feed, func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the loop ended with %v", err)
		}
	}
}

// seconds are whole ones since start.
func seconds(start time.Time) int { return int(time.Since(start) / time.Second) }

func TestFailedActionsAreRetriedAfterPausesThatDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var tried []int
		p, _, stop := looping(t, func(p *performer, ctx context.Context) error {
			if len(tried) == 8 {
				return nil // it is done
			}
			p.do(ctx, "key", func(context.Context) error {
				if tried = append(tried, seconds(start)); len(tried) == 8 {
					return nil
				}
				return errTest
			})
			return nil
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := []int{0, 1, 3, 7, 15, 31, 61, 91}; !slices.Equal(tried, want) {
			t.Errorf("tried at %v, want %v", tried, want)
		}
		if trouble := p.trouble(); len(trouble) != 0 {
			t.Errorf("trouble after success: %v", trouble)
		}
		stop()
	})
}

func TestTroubleIsForgottenWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wanted, count := true, 0
		p, _, stop := looping(t, func(p *performer, ctx context.Context) error {
			if wanted {
				p.do(ctx, "key", func(context.Context) error { count++; return errTest })
			}
			return nil
		})
		synctest.Wait()
		if err := p.trouble()["key"]; !errors.Is(err, errTest) {
			t.Errorf("trouble %v", err)
		}
		wanted = false
		p.nudge()
		synctest.Wait()
		if trouble := p.trouble(); len(trouble) != 0 {
			t.Errorf("trouble: %v", trouble)
		}
		time.Sleep(time.Hour)
		if count != 1 {
			t.Errorf("tried %d times", count)
		}
		stop()
	})
}

func TestActionRunsOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := 0
		p, feed, stop := looping(t, func(p *performer, ctx context.Context) error {
			p.do(ctx, "key", func(ctx context.Context) error {
				started++
				<-ctx.Done()
				return ctx.Err()
			})
			return nil
		})
		for range 5 {
			synctest.Wait()
			p.nudge()
			feed.CaughtUp(transport.Point{})
		}
		synctest.Wait()
		stop() // which waits for it
		if started != 1 || len(p.running) != 0 {
			t.Errorf("started %d times, running %v", started, p.running)
		}
		if trouble := p.trouble(); len(trouble) != 0 {
			t.Errorf("being stopped is no trouble: %v", trouble)
		}
	})
}

// A plan that cannot be made, say because the chain does not answer, is made again after a pause, and an idle loop sleeps.
func TestLoopPlansAgainAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var planned []int
		_, _, stop := looping(t, func(*performer, context.Context) error {
			if planned = append(planned, seconds(start)); len(planned) < 4 {
				return errTest
			}
			return nil
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := []int{0, 1, 3, 7}; !slices.Equal(planned, want) {
			t.Errorf("planned at %v, want %v", planned, want)
		}
		stop()
	})
}

// Nobody plans from a view that is behind the chain.
func TestLoopWaitsForTheChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		planned := 0
		p, feed, stop := looping(t, func(*performer, context.Context) error { planned++; return nil })
		synctest.Wait()
		first := planned
		feed.CaughtUp(transport.Point{})
		synctest.Wait()
		if first != 1 || planned != 2 {
			t.Errorf("planned %d times, then %d", first, planned)
		}
		stop()
		planned = 0
		behind := &Feed{changed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.loop(ctx, behind, func(context.Context) error { planned++; return nil }) }()
		p.nudge()
		synctest.Wait()
		cancel()
		if <-done; planned != 0 {
			t.Error("it planned")
		}
	})
}
