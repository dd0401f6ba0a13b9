package protocol

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Block is a moment of the chain.
type Block struct {
	Number uint64 `json:"number"`
	// Time is the block's timestamp, seconds.
	Time uint64 `json:"time"`
}

// View is what the contract's events say, folded. It holds records exactly as the contract hashes them, so that a call
// can bring them along.
type View struct {
	Head      Block
	Jobs      map[common.Hash]*Job
	Runs      map[common.Hash]*Run
	Wallets   map[common.Address]bool   // that ever had a deposit
	Nodes     map[common.Address]bool   // registered
	Paused    map[common.Address]bool   // of these, those that take no work for now
	Endpoints map[common.Address]string // where a wallet's node serves data
	// Past is what archived jobs said of their nodes.
	Past map[common.Address]Reputation
}

// Job is a job and what became of its pieces.
type Job struct {
	ID      common.Hash
	Terms   Terms
	Created Block
	// Frontier is the first piece that was never assigned.
	Frontier uint32
	// Closed means that the pieces from Frontier on were given back to the client.
	Closed bool
	// Changed is when pieces were last given back, or when the job was created.
	Changed Block
	// Returned holds the ranges that may be assigned again.
	Returned map[common.Hash]Execution
	// Offers that were posted on chain and not accepted yet.
	Offers []SignedOffer
	// Runs are the job's executions in the order of assignment.
	Runs []common.Hash
}

// SignedOffer is an offer that a client can accept.
type SignedOffer struct {
	Offer     Offer
	Signature []byte
}

// Run is an execution with its history.
type Run struct {
	Record Execution
	// Parent is the job or the returned execution that the pieces came from.
	Parent   common.Hash
	Nonce    uint32 // of the accepted offer
	Assigned Block
	// From and Count are the pieces assigned; Record changes when they return.
	From, Count uint32
	Node        common.Address
	// Leaves is what the node published with its commitment.
	Leaves    []byte
	Committed Block
	// Declined means that the node gave its pieces back in time.
	Declined     bool
	Verification *Verification
	Seats        map[uint8]*SeatRun
	// Challenge is the client's demand for a leaf that is not answered yet.
	Challenge *Challenge
	// Withheld means that seat 1 did not answer a challenge.
	Withheld bool
	// Answers are leaves that seats showed because the client demanded them, by seat and piece.
	Answers map[uint8]map[uint32]Proven
	// Openings are the seats' own, by seat.
	Openings map[uint8]SelfOpening
	// Digests are what revealKey showed, by seat.
	Digests *[3]common.Hash
	// Results are what the seats stand by in the verdict, by seat: keccak256(abi.encode(digest, fuel)).
	Results   *[3]common.Hash
	Appeal    *Appealed
	Payments  []Payment
	Penalties []Penalty
	// Silent means that the client missed its deadline.
	Silent bool
	Ended  Block
}

// SeatRun is a verifier's seat and what its node published.
type SeatRun struct {
	Record Seat
	Leaves []byte
}

// Payment is what a seat earned, wei; a juror has the number 4 and up.
type Payment struct {
	Seat uint8
	Node common.Address
	Wei  *big.Int
}

// PenaltyKind says what money was burned for.
type PenaltyKind string

const (
	PenaltySlash  PenaltyKind = "slash"   // a result proved wrong
	PenaltyNoShow PenaltyKind = "no-show" // a missed deadline
	PenaltyBond   PenaltyKind = "bond"    // a client's silence or skipped checks
	PenaltyAppeal PenaltyKind = "appeal"  // an appeal that the jury found wrong
)

// Penalty is money burned, wei. Seat is 0 for the client; a juror has the number 4 and up.
type Penalty struct {
	Kind   PenaltyKind
	Seat   uint8
	Wallet common.Address
	Wei    *big.Int
}

// NewView is the view before the first event.
func NewView() *View {
	return &View{
		Jobs:      map[common.Hash]*Job{},
		Runs:      map[common.Hash]*Run{},
		Wallets:   map[common.Address]bool{},
		Nodes:     map[common.Address]bool{},
		Paused:    map[common.Address]bool{},
		Endpoints: map[common.Address]string{},
		Past:      map[common.Address]Reputation{},
	}
}

// Advance moves the view's head; deadlines are compared with its time.
func (v *View) Advance(head Block) { v.Head = head }

// Status is where the execution stands at a time (seconds), with Drawing, Resolving and Silent told apart from Verifying.
func (r *Run) Status(t Terms, settleWindow uint32, now uint64) Status {
	if r.Record.Status != StatusVerifying || r.Verification == nil {
		return r.Record.Status
	}
	running := false
	for _, seat := range r.Panel(t) {
		switch seat.Status {
		case SeatStatusDrawing:
			return StatusDrawing
		case SeatStatusRunning:
			running = true
		}
	}
	switch {
	case running:
		return StatusVerifying
	case now > r.ResolveBy(t, settleWindow):
		return StatusSilent
	}
	return StatusResolving
}

// Done says whether the execution is over.
func (r *Run) Done() bool {
	switch r.Record.Status {
	case StatusSettled, StatusReturned, StatusRefunded:
		return true
	}
	return false
}

// Panel lists the verifiers' seats in order, including those never drawn yet, as the contract derives them.
func (r *Run) Panel(t Terms) []Seat {
	if r.Verification == nil {
		return nil
	}
	seats := []Seat{r.seat(2, r.Verification.Hits, r.Verification.Target, r.Verification.Deadline)}
	switch {
	case t.Seats == 3:
		seats = append(seats, r.seat(3, r.Verification.Hits, r.Verification.Target, r.Verification.Deadline))
	case r.Verification.ThirdTarget != 0:
		seats = append(seats, r.seat(3, 1, r.Verification.ThirdTarget, r.Verification.ThirdDeadline))
	}
	return seats
}

// Told lists the panel's seats that an event has told of, in order: what calls take as the seats.
func (r *Run) Told(t Terms) []Seat {
	return slices.DeleteFunc(r.Panel(t), func(s Seat) bool { return r.Seats[s.Number] == nil })
}

func (r *Run) seat(number uint8, pieces uint32, target, deadline uint64) Seat {
	if s := r.Seats[number]; s != nil {
		return s.Record
	}
	return Seat{
		Execution: r.Record.ID, Number: number, Status: SeatStatusDrawing,
		Pieces: pieces, Target: target, Deadline: deadline,
	}
}

// ResolveBy is the client's deadline in Resolving, seconds: the settle window after the last seat was done, or later if
// challenges took time.
func (r *Run) ResolveBy(t Terms, settleWindow uint32) uint64 {
	var last uint64
	for _, seat := range r.Panel(t) {
		last = max(last, seat.DoneAt)
	}
	return max(last+uint64(settleWindow), r.Record.Deadline)
}

// Checked lists the pieces that a seat of the panel has to run, ascending.
func (r *Run) Checked(t Terms, seat uint8) []uint32 {
	if seat == 3 && t.Seats == 2 {
		return []uint32{r.Verification.Escalated}
	}
	pieces := Offsets(r.Verification.Listed)
	for i := range pieces {
		pieces[i] += r.From
	}
	return pieces
}

// Open lists the ranges of a job that may be assigned now: parent (the job or a returned execution), first piece and
// count.
func (j *Job) Open() []Range {
	var open []Range
	if !j.Closed && j.Frontier < j.Terms.Pieces {
		open = append(open, Range{Parent: j.ID, From: j.Frontier, Count: j.Terms.Pieces - j.Frontier})
	}
	for _, e := range j.Returned {
		open = append(open, Range{Parent: e.ID, From: e.From, Count: e.Count})
	}
	sortRanges(open)
	return open
}

// Range is a number of pieces to be taken from a job or a returned execution.
type Range struct {
	Parent      common.Hash
	From, Count uint32
}

func (v *View) job(id common.Hash) (*Job, error) {
	if j := v.Jobs[id]; j != nil {
		return j, nil
	}
	return nil, fmt.Errorf("event for unknown job %s", id)
}

func (v *View) run(id common.Hash) (*Run, error) {
	if r := v.Runs[id]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("event for unknown execution %s", id)
}
