package protocol_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// An attacker that wants to be paid without running anything knows the salt, the fuel (a neighbour's was the same), and
// that the answer is yes or no, nearly always no. What it lacks is the memory that the program ends with.
func TestOneBitAnswerIsNotGuessed(t *testing.T) {
	no, yes := common.Hash{1}, common.Hash{2}
	salt, older := common.Hash{3}, common.Hash{4}
	const piece, profile = 7, 3
	honest := protocol.Result{Fuel: 1000, Outputs: no, Memory: common.Hash{5}}
	want := honest.Digest(salt, piece, profile)
	for _, outputs := range []common.Hash{no, yes} {
		for _, memory := range []common.Hash{{}, {6}, honest.Digest(older, piece, profile)} {
			guess := protocol.Result{Fuel: honest.Fuel, Outputs: outputs, Memory: memory}
			if guess.Digest(salt, piece, profile) == want {
				t.Errorf("a guess with outputs %s and memory %s passes", outputs, memory)
			}
		}
	}
	if honest.Digest(older, piece, profile) == want || honest.Digest(salt, piece-1, profile) == want {
		t.Error("the digest of another job or piece passes")
	}
	if honest.Digest(salt, piece, profile) != want {
		t.Error("who runs the piece does not get the digest")
	}
}
