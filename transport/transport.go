// Package transport is the interface through which nodes and requesters coordinate: verbs that become transactions of
// one wallet, and events that come back.
package transport

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Transport acts for one wallet. Its methods may be called concurrently.
//
// A verb that sends a transaction returns once the transaction is confirmed. The same verb with the same arguments is
// the same transaction: calling it again, even after a crash, does not send it twice. An error of type *RefusedError
// says that the contract said no and nothing changed; other errors say that the transaction could not be brought to the
// contract, or, if the context ended first, that its outcome is not known yet.
type Transport interface {
	// Start follows the contract for the subscriber and sends transactions until ctx ends; it then returns the
	// context's error, or earlier one that waiting cannot mend.
	Start(ctx context.Context) error
	// HostID is the wallet that this transport acts for.
	HostID() common.Address
	// Subscribe names who keeps the events. It is called once, before Start.
	Subscribe(Subscriber) error

	// List returns all jobs, the oldest first, as the subscriber's view has them.
	List() ([]protocol.Job, error)
	// Get returns one job, or ErrUnknownJob.
	Get(job common.Hash) (protocol.Job, error)

	// SubmitJob creates a job (transaction createJob) and locks bid × pieces of the wallet's free balance.
	SubmitJob(ctx context.Context, terms protocol.Terms) (common.Hash, Receipt, error)
	// UpdateDeal raises bid and concurrency of the listed pieces of a committed execution (transaction verify).
	UpdateDeal(ctx context.Context, deal protocol.Verify) (Receipt, error)
	// CancelJob takes back every piece of a job that no node has (transaction closeJob, and closeReturned for each
	// returned execution). Pieces that a node works on are not affected.
	CancelJob(ctx context.Context, job common.Hash) ([]Receipt, error)
	// AcceptJobBid assigns pieces to the node of a signed offer (transaction acceptOffer or acceptReturned). It fails
	// with ErrRejected after RejectJobBid of the same offer.
	AcceptJobBid(ctx context.Context, acceptance Acceptance) (Receipt, error)
	// RejectJobBid decides against an offer. No transaction: an offer that nobody accepts expires by itself. The
	// decision lasts until then or until the process ends.
	RejectJobBid(offer protocol.Offer)
	// BidJob posts a signed offer on chain (transaction postOffer), for clients that cannot be reached directly.
	BidJob(ctx context.Context, offer protocol.SignedOffer) (Receipt, error)
	// SubmitResult commits the result of an execution (transaction commitResult).
	SubmitResult(ctx context.Context, result protocol.CommitResult) (Receipt, error)
	// SubmitVerification commits a drawn verifier's result (transaction commitVerification).
	SubmitVerification(ctx context.Context, result protocol.CommitVerification) (Receipt, error)
	// ErrorJob gives back an execution that the wallet's node cannot run, in time and for nothing (transaction decline).
	ErrorJob(ctx context.Context, failure protocol.Decline) (Receipt, error)
	// ErrorJobForNode contests a node's result with evidence (transaction revealKey).
	ErrorJobForNode(ctx context.Context, evidence protocol.RevealKey) (Receipt, error)

	// Send makes any other call of the contract: registering, settling, drawing, timeouts. The key names what the call
	// is for; a key that was used with other arguments is an error.
	Send(ctx context.Context, key string, call protocol.Call) (Receipt, error)
}

// Acceptance assigns the next Count pieces of a job to the node that made the offer.
type Acceptance struct {
	Terms protocol.Terms
	// Returned is the returned execution whose first pieces are assigned; nil assigns pieces never assigned before.
	Returned *protocol.Execution
	Offer    protocol.SignedOffer
	Count    uint32
	// SeedHash is protocol.SeedHash of the client's dice seed for this execution.
	SeedHash common.Hash
}

// Receipt is a transaction that the chain has confirmed.
type Receipt struct {
	Tx      common.Hash `json:"tx"`
	Block   uint64      `json:"block"`
	GasUsed uint64      `json:"gasUsed"` // gas
}
