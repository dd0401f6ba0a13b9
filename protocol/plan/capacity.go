package plan

import (
	"math"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Capacity is what a node can do at once and how fast; 0 is not known, and then no bound.
type Capacity struct {
	// Pieces that run at once.
	Pieces uint32
	// MemoryBytes that running pieces may use together.
	MemoryBytes uint64
	// FuelPerSecond that one piece uses at least.
	FuelPerSecond uint64
}

// AtOnce is how many pieces with this memory limit run at once.
func (c Capacity) AtOnce(memoryBytes uint64) uint64 {
	count := uint64(math.MaxUint32)
	if c.Pieces != 0 {
		count = uint64(c.Pieces)
	}
	if c.MemoryBytes != 0 && memoryBytes != 0 {
		count = min(count, c.MemoryBytes/memoryBytes)
	}
	return count
}

// seconds that a number of pieces with a memory limit take, each using so much fuel. It is not known of pieces that do
// not fit.
func (c Capacity) seconds(pieces uint32, fuel, memoryBytes uint64) float64 {
	if c.FuelPerSecond == 0 || pieces == 0 {
		return 0
	}
	one := float64(fuel) / float64(c.FuelPerSecond)
	return max(one, one*float64(pieces)/float64(max(1, c.AtOnce(memoryBytes))))
}

// guess doubles what is known of other pieces, for a job's pieces differ.
const guess = 2

// expectedFuel is what a job's pieces may be taken to use: as far as results of it are on the chain twice their fuel,
// else the policy's share of the limit.
func (f ComputeFacts) expectedFuel(v *protocol.View, job common.Hash, limit uint64) uint64 {
	if limit == 0 {
		return 0
	}
	var most uint64
	for _, id := range v.Jobs[job].Runs {
		r := v.Runs[id]
		if r.Record.Root != (common.Hash{}) && r.Count > 0 {
			most = max(most, r.Record.Fuel/uint64(r.Count)+1)
		}
	}
	switch share := f.Policy.FuelShare; {
	case most > 0:
		return min(limit, guess*most)
	case share > 0:
		return uint64(math.Ceil(share * float64(limit)))
	}
	return limit
}

// takes is how long some pieces of a job take if nothing else runs, seconds. Of a job whose spec is not known it is the
// whole time that it leaves.
func (f ComputeFacts) takes(v *protocol.View, job common.Hash, count uint32, left float64) float64 {
	spec, known := f.Specs[job]
	if !known {
		if f.Capacity.FuelPerSecond == 0 {
			return 0
		}
		return left
	}
	return f.Capacity.seconds(count, f.expectedFuel(v, job, spec.Limits.Fuel), spec.Limits.MemoryBytes)
}

// usable is how much of a window goes to running, seconds: the rest is for fetching inputs, publishing results and a
// transaction.
func usable(windowSeconds uint32) float64 { return 0.75 * float64(windowSeconds) }

// UsualShare of its fuel limit is what a piece is taken to use while nothing else is known of it: people set limits high.
const UsualShare = 0.05

const (
	// slowNode is how much fuel one core of a node uses in a second that should still be able to take a job.
	slowNode = 2_000_000_000
	// leastWindow leaves time for fetching inputs and for transactions of jobs that run for a moment, seconds.
	leastWindow = 300
)

// Window is the time to give a node for so many pieces, seconds: what the slow one takes, one piece after the other.
func Window(pieces uint32, fuelLimit uint64, p protocol.Parameters) uint32 {
	running := UsualShare * float64(fuelLimit) / slowNode * float64(pieces)
	seconds := min(math.Ceil(running/usable(1)), math.MaxUint32)
	return max(leastWindow, p.MinExecuteWindow, uint32(seconds))
}

// fits is how many of a job's pieces are done in time after a backlog in seconds, at most some.
func (f ComputeFacts) fits(v *protocol.View, t protocol.Terms, job common.Hash, backlog float64, most uint32) uint32 {
	left := usable(t.ExecuteWindow) - backlog
	one := f.takes(v, job, 1, left)
	if one == 0 {
		return most
	}
	if one > left {
		return 0
	}
	limits := f.Specs[job].Limits
	return uint32(min(float64(most), math.Floor(left/one*float64(f.Capacity.AtOnce(limits.MemoryBytes)))))
}

// ceil rounds seconds up for people to read.
func ceil(seconds float64) uint64 { return uint64(math.Ceil(max(0, min(seconds, 1<<62)))) }
