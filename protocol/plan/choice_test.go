package plan_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// chooses says what the client makes of the offers for the job, in its order.
func (g *game) chooses(want ...string) *game {
	g.t.Helper()
	_, choices := plan.Requester(g.v, g.client)
	var got []string
	for _, c := range choices[g.job] {
		text := fmt.Sprintf("%s: %s", g.names[c.Offer.Node], c)
		if c.Pieces > 0 {
			text += fmt.Sprintf(" for %d", c.Pieces)
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		g.t.Errorf("got\n  %q, want\n  %q", got, want)
	}
	return g
}

func TestClientSpreadsAJob(t *testing.T) {
	g := newGame(t, lazy)
	g.assign("alice", 3)
	g.assign("bob", 2)
	g.offers("alice", 4)
	g.offers("bob", 4)
	g.offers("carol", 4)
	g.chooses("carol: taken for 4", "bob: taken for 1", "alice: no pieces are left")
}

func TestClientGivesANodeAFewExecutionsAtATime(t *testing.T) {
	g := newGame(t, lazy)
	g.client.Policy.ExecutionsPerNode = 2
	a := g.assign("alice", 2)
	g.offers("alice", 2)
	g.offers("alice", 2)
	g.chooses("alice: taken for 2", "alice: the node has enough of this job running")
	a.commits() // what has run does not count
	g.chooses("alice: taken for 2", "alice: taken for 2")
}

func TestClientLeavesTimeToAccept(t *testing.T) {
	g := newGame(t, lazy)
	g.client.Policy.MarginSeconds = 10
	o := g.offers("alice", 4)
	g.at(o.Deadline - 10).chooses("alice: taken for 4")
	g.at(o.Deadline - 9).chooses("alice: it expires too soon")
}

func TestClientCallsNodesBeforeItTakesTheirOffers(t *testing.T) {
	g := newGame(t, lazy)
	g.client.Policy.ReachSeconds = 20
	g.client.Reach = map[common.Address]plan.Reach{}
	g.offers("alice", 4)
	g.chooses("alice: the node has announced no endpoint")
	g.clientExpects()

	alice := wallet("alice")
	g.fold(protocol.EndpointAnnounced{Wallet: alice, URL: "http://alice"})
	g.chooses("alice: the node's endpoint is being called")
	g.clientExpects("probe alice at http://alice")
	g.client.Reach[alice] = plan.Reach{URL: "http://alice", At: g.now(), Trouble: "refused"}
	g.chooses("alice: the node's endpoint does not answer: refused")
	g.clientExpects()
	g.wait(20).clientExpects("probe alice at http://alice")
	g.client.Reach[alice] = plan.Reach{URL: "http://alice", At: g.now()}
	g.chooses("alice: taken for 4")

	g.fold(protocol.EndpointAnnounced{Wallet: alice, URL: "http://elsewhere"})
	g.chooses("alice: the node's endpoint is being called")
	g.clientExpects("probe alice at http://elsewhere")
}

func TestClientSaysWhyItTakesNoOffer(t *testing.T) {
	for want, spoil := range map[string]func(*game){
		"the node is not registered": func(g *game) { g.fold(protocol.NodeExited{Node: wallet("alice")}) },
		"the node is paused":         func(g *game) { g.v.Paused[wallet("alice")] = true },
		"the contract refused it": func(g *game) {
			o := g.v.Jobs[g.job].Offers[0]
			g.client.Refused[plan.KeyOf(o.Offer, o.Signature)] = true
		},
		"the wallet lacks money for bond and checks": func(g *game) { g.client.Wallet.Free = big.NewInt(bond) },
	} {
		g := newGame(t, lazy)
		g.offers("alice", 4)
		spoil(g)
		g.chooses("alice: " + want)
	}
}
