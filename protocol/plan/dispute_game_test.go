package plan_test

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// resolveBy is the client's deadline once the panel is done.
func (p *play) resolveBy() uint64 { return max(p.doneAt()+settleWindow, p.e.Deadline) }

// challenges demands a seat's leaf of a piece; the client's clock stops.
func (p *play) challenges(seat uint8, piece uint32) *play {
	p.g.t.Helper()
	due := p.e.Deadline
	if p.e.Status == protocol.StatusVerifying {
		due = p.resolveBy()
	}
	p.challenge = protocol.Challenge{Execution: p.e.ID, Seat: seat, Piece: piece, Left: due - p.g.now(), Back: p.e.Status}
	p.e.Status, p.e.Deadline = protocol.StatusChallenged, p.g.now()+settleWindow
	p.g.fold(protocol.LeafChallenged{Execution: p.e.ID, Seat: seat, Challenge: p.challenge, Deadline: p.e.Deadline})
	return p
}

// shows answers the challenge.
func (p *play) shows() *play {
	p.g.t.Helper()
	c := p.challenge
	leaf := p.leaves[c.Seat][p.place(c.Seat, c.Piece)]
	p.e.Status, p.e.Deadline = c.Back, p.g.now()+c.Left
	p.g.fold(protocol.LeafAnswered{Execution: p.e.ID, Seat: c.Seat, Piece: c.Piece, Leaf: leaf, Deadline: p.e.Deadline})
	return p
}

// place is where a piece's leaf stands in a seat's commitment.
func (p *play) place(seat uint8, piece uint32) int {
	for i, owed := range p.owed(seat) {
		if owed == piece {
			return i
		}
	}
	p.g.t.Fatalf("seat %d owes no piece %d", seat, piece)
	return 0
}

// hides lets the time of a challenge pass: seat 1's pieces return, another seat is drawn again.
func (p *play) hides() *play {
	p.g.t.Helper()
	seat := p.challenge.Seat
	p.e.Status, p.e.Deadline = p.challenge.Back, 0
	p.g.fold(protocol.ChallengeFailed{Execution: p.e.ID, Seat: seat, Node: p.e.Node})
	switch {
	case seat == 1:
		return p.returns(p.e.From, p.e.Count)
	case p.seats[seat].Redraws == p.g.client.Parameters.Redraws:
		return p.vacates(seat)
	}
	return p.misses(seat)
}

// glimpsed is what the client has of a seat that withholds its leaves but for one that a challenge brought out.
func (p *play) glimpsed(seat uint8, piece uint32) *play {
	p.g.t.Helper()
	p.collected(seat)
	key := plan.SeatKey{Execution: p.e.ID, Seat: seat}
	p.g.client.Opened[key] = plan.Opened{
		Failed: true, Pieces: map[uint32]plan.OpenedPiece{piece: p.g.client.Opened[key].Pieces[piece]},
	}
	return p
}

// opens is a seat that opens its own commitment.
func (p *play) opens(seat uint8, piece uint32) *play {
	p.g.t.Helper()
	if p.opened == nil {
		p.opened = map[uint8]uint32{}
	}
	p.opened[seat] = piece
	p.g.fold(protocol.SelfOpened{
		Execution: p.e.ID, Seat: seat, Piece: piece, Digest: named(fmt.Sprint(p.said[seat][piece], piece)), Fuel: 1,
	})
	return p
}

// appeals asks for a jury.
func (p *play) appeals(seat uint8) *play {
	p.g.t.Helper()
	p.e.Status, p.e.Deadline = protocol.StatusAppealed, 0
	p.jury = protocol.Jury{
		Execution: p.e.ID, Appellant: seat, Target: p.g.v.Head.Number + 1, Deadline: p.g.now() + drawWindow,
	}
	p.votes, p.sealed = map[uint8]protocol.Vote{}, map[uint8]bool{}
	p.g.fold(protocol.VerdictAppealed{Execution: p.e.ID, Seat: seat, Jury: p.jury})
	return p
}

// impanels draws the jury.
func (p *play) impanels(names ...string) *play {
	p.g.t.Helper()
	p.jury.Salt, p.jury.Deadline = named("jury"), p.g.now()+executeWindow
	p.jury.RevealDeadline, p.jury.Jurors = p.jury.Deadline+settleWindow, nil
	for _, name := range names {
		p.jury.Jurors = append(p.jury.Jurors, wallet(name))
	}
	p.g.fold(protocol.JuryDrawn{Execution: p.e.ID, Jury: p.jury})
	return p
}

func (p *play) seals(number uint8) *play {
	p.g.t.Helper()
	p.sealed[number] = true
	p.g.fold(protocol.VoteCommitted{Execution: p.e.ID, Number: number, Commitment: named("sealed")})
	return p
}

func (p *play) tells(number uint8, vote protocol.Vote) *play {
	p.g.t.Helper()
	p.votes[number] = vote
	p.g.fold(protocol.VoteRevealed{Execution: p.e.ID, Number: number, Vote: vote})
	return p
}

func (p *play) abstains(number uint8) *play {
	p.g.t.Helper()
	p.sealed[number] = true
	p.g.fold(protocol.VoteDeclined{Execution: p.e.ID, Number: number})
	return p
}

// revealed lists the votes as the end of the case wants them.
func (p *play) revealed() []protocol.Vote {
	votes := make([]protocol.Vote, len(p.jury.Jurors))
	for number, vote := range p.votes {
		votes[number-protocol.FirstJuror] = vote
	}
	return votes
}

// judged makes a juror's vote durable.
func (p *play) judged(number uint8, name string, vote protocol.Vote) *play {
	p.g.nodes[name].Work[plan.SeatKey{Execution: p.e.ID, Seat: number}] = plan.WorkFacts{Ballot: &plan.Ballot{
		Vote: vote, Nonce: named("nonce"), Sealed: named("sealed"), Salt: p.jury.Salt,
	}}
	return p
}

// failing is a node whose last attempt at its work failed.
func (p *play) failing(number uint8, name string) *play {
	p.g.nodes[name].Work[plan.SeatKey{Execution: p.e.ID, Seat: number}] = plan.WorkFacts{Failing: true}
	return p
}

// decides closes an appeal: right has bit k set for every seat k that is right; without a majority there is no result.
func (p *play) decides(result common.Hash, right uint8) *play {
	p.g.t.Helper()
	p.g.fold(protocol.AppealDecided{Execution: p.e.ID, Result: result, Right: right})
	return p
}

// untimelyDispute is untimely for the calls about disputes, and says whether it is one.
func (g *game) untimelyDispute(
	call protocol.Call, p *play, open, passed func(uint64) string, confirmed func() string,
) (reason string, disputed bool) {
	half := func(deadline uint64) string { return open(deadline - executeWindow/2) }
	switch c := call.(type) {
	case protocol.Decline:
		return half(p.e.Deadline), true
	case protocol.DeclineSeat:
		return half(c.Seat.Deadline), true
	case protocol.DeclineVote:
		return half(c.Jury.Deadline), true
	case protocol.ChallengeLeaf:
		if p.e.Status == protocol.StatusCommitted {
			return confirmed(), true
		}
		return open(p.resolveBy()), true
	case protocol.AnswerLeaf, protocol.Appeal:
		return open(p.e.Deadline), true
	case protocol.TimeoutChallenged:
		return passed(p.e.Deadline), true
	case protocol.OpenSelf:
		if reason = passed(p.resolveBy()); reason == "" {
			reason = open(p.resolveBy() + silentWindow)
		}
		return reason, true
	case protocol.TimeoutSilent:
		return passed(p.resolveBy() + silentWindow), true
	case protocol.DrawJury:
		if g.v.Head.Number <= c.Jury.Target || len(c.Jury.Jurors) > 0 {
			return "target unknown, or drawn", true
		}
		return open(c.Jury.Deadline), true
	case protocol.CommitVote:
		return open(c.Jury.Deadline), true
	case protocol.RevealVote:
		if reason = passed(c.Jury.Deadline); reason == "" {
			reason = open(c.Jury.RevealDeadline)
		}
		return reason, true
	case protocol.TimeoutAppealed:
		return passed(max(c.Jury.Deadline, c.Jury.RevealDeadline)), true
	}
	return "", false
}
