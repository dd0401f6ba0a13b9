package plan_test

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

const (
	// junk is what a seat says that commits to a ciphertext which nobody can read.
	junk = "junk"
	// misplaced is what a seat says that puts another piece's leaf there, which counts as junk.
	misplaced = "misplaced"
)

// play is one execution with its panel, as the contract holds them.
type play struct {
	g      *game
	e      protocol.Execution
	check  protocol.Verification
	seats  map[uint8]protocol.Seat
	seed   common.Hash
	said   map[uint8]map[uint32]string
	leaves map[uint8][]protocol.Leaf
	// What disputes are about.
	challenge protocol.Challenge
	opened    map[uint8]uint32 // pieces, by seat
	results   [3]common.Hash
	jury      protocol.Jury
	votes     map[uint8]protocol.Vote // that were revealed
	sealed    map[uint8]bool          // votes, and declines
}

// says makes a seat's result of some pieces another than the right one.
func (p *play) says(seat uint8, result string, pieces ...uint32) *play {
	if p.said[seat] == nil {
		p.said[seat] = map[uint32]string{}
	}
	for _, piece := range pieces {
		p.said[seat][piece] = result
	}
	return p
}

// seal makes a seat's leaves over pieces; other attempts give other ciphertexts of the same results.
func (p *play) seal(seat uint8, node common.Address, pieces []uint32, attempt uint64) protocol.Sum {
	p.g.t.Helper()
	var leaves []protocol.Leaf
	for _, piece := range pieces {
		result, fuel := p.said[seat][piece], uint64(100+piece)
		if result == "fuel" { // the right result for another fuel
			result, fuel = "", fuel+1
		}
		r := crypto.Keccak256Hash(p.e.ID[:], []byte{seat}, binary.BigEndian.AppendUint64(nil, attempt<<32|uint64(piece)))
		sealed, _, err := protocol.Seal(named(fmt.Sprint(result, piece)), r, p.g.facts().Document.PublicKey(piece), p.binding(node, piece))
		if err != nil {
			p.g.t.Fatal(err)
		}
		index := piece
		switch result {
		case junk:
			sealed.Rx = secp256k1.Params().N
		case misplaced:
			index++
		}
		leaves = append(leaves, protocol.Leaf{Index: index, Rx: sealed.Rx, Parity: sealed.Parity, C: sealed.C, Fuel: fuel})
	}
	p.leaves[seat] = leaves
	tree, err := protocol.LeavesTree(leaves)
	if err != nil {
		p.g.t.Fatal(err)
	}
	return tree.Root()
}

func (p *play) binding(node common.Address, piece uint32) protocol.Binding {
	return protocol.Binding{ChainID: chainID, Contract: market, Execution: p.e.ID, Index: piece, Node: node}
}

// commits commits seat 1 to results for which the client's dice will hit exactly the pieces at offsets.
func (p *play) commits(offsets ...uint32) *play {
	p.g.t.Helper()
	for attempt := range uint64(10_000) {
		root := p.seal(1, p.e.Node, span(p.e.From, p.e.Count), attempt)
		hits := protocol.Roll(p.seed, root.Hash, p.e.ID, p.e.Count, p.g.terms.CheckRate)
		if fmt.Sprint(hits) == fmt.Sprint(offsets) {
			p.commit(root)
			return p
		}
	}
	p.g.t.Fatalf("no commitment with hits %v", offsets)
	return p
}

func (p *play) commit(root protocol.Sum) {
	p.g.t.Helper()
	p.e.Status, p.e.Deadline = protocol.StatusCommitted, p.g.now()+settleWindow
	p.e.Root, p.e.Fuel, p.e.CommittedBlock = root.Hash, root.Sum, p.g.v.Head.Number
	p.g.fold(protocol.ResultCommitted{Execution: p.e.ID, Root: root.Hash, Fuel: root.Sum, Deadline: p.e.Deadline})
}

// verifies asks for a panel over the pieces at offsets.
func (p *play) verifies(offsets ...uint32) *play {
	p.g.t.Helper()
	p.check = protocol.Verification{
		Bid: big.NewInt(raised), Hits: uint32(len(offsets)), Listed: protocol.List(offsets, p.e.Count),
		Target: p.g.v.Head.Number + 1, Deadline: p.g.now() + drawWindow,
	}
	p.e.Status, p.e.Deadline = protocol.StatusVerifying, 0
	for number := uint8(2); number <= p.g.terms.Seats; number++ {
		p.vacancy(number, p.check.Hits, p.check.Target, p.check.Deadline)
	}
	p.recheck()
	p.g.fold(protocol.VerificationRequested{
		Execution: p.e.ID, Bid: p.check.Bid, Listed: p.check.Listed, Target: p.check.Target, Deadline: p.check.Deadline,
	})
	return p
}

func (p *play) vacancy(number uint8, pieces uint32, target, deadline uint64) {
	p.seats[number] = protocol.Seat{
		Execution: p.e.ID, Number: number, Status: protocol.SeatStatusDrawing, Pieces: pieces, Target: target, Deadline: deadline,
	}
}

// recheck makes the record name the present verification.
func (p *play) recheck() {
	v := protocol.NewView()
	for _, e := range []protocol.Event{
		protocol.JobCreated{Job: p.e.Job, Terms: p.g.terms},
		protocol.ExecutionAssigned{Job: p.e.Job, Parent: p.e.Job, Execution: p.e.ID},
		protocol.VerificationEscalated{Execution: p.e.ID, Verification: p.check},
	} {
		if err := v.Fold(e, protocol.Block{}); err != nil {
			p.g.t.Fatal(err)
		}
	}
	p.e.Verification = v.Runs[p.e.ID].Record.Verification
}

func (p *play) change(number uint8, change func(*protocol.Seat)) *play {
	p.g.t.Helper()
	seat := p.seats[number]
	change(&seat)
	p.seats[number] = seat
	p.g.fold(protocol.SeatChanged{Execution: p.e.ID, Number: number, Seat: seat})
	return p
}

func (p *play) draws(number uint8, name string) *play {
	p.g.t.Helper()
	seat := p.seats[number]
	seat.Node, seat.Status, seat.Deadline = wallet(name), protocol.SeatStatusRunning, p.g.now()+executeWindow
	p.seats[number] = seat
	p.g.fold(protocol.SeatDrawn{Execution: p.e.ID, Number: number, Node: seat.Node, Deadline: seat.Deadline})
	return p
}

// answers commits a verifier.
func (p *play) answers(number uint8) *play {
	p.g.t.Helper()
	root := p.seal(number, p.seats[number].Node, p.owed(number), 0)
	seat := p.seats[number]
	seat.Status, seat.Deadline, seat.DoneAt = protocol.SeatStatusCommitted, 0, p.g.now()
	seat.Root, seat.Fuel = root.Hash, root.Sum
	p.seats[number] = seat
	p.g.fold(protocol.SeatCommitted{Execution: p.e.ID, Number: number, Root: root.Hash, Fuel: root.Sum})
	return p
}

// owed are the pieces that a seat has to run.
func (p *play) owed(number uint8) []uint32 {
	switch {
	case number == 1:
		return span(p.e.From, p.e.Count)
	case number == 3 && p.g.terms.Seats == lazy:
		return []uint32{p.check.Escalated}
	}
	offsets := protocol.Offsets(p.check.Listed)
	for i := range offsets {
		offsets[i] += p.e.From
	}
	return offsets
}

func (p *play) vacates(number uint8) *play {
	p.g.t.Helper()
	return p.change(number, func(s *protocol.Seat) {
		s.Node, s.Status, s.Deadline, s.DoneAt = common.Address{}, protocol.SeatStatusVacant, 0, p.g.now()
	})
}

// misses is a verifier that did not show up, whose seat is drawn again.
func (p *play) misses(number uint8) *play {
	p.g.t.Helper()
	return p.change(number, func(s *protocol.Seat) {
		s.Status, s.Redraws = protocol.SeatStatusDrawing, s.Redraws+1
		s.Target, s.Deadline = p.g.v.Head.Number+1, p.g.now()+drawWindow
	})
}

func (p *play) escalates(piece uint32) *play {
	p.g.t.Helper()
	p.check.Escalated, p.check.ThirdTarget, p.check.ThirdDeadline = piece, p.g.v.Head.Number+1, p.g.now()+drawWindow
	p.vacancy(3, 1, p.check.ThirdTarget, p.check.ThirdDeadline)
	p.recheck()
	p.g.fold(protocol.VerificationEscalated{Execution: p.e.ID, Verification: p.check})
	return p
}

func (p *play) reveals(piece uint32, outcome protocol.Outcome) *play {
	p.g.t.Helper()
	p.results = [3]common.Hash{named("result 1"), named("result 2"), named("result 3")}
	p.check.Outcome, p.check.Revealed, p.check.Results = outcome, piece, named("results")
	p.recheck()
	p.e.Status, p.e.Deadline = protocol.StatusVerdict, p.g.now()+appealWindow
	p.g.fold(
		protocol.KeyRevealed{Execution: p.e.ID, Piece: piece},
		protocol.VerdictReached{Execution: p.e.ID, Results: p.results, Verification: p.check, Deadline: p.e.Deadline},
	)
	return p
}

func (p *play) settles() *play {
	p.g.t.Helper()
	p.e.Status = protocol.StatusSettled
	p.g.fold(protocol.ExecutionSettled{Execution: p.e.ID, Pay: big.NewInt(bid)})
	return p
}

func (p *play) refunds() *play {
	p.g.t.Helper()
	p.e.Status = protocol.StatusRefunded
	p.g.fold(protocol.ExecutionRefunded{Execution: p.e.ID})
	return p
}

// returns gives the pieces [from, from+count) back to the job.
func (p *play) returns(from, count uint32) *play {
	p.g.t.Helper()
	p.e.Status = protocol.StatusReturned
	if count > 0 {
		p.g.returned[p.e.ID] = protocol.Execution{ID: p.e.ID, Job: p.e.Job, From: from, Count: count, Status: protocol.StatusReturned}
	}
	p.g.fold(protocol.ExecutionReturned{Execution: p.e.ID, Returned: p.e.ID, From: from, Count: count})
	return p
}

// collected opens what a seat published with the client's own keys.
func (p *play) collected(seats ...uint8) *play {
	p.g.t.Helper()
	for _, seat := range seats {
		node := p.e.Node
		if seat != 1 {
			node = p.seats[seat].Node
		}
		tree, err := protocol.LeavesTree(p.leaves[seat])
		if err != nil {
			p.g.t.Fatal(err)
		}
		opened := plan.Opened{Pieces: map[uint32]plan.OpenedPiece{}}
		for i, leaf := range p.leaves[seat] {
			digest, shared, err := protocol.Unseal(protocol.Sealed{Rx: leaf.Rx, Parity: leaf.Parity, C: leaf.C},
				p.g.client.Secret.PieceKey(p.g.terms.Salt, leaf.Index), p.binding(node, leaf.Index))
			piece := p.owed(seat)[i]
			if err != nil || leaf.Index != piece {
				digest = common.Hash{}
			}
			opened.Pieces[piece] = plan.OpenedPiece{Leaf: leaf, Proof: tree.Proof(i), Digest: digest, Shared: shared}
		}
		p.g.client.Opened[plan.SeatKey{Execution: p.e.ID, Seat: seat}] = opened
	}
	return p
}

// withheld is what the client finds that tried to collect and could not.
func (p *play) withheld(seat uint8) *play {
	p.g.client.Opened[plan.SeatKey{Execution: p.e.ID, Seat: seat}] = plan.Opened{Failed: true}
	return p
}

// partly is what the client finds that got a seat's leaves but not all outputs.
func (p *play) partly(seat uint8) *play {
	p.g.t.Helper()
	p.collected(seat)
	key := plan.SeatKey{Execution: p.e.ID, Seat: seat}
	opened := p.g.client.Opened[key]
	opened.Incomplete = true
	p.g.client.Opened[key] = opened
	return p
}

// finished makes a node's work for a seat durable.
func (p *play) finished(seat uint8, name string) *play {
	p.g.nodes[name].Work[plan.SeatKey{Execution: p.e.ID, Seat: seat}] = plan.WorkFacts{Commitment: &plan.Commitment{
		Pieces: p.owed(seat), Root: named("root"), Fuel: 7, Leaves: []byte("leaves"),
	}}
	return p
}

// doneAt is when the last seat was done.
func (p *play) doneAt() (last uint64) {
	for _, s := range p.seats {
		last = max(last, s.DoneAt)
	}
	return last
}

func (p *play) panel() (list []protocol.Seat) {
	for number := uint8(2); number <= 3; number++ {
		if s, ok := p.seats[number]; ok {
			list = append(list, s)
		}
	}
	return list
}

// told are the panel's seats that have a record: those that were drawn or given up.
func (p *play) told() []protocol.Seat {
	return slices.DeleteFunc(p.panel(), func(s protocol.Seat) bool {
		return s.Status == protocol.SeatStatusDrawing && s.Redraws == 0
	})
}

func span(from, count uint32) (list []uint32) {
	for i := range count {
		list = append(list, from+i)
	}
	return list
}
