package main

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

// runOptions is the command line of run.
type runOptions struct {
	app      *app
	module   string
	args     []string
	inputs   []string
	eachFile bool
	hidden   bool
	provider []string
	env      []string
	out      string
	detach   bool

	bid, fuelPrice            string
	flat, eager               bool
	checkRate                 string
	memory, fuel, outputBytes string
	executeWindow, expiry     time.Duration
	piecesPerExecution        uint32
}

func (o *runOptions) register(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "path, CID or URL (http, https, s3) of data to show the program; may be repeated")
	f.StringArrayVar(&o.provider, "provider", nil, providerHelp)
	f.BoolVar(&o.eachFile, "each-file", false, "make a piece of every file below the inputs")
	f.BoolVar(&o.hidden, "hidden", false, "include files whose names begin with a dot")
	f.StringArrayVar(&o.env, "env", nil, "environment variable K=V of the program; may be repeated")
	f.StringVar(&o.out, "out", "", "folder for the outputs, which must not exist (default ./bacalhau-<job>)")
	f.BoolVarP(&o.detach, "detach", "d", false, "print the job's id and do not wait for it")

	f.StringVar(&o.bid, "bid", "", "most to pay per piece, such as 0.01eth (default: the node's)")
	f.StringVar(&o.fuelPrice, "fuel-price", "", "price per unit of fuel, such as 2gwei (default: the node's)")
	f.BoolVar(&o.flat, "flat", false, "pay the bid whatever fuel a piece uses")
	f.StringVar(&o.checkRate, "check-rate", "", "share of pieces to check, such as 0.03 or 3% (default: the node's)")
	f.BoolVar(&o.eager, "eager", false, "check with three nodes at once, not with a third only when two differ")

	f.StringVar(&o.memory, "memory", "", "memory of a piece, such as 256MiB, at most 4GiB (default: the node's)")
	f.StringVar(&o.fuel, "fuel", "", "fuel limit of a piece, such as 20G (default: the node's)")
	f.StringVar(&o.outputBytes, "output-bytes", "", "most that a piece may write, such as 16MiB (default: the node's)")
	f.DurationVar(&o.executeWindow, "execute-window", 0, "time that a node has for what it takes at once, such as 10m (default: what a slow node needs, by the fuel limit)")
	f.DurationVar(&o.expiry, "expiry", 0, "time after which pieces that no node took are given back (default: 1h, or four times the execute window)")
	f.Uint32Var(&o.piecesPerExecution, "pieces-per-execution", 0, "most pieces that a node gets at once (default: spread over the nodes)")
}

const providerHelp = "base URL of a trustless gateway that has the data, such as a Filecoin provider's; may be repeated"

// request is the job without its data. Errors name the flag.
func (o *runOptions) request() (r client.JobRequest, err error) {
	r = client.JobRequest{Args: o.args, Flat: o.flat, Eager: o.eager, PiecesPerExecution: o.piecesPerExecution, Providers: o.provider}
	if err := protocol.CheckProviders(o.provider); err != nil {
		return r, fmt.Errorf("--provider: %w", err)
	}
	if o.flat && o.fuelPrice != "" {
		return r, fmt.Errorf("--flat and --fuel-price exclude each other: the flat price is the bid")
	}
	if o.detach && o.out != "" {
		return r, fmt.Errorf("--detach and --out exclude each other: fetch the outputs later with `bacalhau get`")
	}
	if r.Env, err = parseEnv(o.env); err != nil {
		return r, err
	}
	if r.Bid.Int, err = flagValue("bid", o.bid, parseAmount); err != nil {
		return r, err
	}
	if r.FuelPrice.Int, err = flagValue("fuel-price", o.fuelPrice, parseAmount); err != nil {
		return r, err
	}
	if r.CheckRate, err = flagValue("check-rate", o.checkRate, parseCheckRate); err != nil {
		return r, err
	}
	if r.Limits, err = o.limits(); err != nil {
		return r, err
	}
	return r, o.times(&r)
}

func (o *runOptions) limits() (l protocol.Limits, err error) {
	for _, limit := range []struct {
		flag, text string
		parse      func(string) (uint64, error)
		most       uint64
		into       *uint64
	}{
		{"memory", o.memory, parseSize, 4 << 30, &l.MemoryBytes},
		{"fuel", o.fuel, parseCount, wasm.MaxFuel, &l.Fuel},
		{"output-bytes", o.outputBytes, parseSize, wasm.MaxOutputBytes, &l.OutputBytes},
	} {
		if *limit.into, err = flagValue(limit.flag, limit.text, limit.parse); err != nil {
			return l, err
		}
		if *limit.into > limit.most {
			return l, fmt.Errorf("--%s: %q is more than a piece can have, which is %d", limit.flag, limit.text, limit.most)
		}
	}
	return l, nil
}

func (o *runOptions) times(r *client.JobRequest) error {
	for flag, d := range map[string]time.Duration{"execute-window": o.executeWindow, "expiry": o.expiry} {
		if d < 0 || d%time.Second != 0 || d/time.Second > math.MaxUint32 {
			return fmt.Errorf("--%s: %v is not a time of whole seconds", flag, d)
		}
	}
	r.ExecuteSeconds = uint32(o.executeWindow / time.Second)
	r.ExpirySeconds = uint64(o.expiry / time.Second)
	return nil
}

// flagValue parses a flag that was given; one that was not is zero, the node's default.
func flagValue[T any](flag, text string, parse func(string) (T, error)) (v T, err error) {
	if text == "" {
		return v, nil
	}
	if v, err = parse(text); err != nil {
		return v, fmt.Errorf("--%s: %w", flag, err)
	}
	if isZero(v) {
		return v, fmt.Errorf("--%s: %q is zero: leave the flag out for the node's default", flag, text)
	}
	return v, nil
}

func isZero(v any) bool {
	switch v := v.(type) {
	case *big.Int:
		return v.Sign() == 0
	case uint64:
		return v == 0
	}
	return false
}

func parseCheckRate(s string) (float64, error) {
	share, err := parseShare(s)
	if err != nil {
		return 0, err
	}
	_, err = protocol.CheckRate(share)
	return share, err
}

func parseEnv(pairs []string) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	env := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		k, v, ok := strings.Cut(pair, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("--env: %q is not of the form K=V", pair)
		}
		if _, twice := env[k]; twice {
			return nil, fmt.Errorf("--env: %s is given twice", k)
		}
		env[k] = v
	}
	return env, nil
}
