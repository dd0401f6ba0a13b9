package node

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/filecoin-project/bacalhau/protocol/plan"
	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// capacity is what this machine, or the part of it that the control group leaves to the process, can do at once, as far
// as the configuration does not say. Go knows the processor quota; memory is the less of the group's limit and the
// machine's.
func (c *ComputeConfig) capacity(ctx context.Context, runner *confine.Runner) (plan.Capacity, error) {
	p := plan.Capacity{Pieces: uint32(c.Parallel), MemoryBytes: c.MemoryBytes}
	if p.Pieces == 0 {
		p.Pieces = uint32(runtime.GOMAXPROCS(0))
	}
	if p.MemoryBytes == 0 {
		p.MemoryBytes = memoryForPrograms()
	}
	var err error
	p.FuelPerSecond, err = measureSpeed(ctx, runner)
	return p, err
}

// memoryForPrograms is three quarters of the memory that there is, bytes; the rest is for the node itself, its stores and
// what children need beside their program's memory. It is 0, no bound, where the system does not tell.
func memoryForPrograms() uint64 {
	var least uint64
	for _, limit := range []func() (uint64, error){memlimit.FromCgroup, memlimit.FromSystem} {
		if bytes, err := limit(); err == nil && (least == 0 || bytes < least) {
			least = bytes
		}
	}
	return least / 4 * 3
}

const (
	speedFuel = 5_000_000_000
	// speedSpread is how much slower than the program that is measured others are, at most: the spread of time per fuel.
	speedSpread = 4
)

// speedModule reads, adds and writes a word of memory for ever:
//
//	(module (memory (export "memory") 1)
//	  (func (export "_start") (loop (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br 0))))
var speedModule = []byte{
	0, 'a', 's', 'm', 1, 0, 0, 0,
	1, 4, 1, 0x60, 0, 0, // type: () -> ()
	3, 2, 1, 0, // function of type 0
	5, 3, 1, 0, 1, // memory of one page
	7, 19, 2, 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 0, 6, '_', 's', 't', 'a', 'r', 't', 0, 0,
	10, 22, 1, 20, 0, // code
	0x03, 0x40, // loop
	0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0, // i32.store
	0x0c, 0, // br 0
	0x0b, 0x0b,
}

// measureSpeed is how much fuel a second runs here, carefully guessed from one program, units of fuel per second. The
// start of a process is in it, which on a busy machine is the larger part.
func measureSpeed(ctx context.Context, runner *confine.Runner) (uint64, error) {
	var took time.Duration
	for _, fuel := range []uint64{1, speedFuel} { // the first run compiles it
		begin := time.Now()
		_, err := runner.Run(ctx, wasm.Task{
			Module: speedModule, Limits: wasm.Limits{MemoryBytes: 1 << 20, Fuel: fuel, OutputBytes: 1 << 10},
		})
		if err != nil {
			return 0, fmt.Errorf("measure this machine's speed: %w", err)
		}
		took = time.Since(begin)
	}
	return uint64(speedFuel / speedSpread / took.Seconds()), nil
}
