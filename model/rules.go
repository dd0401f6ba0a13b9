package model

import (
	"slices"

	"github.com/filecoin-project/bacalhau/protocol"
)

// play is a move under way: the state it changes, what it makes known, and why it is refused.
type play struct {
	State
	g       *Game
	move    Move
	events  []string
	refused []string
}

// rule says who may make a move, in which status, and how long. A nil field asks for nothing.
type rule struct {
	by     func(*play) bool
	caller string // how a wrong caller is refused
	status protocol.Status
	seat   protocol.SeatStatus
	// within is the time left for the move; after is the time left until the timeout.
	within, after func(*play) Seconds
	needs         func(*play)
	effect        func(*play)
}

var rules = map[Kind]rule{
	CreateJob:     {by: client, caller: "NotClient", needs: needsNewJob, effect: createJob},
	CloseJob:      {by: clientOrExpired, caller: "NotClient", needs: needsOpenJob, effect: closeJob},
	AcceptOffer:   {by: client, caller: "NotClient", needs: needsOpenOffer, effect: acceptOffer},
	CloseReturned: {by: clientOrExpired, caller: "NotClient", status: protocol.StatusReturned, effect: closeReturned},

	Decline:         {by: ofSeat, caller: "NotNode", status: protocol.StatusAssigned, within: halfTime, needs: needsDecline, effect: decline},
	CommitResult:    {by: ofSeat, caller: "NotNode", status: protocol.StatusAssigned, within: left, effect: commitResult},
	TimeoutAssigned: {status: protocol.StatusAssigned, after: left, effect: timeoutAssigned},

	Settle:           {by: client, caller: "NotClient", status: protocol.StatusCommitted, within: left, needs: needsConfirmed, effect: settle},
	TimeoutCommitted: {status: protocol.StatusCommitted, after: left, effect: timeoutCommitted},
	Verify:           {by: client, caller: "NotClient", status: protocol.StatusCommitted, within: left, needs: needsConfirmed, effect: verify},

	Draw:               {status: protocol.StatusVerifying, seat: protocol.SeatStatusDrawing, within: seatLeft, needs: needsTarget, effect: draw},
	CommitVerification: {by: ofSeat, caller: "NotNode", status: protocol.StatusVerifying, seat: protocol.SeatStatusRunning, within: seatLeft, effect: commitVerification},
	DeclineSeat:        {by: ofSeat, caller: "NotNode", status: protocol.StatusVerifying, seat: protocol.SeatStatusRunning, within: seatHalfTime, needs: needsDecline, effect: declineSeat},
	TimeoutDrawing:     {status: protocol.StatusVerifying, seat: protocol.SeatStatusDrawing, after: seatLeft, effect: timeoutDrawing},
	TimeoutSeat:        {status: protocol.StatusVerifying, seat: protocol.SeatStatusRunning, after: seatLeft, effect: timeoutSeat},

	Escalate:       {by: client, caller: "NotClient", status: protocol.StatusVerifying, within: resolveLeft, needs: needsEscalation, effect: escalate},
	SettleVerified: {by: client, caller: "NotClient", status: protocol.StatusVerifying, within: resolveLeft, needs: needsDone, effect: settleVerified},
	RevealKey:      {by: client, caller: "NotClient", status: protocol.StatusVerifying, within: resolveLeft, needs: needsFull, effect: revealKey},
	TimeoutVerdict: {status: protocol.StatusVerdict, after: left, effect: timeoutVerdict},

	OpenSelf:      {status: protocol.StatusVerifying, seat: protocol.SeatStatusCommitted, within: silentLeft, after: resolveLeft, needs: needsClosed, effect: openSelf},
	TimeoutSilent: {status: protocol.StatusVerifying, after: silentLeft, needs: needsDone, effect: timeoutSilent},

	ChallengeLeaf:     {by: client, caller: "NotClient", needs: needsChallengeable, effect: challengeLeaf},
	AnswerLeaf:        {status: protocol.StatusChallenged, within: left, needs: needsAsked, effect: answerLeaf},
	TimeoutChallenged: {status: protocol.StatusChallenged, after: left, effect: timeoutChallenged},

	Appeal:          {by: ofSeat, caller: "NotNode", status: protocol.StatusVerdict, within: left, needs: needsGrounds, effect: appeal},
	DrawJury:        {status: protocol.StatusAppealed, within: juryLeft, needs: needsNoJury, effect: drawJury},
	CommitVote:      {by: ofSeat, caller: "NotNode", status: protocol.StatusAppealed, within: juryLeft, needs: needsBallot(protocol.VoteStatusNone), effect: commitVote},
	DeclineVote:     {by: ofSeat, caller: "NotNode", status: protocol.StatusAppealed, within: juryHalfTime, needs: needsBallotAndDecline, effect: declineVote},
	RevealVote:      {status: protocol.StatusAppealed, within: revealLeft, after: juryLeft, needs: needsBallot(protocol.VoteStatusCommitted), effect: revealVote},
	TimeoutAppealed: {status: protocol.StatusAppealed, after: verdictLeft, effect: timeoutAppealed},
}

// Apply makes a move. If it is refused the state stays the same, and refused lists every reason that applies, by the
// names of the contract's errors; otherwise events are the names of what it makes known.
func (g *Game) Apply(s State, m Move) (next State, events, refused []string) {
	p := &play{State: s, g: g, move: m}
	switch m.Kind {
	case Mine:
		p.mine()
	case Wait:
		p.wait()
	default:
		p.judge(rules[m.Kind])
	}
	if len(p.refused) > 0 {
		return s, nil, p.refused
	}
	if p.Terminal() {
		p.State = State{Created: true, Status: p.Status, Wallets: p.Wallets, Burned: p.Burned}
	}
	return p.State, p.events, nil
}

func (p *play) judge(r rule) {
	if r.by != nil && !r.by(p) {
		p.refused = append(p.refused, r.caller)
	}
	if r.status != protocol.StatusNone && (p.Status != r.status || !p.Kept) {
		// A move that has no business here meets records that say something else.
		p.refused = append(p.refused, "StaleRecord", "WrongStatus")
		p.refuseIf(r.seat != protocol.SeatStatusNone, "WrongSeatStatus")
		return
	}
	if r.seat != protocol.SeatStatusNone && p.seat().Status != r.seat {
		p.refused = append(p.refused, "StaleRecord", "WrongSeat", "WrongSeatStatus")
	}
	p.refuseIf(r.within != nil && r.within(p) < 0, "TooLate")
	p.refuseIf(r.after != nil && r.after(p) >= 0, "TooEarly")
	if r.needs != nil {
		r.needs(p)
	}
	if len(p.refused) == 0 {
		r.effect(p)
	}
}

func (p *play) refuseIf(yes bool, reason string) {
	if yes {
		p.refused = append(p.refused, reason)
	}
}

func (p *play) emit(events ...string) { p.events = append(p.events, events...) }

// seat is the one that the move is about; a juror's number is no seat's.
func (p *play) seat() *Seat {
	if i := p.move.Seat; i >= 1 && i <= 3 {
		return &p.Seats[i-1]
	}
	return &Seat{}
}

func (p *play) ballot() *Ballot { return &p.Jury.Ballots[p.move.Seat-4] }

// ------------------------------------------------------------------ who

func client(p *play) bool { return p.move.By == Client }

func clientOrExpired(p *play) bool { return p.Expired || client(p) }

// ofSeat asks for the node of the move's seat, or for the juror.
func ofSeat(p *play) bool {
	if n := p.move.Seat; n >= 4 {
		return p.move.By == Juror1+Party(n-4)
	}
	return p.seat().Status != protocol.SeatStatusNone && p.move.By == p.seat().Node
}

// ------------------------------------------------------------------ when

func left(p *play) Seconds         { return p.Left }
func halfTime(p *play) Seconds     { return p.Left - p.g.ExecuteWindow/2 }
func seatLeft(p *play) Seconds     { return p.seat().Left }
func seatHalfTime(p *play) Seconds { return p.seat().Left - p.g.ExecuteWindow/2 }
func silentLeft(p *play) Seconds   { return p.Left + p.g.SilentWindow }
func juryLeft(p *play) Seconds     { return p.Jury.Left }
func juryHalfTime(p *play) Seconds { return p.Jury.Left - p.g.ExecuteWindow/2 }
func revealLeft(p *play) Seconds   { return p.Jury.RevealLeft }

// resolveLeft is the client's time to decide; while a seat is waited for it has not begun.
func resolveLeft(p *play) Seconds { return p.Left }

// verdictLeft is the time until an appeal ends without more votes.
func verdictLeft(p *play) Seconds {
	if p.Jury.Drawn {
		return p.Jury.RevealLeft
	}
	return p.Jury.Left
}

// ------------------------------------------------------------------ blocks and time

func (p *play) mine() {
	fewer := func(n *uint8) { *n -= min(*n, 1) }
	fewer(&p.Immature)
	for i := range p.Seats {
		fewer(&p.Seats[i].Immature)
	}
	fewer(&p.Jury.Immature)
}

// wait goes to the first second after the next deadline. Many blocks pass. Where nothing has a deadline but the job, it
// is the job that expires.
func (p *play) wait() {
	deadlines := p.g.Deadlines(p.State)
	switch {
	case len(deadlines) > 0:
		p.State = p.g.Later(p.State, slices.Min(deadlines)+1)
	case (p.Open || p.Status == protocol.StatusReturned && p.Kept) && !p.Expired:
		p.Expired = true
	default:
		p.refused = append(p.refused, "nothing to wait for")
		return
	}
	for p.young() {
		p.mine()
	}
}

// young says whether more blocks make a difference.
func (p *play) young() bool {
	young := p.Immature > 0 || p.Jury.Immature > 0
	for _, s := range p.Seats {
		young = young || s.Immature > 0
	}
	return young
}
