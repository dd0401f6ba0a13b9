package plan_test

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// performer does what the parties ask for, the way the contract and the world would, with a random hand.
type performer struct {
	*game
	*rand.Rand
	done map[string]int // by call or action
}

// act lets a party plan and performs all of it in a random order. Each call is vetted when its turn comes, so that
// calls of one plan must not make each other stale.
func (p *performer) act(who string) {
	p.t.Helper()
	var actions []plan.Action
	if who == "client" {
		actions = p.requester()
	} else {
		actions = p.compute(who)
	}
	// Plans go through maps; a seed must give the same game every time.
	slices.SortFunc(actions, func(a, b plan.Action) int { return cmp.Compare(p.spell(a), p.spell(b)) })
	p.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
	for _, a := range actions {
		if _, call := sent(a); call != nil {
			p.vet(call)
			p.done[call.Method()]++
			p.send(call)
			continue
		}
		p.do(who, a)
	}
}

func (p *performer) do(who string, action plan.Action) {
	switch a := action.(type) {
	case plan.Load:
		p.nodes[who].Specs[a.Job] = plan.SpecFacts{Fit: true}
	case plan.Offer:
		p.nodes[who].Offered[a.Job] = p.offers(who, a.Pieces)
	case plan.Execute:
		switch p.IntN(8) {
		case 0:
		case 1, 2:
			p.play(a.Execution).failing(a.Seat, who)
		default:
			p.play(a.Execution).finished(a.Seat, who)
		}
	case plan.Judge:
		if p.IntN(4) == 0 {
			p.play(a.Execution).failing(a.Number, who)
			return
		}
		vote := protocol.Vote{Digest: named("true"), Witness: a.Salt}
		if p.IntN(4) == 0 {
			vote.Digest = named("false")
		}
		p.play(a.Execution).judged(a.Number, who, vote)
	case plan.Collect:
		switch x := p.play(a.Execution); p.IntN(6) {
		case 0, 1:
			x.withheld(a.Seat)
			for piece := range p.v.Runs[a.Execution].Answers[a.Seat] {
				x.glimpsed(a.Seat, piece)
			}
		case 2:
			x.partly(a.Seat)
		default:
			x.collected(a.Seat)
		}
	case plan.Deliver:
		p.client.Delivered[a.Execution] = true
		p.done["deliver"]++
	}
}

func (p *performer) send(call protocol.Call) {
	p.t.Helper()
	switch c := call.(type) {
	case protocol.AcceptOffer:
		from := p.frontier
		if p.frontier += c.Count; p.frontier > p.terms.Pieces {
			p.t.Fatalf("accepted %d pieces too many", p.frontier-p.terms.Pieces)
		}
		p.lie(p.begin(p.job, p.names[c.Offer.Node], from, c.Count, c.Offer.Nonce))
	case protocol.AcceptReturned:
		p.lie(p.takeReturned(c.Returned.ID, p.names[c.Offer.Node], c.Count, c.Offer.Nonce))
	case protocol.CloseJob:
		p.fold(protocol.JobClosed{Job: p.job, From: p.frontier})
	case protocol.CloseReturned:
		delete(p.returned, c.Execution.ID)
		p.fold(protocol.ReturnedClosed{Execution: c.Execution.ID})
	case protocol.CommitResult:
		x := p.play(c.Execution.ID)
		x.commit(x.seal(1, x.e.Node, x.owed(1), p.Uint64N(1<<20)))
	case protocol.TimeoutAssigned:
		x := p.play(c.Execution.ID)
		x.returns(x.e.From, x.e.Count)
	case protocol.Settle:
		x := p.play(c.Execution.ID)
		if hits := protocol.Roll(c.Seed, x.e.Root, x.e.ID, x.e.Count, p.terms.CheckRate); len(hits) > 0 {
			p.t.Errorf("a client with money skips the hits %v", hits)
		}
		x.settles()
	case protocol.TimeoutCommitted:
		p.play(c.Execution.ID).settles()
	case protocol.SettleVerified:
		p.play(c.Execution.ID).settles()
	case protocol.Verify:
		p.play(c.Execution.ID).verifies(protocol.Offsets(c.Listed)...)
	case protocol.Escalate:
		p.play(c.Execution.ID).escalates(c.Piece)
	case protocol.Draw:
		p.draw(c)
	case protocol.CommitVerification:
		p.play(c.Seat.Execution).answers(c.Seat.Number)
	case protocol.TimeoutDrawing:
		p.play(c.Execution.ID).vacates(c.Number)
	case protocol.TimeoutSeat:
		if x := p.play(c.Execution.ID); c.Seat.Redraws == p.client.Parameters.Redraws {
			x.vacates(c.Seat.Number)
		} else {
			x.misses(c.Seat.Number)
		}
	case protocol.RevealKey:
		p.reveal(p.play(c.Execution.ID), c.Reveal.Piece)
	case protocol.TimeoutVerdict:
		p.execute(p.play(c.Execution.ID))
	default:
		p.dispute(call)
	}
}

// lie makes some seats' results of some pieces wrong.
func (p *performer) lie(x *play) {
	for seat := uint8(1); seat <= 3; seat++ {
		for piece := x.e.From; piece < x.e.From+x.e.Count; piece++ {
			if p.IntN(8) == 0 {
				x.says(seat, []string{"cheap", "cheap", junk, "fuel"}[p.IntN(4)], piece)
			}
		}
	}
}

func (p *performer) draw(c protocol.Draw) {
	p.t.Helper()
	var eligible []string
	for name, f := range p.nodes {
		seated := slices.ContainsFunc(c.Seats, func(s protocol.Seat) bool { return s.Node == f.Self })
		if f.Self != c.Execution.Node && !seated {
			eligible = append(eligible, name)
		}
	}
	slices.Sort(eligible)
	if p.IntN(4) == 0 || len(eligible) == 0 {
		return // NobodyEligible
	}
	p.play(c.Execution.ID).draws(c.Number, eligible[p.IntN(len(eligible))])
}

// reveal judges a piece by what the seats had said of it.
func (p *performer) reveal(x *play, piece uint32) {
	p.t.Helper()
	result := func(seat uint8) string {
		if said := x.said[seat][piece]; said != junk {
			return said
		}
		return junk + string('0'+rune(seat))
	}
	first, second, third := result(1), result(2), result(3)
	outcome := protocol.OutcomeAllDiffer
	switch {
	case first == second && second == third:
		outcome = protocol.OutcomeAgreed
	case first == second:
		outcome = protocol.OutcomeThirdLost
	case first == third:
		outcome = protocol.OutcomeSecondLost
	case second == third:
		outcome = protocol.OutcomeFirstLost
	}
	p.done[outcome.String()]++
	if outcome == protocol.OutcomeAgreed {
		x.settles()
		return
	}
	x.reveals(piece, outcome)
}

// execute carries a verdict out.
func (p *performer) execute(x *play) {
	p.t.Helper()
	switch x.check.Outcome {
	case protocol.OutcomeAllDiffer:
		x.refunds()
	case protocol.OutcomeFirstLost:
		p.split(x, x.check.Revealed)
	default:
		x.settles()
	}
}

// split returns all pieces but a settled one; those behind it get an id of their own if there are some before it.
func (p *performer) split(x *play, settled uint32) {
	p.t.Helper()
	before, behind := settled-x.e.From, x.e.From+x.e.Count-settled-1
	if before == 0 {
		x.returns(settled+1, behind)
		return
	}
	x.returns(x.e.From, before)
	if behind == 0 {
		return
	}
	id := named(x.e.ID.Hex() + "split")
	p.labels[id] = p.labels[x.e.ID] + "'"
	p.returned[id] = protocol.Execution{
		ID: id, Job: x.e.Job, From: settled + 1, Count: behind, Status: protocol.StatusReturned,
	}
	p.fold(protocol.ExecutionReturned{Execution: x.e.ID, Returned: id, From: settled + 1, Count: behind})
}

// running lists the executions that are not over.
func (p *performer) running() (ids []common.Hash) {
	for id, r := range p.v.Runs {
		if !r.Done() {
			ids = append(ids, id)
		}
	}
	return ids
}
