package transport

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Point is one block of the chain.
type Point struct {
	protocol.Block
	Hash common.Hash `json:"hash"`
}

// Meta says where on the chain an event is.
type Meta struct {
	Block Point       `json:"block"`
	Tx    common.Hash `json:"tx"`
}

// Record is an event of the contract and where it happened.
type Record struct {
	Event protocol.Event
	Meta  Meta
}

// Subscriber keeps what the contract said. Apply, Rollback, Checkpoints and CaughtUp are called from one goroutine, Read
// from any.
type Subscriber interface {
	// Apply records events, in the order of the chain, and that everything up to upTo is known, in one durable step.
	// There may be no events: then only time has passed.
	Apply(ctx context.Context, upTo Point, records []Record) error
	// Rollback forgets every event and checkpoint above to, which is one of Checkpoints: the chain was reorganised.
	Rollback(ctx context.Context, to Point) error
	// Checkpoints are the points of past Apply calls, newest first, as far back as a reorganisation may reach.
	Checkpoints() []Point
	// CaughtUp follows an Apply after which nothing more is known of the chain: now is the time to act.
	CaughtUp(head Point)
	// Read calls f with the view folded from the events. f must neither change the view nor keep parts of it.
	Read(f func(*protocol.View))
}
