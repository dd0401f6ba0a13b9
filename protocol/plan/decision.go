package plan

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// Decision is what a compute node makes of a job, or of an execution that it was given, and why.
type Decision struct {
	Job common.Hash
	// Execution that was declined; zero for a decision about offering.
	Execution common.Hash
	Verdict   Verdict
	Reason    Reason
	// Have is what the job has, Want what this node asks for or allows, in the reason's unit; nil if the reason has none.
	Have, Want *big.Int
	// Detail is what went wrong, if something did.
	Detail string
	// Pieces that were offered, or given back.
	Pieces uint32
}

// Verdict is what a decision comes to.
type Verdict string

const (
	VerdictPending    Verdict = "pending"     // something has to be found out first
	VerdictOffered    Verdict = "offered"     // an offer is made or stands
	VerdictPassedOver Verdict = "passed over" // no offer for now; the reason may pass
	VerdictDeclined   Verdict = "declined"    // pieces that the node was given go back
)

// Reason names why.
type Reason string

const (
	ReasonSuits    Reason = "suits"
	ReasonUnread   Reason = "spec-unread"
	ReasonNoSpec   Reason = "spec-unavailable"
	ReasonUnfit    Reason = "unfit"
	ReasonOwnJob   Reason = "own-job"
	ReasonGaveBack Reason = "gave-back"

	ReasonDraining     Reason = "draining"
	ReasonPaused       Reason = "paused"
	ReasonUnregistered Reason = "unregistered"

	ReasonClientDenied     Reason = "client-denied"
	ReasonClientNotAllowed Reason = "client-not-allowed"

	ReasonBid          Reason = "bid"
	ReasonFuelPrice    Reason = "fuel-price"
	ReasonBidForFuel   Reason = "bid-for-fuel"
	ReasonBidForInputs Reason = "bid-for-inputs"

	ReasonFine       Reason = "fine"
	ReasonStake      Reason = "stake"
	ReasonAppealBond Reason = "appeal-bond"

	ReasonMemory      Reason = "memory"
	ReasonFuel        Reason = "fuel"
	ReasonOutput      Reason = "output"
	ReasonInput       Reason = "input"
	ReasonNotLocal    Reason = "not-local"
	ReasonJobPieces   Reason = "job-pieces"
	ReasonWindowShort Reason = "window-short"
	ReasonWindowLong  Reason = "window-long"

	ReasonRoom    Reason = "room"
	ReasonTooSlow Reason = "too-slow"

	// Of declined executions.
	ReasonFailing Reason = "failing"
	ReasonBehind  Reason = "behind"
)

// sentences say what a reason means; those with numbers take Have and Want.
var sentences = map[Reason]struct {
	text    string
	numbers bool
}{
	ReasonSuits:    {"the job suits this node", false},
	ReasonUnread:   {"the spec is being read", false},
	ReasonNoSpec:   {"spec, module or inputs cannot be had", false},
	ReasonUnfit:    {"the job can be run nowhere", false},
	ReasonOwnJob:   {"a client does not serve itself", false},
	ReasonGaveBack: {"this node gave pieces of the job back, and could not run others either", false},

	ReasonDraining:     {"this node finishes its work and takes no more", false},
	ReasonPaused:       {"this node is paused", false},
	ReasonUnregistered: {"this node is not registered", false},

	ReasonClientDenied:     {"the client is on this node's list of those it does not serve", false},
	ReasonClientNotAllowed: {"the client is not on this node's list of those it serves", false},

	ReasonBid:          {"the bid is %v wei a piece, this node asks for %v", true},
	ReasonFuelPrice:    {"the fuel price is %v wei, this node asks for %v", true},
	ReasonBidForFuel:   {"the bid is %v wei a piece, and all the fuel that a piece may use costs %v here", true},
	ReasonBidForInputs: {"the bid is %v wei a piece, and its fuel and the inputs to fetch cost %v here", true},

	ReasonFine:       {"%v wei are free, and the fine is %v", true},
	ReasonStake:      {"this node's stake is %v wei, and the least is %v", true},
	ReasonAppealBond: {"%v wei are free, and the fine with as much again for an appeal is %v", true},

	ReasonMemory:      {"a piece may use %v bytes of memory, this node allows %v", true},
	ReasonFuel:        {"a piece may use %v units of fuel, this node allows %v", true},
	ReasonOutput:      {"a piece may have %v bytes of output, this node allows %v", true},
	ReasonInput:       {"a piece has %v bytes of inputs, this node allows %v", true},
	ReasonNotLocal:    {"%v bytes of a piece's inputs are not here, and this node fetches %v", true},
	ReasonJobPieces:   {"the job has %v pieces, this node reads jobs of up to %v", true},
	ReasonWindowShort: {"an execution has %v seconds, this node asks for %v", true},
	ReasonWindowLong:  {"an execution has %v seconds, this node allows %v", true},

	ReasonRoom:    {"this node holds or has offered to hold %v pieces, of at most %v", true},
	ReasonTooSlow: {"one more piece would be done after %v seconds, and of the execution's time there are %v", true},

	ReasonFailing: {"the pieces cannot be run here", false},
	ReasonBehind:  {"the pieces were not begun, and would take %v seconds of the %v that are left", true},
}

// Text says the reason in a sentence, with its numbers and what went wrong.
func (d Decision) Text() string {
	text := string(d.Reason)
	if s, known := sentences[d.Reason]; known {
		text = s.text
		if s.numbers {
			text = fmt.Sprintf(s.text, orZero(d.Have), orZero(d.Want))
		}
	}
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return text
}

func orZero(n *big.Int) *big.Int {
	if n == nil {
		return new(big.Int)
	}
	return n
}

// because passes a job over for a reason without numbers.
func because(r Reason) *Decision { return &Decision{Verdict: VerdictPassedOver, Reason: r} }

// tooLittle passes a job over for want of money.
func tooLittle(r Reason, have, want *big.Int) *Decision {
	return &Decision{Verdict: VerdictPassedOver, Reason: r, Have: new(big.Int).Set(have), Want: new(big.Int).Set(want)}
}

// exceeds passes a job over for a number on the wrong side of a limit.
func exceeds(r Reason, have, limit uint64) *Decision {
	return &Decision{
		Verdict: VerdictPassedOver, Reason: r, Have: new(big.Int).SetUint64(have), Want: new(big.Int).SetUint64(limit),
	}
}
