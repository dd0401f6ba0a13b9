package model

import (
	"flag"
	"testing"
)

var exhaustive = flag.Bool("exhaustive", false, "explore every redraw, vote and set of dishonest parties: many minutes")

// everybody is the set of all parties: what any set of dishonest parties can reach, it can.
const everybody = Parties(1<<Wallets - 1)

// games are lazy and eager ones about one piece, and ones about two pieces, whose leaves a client can demand. After a
// verdict they are much the same, so that the short form explores juries in one.
func games() (games []Game) {
	for pieces := uint8(1); pieces <= 2; pieces++ {
		for seats := uint8(2); seats <= 3; seats++ {
			g := NewGame(pieces, seats, 0)
			if pieces+seats > 3 {
				g.Votes = nil
			}
			if *exhaustive {
				g.Redraws, g.Votes = 1, Results
			}
			games = append(games, g)
		}
	}
	return games
}

// TestDishonestParties explores the game for every set of dishonest parties among the client and five nodes, with one
// dishonest juror of three, and holds the protocol's invariants against every state and step. Of the sets that differ
// only in which of the four nodes that are drawn are dishonest, the short form takes one.
func TestDishonestParties(t *testing.T) {
	for _, g := range games() {
		sets, states, steps := 0, 0, 0
		for set := Parties(0); set < 1<<(Node5+1); set++ {
			if drawn := set >> Node2; drawn&(drawn+1) != 0 && !*exhaustive {
				continue
			}
			dishonest := set | Of(Juror1)
			e := Explorer{
				Game: g, Dishonest: dishonest,
				Enter: g.Check,
				Do:    func(s Step) error { return g.CheckStep(s, dishonest) },
			}
			if err := e.Run(); err != nil {
				t.Fatalf("%d pieces, %d seats, dishonest %b: %v", g.Pieces, g.Seats, dishonest, err)
			}
			sets, states, steps = sets+1, states+e.States, steps+e.Steps
		}
		t.Logf("%d pieces, %d seats: %d sets of dishonest parties, %d states, %d steps", g.Pieces, g.Seats, sets, states, steps)
	}
}
