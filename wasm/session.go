package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/bacalhau/wasm/engine"
	"github.com/filecoin-project/bacalhau/wasm/rewrite"
	"github.com/filecoin-project/bacalhau/wasm/wasi"
)

// sliceFuel is how much a guest that pauses gets at a time. Asking for the next
// slice is the moment, some tens of milliseconds apart, at which a run can be
// cancelled and Go's garbage collector need not wait for it. Slices do not show
// in a result: fuel runs out at the same instruction whatever their size.
const sliceFuel = 1 << 26

var (
	errOutOfFuel = errors.New(TrapOutOfFuel)
	errStack     = errors.New(TrapStack)
	errMemory    = errors.New("the machine has too little memory for what the memory limit allows")
)

// session is the host's side of one run.
type session struct {
	ctx     context.Context
	host    *wasi.Host
	reserve int64  // fuel not handed to the guest yet, never negative
	fuel    *int64 // the guest's, during a call
	ended   error  // why the host stopped the run
}

// Call implements engine.Host.
func (s *session) Call(index int, memory []byte, args []uint64, fuel *int64) (result uint32, stop bool) {
	s.fuel = fuel
	result, s.ended = s.answer(index, memory, args)
	return result, s.ended != nil
}

func (s *session) answer(index int, memory []byte, args []uint64) (result uint32, err error) {
	// A panic must not unwind an engine's stack, which need not be Go's.
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("host function %s panicked: %v", hostFuncs[index].Name, x)
		}
	}()
	if index == len(wasi.Funcs) {
		return 0, s.meter(args[0])
	}
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	errno, err := s.host.Call(index, memory, args, s)
	return uint32(errno), err
}

// meter answers rewritten code that cannot go on by itself.
func (s *session) meter(reason uint64) error {
	switch reason {
	case rewrite.StopFuel:
		return s.Charge(0)
	case rewrite.StopStack:
		return errStack
	case rewrite.StopMemory:
		return errMemory
	}
	return fmt.Errorf("meter called for unknown reason %d", reason)
}

// Charge implements wasi.Meter.
func (s *session) Charge(units uint64) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	*s.fuel -= int64(min(units, MaxFuel))
	if *s.fuel >= 0 {
		return nil
	}
	// Enough to be at or above zero, and a slice to go on with.
	more := min(s.reserve, sliceFuel-*s.fuel)
	s.reserve -= more
	if *s.fuel += more; *s.fuel < 0 {
		return errOutOfFuel
	}
	return nil
}

// finish turns the end of a run into a result, or into the error that ended it.
func (s *session) finish(res *Result, out engine.Outcome, limit uint64) error {
	left := out.Fuel + s.reserve
	switch {
	case s.ended == errOutOfFuel, s.ended == nil && left < 0, s.ended == wasi.ErrExit && left < 0:
		res.ExitCode, res.Trap, left = ExitOutOfFuel, TrapOutOfFuel, 0
	case s.ended == errStack:
		res.ExitCode, res.Trap = ExitTrap, TrapStack
	case s.ended == wasi.ErrExit:
		res.ExitCode = s.host.ExitCode() &^ (1 << 31)
	case s.ended != nil:
		return fmt.Errorf("run: %w", s.ended)
	case out.Trapped:
		res.ExitCode, res.Trap = ExitTrap, TrapGuest
	}
	res.Fuel = limit - uint64(max(0, left))
	res.Stdout, res.Stderr = s.host.Stdout(), s.host.Stderr()
	s.host.Outputs(func(path string, content *wasi.Content) {
		res.Outputs = append(res.Outputs, OutputFile{path, content})
	})
	return nil
}
