package protocol

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Fold applies one event of the block at. An event that contradicts the ones before it is an error: the events read
// are not this contract's, or some were lost.
func (v *View) Fold(event Event, at Block) error {
	var err error
	switch e := event.(type) {
	case Deposited:
		v.Wallets[e.Wallet] = true
	case Withdrawn:
		// Balances are read from the contract.
	case NodeRegistered:
		v.Nodes[e.Node] = true
	case NodeExited:
		delete(v.Nodes, e.Node)
		delete(v.Paused, e.Node)
	case NodePaused:
		v.Paused[e.Node] = true
	case NodeResumed:
		delete(v.Paused, e.Node)
	case NonceCancelled:
		v.cancel(e)
	case EndpointAnnounced:
		v.Endpoints[e.Wallet] = e.URL
	case JobCreated, JobClosed, OfferPosted, ExecutionAssigned, ReturnedClosed:
		err = v.foldJob(event, at)
	case ExecutionDeclined, ResultCommitted, ExecutionReturned, ExecutionSettled, ExecutionRefunded:
		err = v.foldExecution(event, at)
	case VerificationRequested, VerificationEscalated, KeyRevealed, VerdictReached:
		err = v.foldVerification(event)
	case SeatDrawn, SeatCommitted, SeatDeclined, SeatChanged:
		err = v.foldSeat(event, at)
	case LeafChallenged, LeafAnswered, ChallengeFailed, SelfOpened:
		err = v.foldDispute(event)
	case VerdictAppealed, JuryDrawn, VoteDeclined, VoteCommitted, VoteRevealed, AppealDecided:
		err = v.foldAppeal(event)
	case SeatPaid, Slashed, NoShowBurned, BondBurned, AppealBondBurned:
		err = v.foldMoney(event)
	default:
		err = fmt.Errorf("no rule for it")
	}
	if err != nil {
		return fmt.Errorf("block %d: %s: %w", at.Number, event.Name(), err)
	}
	return nil
}

func (v *View) foldJob(event Event, at Block) error {
	switch e := event.(type) {
	case JobCreated:
		v.Jobs[e.Job] = &Job{ID: e.Job, Terms: e.Terms, Created: at, Changed: at, Returned: map[common.Hash]Execution{}}
	case JobClosed:
		j, err := v.job(e.Job)
		if err != nil {
			return err
		}
		j.Closed, j.Changed = true, at
	case OfferPosted:
		// Anyone may post anything: only what could be accepted is kept.
		if j := v.Jobs[e.Job]; j != nil && e.Offer.Job == e.Job && e.Offer.Node == e.Node {
			j.Offers = slices.DeleteFunc(j.Offers, func(o SignedOffer) bool { return o.Offer.Deadline < at.Time })
			j.Offers = append(j.Offers, SignedOffer{Offer: e.Offer, Signature: e.Signature})
		}
	case ExecutionAssigned:
		return v.foldAssigned(e, at)
	case ReturnedClosed:
		r := v.returnedIn(e.Execution)
		if r == nil {
			return fmt.Errorf("unknown returned execution %s", e.Execution)
		}
		delete(r.Returned, e.Execution)
		r.Changed = at
	}
	return nil
}

func (v *View) foldAssigned(e ExecutionAssigned, at Block) error {
	j, err := v.job(e.Job)
	if err != nil {
		return err
	}
	if e.Parent == e.Job {
		if j.Closed {
			return errors.New("the job is closed")
		}
		if err := nextOf(e, j.Frontier, j.Terms.Pieces-j.Frontier); err != nil {
			return err
		}
		j.Frontier += e.Count
	} else {
		returned, ok := j.Returned[e.Parent]
		if !ok {
			return fmt.Errorf("pieces taken from unknown returned execution %s", e.Parent)
		}
		if err := nextOf(e, returned.From, returned.Count); err != nil {
			return err
		}
		returned.From, returned.Count = returned.From+e.Count, returned.Count-e.Count
		j.Returned[e.Parent] = returned
		if returned.Count == 0 {
			delete(j.Returned, e.Parent)
		}
	}
	j.drop(e.Node, e.Nonce)
	j.Runs = append(j.Runs, e.Execution)
	v.Runs[e.Execution] = &Run{
		Record: Execution{
			ID: e.Execution, Job: e.Job, Node: e.Node, From: e.From, Count: e.Count,
			Status: StatusAssigned, Deadline: e.Deadline, SeedHash: e.SeedHash,
		},
		Parent: e.Parent, Nonce: e.Nonce, Assigned: at, From: e.From, Count: e.Count, Node: e.Node,
		Seats: map[uint8]*SeatRun{}, Answers: map[uint8]map[uint32]Proven{}, Openings: map[uint8]SelfOpening{},
	}
	return nil
}

// nextOf says whether an assignment takes the first of the count pieces that begin at from.
func nextOf(e ExecutionAssigned, from, count uint32) error {
	if e.From != from || e.Count > count {
		return fmt.Errorf("pieces %d+%d are not the next of %d+%d", e.From, e.Count, from, count)
	}
	return nil
}

func (v *View) foldExecution(event Event, at Block) error {
	switch e := event.(type) {
	case ExecutionDeclined:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Declined = true
	case ResultCommitted:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Record.Status, r.Record.Deadline = StatusCommitted, e.Deadline
		r.Record.Root, r.Record.Fuel, r.Record.CommittedBlock = e.Root, e.Fuel, at.Number
		r.Leaves, r.Committed = e.Leaves, at
	case ExecutionReturned:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Record.Status, r.Ended = StatusReturned, at
		if e.Count > 0 {
			v.Jobs[r.Record.Job].Returned[e.Returned] = Execution{
				ID: e.Returned, Job: r.Record.Job, From: e.From, Count: e.Count, Status: StatusReturned,
			}
		}
	case ExecutionSettled:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Record.Status, r.Silent, r.Ended = StatusSettled, e.Silent, at
		r.Payments = append(r.Payments, Payment{Seat: 1, Node: r.Node, Wei: e.Pay})
	case ExecutionRefunded:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Record.Status, r.Ended = StatusRefunded, at
	}
	return nil
}

func (v *View) foldVerification(event Event) error {
	switch e := event.(type) {
	case VerificationRequested:
		return v.setVerification(e.Execution, Verification{
			Bid: e.Bid, Hits: uint32(len(Offsets(e.Listed))), Listed: e.Listed, Target: e.Target, Deadline: e.Deadline,
		}, StatusVerifying, 0)
	case VerificationEscalated:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		return v.setVerification(e.Execution, e.Verification, StatusVerifying, r.Record.Deadline)
	case KeyRevealed:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Digests = &e.Digests
	case VerdictReached:
		if err := v.setVerification(e.Execution, e.Verification, StatusVerdict, e.Deadline); err != nil {
			return err
		}
		v.Runs[e.Execution].Results = &e.Results
	}
	return nil
}

func (v *View) foldSeat(event Event, at Block) error {
	switch e := event.(type) {
	case SeatDrawn:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		seat, ok := r.toDraw(v.Jobs[r.Record.Job].Terms, e.Number)
		if !ok {
			return fmt.Errorf("seat %d was not to be drawn", e.Number)
		}
		seat.Node, seat.Status, seat.Deadline = e.Node, SeatStatusRunning, e.Deadline
		r.setSeat(e.Number, seat)
	case SeatCommitted:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		seat := r.Seats[e.Number]
		if seat == nil || seat.Record.Status != SeatStatusRunning {
			return fmt.Errorf("seat %d committed before it was drawn", e.Number)
		}
		seat.Record.Status, seat.Record.Deadline, seat.Record.DoneAt = SeatStatusCommitted, 0, at.Time
		seat.Record.Root, seat.Record.Fuel = e.Root, e.Fuel
		seat.Leaves = e.Leaves
	case SeatDeclined:
		_, err := v.run(e.Execution) // its SeatChanged says what became of the seat
		return err
	case SeatChanged:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.setSeat(e.Number, e.Seat)
	}
	return nil
}

// toDraw is the panel's seat of that number if a node is to be drawn for it.
func (r *Run) toDraw(t Terms, number uint8) (Seat, bool) {
	for _, seat := range r.Panel(t) {
		if seat.Number == number && seat.Status == SeatStatusDrawing {
			return seat, true
		}
	}
	return Seat{}, false
}

func (r *Run) setSeat(number uint8, record Seat) {
	if r.Seats[number] == nil {
		r.Seats[number] = &SeatRun{}
	}
	r.Seats[number].Record = record
}

func (v *View) setVerification(id common.Hash, check Verification, status Status, deadline uint64) error {
	r, err := v.run(id)
	if err != nil {
		return err
	}
	r.Verification = &check
	r.Record.Verification = check.hash()
	r.Record.Status, r.Record.Deadline = status, deadline
	return nil
}

func (v *View) foldMoney(event Event) error {
	penalty := func(id common.Hash, p Penalty) error {
		r, err := v.run(id)
		if err == nil {
			r.Penalties = append(r.Penalties, p)
		}
		return err
	}
	switch e := event.(type) {
	case SeatPaid:
		r, err := v.run(e.Execution)
		if err != nil {
			return err
		}
		r.Payments = append(r.Payments, Payment{Seat: e.Seat, Node: e.Node, Wei: e.Pay})
	case Slashed:
		return penalty(e.Execution, Penalty{Kind: PenaltySlash, Seat: e.Seat, Wallet: e.Node, Wei: e.Amount})
	case NoShowBurned:
		return penalty(e.Execution, Penalty{Kind: PenaltyNoShow, Seat: e.Seat, Wallet: e.Node, Wei: e.Amount})
	case BondBurned:
		return penalty(e.Execution, Penalty{Kind: PenaltyBond, Wallet: e.Client, Wei: e.Amount})
	case AppealBondBurned:
		return penalty(e.Execution, Penalty{Kind: PenaltyAppeal, Wallet: e.Node, Wei: e.Amount})
	}
	return nil
}

// cancel drops the offers that a spent nonce makes void.
func (v *View) cancel(e NonceCancelled) {
	for _, j := range v.Jobs {
		j.drop(e.Wallet, e.Nonce)
	}
}

// drop forgets a node's offers with a nonce.
func (j *Job) drop(node common.Address, nonce uint32) {
	j.Offers = slices.DeleteFunc(j.Offers, func(o SignedOffer) bool {
		return o.Offer.Node == node && o.Offer.Nonce == nonce
	})
}

// returnedIn finds the job that holds a returned execution.
func (v *View) returnedIn(id common.Hash) *Job {
	for _, j := range v.Jobs {
		if _, ok := j.Returned[id]; ok {
			return j
		}
	}
	return nil
}

func sortRanges(ranges []Range) {
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.From, b.From) })
}
