// Package plan decides what a node does next: (view, facts, now) → actions. It is pure; whoever performs the actions
// may lose all of them at any time, for the next plan from the same view asks for the same ones again.
package plan

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Action is one thing to do.
type Action interface{ isAction() }

// Send asks for a transaction. Key names what it is for: as long as the key is the same it is the same transaction,
// which must not be sent twice.
type Send struct {
	Key  string
	Call protocol.Call
}

// Load asks for a job's spec.
type Load struct{ Job common.Hash }

// Offer asks for a signed offer of up to Pieces pieces of a job, good until Deadline (seconds).
type Offer struct {
	Job      common.Hash
	Pieces   uint32
	Deadline uint64
}

// Execute asks for the results of some pieces of an execution, for the seat that this node has in it.
type Execute struct {
	Job       common.Hash
	Execution common.Hash
	Seat      uint8
	Pieces    []uint32
}

// Judge asks for a juror's vote: to run one piece and to prove that it did, by the salt of the jury.
type Judge struct {
	Job       common.Hash
	Execution common.Hash
	Number    uint8
	Piece     uint32
	Salt      common.Hash
}

// Answer asks for a call with the leaf at a position of the node's own work, which is the opening that Call lacks.
type Answer struct {
	Key      string
	Call     protocol.AnswerLeaf
	Position int
}

// Disclose asks for a call that opens the leaf at a position of the node's own work. Of the disclosure Call has the piece
// only.
type Disclose struct {
	Key      string
	Call     protocol.OpenSelf
	Position int
}

// Collect asks for what a seat published, opened with the client's keys.
type Collect struct {
	Execution common.Hash
	Seat      uint8
}

// Deliver asks to hand the outputs of some pieces, as a seat published them, to the user.
type Deliver struct {
	Execution common.Hash
	Seat      uint8
	Pieces    []uint32
	// Disputed are those about which a verifier said something else, and nobody was convicted for it.
	Disputed []uint32
}

// TopUp asks the client for money: a job or an execution waits for it.
type TopUp struct {
	For common.Hash
	// Wei that lacks in the free balance.
	Wei *big.Int
}

func (Send) isAction()     {}
func (Load) isAction()     {}
func (Offer) isAction()    {}
func (Execute) isAction()  {}
func (Judge) isAction()    {}
func (Answer) isAction()   {}
func (Disclose) isAction() {}
func (Collect) isAction()  {}
func (Deliver) isAction()  {}
func (TopUp) isAction()    {}

// Terms of the deployment that every plan needs.
type Terms struct {
	Self       common.Address
	Parameters protocol.Parameters
}

// status is where an execution of a job with terms t stands now.
func (f Terms) status(v *protocol.View, r *protocol.Run, t protocol.Terms) protocol.Status {
	return r.Status(t, f.Parameters.SettleWindow, v.Head.Time)
}

// SeatKey names one seat of an execution; the execution's own node has seat 1, jurors have 4 and up.
type SeatKey struct {
	Execution common.Hash
	Seat      uint8
}

func send(call protocol.Call, format string, args ...any) Send {
	return Send{Key: keyOf(call, format, args...), Call: call}
}

func keyOf(call protocol.Call, format string, args ...any) string {
	return call.Method() + ":" + fmt.Sprintf(format, args...)
}

func isSend(a Action) bool {
	_, ok := a.(Send)
	return ok
}

// pieces lists [from, from+count).
func pieces(from, count uint32) []uint32 {
	list := make([]uint32, count)
	for i := range list {
		list[i] = from + uint32(i)
	}
	return list
}
