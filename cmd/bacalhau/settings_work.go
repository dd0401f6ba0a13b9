package main

import (
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/pflag"

	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol/plan"
	"github.com/filecoin-project/bacalhau/wasm"
)

// workSettings say what work a compute node takes, and what it asks for it.
type workSettings struct {
	engine   string
	parallel int
	memory   uint64 // bytes, of all pieces that run

	minBid, minFuelPrice, inputPrice *big.Int // wei; the last per GiB
	fuelShare                        float64

	maxPieces     uint32
	limits        plan.Limits
	minTime       time.Duration
	maxTime       time.Duration
	localOnly     bool
	allow, deny   []common.Address
	offerLifetime time.Duration
	appeals       bool
}

func (s *workSettings) register(f *pflag.FlagSet) {
	f.StringVar(&s.engine, "engine", "", "what runs the programs: "+strings.Join(wasm.Engines(), " or ")+" (default: the platform's)")
	f.IntVar(&s.parallel, "parallel", 0, "pieces to run at once (default: one for each processor)")
	f.Var(sizeVar(&s.memory, "0"), "memory", "memory that running pieces may take together; 0 is three quarters of what there is")

	f.Var(amountVar(&s.minBid, "1wei"), "min-bid", "least bid for a piece to take work")
	f.Var(amountVar(&s.minFuelPrice, "100wei"), "min-fuel-price",
		"least price for a unit of fuel; the bid, which is a cap, must cover the fuel limit at this price")
	f.Var(amountVar(&s.inputPrice, "0wei"), "input-price", "price for a GiB of inputs that have to be fetched; those that are here are free")
	f.Float64Var(&s.fuelShare, "fuel-share", plan.UsualShare,
		"share of its fuel limit that a piece is expected to use as long as nobody has run one of its job; 1 is the careful one")

	f.Uint32Var(&s.maxPieces, "max-pieces", 4000, "pieces to hold at once, in executions and standing offers")
	f.Uint32Var(&s.limits.JobPieces, "max-job-pieces", 100_000, "pieces that a job may have; 0 is no bound, as for all that follow")
	f.Var(sizeVar(&s.limits.MemoryBytes, "0"), "max-memory", "memory limit that a piece may have")
	f.Var(countVar(&s.limits.Fuel, "0"), "max-fuel", "fuel limit that a piece may have")
	f.Var(sizeVar(&s.limits.InputBytes, "0"), "max-input", "size of inputs that a piece may have")
	f.Var(sizeVar(&s.limits.OutputBytes, "0"), "max-output", "limit of outputs that a piece may have")
	f.DurationVar(&s.minTime, "min-execute", 0, "least time for an execution to take work, whole seconds")
	f.DurationVar(&s.maxTime, "max-execute", 0, "longest time for an execution to take work, whole seconds")

	f.BoolVar(&s.localOnly, "local-only", false, "take only work whose inputs are all here")
	f.Var(addressesVar(&s.allow), "allow-clients", "wallets of the only clients to work for, with commas between (default: all)")
	f.Var(addressesVar(&s.deny), "deny-clients", "wallets of clients not to work for, with commas between")
	f.DurationVar(&s.offerLifetime, "offer-lifetime", 5*time.Minute, "how long an offer stands, whole seconds")
	f.BoolVar(&s.appeals, "appeals", true, "appeal against verdicts that a result of this node is wrong")
}

// Check returns the first thing wrong with the settings; it names them.
func (s *workSettings) Check() error {
	if s.engine != "" && !slices.Contains(wasm.Engines(), s.engine) {
		return fmt.Errorf("engine: %q is not in this build; it has %s", s.engine, strings.Join(wasm.Engines(), ", "))
	}
	switch {
	case s.parallel < 0:
		return fmt.Errorf("parallel: %d is below 1", s.parallel)
	case s.maxPieces == 0:
		return errors.New("max-pieces: a compute node that holds no piece does nothing: give at least 1")
	case !(s.fuelShare > 0 && s.fuelShare <= 1):
		return fmt.Errorf("fuel-share: %v is not above 0 and up to 1", s.fuelShare)
	case s.offerLifetime < time.Second:
		return fmt.Errorf("offer-lifetime: %v is less than a second", s.offerLifetime)
	}
	for _, t := range []struct {
		name   string
		length time.Duration
	}{{"min-execute", s.minTime}, {"max-execute", s.maxTime}, {"offer-lifetime", s.offerLifetime}} {
		if t.length < 0 || t.length%time.Second != 0 || t.length > longestWindow {
			return fmt.Errorf("%s: %v is not a whole number of seconds, up to %v", t.name, t.length, longestWindow)
		}
	}
	return s.policy().Check()
}

// longestWindow is the longest time that the contract has room for in an execution's window.
const longestWindow = (1<<32 - 1) * time.Second

func (s *workSettings) compute() *node.ComputeConfig {
	c := &node.ComputeConfig{Engine: s.engine, Parallel: s.parallel, MemoryBytes: s.memory, Policy: s.policy()}
	if c.Parallel == 0 {
		c.Parallel = runtime.GOMAXPROCS(0) // which heeds the control group's share
	}
	return c
}

func (s *workSettings) policy() plan.Policy {
	limits := s.limits
	limits.MinExecuteSeconds, limits.MaxExecuteSeconds = uint32(s.minTime/time.Second), uint32(s.maxTime/time.Second)
	return plan.Policy{
		MinBid: s.minBid, MinFuelPrice: s.minFuelPrice, InputPrice: s.inputPrice, Limits: limits, LocalOnly: s.localOnly,
		Allow: s.allow, Deny: s.deny, MaxPieces: s.maxPieces, FuelShare: s.fuelShare,
		OfferSeconds: uint64(s.offerLifetime / time.Second), Appeals: s.appeals, Grace: graceSeconds,
	}
}

// graceSeconds is how long a node leaves to others what they profit from more.
const graceSeconds = 10
