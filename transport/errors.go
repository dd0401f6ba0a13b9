package transport

import (
	"errors"
	"fmt"
)

var (
	// ErrUnknownJob says that no job has the id, as far as the chain was read.
	ErrUnknownJob = errors.New("unknown job")
	// ErrRejected says that the offer was rejected before.
	ErrRejected = errors.New("the offer was rejected")
	// ErrNotSubscribed says that nobody keeps the events; call Subscribe first.
	ErrNotSubscribed = errors.New("no subscriber")
)

// RefusedError says that the contract refused a call and nothing changed.
type RefusedError struct {
	// Method is the contract's function.
	Method string
	// Reason is one of the protocol's error types by value where the contract gave one, for example
	// protocol.StaleRecord.
	Reason error
	// Receipt is of the transaction that failed; zero if nothing was sent because it would have failed.
	Receipt Receipt
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the contract refused %s: %v", e.Method, e.Reason)
}

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Reason }
