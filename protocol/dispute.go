package protocol

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// FirstJuror is the number of a jury's first juror, where seats are numbered.
const FirstJuror = 4

// Proven is a leaf with the proof that a seat committed to it.
type Proven struct {
	Leaf  Leaf
	Proof []Sum
}

// SelfOpening is what a seat showed of its own commitment. The digest is zero if nobody can read it.
type SelfOpening struct {
	Piece  uint32
	Digest common.Hash
	Fuel   uint64
}

// Appealed is an appeal with its jury and their votes.
type Appealed struct {
	Record Jury
	// Votes of those that did anything, by number.
	Votes map[uint8]VoteRun
	// Decision is nil until the case is closed.
	Decision *Decision
}

// VoteRun is what a juror did.
type VoteRun struct {
	Status     VoteStatus
	Commitment common.Hash
	// Vote is zero until it is revealed.
	Vote Vote
}

// Decision is what the jury's majority found.
type Decision struct {
	// Result is keccak256(abi.encode(digest, fuel)), zero without a majority.
	Result common.Hash
	// Right has bit k set for every seat k that was proved right.
	Right uint8
}

func (v *View) foldDispute(event Event) error {
	switch e := event.(type) {
	case LeafChallenged:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		if back := e.Challenge.Back; back != StatusCommitted && (back != StatusVerifying || r.Verification == nil) {
			return fmt.Errorf("a challenge cannot go back to %s", back)
		}
		r.Challenge = &e.Challenge
		r.Record.Status, r.Record.Deadline = StatusChallenged, e.Deadline
	case LeafAnswered:
		r, err := v.challenged(e.Execution)
		if err != nil {
			return err
		}
		if r.Answers[e.Seat] == nil {
			r.Answers[e.Seat] = map[uint32]Proven{}
		}
		r.Answers[e.Seat][e.Piece] = Proven{Leaf: e.Leaf, Proof: e.Proof}
		r.Record.Status, r.Record.Deadline, r.Challenge = r.Challenge.Back, e.Deadline, nil
	case ChallengeFailed:
		r, err := v.challenged(e.Execution)
		if err != nil {
			return err
		}
		r.Withheld = r.Withheld || e.Seat == 1
		// Seat 1's execution returns, as another event says; with another seat the panel goes on.
		r.Record.Status, r.Record.Deadline, r.Challenge = r.Challenge.Back, 0, nil
	case SelfOpened:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Openings[e.Seat] = SelfOpening{Piece: e.Piece, Digest: e.Digest, Fuel: e.Fuel}
	}
	return nil
}

func (v *View) challenged(id common.Hash) (*Run, error) {
	r, err := v.run(id)
	if err == nil && r.Challenge == nil {
		err = fmt.Errorf("no leaf of execution %s is challenged", id)
	}
	return r, err
}

func (v *View) foldAppeal(event Event) error {
	switch e := event.(type) {
	case VerdictAppealed:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		if r.Results == nil {
			return fmt.Errorf("there is no verdict on execution %s", e.Execution)
		}
		r.Appeal = &Appealed{Record: e.Jury, Votes: map[uint8]VoteRun{}}
		r.Record.Status, r.Record.Deadline = StatusAppealed, 0
	case JuryDrawn:
		a, err := v.appealed(e.Execution)
		if err != nil {
			return err
		}
		a.Record = e.Jury
	case VoteDeclined:
		return v.vote(e.Execution, e.Number, func(w *VoteRun) { w.Status = VoteStatusDeclined })
	case VoteCommitted:
		return v.vote(e.Execution, e.Number, func(w *VoteRun) {
			w.Status, w.Commitment = VoteStatusCommitted, e.Commitment
		})
	case VoteRevealed:
		return v.vote(e.Execution, e.Number, func(w *VoteRun) { w.Status, w.Vote = VoteStatusRevealed, e.Vote })
	case AppealDecided:
		a, err := v.appealed(e.Execution)
		if err != nil {
			return err
		}
		a.Decision = &Decision{Result: e.Result, Right: e.Right}
	}
	return nil
}

func (v *View) appealed(id common.Hash) (*Appealed, error) {
	r, err := v.run(id)
	if err == nil && r.Appeal == nil {
		err = fmt.Errorf("nobody appealed against the verdict on execution %s", id)
	}
	if err != nil {
		return nil, err
	}
	return r.Appeal, nil
}

func (v *View) vote(id common.Hash, number uint8, change func(*VoteRun)) error {
	a, err := v.appealed(id)
	if err != nil {
		return err
	}
	if number < FirstJuror || int(number-FirstJuror) >= len(a.Record.Jurors) {
		return fmt.Errorf("the jury of execution %s has no number %d", id, number)
	}
	w := a.Votes[number]
	change(&w)
	a.Votes[number] = w
	return nil
}

// Number is a juror's number, or 0 if the node is not on the jury.
func (a *Appealed) Number(node common.Address) uint8 {
	place := slices.Index(a.Record.Jurors, node)
	if place < 0 {
		return 0
	}
	return FirstJuror + uint8(place)
}

// Revealed lists one vote for each juror, zeros for one that did not reveal.
func (a *Appealed) Revealed() []Vote {
	votes := make([]Vote, len(a.Record.Jurors))
	for i := range votes {
		votes[i] = a.Votes[FirstJuror+uint8(i)].Vote
	}
	return votes
}

// Wrong says whether a seat was proved wrong: by the jury if there was an appeal, else by the opened piece or, seat 1, by
// a leaf that it could not show. A case that was closed without a majority proves nothing, and an open one nothing yet.
func (r *Run) Wrong(seat uint8) bool {
	if r.Withheld && seat == 1 {
		return true
	}
	if r.Appeal != nil {
		d := r.Appeal.Decision
		return d != nil && d.Result != (common.Hash{}) && d.Right&(1<<seat) == 0
	}
	return r.Done() && seat == r.Loser()
}

// Loser is the seat that an opened piece showed to be alone with its result, or 0.
func (r *Run) Loser() uint8 {
	if r.Verification != nil {
		switch r.Verification.Outcome {
		case OutcomeFirstLost:
			return 1
		case OutcomeSecondLost:
			return 2
		case OutcomeThirdLost:
			return 3
		}
	}
	return 0
}

// Kept is the one piece that did not return to the job with the rest of a returned execution, for other seats settled
// it, and these seats; none if there is no such piece.
func (r *Run) Kept() (piece uint32, seats []uint8) {
	if r.Record.Status != StatusReturned {
		return 0, nil
	}
	if r.Results != nil {
		for _, seat := range []uint8{2, 3} {
			if r.Wrong(1) && !r.Wrong(seat) {
				seats = append(seats, seat)
			}
		}
		return r.Verification.Revealed, seats
	}
	second, third := r.Openings[2], r.Openings[3]
	if _, first := r.Openings[1]; !first && second.Digest != (common.Hash{}) && second == third {
		return second.Piece, []uint8{2, 3}
	}
	return 0, nil
}
