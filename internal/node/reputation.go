package node

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// reputations counts what nodes have done, for people to see. No decision reads it.
func reputations(v *protocol.View) []client.Node {
	nodes := map[common.Address]*client.Node{}
	of := func(a common.Address) *client.Node {
		if nodes[a] == nil {
			nodes[a] = &client.Node{Address: a, Endpoint: v.Endpoints[a]}
		}
		return nodes[a]
	}
	for a := range v.Nodes {
		of(a).Paused = v.Paused[a]
	}
	for _, r := range v.Runs {
		of(r.Node).Executions++
		if r.Record.Status == protocol.StatusSettled {
			of(r.Node).Settled++
		}
		for _, p := range r.Payments {
			if p.Seat != 1 {
				of(p.Node).Verified++
			}
		}
		if r.Declined {
			of(r.Node).Declined++
		}
		if winner := appealWinner(r); winner != (common.Address{}) {
			of(winner).AppealsWon++
		}
		for _, p := range r.Penalties {
			switch p.Kind {
			case protocol.PenaltySlash:
				of(p.Wallet).Slashed++
			case protocol.PenaltyNoShow:
				of(p.Wallet).NoShows++
			}
		}
	}
	list := make([]client.Node, 0, len(nodes))
	for _, n := range nodes {
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b client.Node) int { return a.Address.Cmp(b.Address) })
	return list
}

// appealWinner is the node that a jury found for after it had appealed, or nobody.
func appealWinner(r *protocol.Run) (winner common.Address) {
	if r.Appeal == nil || r.Appeal.Decision == nil || r.Appeal.Decision.Right&(1<<r.Appeal.Record.Appellant) == 0 {
		return winner
	}
	if seat := r.Appeal.Record.Appellant; seat != 1 {
		return r.Seats[seat].Record.Node
	}
	return r.Node
}
