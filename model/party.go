package model

import "fmt"

// Party is a wallet that takes part.
type Party uint8

const (
	Client Party = iota
	// Node1 is given the piece: seat 1.
	Node1
	Node2
	Node3
	Node4
	Node5
	// Juror1, Juror2 and Juror3 sit on the jury, in this order.
	Juror1
	Juror2
	Juror3
	// Stranger has no money in the contract; it does what anyone may do.
	Stranger
)

// Wallets is the number of parties with money in the contract.
const Wallets = int(Stranger)

// Jurors is the size of the jury.
const Jurors = 3

func (p Party) String() string {
	switch {
	case p == Client:
		return "client"
	case p <= Node5:
		return fmt.Sprintf("node %d", p)
	case p <= Juror3:
		return fmt.Sprintf("juror %d", p-Juror1+1)
	}
	return "stranger"
}

// Result is what a seat or a juror says the piece gave. Results are equal iff their values are, except that Junk equals
// nothing.
type Result uint8

const (
	NoResult Result = iota
	// Truth is the digest and the fuel that every honest node finds.
	Truth
	// Lie is another digest, with the true fuel.
	Lie
	// Inflated is the true digest with more fuel than the piece used.
	Inflated
	// Junk is a ciphertext that nobody can read, or a vote that nobody else can cast.
	Junk
)

// Results are all that a dishonest party may say.
var Results = []Result{Truth, Lie, Inflated, Junk}

func (r Result) String() string {
	return [...]string{"nothing", "the truth", "a lie", "inflated fuel", "junk"}[r]
}

// same says whether two results agree.
func same(a, b Result) bool { return a == b && a != Junk && a != NoResult }
