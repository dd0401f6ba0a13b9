// Package agent is what a node does: it folds the contract's events into a view, plans from it and performs the plan,
// as a compute node and as a requester.
//
// Everything an agent must remember is on disk before the chain hears of it. It may be killed at any point: the next
// start folds the same events, reads the same facts and plans the same steps.
package agent

import (
	"context"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// Deployment is the contract that an agent works with.
type Deployment struct {
	ChainID    uint64
	Contract   common.Address
	Parameters protocol.Parameters
}

// Chain is how an agent acts on the contract with its wallet.
type Chain interface {
	// Send makes a call in a transaction, once for a key however often it is asked, and returns when it is mined. A
	// *transport.RefusedError is the contract's: nothing has happened.
	Send(ctx context.Context, key string, call protocol.Call) (transport.Receipt, error)
	// Wallet reads a wallet's money in the contract.
	Wallet(ctx context.Context, owner common.Address) (protocol.Wallet, error)
}

// Library is the content-addressed data that a node holds and serves. Directories are named by the digest of their
// CID, as on the chain.
type Library interface {
	// Fetch makes a directory complete here, asking each of the endpoints in turn, and pins it.
	Fetch(ctx context.Context, dir common.Hash, endpoints []string) error
	// FetchWithin does the same for a directory from a stranger: of each endpoint it takes at most so many bytes.
	FetchWithin(ctx context.Context, dir common.Hash, endpoints []string, maxBytes int64) error
	// ReadFile reads a file of a local directory; a file of more than limit bytes is an error.
	ReadFile(ctx context.Context, dir common.Hash, path string, limit int64) ([]byte, error)
	// Open opens a file of a local directory.
	Open(ctx context.Context, dir common.Hash, path string) (File, error)
	// Resolve finds a directory within a local directory.
	Resolve(ctx context.Context, dir common.Hash, path string) (common.Hash, error)
	// Publish makes a directory durable here and serves it: files by path, read to their ends, and local directories
	// linked in by path.
	Publish(ctx context.Context, files map[string]io.Reader, links map[string]common.Hash) (common.Hash, error)
	// Import takes a directory from a CAR, verified against its digest.
	Import(ctx context.Context, dir common.Hash, car io.Reader) error
}

// File is an open file. There is nothing to close.
type File interface {
	io.Reader
	Size() int64 // bytes
}

// Task is one piece to run.
type Task struct {
	Spec  protocol.Spec
	Piece protocol.Piece
	// Seed for the program's random numbers, the same for everyone who runs the piece.
	Seed [32]byte
	// MemoryKey asks for Output.KeyedMemory unless it is zero.
	MemoryKey common.Hash
	// Endpoints where inputs may be had.
	Endpoints []string
	// MaxInputBytes that are fetched for the piece; 0 is no bound.
	MaxInputBytes uint64
}

// Output is what running a piece gave: its result and the directory Root with ResultFile (protocol.Result as JSON) and
// OutputsDir (the directory whose digest Result.Outputs is). It must be closed.
type Output struct {
	Result protocol.Result
	Root   common.Hash
	Packed
	// KeyedMemory is the hash of the final memory with the task's MemoryKey.
	KeyedMemory common.Hash
	// Took is how long the program ran; 0 if it was not measured.
	Took time.Duration
}

// Packed is a directory that is ready to be sent.
type Packed interface {
	// WriteCAR writes the directory as a CAR.
	WriteCAR(ctx context.Context, w io.Writer) error
	// Close frees what holds the directory.
	Close() error
}

// Executor runs pieces. The same task gives the same Result everywhere.
type Executor interface {
	// Check says why a job cannot be run here, having fetched what it needs to know. An UnfitError is for good.
	Check(ctx context.Context, doc *protocol.Document, endpoints []string) error
	// Measure says how much a job's pieces read, having fetched as little as possible.
	Measure(ctx context.Context, doc *protocol.Document, endpoints []string) (Inputs, error)
	// Run runs a piece; an error is this machine's failure and says nothing about the piece.
	Run(ctx context.Context, t Task) (Output, error)
}

// Inputs are the sizes of a job's inputs, by what the data claims of itself.
type Inputs struct {
	// MostBytes of one piece, and MissingBytes of the one that lacks most here.
	MostBytes, MissingBytes uint64
}

// Peers are other nodes, reached without the chain.
type Peers interface {
	// Call says whether a node answers at its endpoint.
	Call(ctx context.Context, endpoint string) error
	// Offer hands a signed offer to the requester node at an endpoint. It returns nil if that node keeps it.
	Offer(ctx context.Context, endpoint string, o protocol.SignedOffer) error
}

// UnfitError is why a job cannot be run, here or anywhere, whatever happens to the network.
type UnfitError struct{ Err error }

func (e UnfitError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e UnfitError) Unwrap() error { return e.Err }

// What Output.Root holds.
const (
	ResultFile = "result.json"
	OutputsDir = "outputs"
)

// What a node publishes for a seat: the leaves, one after the other, and by piece the encrypted output, which is the
// 32 bytes of Output.Root followed by its CAR.
const (
	leavesFile = "leaves"
	sealedFile = "output.age"
)
