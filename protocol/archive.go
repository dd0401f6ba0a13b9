package protocol

import (
	"github.com/ethereum/go-ethereum/common"
)

// Reputation counts what a node has done, from events, for people to see. No decision reads it.
type Reputation struct {
	// Executions assigned to it, and of these those that were paid and those that it gave back in time.
	Executions, Settled, Declined uint32
	// Verified counts paid seats of panels and juries.
	Verified uint32
	// NoShows and Slashed count its penalties.
	NoShows, Slashed uint32
	AppealsWon       uint32
}

// Reputations counts what all nodes have done since the contract was made.
func (v *View) Reputations() map[common.Address]Reputation {
	all := make(map[common.Address]Reputation, len(v.Past))
	for node, r := range v.Past {
		all[node] = r
	}
	for _, r := range v.Runs {
		r.count(all)
	}
	return all
}

// count adds what an execution says of its nodes.
func (r *Run) count(all map[common.Address]Reputation) {
	of := func(node common.Address, change func(*Reputation)) {
		known := all[node]
		change(&known)
		all[node] = known
	}
	of(r.Node, func(n *Reputation) {
		n.Executions++
		if r.Record.Status == StatusSettled {
			n.Settled++
		}
		if r.Declined {
			n.Declined++
		}
	})
	for _, p := range r.Payments {
		if p.Seat != 1 {
			of(p.Node, func(n *Reputation) { n.Verified++ })
		}
	}
	for _, p := range r.Penalties {
		switch p.Kind {
		case PenaltySlash:
			of(p.Wallet, func(n *Reputation) { n.Slashed++ })
		case PenaltyNoShow:
			of(p.Wallet, func(n *Reputation) { n.NoShows++ })
		}
	}
	if winner, won := r.appealWinner(); won {
		of(winner, func(n *Reputation) { n.AppealsWon++ })
	}
}

// appealWinner is the node that a jury found for after it had appealed.
func (r *Run) appealWinner() (winner common.Address, won bool) {
	if r.Appeal == nil || r.Appeal.Decision == nil || r.Appeal.Decision.Right&(1<<r.Appeal.Record.Appellant) == 0 {
		return winner, false
	}
	if seat := r.Appeal.Record.Appellant; seat != 1 {
		return r.Seats[seat].Record.Node, true
	}
	return r.Node, true
}

// Ended says whether nothing can happen to a job any more, and since when: every piece was assigned or given back to the
// client, and every execution is over.
func (v *View) Ended(j *Job) (since Block, ended bool) {
	if len(j.Open()) > 0 {
		return Block{}, false
	}
	since = j.Changed
	for _, id := range j.Runs {
		r := v.Runs[id]
		if !r.Done() {
			return Block{}, false
		}
		if r.Ended.Number > since.Number {
			since = r.Ended
		}
	}
	return since, true
}

// Archive forgets a job that has ended, but for what it says of its nodes.
func (v *View) Archive(id common.Hash) {
	for _, run := range v.Jobs[id].Runs {
		v.Runs[run].count(v.Past)
		delete(v.Runs, run)
	}
	delete(v.Jobs, id)
}
