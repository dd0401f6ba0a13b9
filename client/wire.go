// Package client is the Go SDK: it talks to a node's HTTP API and moves data in and out as verified CARs.
package client

import (
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Wei is an amount of money. In JSON it is a decimal string, for it may exceed what other languages take for a number.
type Wei struct{ *big.Int }

// MarshalJSON writes a decimal string.
func (w Wei) MarshalJSON() ([]byte, error) {
	if w.Int == nil {
		return []byte(`"0"`), nil
	}
	return json.Marshal(w.Int.String())
}

// UnmarshalJSON reads a decimal string.
func (w *Wei) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	v, ok := new(big.Int).SetString(s, 10)
	if !ok || v.Sign() < 0 {
		return fmt.Errorf("%q is not an amount in wei", s)
	}
	w.Int = v
	return nil
}

// Status describes a node.
type Status struct {
	Version    string              `json:"version"`
	ChainID    uint64              `json:"chainId"`
	Contract   common.Address      `json:"contract"`
	Head       protocol.Block      `json:"head"`
	Wallet     common.Address      `json:"wallet"`
	Parameters protocol.Parameters `json:"parameters"`
	// Ready means that the node has read the chain up to its head.
	Ready bool `json:"ready"`
}

// Wallet is the money of the node's wallet: in the contract, and on its account outside of it.
type Wallet struct {
	Address common.Address `json:"address"`
	Free    Wei            `json:"freeWei"`
	Locked  Wei            `json:"lockedWei"`
	Account Wei            `json:"accountWei"`
	// Registered says that the wallet is in the registry of compute nodes, Paused that it takes no work for now.
	Registered bool `json:"registered"`
	Paused     bool `json:"paused"`
}

// JobRequest is work to be done. Zero values take the node's defaults, which Job then shows.
type JobRequest struct {
	// Module is the CID of a WASI preview1 command, which the node must have (see Client.Import).
	Module string            `json:"module"`
	Args   []string          `json:"args,omitempty"`
	Env    map[string]string `json:"env,omitempty"`
	// Inputs that every piece sees below /inputs.
	Inputs []protocol.Input `json:"inputs,omitempty"`
	// Providers are base URLs of trustless gateways that serve the inputs.
	Providers []string `json:"providers,omitempty"`
	// Pieces of work; none means one piece without anything of its own.
	Pieces []PieceRequest  `json:"pieces,omitempty"`
	Limits protocol.Limits `json:"limits"`
	// Bid is the price cap per piece; FuelPrice the price per unit of fuel. Flat asks for the flat price Bid instead.
	Bid       Wei  `json:"bidWei"`
	FuelPrice Wei  `json:"fuelPriceWei"`
	Flat      bool `json:"flat,omitempty"`
	// CheckRate is the share of pieces to check, 0 to 1.
	CheckRate float64 `json:"checkRate,omitempty"`
	// Eager checks with three nodes at once instead of a third only on difference.
	Eager bool `json:"eager,omitempty"`
	// ExecuteSeconds are a node's time for what it takes at once; by default they follow from its fuel limit.
	ExecuteSeconds uint32 `json:"executeSeconds,omitempty"`
	// ExpirySeconds are the time to find nodes in; by default an hour, or four times the execute window.
	ExpirySeconds uint64 `json:"expirySeconds,omitempty"`
	// PiecesPerExecution bounds what one node gets at a time.
	PiecesPerExecution uint32 `json:"piecesPerExecution,omitempty"`
}

// PieceRequest is what one piece has of its own.
type PieceRequest struct {
	Name   string           `json:"name"`
	Args   []string         `json:"args,omitempty"`
	Inputs []protocol.Input `json:"inputs,omitempty"`
}

// JobStatus is where a job stands as a whole.
type JobStatus string

const (
	JobSubmitting JobStatus = "submitting" // not on the chain yet
	JobWaiting    JobStatus = "waiting"    // no node has taken any piece yet
	JobRunning    JobStatus = "running"
	JobDone       JobStatus = "done"      // all pieces have results
	JobCancelled  JobStatus = "cancelled" // ended, with pieces given back by the user
	JobFailed     JobStatus = "failed"    // ended, with pieces that have no result
	JobRejected   JobStatus = "rejected"  // the contract did not take it
)

// Ended says whether nothing more will happen.
func (s JobStatus) Ended() bool {
	switch s {
	case JobDone, JobCancelled, JobFailed, JobRejected:
		return true
	}
	return false
}

// JobSummary is a job in a list.
type JobSummary struct {
	ID      common.Hash `json:"id"`
	Status  JobStatus   `json:"status"`
	Created time.Time   `json:"created"`
	Module  string      `json:"module"`
	Pieces  uint32      `json:"pieces"`
	// Committed pieces have a result on the chain, delivered ones an output that the client holds.
	Committed uint32 `json:"committed"`
	Delivered uint32 `json:"delivered"`
	// Result is the CID of the merged outputs of an ended job.
	Result string `json:"result,omitempty"`
	// Rejected says why the contract did not take the job.
	Rejected string `json:"rejected,omitempty"`
}

// Job is a job in full.
type Job struct {
	JobSummary
	Terms      protocol.Terms    `json:"terms"`
	Args       []string          `json:"args,omitempty"`
	PieceList  []PieceReport     `json:"pieceList"`
	Executions []ExecutionReport `json:"executions"`
	// Offers that may be accepted now, as far as pieces are open.
	Offers []OfferReport `json:"offers,omitempty"`
	Cost   Cost          `json:"cost"`
	// Trouble lists what fails at the moment and is being tried again.
	Trouble []string `json:"trouble,omitempty"`
}

// What PieceReport.Status says besides the status of an execution.
const (
	PieceOpen      = "open"      // no node has the piece
	PieceDelivered = "delivered" // its output is here
)

// PieceReport is one piece of a job.
type PieceReport struct {
	Index uint32 `json:"index"`
	Name  string `json:"name"`
	// Status is PieceOpen, that of the execution which has the piece, or PieceDelivered.
	Status    string         `json:"status"`
	Node      common.Address `json:"node,omitzero"`
	Execution common.Hash    `json:"execution,omitzero"`
	// Checked means that the dice picked the piece.
	Checked bool `json:"checked,omitempty"`
	// Disputed means that a verifier had another result, and nobody was convicted for it.
	Disputed bool   `json:"disputed,omitempty"`
	ExitCode uint32 `json:"exitCode"`
	Fuel     uint64 `json:"fuel,omitempty"`
	// Output is the CID of the piece's output directory.
	Output string `json:"output,omitempty"`
}

// ExecutionReport is one node's assignment.
type ExecutionReport struct {
	ID     common.Hash     `json:"id"`
	Node   common.Address  `json:"node"`
	From   uint32          `json:"from"`
	Count  uint32          `json:"count"`
	Status protocol.Status `json:"status"`
	// Deadline of the present status, timestamp in seconds; 0 if it has none.
	Deadline uint64 `json:"deadline,omitempty"`
	Fuel     uint64 `json:"fuel,omitempty"`
	Silent   bool   `json:"silent,omitempty"`
	// Declined means that the node gave its pieces back in time.
	Declined bool `json:"declined,omitempty"`
	// Checked lists the pieces that the dice picked.
	Checked []uint32         `json:"checked,omitempty"`
	Outcome protocol.Outcome `json:"outcome"`
	Seats   []protocol.Seat  `json:"seats,omitempty"`
	// Challenge is the client's demand for a leaf that is not answered yet.
	Challenge *ChallengeReport `json:"challenge,omitempty"`
	// Opened lists the seats that opened their own results because the client was silent.
	Opened    []int         `json:"opened,omitempty"`
	Appeal    *AppealReport `json:"appeal,omitempty"`
	Payments  []Payment     `json:"payments,omitempty"`
	Penalties []Penalty     `json:"penalties,omitempty"`
}

// ChallengeReport names the leaf that a seat has to show.
type ChallengeReport struct {
	Seat  uint8  `json:"seat"`
	Piece uint32 `json:"piece"`
}

// AppealReport is an appeal against a verdict.
type AppealReport struct {
	// Seat that appealed.
	Seat uint8 `json:"seat"`
	// Jurors are empty until they are drawn.
	Jurors []JurorReport `json:"jurors,omitempty"`
	// Decided is false while the case is open, and if the jury had no majority.
	Decided bool `json:"decided,omitempty"`
	// Right lists the seats that the jury proved right.
	Right []int `json:"right,omitempty"`
}

// JurorReport is a juror and what became of its vote.
type JurorReport struct {
	Number uint8               `json:"number"`
	Node   common.Address      `json:"node"`
	Vote   protocol.VoteStatus `json:"vote"`
}

// Payment is what a seat or a juror earned; jurors have the number 4 and up.
type Payment struct {
	Seat uint8          `json:"seat"`
	Node common.Address `json:"node"`
	Wei  Wei            `json:"wei"`
}

// Penalty is money burned; Seat is 0 for the client.
type Penalty struct {
	Kind   protocol.PenaltyKind `json:"kind"`
	Seat   uint8                `json:"seat,omitempty"`
	Wallet common.Address       `json:"wallet"`
	Wei    Wei                  `json:"wei"`
}

// Cost is what a job has cost so far, and what running it once would have.
type Cost struct {
	// Paid to the executions' nodes and to verifiers, and burned of the client's bonds.
	Paid      Wei `json:"paidWei"`
	PaidCheck Wei `json:"paidCheckWei"`
	Burned    Wei `json:"burnedWei"`
	// FuelClean is the fuel of one run of the delivered pieces; FuelExecuted all that was paid for, checks included.
	FuelClean    uint64 `json:"fuelClean"`
	FuelExecuted uint64 `json:"fuelExecuted"`
	// Transactions of all parties for this job, and the gas they used.
	Transactions []TransactionCost `json:"transactions,omitempty"`
	Gas          uint64            `json:"gas"`
	GasPerPiece  float64           `json:"gasPerPiece"`
}

// TransactionCost adds up the job's transactions that call one function of the contract.
type TransactionCost struct {
	Call  string `json:"call"`
	Count int    `json:"count"`
	Gas   uint64 `json:"gas"`
}

// Node is a compute node.
type Node struct {
	Address  common.Address `json:"address"`
	Endpoint string         `json:"endpoint,omitempty"`
	Free     Wei            `json:"freeWei"`
	Locked   Wei            `json:"lockedWei"`
	// Paused means that the node takes no work for now.
	Paused bool `json:"paused,omitempty"`
	// Reputation: counted from events for people to see; no decision reads it.
	Executions uint32 `json:"executions"`
	Settled    uint32 `json:"settled"`
	Verified   uint32 `json:"verified"`
	NoShows    uint32 `json:"noShows"`
	Slashed    uint32 `json:"slashed"`
	Declined   uint32 `json:"declined"`
	AppealsWon uint32 `json:"appealsWon"`
}

// Imported is data that a node took in.
type Imported struct {
	CID  string `json:"cid"`
	Size uint64 `json:"sizeBytes"`
}

// ContentCAR is the media type of the data that Client.Import sends.
const ContentCAR = "application/vnd.ipld.car"

// Submitted answers a JobRequest.
type Submitted struct {
	ID common.Hash `json:"id"`
}

// Transfer is money to be deposited or withdrawn.
type Transfer struct {
	Amount Wei `json:"amountWei"`
}

// Payout is money for somebody else's account.
type Payout struct {
	To     common.Address `json:"to"`
	Amount Wei            `json:"amountWei"`
}

// URLRequest asks a node to download a URL.
type URLRequest struct {
	URL string `json:"url"`
}

// FetchRequest asks a node to get a DAG from the network.
type FetchRequest struct {
	CID string `json:"cid"`
	// Providers are base URLs of trustless gateways to ask first.
	Providers []string `json:"providers,omitempty"`
	// Outline is for inputs: if one of the Providers has the DAG, what tells the names and sizes of its files is enough.
	Outline bool `json:"outline,omitempty"`
}

// Failure is the body of every answer that is not 2xx.
type Failure struct {
	Error string `json:"error"`
	Code  Code   `json:"code"`
}

// Audit is the contract's balance against everybody's money in it: Balance = Free + Locked + Burned.
type Audit struct {
	// Block at which the books were read.
	Block   uint64 `json:"block"`
	Wallets int    `json:"wallets"`
	Balance Wei    `json:"balanceWei"`
	Free    Wei    `json:"freeWei"`
	Locked  Wei    `json:"lockedWei"`
	Burned  Wei    `json:"burnedWei"`
	// Conserved says whether the equation holds.
	Conserved bool `json:"conserved"`
}

// OffersPath is where a requester node takes offers, below the endpoint that its wallet announced.
const OffersPath = "/api/v1/offers"

// SignedOffer is an offer that a node sends to a requester node, the same that the contract's postOffer takes. The
// answer is 202 if it is kept.
type SignedOffer struct {
	Offer     protocol.Offer `json:"offer"`
	Signature hexutil.Bytes  `json:"signature"`
}

// Decision is what a compute node made of a job at a time, and why.
type Decision struct {
	Time time.Time   `json:"time"` // of the chain
	Job  common.Hash `json:"job"`
	// Execution that was declined, for a decision about pieces that the node had.
	Execution common.Hash `json:"execution,omitzero"`
	// Verdict is offered, passed over, declined or pending.
	Verdict string `json:"verdict"`
	// Reason names why, Text says it in a sentence.
	Reason string `json:"reason"`
	Text   string `json:"text"`
	// Have and Want are the reason's numbers, if it has any: what the job has, and what the node asks for or allows.
	Have *Wei `json:"have,omitempty"`
	Want *Wei `json:"want,omitempty"`
	// Pieces that were offered, or given back.
	Pieces uint32 `json:"pieces,omitempty"`
}

// Draining is how far a compute node is that takes no more work.
type Draining struct {
	// Pieces that it was given and has not committed to yet.
	Pieces uint64 `json:"pieces"`
	// Offers that may still be accepted; what comes of them is given back.
	Offers uint64 `json:"offers"`
}

// OfferReport is an offer for a job and what the requester node makes of it.
type OfferReport struct {
	Node     common.Address `json:"node"`
	Pieces   uint32         `json:"pieces"`
	Nonce    uint32         `json:"nonce"`
	Deadline time.Time      `json:"deadline"`
	// Direct means that it did not come through the chain.
	Direct bool `json:"direct"`
	// Taken pieces, 0 if it is not taken now; Reason says why, or why not.
	Taken  uint32 `json:"taken,omitempty"`
	Reason string `json:"reason"`
}
