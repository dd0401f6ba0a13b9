package model

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

// player makes the model's moves on the contract. It knows of the contract what the events tell.
type player struct {
	*cast
	c      *contract
	events []protocol.Event
	blocks []protocol.Block
	// draws remembers which block hash draws whom.
	draws map[drawing]common.Hash
}

// drawing is what decides who is drawn, besides the block hash; how often the seat was drawn before does, too, but then
// another hash is found.
type drawing struct {
	move    Move
	seating [3]Party
}

// records are what the events of the path make of the execution.
type records struct {
	job       *protocol.Job
	execution protocol.Execution
	check     protocol.Verification
	panel     []protocol.Seat
	seats     []protocol.Seat // those of the panel that have a record
	challenge protocol.Challenge
	jury      protocol.Jury
	votes     map[uint8]protocol.VoteRun
	results   [3]common.Hash
}

func (p *player) records() (records, error) {
	var r records
	v := protocol.NewView()
	for i, event := range p.events {
		if err := v.Fold(event, p.blocks[i]); err != nil {
			return r, err
		}
	}
	r.job = v.Jobs[p.offer.Job]
	run := v.Runs[p.execution]
	if run == nil {
		return r, nil
	}
	r.execution = run.Record
	if returned, ok := r.job.Returned[p.execution]; ok {
		r.execution = returned
	}
	if run.Verification != nil {
		r.check, r.panel, r.seats = *run.Verification, run.Panel(p.terms), run.Told(p.terms)
	}
	if run.Challenge != nil {
		r.challenge = *run.Challenge
	}
	if run.Results != nil {
		r.results = *run.Results
	}
	if run.Appeal != nil {
		r.jury, r.votes = run.Appeal.Record, run.Appeal.Votes
	}
	return r, nil
}

// seat is the record of a verifier's seat, zero if the panel has none.
func (r *records) seat(number uint8) protocol.Seat {
	if i := int(number) - 2; i >= 0 && i < len(r.panel) {
		return r.panel[i]
	}
	return protocol.Seat{}
}

// call is what a move says to the contract in a state.
func (p *player) call(s State, m Move, r records) protocol.Call {
	if r.check.Bid == nil {
		r.check.Bid = new(big.Int)
	}
	switch m.Kind {
	case CreateJob, CloseJob, AcceptOffer, CloseReturned:
		return p.jobCall(m, r)
	case Decline, CommitResult, TimeoutAssigned, Settle, TimeoutCommitted, Verify:
		return p.executionCall(m, r)
	case Draw, CommitVerification, DeclineSeat, TimeoutDrawing, TimeoutSeat:
		return p.seatCall(s, m, r)
	case Escalate, SettleVerified, RevealKey, TimeoutVerdict, OpenSelf, TimeoutSilent:
		return p.panelCall(s, m, r)
	case ChallengeLeaf, AnswerLeaf, TimeoutChallenged:
		return p.challengeCall(s, m, r)
	}
	return p.juryCall(s, m, r)
}

func (p *player) jobCall(m Move, r records) protocol.Call {
	switch m.Kind {
	case CreateJob:
		return protocol.CreateJob{Terms: p.terms}
	case CloseJob:
		return protocol.CloseJob{Terms: p.terms}
	case AcceptOffer:
		return protocol.AcceptOffer{
			Terms: p.terms, Offer: p.offer, Signature: p.signature, Count: p.terms.Pieces, SeedHash: protocol.SeedHash(p.seed),
		}
	}
	return protocol.CloseReturned{Terms: p.terms, Execution: r.execution}
}

func (p *player) executionCall(m Move, r records) protocol.Call {
	switch m.Kind {
	case Decline:
		return protocol.Decline{Terms: p.terms, Execution: r.execution}
	case CommitResult:
		k := p.say(statement{by: Node1, seat: 1, result: m.Result, hit: m.Hit})
		root := k.tree.Root()
		return protocol.CommitResult{Execution: r.execution, Root: root.Hash, Fuel: root.Sum, Leaves: k.published()}
	case TimeoutAssigned:
		return protocol.TimeoutAssigned{Terms: p.terms, Execution: r.execution}
	case Settle:
		return protocol.Settle{Terms: p.terms, Execution: r.execution, Seed: p.seed}
	case TimeoutCommitted:
		return protocol.TimeoutCommitted{Terms: p.terms, Execution: r.execution}
	}
	return protocol.Verify{
		Terms: p.terms, Execution: r.execution, Bid: big.NewInt(int64(p.game.RaisedBid)),
		Listed: protocol.List([]uint32{0, 1}[:p.game.Pieces], p.terms.Pieces),
	}
}

func (p *player) seatCall(s State, m Move, r records) protocol.Call {
	seat := r.seat(m.Seat)
	switch m.Kind {
	case Draw:
		return protocol.Draw{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Number: m.Seat,
		}
	case CommitVerification:
		k := p.say(statement{by: s.Seats[m.Seat-1].Node, seat: m.Seat, result: m.Result})
		root := k.tree.Root()
		return protocol.CommitVerification{Seat: seat, Root: root.Hash, Fuel: root.Sum, Leaves: k.published()}
	case DeclineSeat:
		return protocol.DeclineSeat{Terms: p.terms, Execution: r.execution, Seat: seat}
	case TimeoutDrawing:
		return protocol.TimeoutDrawing{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Number: m.Seat,
		}
	}
	return protocol.TimeoutSeat{Terms: p.terms, Execution: r.execution, Seat: seat}
}

func (p *player) panelCall(s State, m Move, r records) protocol.Call {
	switch m.Kind {
	case Escalate:
		return protocol.Escalate{Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats}
	case SettleVerified:
		return protocol.SettleVerified{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Seed: p.seed,
		}
	case RevealKey:
		return protocol.RevealKey{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Reveal: p.reveal(s),
		}
	case TimeoutVerdict:
		return protocol.TimeoutVerdict{Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats}
	case OpenSelf:
		return protocol.OpenSelf{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Seat: m.Seat,
			Disclosure: p.disclosure(s, m.Seat),
		}
	}
	return protocol.TimeoutSilent{Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats}
}

// said is what a seat has committed to.
func (p *player) said(s State, number uint8) commitment {
	seat := s.Seats[number-1]
	if seat.Status != protocol.SeatStatusCommitted {
		return p.say(statement{by: Node1, seat: number, result: Junk})
	}
	return p.say(statement{by: seat.Node, seat: number, result: seat.Result, hit: s.Hit && number == 1})
}

func opening(k commitment) protocol.Opening {
	return protocol.Opening{Leaf: k.leaves[0], Proof: k.tree.Proof(0), Sx: k.shared.X(), Sy: k.shared.Y()}
}

func (p *player) reveal(s State) protocol.Reveal {
	r := protocol.Reveal{
		Sk: new(big.Int).SetBytes(p.secret.Serialize()), SpecDigest: p.specDigest, SpecProof: p.spec.Proof(0), Seed: p.seed,
	}
	for i := range r.Openings {
		r.Openings[i] = opening(p.said(s, uint8(i+1)))
	}
	return r
}

func (p *player) disclosure(s State, number uint8) protocol.Disclosure {
	k := p.said(s, number)
	return protocol.Disclosure{
		R: k.r.Big(), Pkx: p.public.X(), Pky: p.public.Y(),
		SpecDigest: p.specDigest, SpecProof: p.spec.Proof(0), Opening: opening(k),
	}
}

func (p *player) challengeCall(s State, m Move, r records) protocol.Call {
	switch m.Kind {
	case ChallengeLeaf:
		return protocol.ChallengeLeaf{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Seat: m.Seat,
		}
	case AnswerLeaf:
		return protocol.AnswerLeaf{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Challenge: r.challenge,
			Opening: opening(p.said(s, m.Seat)),
		}
	}
	return protocol.TimeoutChallenged{
		Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Challenge: r.challenge,
	}
}

func (p *player) juryCall(s State, m Move, r records) protocol.Call {
	juror := Juror1 + Party(m.Seat-4)
	switch m.Kind {
	case Appeal:
		return protocol.Appeal{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Seat: m.Seat,
		}
	case DrawJury:
		return protocol.DrawJury{
			Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Jury: r.jury,
		}
	case CommitVote:
		vote, nonce := p.vote(juror, m.Result)
		return protocol.CommitVote{
			Jury: r.jury, Number: m.Seat,
			Commitment: vote.Commitment(chainID, p.contract, p.execution, p.addresses[juror], nonce),
		}
	case DeclineVote:
		return protocol.DeclineVote{Terms: p.terms, Execution: r.execution, Jury: r.jury, Number: m.Seat}
	case RevealVote:
		vote, nonce := p.vote(juror, s.Jury.Ballots[m.Seat-4].Found)
		return protocol.RevealVote{Jury: r.jury, Number: m.Seat, Vote: vote, Nonce: nonce}
	}
	call := protocol.TimeoutAppealed{
		Terms: p.terms, Execution: r.execution, Verification: r.check, Seats: r.seats, Jury: r.jury, Results: r.results,
	}
	for k := range r.jury.Jurors {
		call.Votes = append(call.Votes, r.votes[uint8(protocol.FirstJuror+k)].Vote)
	}
	return call
}

// send makes a move, encoded with the present records, on the contract in a state that the model has, too. Where the
// model says who is drawn, it looks for a block hash that draws them.
func (p *player) send(s State, m Move, data []byte) ([]protocol.Event, string, error) {
	var want []common.Address
	switch {
	case m.Kind == Draw && m.Node != 0:
		want = []common.Address{p.addresses[m.Node]}
	case m.Kind == DrawJury:
		want = p.addresses[Juror1 : Juror3+1]
	default:
		return p.c.send(p.addresses[m.By], data, 0)
	}
	key := drawing{m, seating(s)}
	if hash, ok := p.draws[key]; ok {
		p.c.entropy = hash
	}
	for try := uint64(0); ; try++ {
		before := p.c.mark()
		events, refused, err := p.c.send(p.addresses[m.By], data, 0)
		if err != nil || refused != "" || drawn(events, want) {
			p.draws[key] = p.c.entropy
			return events, refused, err
		}
		if try == 20_000 {
			return nil, "", fmt.Errorf("no block hash draws %v", want)
		}
		p.c.back(before)
		p.c.entropy = crypto.Keccak256Hash(p.c.entropy[:])
	}
}

// seating is who may not be drawn.
func seating(s State) (nodes [3]Party) {
	for i, seat := range s.Seats {
		nodes[i] = seat.Node
	}
	return nodes
}

// drawn says whether exactly these were.
func drawn(events []protocol.Event, want []common.Address) bool {
	for _, event := range events {
		switch e := event.(type) {
		case protocol.SeatDrawn:
			return e.Node == want[0]
		case protocol.JuryDrawn:
			for k, juror := range e.Jury.Jurors {
				if juror != want[k] {
					return false
				}
			}
			return true
		}
	}
	return false
}
