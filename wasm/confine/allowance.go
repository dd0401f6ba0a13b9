package confine

import (
	"math"
	"time"
)

// What a child may use. These are bounds for one that has gone wrong: an honest one stays far below them, or an honest
// node could lose work to them.
const (
	baseBytes = 512 << 20 // of the runtimes, and of the engine before it does anything
	// compileFactor is bytes that a compiler uses for each byte of a module.
	compileFactor = 400

	baseSeconds = 60
	// Seconds of compiling for each MiB of a module.
	secondsPerMiB = 60
	// fuelPerSecond is a hundredth of what a slow machine does.
	fuelPerSecond = 10_000_000
)

// allow sets the bounds of the job's child.
func (j *job) allow() {
	j.DataBytes, j.CPUSeconds = baseBytes, baseSeconds
	switch j.Task {
	case taskCheck, taskCompile:
		j.DataBytes += compileFactor * uint64(j.Module)
		j.CPUSeconds += secondsPerMiB * uint64(j.Module) >> 20
	case taskRun:
		// The image is read and loaded; outputs grow by copying.
		j.DataBytes += j.Limits.MemoryBytes + 4*uint64(j.Module) + 3*j.Limits.OutputBytes
		j.CPUSeconds = min(j.CPUSeconds+j.Limits.Fuel/fuelPerSecond, math.MaxInt32)
	}
}

// patience is how long the job may take by the clock, on a machine with much else to do.
func (j *job) patience() time.Duration {
	const longest = 1 << 31 // seconds
	return 10*time.Minute + time.Duration(min(10*j.CPUSeconds, longest))*time.Second
}
