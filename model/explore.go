package model

import (
	"fmt"
	"slices"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Step is a move that was made.
type Step struct {
	Before, After State
	Move          Move
	Events        []string
}

// Explorer goes through every state that a game can reach.
type Explorer struct {
	Game      Game
	Dishonest Parties
	// Do is told of every step, Undo when the explorer goes back to the state before it; Enter of every new state, before
	// the steps from it. Any of them may be nil; an error ends the exploration.
	Do    func(Step) error
	Undo  func()
	Enter func(State) error
	// States and Steps are counted.
	States, Steps int

	seen map[State]bool
	path []Move
}

// Run explores from the start. An error tells the moves that led to it.
func (e *Explorer) Run() error {
	e.seen = map[State]bool{}
	if err := e.enter(e.Game.Start()); err != nil {
		return fmt.Errorf("%w, after %v", err, e.path)
	}
	return nil
}

func (e *Explorer) enter(s State) error {
	key := e.nameless(s.position())
	if e.seen[key] {
		return nil
	}
	e.seen[key] = true
	e.States++
	if e.Enter != nil {
		if err := e.Enter(s); err != nil {
			return err
		}
	}
	for _, m := range e.Game.Moves(s) {
		if !e.worthwhile(s, m) {
			continue
		}
		after, events, refused := e.Game.Apply(s, m)
		if len(refused) > 0 || after == s {
			continue
		}
		if err := e.step(Step{Before: s, After: after, Move: m, Events: events}); err != nil {
			return err
		}
	}
	return nil
}

func (e *Explorer) step(step Step) error {
	e.Steps++
	e.path = append(e.path, step.Move)
	if e.Do != nil {
		if err := e.Do(step); err != nil {
			return err
		}
	}
	if err := e.enter(step.After); err != nil {
		return err
	}
	e.path = e.path[:len(e.path)-1]
	if e.Undo != nil {
		e.Undo()
	}
	return nil
}

// worthwhile leaves out what honest parties do not do and what differs from another move in names only.
func (e *Explorer) worthwhile(s State, m Move) bool {
	switch {
	case m.Kind == Wait && !e.Game.mayWait(s, e.Dishonest):
		return false
	case !e.Dishonest.Has(m.By) && !e.Game.Honest(s, m):
		return false
	case m.Kind == ChallengeLeaf && !e.Dishonest.Has(Client):
		// It is sent the leaves of honest nodes.
		return e.Dishonest.Has(s.Seats[m.Seat-1].Node)
	case m.Kind == Draw:
		return e.firstOfItsKind(s, m.Node)
	case m.Seat > 4:
		return e.inOrder(s, m)
	}
	return true
}

// nameless is a position in which drawn nodes that are as honest and declined as often as each other have no names.
func (e *Explorer) nameless(s State) State {
	declined := map[bool][]uint8{}
	for p := Node2; p <= Node5; p++ {
		declined[e.Dishonest.Has(p)] = append(declined[e.Dishonest.Has(p)], s.Wallets[p].Declines)
	}
	for i, seat := range s.Seats {
		if i > 0 && seat.Node != 0 {
			s.Seats[i].Node = Party(2 * s.Wallets[seat.Node].Declines)
			if e.Dishonest.Has(seat.Node) {
				s.Seats[i].Node++
			}
		}
	}
	next := int(Node2)
	for _, dishonest := range []bool{true, false} {
		slices.Sort(declined[dishonest])
		for _, n := range declined[dishonest] {
			s.Wallets[next].Declines = n
			next++
		}
	}
	return s
}

// firstOfItsKind: of the nodes without a seat that declined as often and are as honest as each other, one stands for all.
func (e *Explorer) firstOfItsKind(s State, node Party) bool {
	for other := Node2; other < node; other++ {
		if !s.seated(other) && s.Wallets[other].Declines == s.Wallets[node].Declines &&
			e.Dishonest.Has(other) == e.Dishonest.Has(node) {
			return false
		}
	}
	return true
}

// inOrder: dishonest jurors vote in their order, and in that of their votes.
func (e *Explorer) inOrder(s State, m Move) bool {
	juror := Juror1 + Party(m.Seat-4)
	if !e.Dishonest.Has(juror) || !e.Dishonest.Has(juror-1) {
		return true
	}
	before, own := s.Jury.Ballots[m.Seat-5], s.Jury.Ballots[m.Seat-4]
	switch m.Kind {
	case CommitVote:
		return before.Status == protocol.VoteStatusCommitted && before.Found <= m.Result
	case DeclineVote:
		return before.Status != protocol.VoteStatusNone
	case RevealVote:
		return before.Status != protocol.VoteStatusCommitted || before.Found != own.Found
	}
	return true
}
