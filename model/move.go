package model

import "fmt"

// Kind is what a move does. All but Mine and Wait are calls to the contract of the same name.
type Kind uint8

const (
	// Mine adds one block, Wait lets the next deadline pass.
	Mine Kind = iota
	Wait
	CreateJob
	CloseJob
	AcceptOffer
	CloseReturned
	Decline
	CommitResult
	TimeoutAssigned
	Settle
	TimeoutCommitted
	Verify
	Draw
	CommitVerification
	DeclineSeat
	TimeoutDrawing
	TimeoutSeat
	Escalate
	SettleVerified
	RevealKey
	TimeoutVerdict
	OpenSelf
	TimeoutSilent
	ChallengeLeaf
	AnswerLeaf
	TimeoutChallenged
	Appeal
	DrawJury
	CommitVote
	DeclineVote
	RevealVote
	TimeoutAppealed
)

var kindNames = [...]string{
	"Mine", "Wait", "CreateJob", "CloseJob", "AcceptOffer", "CloseReturned", "Decline", "CommitResult", "TimeoutAssigned",
	"Settle", "TimeoutCommitted", "Verify", "Draw", "CommitVerification", "DeclineSeat", "TimeoutDrawing", "TimeoutSeat",
	"Escalate", "SettleVerified", "RevealKey", "TimeoutVerdict", "OpenSelf", "TimeoutSilent",
	"ChallengeLeaf", "AnswerLeaf", "TimeoutChallenged", "Appeal", "DrawJury",
	"CommitVote", "DeclineVote", "RevealVote", "TimeoutAppealed",
}

func (k Kind) String() string { return kindNames[k] }

// Move is one party's step.
type Move struct {
	Kind Kind
	By   Party
	// Seat is the number of the seat that the move is about, or of the juror, which is 4 for the first.
	Seat uint8
	// Node is whom a draw finds.
	Node Party
	// Result is what is committed to.
	Result Result
	// Hit is how the dice fall for a commitment of seat 1.
	Hit bool
}

func (m Move) String() string {
	text := m.Kind.String()
	if m.Seat != 0 {
		text += fmt.Sprintf(" %d", m.Seat)
	}
	if m.Node != 0 {
		text += fmt.Sprintf(" finds %v", m.Node)
	}
	if m.Result != 0 {
		text += fmt.Sprintf(" says %v", m.Result)
	}
	if m.Hit {
		text += " (a hit)"
	}
	return fmt.Sprintf("%s by %v", text, m.By)
}
