package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm/engine"
)

// program counts its closings and fails a run after them.
type program struct{ closed atomic.Int32 }

func (p *program) Run(context.Context, engine.Host, int64, func(engine.Outcome, []byte)) error {
	if p.closed.Load() > 0 {
		return errors.New("run after close")
	}
	return nil
}

func (p *program) Close() error { p.closed.Add(1); return nil }

func TestCacheCompilesOnce(t *testing.T) {
	var made []*program
	c := cache{compile: func(context.Context, []byte, uint32) (engine.Program, error) {
		made = append(made, &program{})
		return made[len(made)-1], nil
	}}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			p, release, err := c.get(t.Context(), []byte("module"), 1)
			if err == nil {
				err = p.Run(t.Context(), nil, 0, nil)
				release()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(made) != 1 {
		t.Errorf("compiled %d times", len(made))
	}
}

func TestCacheClosesWhatItEvicts(t *testing.T) {
	var mu sync.Mutex
	var made []*program
	c := cache{compile: func(context.Context, []byte, uint32) (engine.Program, error) {
		mu.Lock()
		defer mu.Unlock()
		made = append(made, &program{})
		return made[len(made)-1], nil
	}}
	held, release, err := c.get(t.Context(), []byte("held"), 1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			p, release, err := c.get(t.Context(), []byte("module"), uint32(i%50))
			if err == nil {
				err = p.Run(t.Context(), nil, 0, nil)
				release()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := held.Run(t.Context(), nil, 0, nil); err != nil {
		t.Error("closed while in use:", err)
	}
	release()
	if err := c.close(); err != nil {
		t.Error(err)
	}
	if len(made) < 51 {
		t.Errorf("only %d compiled", len(made))
	}
	for _, p := range made {
		if n := p.closed.Load(); n != 1 {
			t.Errorf("closed %d times", n)
		}
	}
}

func TestCacheForgetsFailures(t *testing.T) {
	tries := 0
	c := cache{compile: func(context.Context, []byte, uint32) (engine.Program, error) {
		if tries++; tries == 1 {
			return nil, errors.New("no")
		}
		return &program{}, nil
	}}
	if _, _, err := c.get(t.Context(), []byte("m"), 1); err == nil {
		t.Error("want an error")
	}
	if _, release, err := c.get(t.Context(), []byte("m"), 1); err != nil {
		t.Error(err)
	} else {
		release()
	}
}
