package model

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/protocol"
)

// comparison plays the explorer's game on the contract.
type comparison struct {
	*player
	past []past
	// probed are the shapes of states in which everything was tried; probes and reasons of refusal count it.
	probed  map[State]bool
	probes  int
	reasons map[string]int
	// made says which kinds of moves were, not counting those that were taken back.
	made map[Kind]bool
}

// past is what going back restores.
type past struct {
	moment
	events int
}

// TestContractAgrees makes every move of every distinct state on the compiled contract, and everything that must be
// refused, and compares status, records, every wallet, burned money and events.
func TestContractAgrees(t *testing.T) {
	build := build(t)
	made := map[Kind]bool{Mine: true, Wait: true}
	games, played := games(), 0
	for _, g := range games {
		t.Run(fmt.Sprintf("%d pieces, %d seats", g.Pieces, g.Seats), func(t *testing.T) {
			played++
			cast, c := newCast(t, g, build)
			cmp := &comparison{
				player: &player{cast: cast, c: c, draws: map[drawing]common.Hash{}},
				probed: map[State]bool{}, reasons: map[string]int{}, made: made,
			}
			e := Explorer{Game: g, Dishonest: everybody, Do: cmp.do, Undo: cmp.undo, Enter: cmp.probe}
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d states, %d steps, %d calls; tried everything in %d states: %d moves",
				e.States, e.Steps, c.calls, len(cmp.probed), cmp.probes)
			for _, reason := range slices.Sorted(maps.Keys(cmp.reasons)) {
				t.Logf("%6d × %s", cmp.reasons[reason], reason)
			}
		})
	}
	for kind := range kindNames {
		if !made[Kind(kind)] && played == len(games) {
			t.Errorf("no game has a %v", Kind(kind))
		}
	}
}

// do makes a step on the contract.
func (c *comparison) do(step Step) error {
	c.past = append(c.past, past{c.c.mark(), len(c.events)})
	switch step.Move.Kind {
	case Mine:
		c.c.block++
		return nil
	case Wait:
		c.c.now += c.waits(step.Before)
		c.c.block += 10
		return nil
	}
	r, err := c.records()
	if err != nil {
		return err
	}
	data, err := market.EncodeCall(c.call(step.Before, step.Move, r))
	if err != nil {
		return err
	}
	events, refused, err := c.send(step.Before, step.Move, data)
	if err != nil {
		return err
	}
	if refused != "" {
		return fmt.Errorf("the contract refuses it: %s", refused)
	}
	c.made[step.Move.Kind] = true
	c.record(events)
	return c.agree(step.After, step.Events, events)
}

func (c *comparison) record(events []protocol.Event) {
	for _, event := range events {
		c.events = append(c.events, event)
		c.blocks = append(c.blocks, protocol.Block{Number: c.c.block, Time: c.c.now})
	}
}

// waits is how long a Wait takes, seconds.
func (c *comparison) waits(s State) uint64 {
	if deadlines := c.game.Deadlines(s); len(deadlines) > 0 {
		return uint64(slices.Min(deadlines)) + 1
	}
	return max(c.terms.Expiry, c.c.now) - c.c.now + 1
}

func (c *comparison) undo() {
	last := c.past[len(c.past)-1]
	c.past = c.past[:len(c.past)-1]
	c.c.back(last.moment)
	c.events, c.blocks = c.events[:last.events], c.blocks[:last.events]
}

// agree compares the contract with a state.
func (c *comparison) agree(s State, want []string, events []protocol.Event) error {
	var have []string
	for _, event := range events {
		have = append(have, event.Name())
	}
	slices.Sort(have)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(have, want) {
		return fmt.Errorf("the contract emits %v, want %v", have, want)
	}
	if err := c.agreeOnMoney(s); err != nil {
		return err
	}
	return c.agreeOnRecords(s)
}

func (c *comparison) agreeOnMoney(s State) error {
	for i, w := range s.Wallets {
		free, locked, err := c.c.wallet(c.addresses[i])
		if err != nil {
			return err
		}
		if free != uint64(w.Free) || locked != uint64(w.Locked) {
			return fmt.Errorf("%v has %d wei free and %d locked, want %d and %d", Party(i), free, locked, w.Free, w.Locked)
		}
	}
	burned, err := c.c.burned()
	if err == nil && burned != uint64(s.Burned) {
		err = fmt.Errorf("%d wei are burned, want %d", burned, s.Burned)
	}
	return err
}

// agreeOnRecords: the records that the events tell hash to what the contract has, and say what the model does.
func (c *comparison) agreeOnRecords(s State) error {
	r, err := c.records()
	if err != nil {
		return err
	}
	var frontier common.Hash
	if s.Open {
		frontier = common.Hash{31: 1}
	}
	if err := c.stored(frontier, "frontier(bytes32)", c.offer.Job[:]); err != nil {
		return err
	}
	if r.execution.Status != s.Status {
		return fmt.Errorf("the events tell of an execution %v, want %v", r.execution.Status, s.Status)
	}
	var want common.Hash
	if s.Kept {
		if want, err = hashOf(r); err != nil {
			return err
		}
	}
	if err := c.stored(want, "executionHash(bytes32)", c.execution[:]); err != nil || !s.Kept {
		return err
	}
	switch s.Status {
	case protocol.StatusReturned:
		if r.execution.Count != uint32(s.Returned) {
			return fmt.Errorf("%d pieces returned, want %d", r.execution.Count, s.Returned)
		}
	case protocol.StatusAssigned, protocol.StatusCommitted, protocol.StatusChallenged, protocol.StatusVerdict:
		return c.due("execution", r.execution.Deadline, s.Left)
	case protocol.StatusVerifying:
		return c.agreeOnSeats(s, r)
	case protocol.StatusAppealed:
		if s.Jury.Drawn {
			if err := c.due("jury's reveal", r.jury.RevealDeadline, s.Jury.RevealLeft); err != nil {
				return err
			}
		}
		return c.due("jury", r.jury.Deadline, s.Jury.Left)
	}
	return nil
}

func (c *comparison) agreeOnSeats(s State, r records) error {
	for i, seat := range s.Seats[1:] {
		have := r.seat(uint8(i + 2))
		if have.Status != seat.Status {
			return fmt.Errorf("seat %d is %v, want %v", i+2, have.Status, seat.Status)
		}
		if seat.holds() && have.Node != c.addresses[seat.Node] {
			return fmt.Errorf("seat %d is %v's, want %v", i+2, have.Node, seat.Node)
		}
		if seat.pending() {
			if err := c.due(fmt.Sprintf("seat %d", i+2), have.Deadline, seat.Left); err != nil {
				return err
			}
		}
	}
	return nil
}

// due compares a deadline with the time left until it.
func (c *comparison) due(what string, deadline uint64, left Seconds) error {
	if have := int64(deadline) - int64(c.c.now); have != int64(left) && (left >= 0 || have >= 0) {
		return fmt.Errorf("%s has %d s, want %d", what, have, left)
	}
	return nil
}

func (c *comparison) stored(want common.Hash, view string, arguments ...[]byte) error {
	have, err := c.c.hash(view, arguments...)
	if err == nil && have != want {
		err = fmt.Errorf("%s is %v, want %v", view, have, want)
	}
	return err
}

// hashOf is the hash of the execution's record, taken from the encoding of a call that starts with it.
func hashOf(r records) (common.Hash, error) {
	data, err := market.EncodeCall(protocol.CommitResult{Execution: r.execution})
	if err != nil {
		return common.Hash{}, err
	}
	const selector, executionBytes = 4, 12 * 32
	return crypto.Keccak256Hash(data[selector : selector+executionBytes]), nil
}

// ------------------------------------------------------------------ what must be refused

// probe tries everything in a state: every kind of move by whoever may make it and by a stranger, now and at the last
// second of every deadline and the first one after. States of one shape are tried once.
func (c *comparison) probe(s State) error {
	shape := shapeOf(s)
	if c.probed[shape] {
		return nil
	}
	c.probed[shape] = true
	r, err := c.records()
	if err != nil {
		return err
	}
	delays := c.delays(s)
	for _, m := range attempts(c.game.Moves(s)) {
		data, err := market.EncodeCall(c.call(s, m, r))
		if err != nil {
			return err
		}
		for _, delay := range delays {
			if err := c.try(c.game.Later(s, delay), m, data, delay); err != nil {
				return err
			}
		}
	}
	return nil
}

// attempts are the moves that differ in more than what they say or draw, and the same by a stranger.
func attempts(moves []Move) []Move {
	var tried []Move
	for _, m := range moves {
		if m.Kind == Mine || m.Kind == Wait {
			continue
		}
		for _, by := range []Party{m.By, Stranger} {
			alike := func(t Move) bool { return t.Kind == m.Kind && t.Seat == m.Seat && t.By == by }
			if m.By = by; !slices.ContainsFunc(tried, alike) {
				tried = append(tried, m)
			}
		}
	}
	return tried
}

// delays are now and both sides of every deadline and of the time for declining.
func (c *comparison) delays(s State) []Seconds {
	delays := []Seconds{0}
	for _, d := range c.game.Deadlines(s) {
		delays = append(delays, d, d+1)
		if half := d - c.game.ExecuteWindow/2; half > 0 {
			delays = append(delays, half, half+1)
		}
	}
	slices.Sort(delays)
	return slices.Compact(delays)
}

// shapeOf is the position without what was said, but for what cannot be read, and, once there is a verdict, without
// who said it.
func shapeOf(s State) State {
	s = s.position()
	s.Hit = false
	for i := range s.Seats {
		seat := &s.Seats[i]
		if seat.Result != Junk && seat.Result != NoResult {
			seat.Result = Truth
		}
		if s.Status == protocol.StatusAppealed {
			*seat = Seat{}
		}
	}
	for k := range s.Jury.Ballots {
		s.Jury.Ballots[k].Found = NoResult
	}
	if s.Status == protocol.StatusAppealed {
		s.Outcome = protocol.OutcomeNone
	}
	return s
}

// try makes a move, compares what comes of it, and takes it back.
func (c *comparison) try(s State, m Move, data []byte, delay Seconds) error {
	c.probes++
	c.past = append(c.past, past{c.c.mark(), len(c.events)})
	defer c.undo()
	c.c.now += uint64(delay)
	after, want, refused := c.game.Apply(s, m)
	if len(refused) > 0 {
		m.Node = 0 // whoever would be drawn
	}
	events, reason, err := c.send(s, m, data)
	switch {
	case err != nil:
	case len(refused) == 0 && reason != "":
		err = fmt.Errorf("refused: %s", reason)
	case len(refused) > 0 && !slices.Contains(refused, reason):
		err = fmt.Errorf("should be refused (%v), has %q", refused, reason)
	case len(refused) == 0:
		c.record(events)
		err = c.agree(after, want, events)
	default:
		c.reasons[reason]++
	}
	if err != nil {
		return fmt.Errorf("%v after %d s in %+v: %w", m, delay, s, err)
	}
	return nil
}

var artifacts = flag.String("artifacts", "", "compare with the contract that forge has built into this directory instead")

func build(t *testing.T) market.Build {
	t.Helper()
	b := market.Compiled()
	if *artifacts == "" {
		return b
	}
	for i := range b.Parts {
		b.Parts[i].Hex = artifact(t, b.Parts[i].Name)
	}
	b.Market = artifact(t, "Market")
	return b
}
