package node

import (
	"slices"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// reputations lists the nodes that are registered or have done something, for people to see.
func reputations(v *protocol.View) []client.Node {
	known := v.Reputations()
	for a := range v.Nodes {
		if _, active := known[a]; !active {
			known[a] = protocol.Reputation{}
		}
	}
	list := make([]client.Node, 0, len(known))
	for a, r := range known {
		list = append(list, client.Node{
			Address: a, Endpoint: v.Endpoints[a], Paused: v.Paused[a],
			Executions: r.Executions, Settled: r.Settled, Verified: r.Verified, NoShows: r.NoShows, Slashed: r.Slashed,
			Declined: r.Declined, AppealsWon: r.AppealsWon,
		})
	}
	slices.SortFunc(list, func(a, b client.Node) int { return a.Address.Cmp(b.Address) })
	return list
}
