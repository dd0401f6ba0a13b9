package protocol_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"testing/quick"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
)

func TestSeedHashIsTheContracts(t *testing.T) {
	seed := named("seed")
	if got, want := protocol.SeedHash(seed), crypto.Keccak256Hash(pack(t, "bytes32", seed)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Each piece on its own, by the sentence that defines a hit.
func TestRollIsTheContracts(t *testing.T) {
	c := newChance(6)
	for range draws {
		seed, root, execution := c.hash(), c.hash(), c.hash()
		count, rate := c.Uint32N(600)+1, uint16(c.Uint32())
		var want []uint32
		for k := range count {
			word := crypto.Keccak256Hash(pack(t, "bytes32,bytes32,bytes32,uint256",
				seed, root, execution, big.NewInt(int64(k/16)))).Big()
			lane := new(big.Int).Rsh(word, 16*uint(15-k%16))
			if uint16(lane.Uint64()) < rate {
				want = append(want, k)
			}
		}
		if got := protocol.Roll(seed, root, execution, count, rate); !slices.Equal(got, want) {
			t.Fatalf("count %d, rate %d: got %v, want %v", count, rate, got, want)
		}
	}
}

// The seeds are fixed, so the outcome is too; the bound says that a fair dice would give it: no tail of the exact
// binomial distribution is thinner than one in a million.
func TestRollHitsAtTheCheckRate(t *testing.T) {
	const executions, pieces = 250, 400
	for _, rate := range []uint16{1, 656, 1966, 6554, 32768, 58982, 65535} {
		hits := 0
		lanes := [16]int{}
		for i := range uint64(executions) {
			for _, k := range protocol.Roll(numbered("seed", i), numbered("root", i), numbered("execution", i), pieces, rate) {
				hits++
				lanes[k%16]++
			}
		}
		p := float64(rate) / 65536
		if tail := thinnerTail(executions*pieces, hits, p); tail < 1e-6 {
			t.Errorf("rate %d: %d hits in %d pieces, a chance of %.1e", rate, hits, executions*pieces, tail)
		}
		for lane, hits := range lanes {
			if tail := thinnerTail(executions*pieces/16, hits, p); tail < 1e-6 {
				t.Errorf("rate %d, lane %d: %d hits in %d pieces, a chance of %.1e", rate, lane, hits, executions*pieces/16, tail)
			}
		}
	}
}

// thinnerTail is min(P[X ≤ k], P[X ≥ k]) of the binomial distribution.
func thinnerTail(n, k int, p float64) float64 {
	probability := func(i int) float64 {
		all, _ := math.Lgamma(float64(n + 1))
		in, _ := math.Lgamma(float64(i + 1))
		out, _ := math.Lgamma(float64(n - i + 1))
		return math.Exp(all - in - out + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	var low, high float64
	for i := 0; i <= k; i++ {
		low += probability(i)
	}
	for i := k; i <= n; i++ {
		high += probability(i)
	}
	return min(low, high)
}

func TestRollOfALongerExecutionStartsTheSame(t *testing.T) {
	all := protocol.Roll(named("seed"), named("root"), named("execution"), 600, 20000)
	for count := range uint32(600) {
		var want []uint32
		for _, k := range all {
			if k < count {
				want = append(want, k)
			}
		}
		if got := protocol.Roll(named("seed"), named("root"), named("execution"), count, 20000); !slices.Equal(got, want) {
			t.Fatalf("count %d: got %v, want %v", count, got, want)
		}
	}
}

func TestRollDependsOnAllThree(t *testing.T) {
	seen := map[string]string{}
	for _, of := range [][3]string{{"s", "r", "e"}, {"S", "r", "e"}, {"s", "R", "e"}, {"s", "r", "E"}, {"r", "s", "e"}} {
		hits := fmt.Sprint(protocol.Roll(named(of[0]), named(of[1]), named(of[2]), 256, 32768))
		if other, known := seen[hits]; known {
			t.Errorf("%v rolls the same as %s", of, other)
		}
		seen[hits] = fmt.Sprint(of)
	}
}

func TestListAndOffsetsAreInverse(t *testing.T) {
	inverse := func(picks []uint16, spare uint8) bool {
		var offsets []uint32
		for _, p := range picks {
			offsets = append(offsets, uint32(p))
		}
		slices.Sort(offsets)
		offsets = slices.Compact(offsets)
		count := uint32(spare) + 1
		if len(offsets) > 0 {
			count += offsets[len(offsets)-1]
		}
		listed := protocol.List(offsets, count)
		return len(listed) == int(count+255)/256 && slices.Equal(protocol.Offsets(listed), offsets)
	}
	if err := quick.Check(inverse, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
}

func TestListIsTheContractsBitmap(t *testing.T) {
	listed := protocol.List([]uint32{0, 5, 255, 256, 511, 512}, 600)
	one := func(bits ...uint) *big.Int {
		word := new(big.Int)
		for _, b := range bits {
			word.Or(word, new(big.Int).Lsh(big.NewInt(1), b))
		}
		return word
	}
	want := []*big.Int{one(0, 5, 255), one(0, 255), one(0)}
	if !slices.EqualFunc(listed, want, func(a, b *big.Int) bool { return a.Cmp(b) == 0 }) {
		t.Errorf("got %x, want %x", listed, want)
	}
	// The contract wants exactly the words for count pieces, none of them nil.
	for count, words := range map[uint32]int{1: 1, 256: 1, 257: 2, 1000: 4} {
		if got := protocol.List(nil, count); len(got) != words || slices.Contains(got, nil) {
			t.Errorf("%d pieces: %v, want %d words", count, got, words)
		}
	}
}
