package plan_test

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// dispute does what a call asks for that is about a decline, a challenge, a silent client or an appeal.
func (p *performer) dispute(call protocol.Call) {
	p.t.Helper()
	switch c := call.(type) {
	case protocol.Decline:
		x := p.play(c.Execution.ID)
		p.fold(protocol.ExecutionDeclined{Execution: x.e.ID, Node: x.e.Node})
		x.returns(x.e.From, x.e.Count)
	case protocol.DeclineSeat:
		x := p.play(c.Execution.ID)
		p.fold(protocol.SeatDeclined{Execution: x.e.ID, Number: c.Seat.Number, Node: c.Seat.Node})
		p.redraw(x, c.Seat)
	case protocol.ChallengeLeaf:
		p.play(c.Execution.ID).challenges(c.Seat, c.Piece)
	case protocol.AnswerLeaf:
		if p.IntN(3) > 0 { // else it withholds the leaf for good
			p.play(c.Execution.ID).shows()
		}
	case protocol.TimeoutChallenged:
		p.play(c.Execution.ID).hides()
	case protocol.OpenSelf:
		x := p.play(c.Execution.ID)
		closed := c.Seat == 1 && x.e.ID[0]%2 == 0 // for good
		if !closed && x.said[c.Seat][c.Disclosure.Piece] != junk {
			x.opens(c.Seat, c.Disclosure.Piece)
		}
	case protocol.TimeoutSilent:
		p.silent(p.play(c.Execution.ID))
	case protocol.Appeal:
		p.play(c.Execution.ID).appeals(c.Seat)
	case protocol.DrawJury:
		p.impanel(p.play(c.Execution.ID))
	case protocol.CommitVote:
		p.play(c.Jury.Execution).seals(c.Number)
	case protocol.DeclineVote:
		p.play(c.Jury.Execution).abstains(c.Number)
	case protocol.RevealVote:
		if p.IntN(8) > 0 {
			p.play(c.Jury.Execution).tells(c.Number, c.Vote)
		}
	case protocol.TimeoutAppealed:
		p.decide(p.play(c.Execution.ID))
	default:
		p.t.Fatalf("nobody should ask for %T", call)
	}
}

// redraw empties a seat, for a new draw if there is one left.
func (p *performer) redraw(x *play, seat protocol.Seat) {
	p.t.Helper()
	if seat.Redraws == p.client.Parameters.Redraws {
		x.vacates(seat.Number)
		return
	}
	x.misses(seat.Number)
}

// silent ends an execution whose client said nothing, by what the seats opened.
func (p *performer) silent(x *play) {
	p.t.Helper()
	committed := func(s protocol.Seat) bool { return s.Status == protocol.SeatStatusCommitted }
	three := len(x.panel()) == 2 && committed(x.panel()[0]) && committed(x.panel()[1])
	_, first := x.opened[1]
	second, both := x.opened[2]
	_, third := x.opened[3]
	switch {
	case three && len(x.opened) == 3:
		p.done["all opened"]++
		p.reveal(x, second)
	case three && !first && both && third && x.said[2][second] == x.said[3][second]:
		p.done["pair opened"]++
		p.split(x, second)
	default:
		x.settles()
	}
}

func (p *performer) impanel(x *play) {
	p.t.Helper()
	var eligible []string
	for name, f := range p.nodes {
		if f.Self != x.e.Node && f.Self != x.seats[2].Node && f.Self != x.seats[3].Node {
			eligible = append(eligible, name)
		}
	}
	slices.Sort(eligible)
	p.Shuffle(len(eligible), func(i, j int) { eligible[i], eligible[j] = eligible[j], eligible[i] })
	size := int(p.client.Parameters.JurySize)
	if p.IntN(4) == 0 || len(eligible) < size {
		return // NobodyEligible
	}
	x.impanels(eligible[:size]...)
}

// decide closes an appeal by what more than half of the jury found.
func (p *performer) decide(x *play) {
	p.t.Helper()
	votes := map[protocol.Vote]int{}
	for _, vote := range x.votes {
		votes[vote]++
	}
	for vote, count := range votes {
		if 2*count <= int(p.client.Parameters.JurySize) {
			continue
		}
		right := uint8(0)
		for seat := uint8(1); seat <= 3; seat++ {
			if vote.Digest == named("true") && x.said[seat][x.check.Revealed] == "" {
				right |= 1 << seat
			}
		}
		x.decides(vote.Digest, right)
		switch {
		case right&(1<<1) != 0:
			p.done["first was right"]++
			x.settles()
		case right == 0:
			p.done["nobody was right"]++
			x.returns(x.e.From, x.e.Count)
		default:
			p.done["another was right"]++
			p.split(x, x.check.Revealed)
		}
		return
	}
	p.done["no majority"]++
	x.decides(common.Hash{}, 0)
	x.refunds()
}
