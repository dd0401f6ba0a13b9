package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/transport"
)

// ErrNotFound means that there is no such job, or that nobody has the data.
var ErrNotFound = errors.New("not found")

// BadRequest marks an error as the request's fault: the same again would fail again.
type BadRequest struct{ Err error }

func (e BadRequest) Error() string { return e.Err.Error() }
func (e BadRequest) Unwrap() error { return e.Err }

// InsufficientFunds marks an error as the wallet's: with more money the same would do.
type InsufficientFunds struct{ Err error }

func (e InsufficientFunds) Error() string { return e.Err.Error() }
func (e InsufficientFunds) Unwrap() error { return e.Err }

// answer makes a handler of a function that returns what to answer with.
func answer[T any](s *server, f func(http.ResponseWriter, *http.Request) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := f(w, r)
		switch _, empty := any(v).(none); {
		case err != nil:
			s.fail(w, r, err)
		case empty:
			w.WriteHeader(http.StatusNoContent)
		default:
			write(w, http.StatusOK, v)
		}
	}
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, code := classify(err)
	if code == client.CodeInternal && r.Context().Err() == nil {
		s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	write(w, status, client.Failure{Error: err.Error(), Code: code})
}

func classify(err error) (int, client.Code) {
	var (
		bad     BadRequest
		funds   InsufficientFunds
		refused *transport.RefusedError
		tooMuch *http.MaxBytesError
	)
	switch {
	case errors.As(err, &tooMuch):
		return http.StatusRequestEntityTooLarge, client.CodeBadRequest
	case errors.As(err, &bad):
		return http.StatusBadRequest, client.CodeBadRequest
	case errors.Is(err, ErrNotFound), errors.Is(err, transport.ErrUnknownJob):
		return http.StatusNotFound, client.CodeNotFound
	case errors.As(err, &funds):
		return http.StatusPaymentRequired, client.CodeFunds
	case errors.As(err, &refused):
		return http.StatusConflict, client.CodeRefused
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, client.CodeInternal
	}
	return http.StatusInternalServerError, client.CodeInternal
}

func write(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		// Only a value that the node should never hold, such as a status that the contract does not know.
		status, raw = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded","code":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n')) // a caller that left needs no answer
}

// decode reads one JSON value of at most limit bytes and takes nothing that it does not know.
func decode(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		_, err = dec.Token()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = errors.New("more after the JSON value")
		}
	}
	var tooMuch *http.MaxBytesError
	switch {
	case errors.As(err, &tooMuch):
		return BadRequest{fmt.Errorf("the request is larger than %d bytes: %w", limit, err)}
	case err == io.EOF:
		return badRequest("the request is empty: send JSON")
	}
	return BadRequest{fmt.Errorf("malformed request: %w", err)}
}

func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	write(w, http.StatusNotFound, client.Failure{
		Error: fmt.Sprintf("%s %s is not part of this API: see /api/v1/openapi.json", r.Method, r.URL.Path),
		Code:  client.CodeNotFound,
	})
}
