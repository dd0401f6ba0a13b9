package plan_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// clientExpects says exactly what the requester node asks for now, in any order.
func (g *game) clientExpects(want ...string) *game {
	g.t.Helper()
	g.expect("client", g.requester(), want)
	return g
}

// expects says exactly what a compute node asks for now, in any order; offers are not what this game is about.
func (g *game) expects(name string, want ...string) *game {
	g.t.Helper()
	g.expect(name, slices.DeleteFunc(g.compute(name), isOffer), want)
	return g
}

// expectsOffer says exactly what a compute node asks for of the job, beside its work.
func (g *game) expectsOffer(name string, want ...string) *game {
	g.t.Helper()
	g.expect(name, slices.DeleteFunc(g.compute(name), func(a plan.Action) bool { return !isOffer(a) }), want)
	return g
}

func isOffer(a plan.Action) bool {
	switch a.(type) {
	case plan.Load, plan.Offer:
		return true
	}
	return false
}

func (g *game) requester() []plan.Action {
	actions, _ := plan.Requester(g.v, g.client)
	return actions
}

func (g *game) compute(name string) []plan.Action {
	actions, _ := plan.Compute(g.v, *g.nodes[name])
	return actions
}

func (g *game) expect(who string, actions []plan.Action, want []string) {
	g.t.Helper()
	var got []string
	keys := map[string]bool{}
	for _, a := range actions {
		if key, call := sent(a); call != nil {
			g.vet(call)
			if keys[key] || !strings.HasPrefix(key, call.Method()+":") {
				g.t.Errorf("%s: bad or repeated key %q", who, key)
			}
			keys[key] = true
		}
		got = append(got, g.spell(a))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		g.t.Errorf("at %d, block %d: %s asks for\n  %q, want\n  %q", g.now(), g.v.Head.Number, who, got, want)
	}
}

// sent is the call that an action makes, if it makes one.
func sent(a plan.Action) (key string, call protocol.Call) {
	switch a := a.(type) {
	case plan.Send:
		return a.Key, a.Call
	case plan.Answer:
		return a.Key, a.Call
	case plan.Disclose:
		return a.Key, a.Call
	}
	return "", nil
}

// spell writes an action in a few words. Executions are A, B, … in the order of assignment; A/2 is its second seat.
func (g *game) spell(a plan.Action) string {
	switch a := a.(type) {
	case plan.Send:
		return g.spellCall(a.Call)
	case plan.Load:
		return "load"
	case plan.Offer:
		return fmt.Sprintf("offer %d until %d", a.Pieces, a.Deadline)
	case plan.Execute:
		return fmt.Sprintf("execute %s/%d %v", g.labels[a.Execution], a.Seat, a.Pieces)
	case plan.Judge:
		return fmt.Sprintf("judge %s/%d: %d", g.labels[a.Execution], a.Number, a.Piece)
	case plan.Answer:
		return fmt.Sprintf("%s at %d", g.spellCall(a.Call), a.Position)
	case plan.Disclose:
		return fmt.Sprintf("%s at %d", g.spellCall(a.Call), a.Position)
	case plan.Probe:
		return fmt.Sprintf("probe %s at %s", g.names[a.Node], a.URL)
	case plan.Collect:
		return fmt.Sprintf("collect %s/%d", g.labels[a.Execution], a.Seat)
	case plan.TopUp:
		if a.For == g.job {
			return fmt.Sprintf("topUp job: %d", a.Wei)
		}
		return fmt.Sprintf("topUp %s: %d", g.labels[a.For], a.Wei)
	case plan.Deliver:
		if len(a.Disputed) > 0 {
			return fmt.Sprintf("deliver %s/%d %v, disputed %v", g.labels[a.Execution], a.Seat, a.Pieces, a.Disputed)
		}
		return fmt.Sprintf("deliver %s/%d %v", g.labels[a.Execution], a.Seat, a.Pieces)
	}
	return fmt.Sprintf("%T", a)
}

func (g *game) spellCall(call protocol.Call) string {
	accept := func(o protocol.Offer, count uint32) string {
		return fmt.Sprintf("accept %s#%d for %d", g.names[o.Node], o.Nonce, count)
	}
	of := func(id common.Hash) string { return call.Method() + " " + g.labels[id] }
	switch c := call.(type) {
	case protocol.AcceptOffer:
		return accept(c.Offer, c.Count)
	case protocol.AcceptReturned:
		return fmt.Sprintf("%s of %s", accept(c.Offer, c.Count), g.labels[c.Returned.ID])
	case protocol.CreateJob, protocol.CloseJob:
		return call.Method()
	case protocol.Verify:
		return fmt.Sprintf("%s at %d: %v", of(c.Execution.ID), c.Bid, protocol.Offsets(c.Listed))
	case protocol.Escalate:
		return fmt.Sprintf("%s: %d", of(c.Execution.ID), c.Piece)
	case protocol.RevealKey:
		return fmt.Sprintf("%s: %d", of(c.Execution.ID), c.Reveal.Piece)
	case protocol.Draw:
		return fmt.Sprintf("%s/%d", of(c.Execution.ID), c.Number)
	case protocol.TimeoutDrawing:
		return fmt.Sprintf("%s/%d", of(c.Execution.ID), c.Number)
	case protocol.TimeoutSeat:
		return fmt.Sprintf("%s/%d", of(c.Execution.ID), c.Seat.Number)
	case protocol.CommitVerification:
		return fmt.Sprintf("%s/%d", of(c.Seat.Execution), c.Seat.Number)
	case protocol.DeclineSeat:
		return fmt.Sprintf("%s/%d", of(c.Execution.ID), c.Seat.Number)
	case protocol.ChallengeLeaf:
		return fmt.Sprintf("%s/%d: %d", of(c.Execution.ID), c.Seat, c.Piece)
	case protocol.AnswerLeaf:
		return fmt.Sprintf("%s/%d: %d", of(c.Execution.ID), c.Challenge.Seat, c.Challenge.Piece)
	case protocol.OpenSelf:
		return fmt.Sprintf("%s/%d: %d", of(c.Execution.ID), c.Seat, c.Disclosure.Piece)
	case protocol.Appeal:
		return fmt.Sprintf("%s/%d", of(c.Execution.ID), c.Seat)
	case protocol.CommitVote:
		return fmt.Sprintf("%s/%d", of(c.Jury.Execution), c.Number)
	case protocol.DeclineVote:
		return fmt.Sprintf("%s/%d", of(c.Jury.Execution), c.Number)
	case protocol.RevealVote:
		return fmt.Sprintf("%s/%d", of(c.Jury.Execution), c.Number)
	}
	id := reflect.ValueOf(call).FieldByName("Execution").Interface().(protocol.Execution).ID
	return of(id)
}

// vet checks a call as the contract would: all records are the present ones, and the time is right.
func (g *game) vet(call protocol.Call) {
	g.t.Helper()
	fields := reflect.ValueOf(call)
	var p *play
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		var want any
		switch have := fields.Field(i).Interface().(type) {
		case protocol.Terms:
			want = g.terms
		case protocol.Execution:
			if returned, ok := g.returned[have.ID]; ok {
				want = returned
			} else if p = g.play(have.ID); p != nil {
				want = p.e
			}
		case protocol.Verification:
			want = p.check
		case protocol.Challenge:
			want = p.challenge
		case protocol.Jury:
			p = g.play(have.Execution)
			want = p.jury
		case [3]common.Hash:
			want = p.results
		case []protocol.Vote:
			want = p.revealed()
		case []protocol.Seat:
			want = p.told()
		case protocol.Seat:
			p = g.play(have.Execution)
			want = p.seats[have.Number]
		default:
			continue
		}
		if have := fields.Field(i).Interface(); !reflect.DeepEqual(have, want) {
			g.t.Errorf("%s: stale %s\n  have %+v\n  want %+v", call.Method(), name, have, want)
		}
	}
	if reason := g.untimely(call, p); reason != "" {
		g.t.Errorf("at %d: %s: %s", g.now(), call.Method(), reason)
	}
}

// untimely says why a call comes too early or too late, or nothing.
func (g *game) untimely(call protocol.Call, p *play) string {
	open := func(deadline uint64) string {
		if g.now() > deadline {
			return fmt.Sprintf("too late for %d", deadline)
		}
		return ""
	}
	passed := func(deadline uint64) string {
		if g.now() <= deadline {
			return fmt.Sprintf("too early for %d", deadline)
		}
		return ""
	}
	confirmed := func() string {
		if g.v.Head.Number < p.e.CommittedBlock+2 {
			return "unconfirmed"
		}
		return open(p.e.Deadline)
	}
	if reason, disputed := g.untimelyDispute(call, p, open, passed, confirmed); disputed {
		return reason
	}
	switch c := call.(type) {
	case protocol.CreateJob:
		return open(expiry)
	case protocol.AcceptOffer:
		return open(min(c.Offer.Deadline, expiry))
	case protocol.AcceptReturned:
		return open(min(c.Offer.Deadline, expiry))
	case protocol.CommitResult:
		return open(p.e.Deadline)
	case protocol.TimeoutAssigned, protocol.TimeoutCommitted, protocol.TimeoutVerdict:
		return passed(p.e.Deadline)
	case protocol.Settle, protocol.Verify:
		return confirmed()
	case protocol.Draw:
		seat := p.seats[c.Number]
		if g.v.Head.Number <= seat.Target {
			return "target unknown"
		}
		return open(seat.Deadline)
	case protocol.CommitVerification:
		return open(c.Seat.Deadline)
	case protocol.TimeoutDrawing:
		return passed(p.seats[c.Number].Deadline)
	case protocol.TimeoutSeat:
		return passed(c.Seat.Deadline)
	case protocol.Escalate, protocol.SettleVerified, protocol.RevealKey:
		return open(p.resolveBy())
	}
	return ""
}

// keys are those of what a party asks for now.
func (g *game) keys(who string) (keys []string) {
	actions := g.requester()
	if who != "client" {
		actions = g.compute(who)
	}
	for _, a := range actions {
		if key, call := sent(a); call != nil {
			keys = append(keys, key)
		}
	}
	return keys
}
