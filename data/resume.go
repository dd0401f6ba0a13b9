package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// maxFruitless is how often in a row a download may be taken up again without
	// a byte having come.
	maxFruitless = 4
	resumePause  = 250 * time.Millisecond // doubles each time
)

// errNotResumable means that a download that broke off cannot be continued.
var errNotResumable = errors.New("cannot be resumed")

// resuming reads a body and, where its connection breaks, continues with another
// from the same place.
type resuming struct {
	ctx  context.Context
	body io.ReadCloser
	// from opens the rest of the same content; errNotResumable is final.
	from      func(ctx context.Context, offset int64) (io.ReadCloser, error)
	offset    int64
	fruitless int
}

func (r *resuming) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		if n > 0 {
			r.offset += int64(n)
			r.fruitless = 0
		}
		if err == nil || err == io.EOF || r.ctx.Err() != nil {
			return n, err
		}
		if n > 0 {
			return n, nil // the next read meets the error again
		}
		if err := r.resume(err); err != nil {
			return 0, err
		}
	}
}

// resume replaces the body that ended with why.
func (r *resuming) resume(why error) error {
	for {
		if r.fruitless == maxFruitless {
			return fmt.Errorf("%w, and %d attempts to continue after %d bytes failed", why, maxFruitless, r.offset)
		}
		pause := resumePause << r.fruitless
		r.fruitless++
		select {
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-time.After(pause):
		}
		body, err := r.from(r.ctx, r.offset)
		switch {
		case err == nil:
			r.body.Close()
			r.body = body
			return nil
		case errors.Is(err, errNotResumable):
			return fmt.Errorf("%w after %d bytes, and %w", why, r.offset, err)
		}
		why = err
	}
}

func (r *resuming) Close() error { return r.body.Close() }
