package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/pflag"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/node"
)

// settings is what the owner of a node can set: on the command line, in the environment, in the configuration file, or
// not at all. register is the list of them.
type settings struct {
	compute, requester bool

	chain         string
	contract      common.Address
	contractBlock uint64
	chainListen   string
	chainPeriod   time.Duration

	wallet       common.Address
	passwordFile string

	listen, api, announce string
	allowPrivate          bool

	work    workSettings
	sources data.Sources
	s3      data.S3

	drain     time.Duration
	keep      time.Duration
	pprof     bool
	traces    string
	logLevel  string
	logFormat string
}

// embeddedChain is the chain's name that makes a node run one.
const embeddedChain = "embedded"

// register puts every setting on a flag set, by the name that it has everywhere, with its default and what it means.
func (s *settings) register(f *pflag.FlagSet) {
	f.BoolVar(&s.compute, "compute", false, "be a compute node: run work for pay")
	f.BoolVar(&s.requester, "requester", false, "be a requester node: have work run, for the commands run, job and get")

	f.StringVar(&s.chain, "chain", "", "the chain: "+strings.Join(chainNames(), ", ")+
		", or the URL of a JSON-RPC endpoint; with embedded, this process runs a chain for development")
	f.Var((*addressValue)(&s.contract), "contract", "address of the market's contract on the chain")
	f.Uint64Var(&s.contractBlock, "contract-block", 0, "block of the contract's deployment (default: found by asking the chain)")
	f.StringVar(&s.chainListen, "chain-listen", "127.0.0.1:8545", "address of an embedded chain's JSON-RPC, HTTP and WebSocket")
	f.DurationVar(&s.chainPeriod, "chain-period", time.Second, "time between an embedded chain's blocks, whole seconds")

	f.Var((*addressValue)(&s.wallet), "wallet", "the wallet's address, of those in the folder keystore (default: the only one)")
	f.StringVar(&s.passwordFile, "password-file", "", "file with the password of the wallet's key (default: $"+envPassword+", else the file password in the data folder, else it is asked for)")

	f.StringVar(&s.listen, "listen", "127.0.0.1:4242", "address of the public server, where others get data")
	f.StringVar(&s.announce, "announce", "", "URL of the public server as others reach it (default: that of --listen)")
	f.StringVar(&s.api, "api", "127.0.0.1:1234", "address of the owner's API, which moves money: keep it to this machine")
	f.BoolVar(&s.allowPrivate, "allow-private", false, "fetch data from loopback and private addresses too: for a network of one's own")

	f.StringVar(&s.sources.Kubo.URL, "kubo", "",
		"RPC API of a Kubo daemon, such as http://127.0.0.1:5001, to get data from and to give this node's to (with $"+kuboAuthorization+" as its Authorization header)")
	f.StringSliceVar(&s.sources.Gateways, "gateway", nil, "base URLs of trustless gateways to get data from, with commas between")
	f.StringVar(&s.sources.Routing, "delegated-routing", "", "URL of a routing service, such as https://cid.contact, that is asked who serves what nobody else has")
	f.StringVar(&s.s3.Endpoint, "s3-endpoint", "", "base URL of the store behind s3:// inputs (default: $AWS_ENDPOINT_URL, or Amazon's); keys are those of the standard AWS variables and profile")
	f.StringVar(&s.s3.Region, "s3-region", "", "its region (default: $AWS_REGION, or asked for)")
	f.BoolVar(&s.s3.Anonymous, "s3-anonymous", false, "use no key for s3:// inputs")

	s.work.register(f)

	f.DurationVar(&s.drain, "drain", 30*time.Second, "how long to go on with begun work when told to stop")
	f.DurationVar(&s.keep, "keep", node.DefaultKeep, "how long jobs that have ended are kept, with their outputs, and data that no job needs")
	f.BoolVar(&s.pprof, "pprof", false, "serve Go's profiles below /debug/pprof/ on the owner's API")
	f.StringVar(&s.traces, "trace-endpoint", "", "base URL of an OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318, to tell what this node does (default: $"+envTraces+", or none)")
	f.StringVar(&s.logLevel, "log-level", "info", "least level to log: debug, info, warn or error")
	f.StringVar(&s.logFormat, "log-format", "text", "how to log: text or json")
}

func chainNames() []string {
	names := []string{embeddedChain}
	for _, c := range node.Chains() {
		names = append(names, c.Name)
	}
	return names
}

// Check returns the first thing wrong with the settings; it names them.
func (s *settings) Check() error {
	if err := cmp.Or(s.checkChain(), s.checkContract()); err != nil {
		return err
	}
	switch {
	case s.chain != embeddedChain && !s.compute && !s.requester:
		return errors.New("compute, requester: say what the node is: one of them, or both")
	case s.chainPeriod < time.Second || s.chainPeriod%time.Second != 0:
		return fmt.Errorf("chain-period: %v is not a whole number of seconds", s.chainPeriod)
	case s.drain < 0:
		return fmt.Errorf("drain: %v is below zero", s.drain)
	case s.keep < time.Hour:
		return fmt.Errorf("keep: %v is less than an hour, in which outputs may not be fetched yet", s.keep)
	case s.traces != "" && !isWebURL(s.traces):
		return fmt.Errorf("trace-endpoint: %q is not a URL such as http://127.0.0.1:4318", s.traces)
	case logLevels[s.logLevel] == nil:
		return fmt.Errorf("log-level: %q is none of debug, info, warn, error", s.logLevel)
	case s.logFormat != "text" && s.logFormat != "json":
		return fmt.Errorf("log-format: %q is neither text nor json", s.logFormat)
	}
	return cmp.Or(
		checkAddress("listen", s.listen), checkAddress("api", strings.TrimPrefix(s.api, "http://")), checkAddress("chain-listen", s.chainListen),
		s.checkReach(), s.sources.Check(), s.s3.Check(), s.work.Check())
}

func (s *settings) checkChain() error {
	if s.chain == "" {
		return fmt.Errorf("chain: name the chain: %s, or the URL of a JSON-RPC endpoint", strings.Join(chainNames(), ", "))
	}
	if s.chain == embeddedChain {
		return nil
	}
	if _, err := node.ChainNamed(s.chain); err != nil {
		return fmt.Errorf("chain: %w", err)
	}
	return nil
}

func (s *settings) checkContract() error {
	if s.chain != embeddedChain && s.contract == (common.Address{}) {
		return fmt.Errorf("contract: give the address of the market on chain %s; who runs the network tells it, or make one with `bacalhau deploy`", s.chain)
	}
	return nil
}

// checkReach says whether others can reach the public server where it listens, or by what it announces.
func (s *settings) checkReach() error {
	if s.announce != "" {
		return checkAnnounced(s.announce)
	}
	host, _, _ := net.SplitHostPort(s.listen)
	ip := net.ParseIP(host)
	switch {
	case host == "" || ip != nil && ip.IsUnspecified():
		return fmt.Errorf("announce: give the URL at which others reach %s, such as http://node.example.org:4242", s.listen)
	case ip != nil && ip.IsLoopback() && !s.allowPrivate && s.chain != embeddedChain:
		return fmt.Errorf("listen: others cannot reach %s: give an address that they can, and announce if they know it by another; "+
			"for a network on this machine, set allow-private", s.listen)
	}
	return nil
}
