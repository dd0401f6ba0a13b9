package data

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

var errStalled = errors.New("too slow: no progress within the time allowed")

// steadyBytes is how much a sender has to deliver within each idle time.
const steadyBytes = 16 << 10

// steady reads a response and ends it when the sender makes no progress. Only
// time spent waiting for the sender counts, not the time between reads.
type steady struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	idle   time.Duration
	waited time.Duration // since the last steadyBytes were complete
	got    int
}

// do sends the request and returns a response whose body keeps to idle.
func do(client *http.Client, req *http.Request, idle time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(idle, func() { cancel(errStalled) })
	resp, err := client.Do(req.WithContext(ctx))
	timer.Stop()
	if err != nil {
		if context.Cause(ctx) != nil {
			err = context.Cause(ctx)
		}
		cancel(nil)
		return nil, err
	}
	resp.Body = &steady{ctx: ctx, cancel: cancel, body: resp.Body, idle: idle}
	return resp, nil
}

func (s *steady) Read(p []byte) (int, error) {
	timer := time.AfterFunc(s.idle-s.waited, func() { s.cancel(errStalled) })
	start := time.Now()
	n, err := s.body.Read(p)
	timer.Stop()
	s.waited += time.Since(start)
	if s.got += n; s.got >= steadyBytes {
		s.got, s.waited = 0, 0
	}
	if err != nil && err != io.EOF && context.Cause(s.ctx) != nil {
		err = context.Cause(s.ctx)
	}
	return n, err
}

func (s *steady) Close() error {
	err := s.body.Close()
	s.cancel(nil)
	return err
}
