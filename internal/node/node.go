// Package node wires a node together: chain, contract, data, execution and the agents, with a start and a stop.
package node

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// Config is everything that a node is made from.
type Config struct {
	// Dir holds all of the node's files; one process may use it at a time.
	Dir string
	// Chain is reached by an Ethereum JSON-RPC endpoint.
	Chain ChainConfig
	// Contract is the Market's address, and Start the block that has its deployment; 0 is found out.
	Contract common.Address
	Start    uint64
	Key      *ecdsa.PrivateKey
	// Listen is the address of the public HTTP server, which is the data gateway.
	Listen string
	// Announce is the URL of the public server as others reach it; "" is that of Listen.
	Announce string
	// API is the address of the owner's HTTP server, which moves money: for this machine only. "" is none.
	API string
	// Enter brings the wallet into the contract by itself, with Deposit (wei) if it is empty, and a compute node into
	// the registry; otherwise that is its owner's to do.
	Enter   bool
	Deposit *big.Int
	// Sources are asked for data besides the nodes of the network and the providers that jobs name.
	Sources data.Sources
	// S3 is where inputs of the form s3://bucket/key come from.
	S3 data.S3
	// AllowPrivate permits to fetch data from loopback and private addresses: for a network of one's own.
	AllowPrivate bool
	// Keep is how long jobs that have ended, their outputs, and data that no job needs are kept; 0 is DefaultKeep.
	Keep time.Duration
	// Profiling serves /debug/pprof/ to the node's owner.
	Profiling bool
	// Traces is the base URL of an OpenTelemetry collector (OTLP over HTTP) that is told what the node does; "" is none.
	Traces string
	// Requester makes this a requester node, Compute a compute node. A node may be both: then it acts for one wallet.
	Requester bool
	Compute   *ComputeConfig
	// Drain is how long the node goes on with the work that it has begun once it is told to stop.
	Drain time.Duration
	Log   *slog.Logger
}

// ComputeConfig is what only a compute node needs.
type ComputeConfig struct {
	Policy plan.Policy
	// Engine runs the programs; "" is the platform's default.
	Engine string
	// Parallel pieces; 0 is as many as there are processors for this process.
	Parallel int
	// MemoryBytes that running pieces may use together, by their limits; 0 is three quarters of what there is.
	MemoryBytes uint64
	// BadActor makes the node cheat; "" is an honest one.
	BadActor Misbehaviour
}

// imageBytes is how much of compiled programs a node keeps on disk.
const imageBytes = 1 << 30

// Check says what is missing.
func (c *Config) Check() error {
	switch {
	case c.Dir == "":
		return errors.New("node: no directory given")
	case c.Contract == common.Address{}:
		return errors.New("node: no contract given")
	case c.Key == nil:
		return errors.New("node: no key given")
	case c.Log == nil:
		return errors.New("node: no logger given")
	}
	return errors.Join(c.Chain.Check(), c.Sources.Check(), c.S3.Check())
}

// Node is a running node.
type Node struct {
	cfg       Config
	self      common.Address
	chain     *chain.Client
	sender    *chain.Sender
	market    *market.Client
	feed      *agent.Feed
	store     *store.Store
	data      *data.Store
	fetcher   *data.Fetcher
	lib       *library
	runner    *confine.Runner
	public    *server
	owner     *server          // nil without an API
	requester *agent.Requester // nil if the node is none
	compute   *agent.Compute   // nil if the node is none
	run       []func(context.Context) error
	closers   []func() error // in the order of opening
	gas       gasBook
	measures  measures
	tracer    *tracer // nil if nobody collects traces
}

// Open makes a node ready to run. Close it in any case.
func Open(ctx context.Context, cfg Config) (_ *Node, err error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg.Keep = cmp.Or(cfg.Keep, DefaultKeep)
	n := &Node{cfg: cfg, self: crypto.PubkeyToAddress(cfg.Key.PublicKey)}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.store, err = store.Open(filepath.Join(cfg.Dir, "store")); err != nil {
		return nil, err
	}
	n.closers = append(n.closers, n.store.Close)
	if n.data, err = data.OpenStore(filepath.Join(cfg.Dir, "data")); err != nil {
		return nil, err
	}
	n.closers = append(n.closers, n.data.Close)
	n.makeMetrics()
	n.fetcher = &data.Fetcher{
		Store: n.data, HTTP: data.NewClient(data.ClientOptions{AllowPrivate: cfg.AllowPrivate}), Own: cfg.Sources,
	}
	n.fetcher.HTTP.Transport = countingTransport{n.fetcher.HTTP.Transport, &n.measures.fetched}
	if cfg.Traces != "" {
		if err := n.makeTracer(ctx); err != nil {
			return nil, err
		}
	}
	n.makeLibrary()
	if n.feed, err = agent.NewFeed(n.store); err != nil {
		return nil, err
	}
	if err := n.connect(ctx); err != nil {
		return nil, err
	}
	n.data.Clock = n.now
	if err := n.market.Subscribe(n.feed); err != nil {
		return nil, err
	}
	if err := n.makeRunner(ctx); err != nil {
		return nil, err
	}
	if err := n.makeAgents(ctx); err != nil {
		return nil, err
	}
	return n, n.listen()
}

// connect opens the chain, the sender and the contract.
func (n *Node) connect(ctx context.Context) (err error) {
	if n.chain, err = n.cfg.Chain.dial(ctx, n.cfg.Log); err != nil {
		return err
	}
	n.closers = append(n.closers, func() error { n.chain.Close(); return nil })
	err = patiently(ctx, n.cfg.Log, func(ctx context.Context) error {
		return market.Recognise(ctx, n.chain, n.cfg.Contract)
	})
	if err != nil {
		return err
	}
	owner := store.Owner{ChainID: n.chain.ChainID().Uint64(), Contract: n.cfg.Contract, Wallet: n.self}
	if err := n.store.Bind(owner); err != nil {
		return fmt.Errorf("folder %s: %w", n.cfg.Dir, err)
	}
	if err := patiently(ctx, n.cfg.Log, n.findStart); err != nil {
		return err
	}
	intents, err := chain.OpenIntents(filepath.Join(n.cfg.Dir, "intents"))
	if err != nil {
		return err
	}
	n.closers = append(n.closers, intents.Close)
	if n.sender, err = chain.NewSender(n.chain, n.cfg.Key, intents, n.cfg.Chain.sender()); err != nil {
		return err
	}
	return patiently(ctx, n.cfg.Log, func(ctx context.Context) (err error) {
		n.market, err = market.NewClient(ctx, market.Config{
			Chain: n.chain, Sender: n.sender, Market: n.cfg.Contract, Start: n.cfg.Start,
			Confirmations: n.cfg.Chain.Confirmations, Poll: n.cfg.Chain.Poll,
		})
		return err
	})
}

// findStart finds the block of the contract's deployment, if it is needed and unknown.
func (n *Node) findStart(ctx context.Context) (err error) {
	if n.cfg.Start != 0 || len(n.feed.Checkpoints()) > 0 {
		return nil
	}
	if n.cfg.Start, err = n.chain.Birth(ctx, n.cfg.Contract); err != nil {
		return fmt.Errorf("the chain's node does not tell in which block contract %s was deployed: set contract-block: %w", n.cfg.Contract, err)
	}
	return nil
}

func (n *Node) deployment() agent.Deployment {
	return agent.Deployment{
		ChainID: n.chain.ChainID().Uint64(), Contract: n.cfg.Contract, Parameters: n.market.Deployed(),
	}
}

// makeRunner prepares processes for programs: a requester node checks them, a compute node runs them too.
func (n *Node) makeRunner(ctx context.Context) (err error) {
	engine := ""
	if n.cfg.Compute != nil {
		engine = n.cfg.Compute.Engine
	}
	if n.runner, err = confine.NewRunner(ctx, engine, n.cfg.Dir); err != nil {
		return err
	}
	n.closers = append(n.closers, n.runner.Close)
	if err := n.runner.KeepImages(filepath.Join(n.cfg.Dir, "images"), imageBytes); err != nil {
		return err
	}
	n.cfg.Log.Info("programs run in processes of their own", "engine", n.runner.Engine(), "confinement", n.runner.Layers())
	if lacks := n.runner.Lacks(); len(lacks) > 0 {
		n.cfg.Log.Warn("this system cannot confine programs fully: take work from people that you trust, or use another kernel",
			"lacks", lacks)
	}
	return nil
}

// makeLibrary prepares to publish data: here, and in Kubo if there is one.
func (n *Node) makeLibrary() {
	n.lib = &library{store: n.data, fetcher: n.fetcher}
	if n.cfg.Sources.Kubo.URL == "" {
		return
	}
	n.lib.kubo = data.NewMirror(n.data, n.cfg.Sources.Kubo, func(c cid.Cid, err error) {
		if err != nil {
			n.cfg.Log.Warn("Kubo did not take data, which is tried again", "cid", c, "error", err)
			return
		}
		n.cfg.Log.Debug("Kubo has data", "cid", c)
	})
	n.run = append(n.run, n.lib.kubo.Run)
}

// agentLibrary is the library as the agents have it.
func (n *Node) agentLibrary() agent.Library {
	if n.tracer == nil {
		return n.lib
	}
	return tracedLibrary{n.lib, n.tracer}
}

func (n *Node) makeAgents(ctx context.Context) error {
	if n.cfg.Requester {
		if err := n.makeRequester(); err != nil {
			return err
		}
	}
	if n.cfg.Compute != nil {
		return n.makeCompute(ctx)
	}
	return nil
}

func (n *Node) makeRequester() error {
	secret, err := protocol.NewClientSecret(crypto.FromECDSA(n.cfg.Key))
	if err != nil {
		return err
	}
	n.requester, err = agent.NewRequester(agent.RequesterConfig{
		Deployment: n.deployment(), Self: n.self, Secret: secret, Feed: n.feed, Chain: n.market,
		Policy: choicePolicy, Peers: peers{n.fetcher.HTTP}, Library: n.agentLibrary(), Store: n.store, Log: n.cfg.Log,
		Keep: n.cfg.Keep, Observer: n.observer(),
	})
	n.run = append(n.run, func(ctx context.Context) error { return n.requester.Run(ctx) })
	return err
}

func (n *Node) makeCompute(ctx context.Context) error {
	capacity, err := n.cfg.Compute.capacity(ctx, n.runner)
	if err != nil {
		return err
	}
	n.cfg.Log.Info("capacity", "pieces", capacity.Pieces, "memory", capacity.MemoryBytes, "fuelPerSecond", capacity.FuelPerSecond)
	var acts agent.Chain = n.market
	if n.requester != nil {
		acts = sharedPurse{n.market, n.self, n.requester.Reserved}
	}
	var executes agent.Executor = measured{&executor{store: n.data, fetcher: n.fetcher, runner: n.runner}, &n.measures}
	if n.tracer != nil {
		executes = traced{executes, n.tracer}
	}
	n.compute, err = agent.NewCompute(n.cfg.Compute.BadActor.corrupt(agent.ComputeConfig{
		Deployment: n.deployment(), Self: n.self, Policy: n.cfg.Compute.Policy, Capacity: capacity, Peers: peers{n.fetcher.HTTP},
		Sign: func(digest common.Hash) ([]byte, error) { return signOffer(n.cfg.Key, digest) },
		Feed: n.feed, Chain: acts, Library: n.agentLibrary(), Store: n.store, Log: n.cfg.Log, Keep: n.cfg.Keep,
		Executor: executes, Observer: n.observer(),
	}))
	n.run = append(n.run, func(ctx context.Context) error { return n.compute.Run(ctx) })
	return err
}

// choicePolicy is a requester's: of each job a node may have two executions running, so that it finds the next one when
// it has done one.
var choicePolicy = plan.ChoicePolicy{ExecutionsPerNode: 2, MarginSeconds: 2, ReachSeconds: 60}

// takeOffer is api.Intake's: what the agent does not want is the sender's to know.
func (n *Node) takeOffer(o protocol.SignedOffer) error {
	err := n.requester.TakeOffer(o)
	var unwanted *agent.OfferError
	if errors.As(err, &unwanted) {
		return api.Unwanted{Err: err}
	}
	return err
}

// signOffer signs as the contract's ECDSA library wants it: r, s, v with v of 27 or 28.
func signOffer(key *ecdsa.PrivateKey, digest common.Hash) ([]byte, error) {
	signature, err := crypto.Sign(digest[:], key)
	if err != nil {
		return nil, err
	}
	signature[crypto.RecoveryIDOffset] += 27
	return signature, nil
}

// Address is the node's wallet.
func (n *Node) Address() common.Address { return n.self }

// Backend is what the node does for its owner.
func (n *Node) Backend() api.Backend { return backend{n} }

// Run works until ctx ends or something fails for good. It returns nil if ctx ended; before that it takes no new work
// and goes on with what it has begun, as long as Config.Drain.
func (n *Node) Run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, groupCtx := errgroup.WithContext(work)
	group.Go(func() error {
		select {
		case <-ctx.Done():
			n.drain(groupCtx)
			stop()
		case <-groupCtx.Done():
		}
		return nil
	})
	group.Go(func() error { return n.serve(groupCtx) })
	group.Go(func() error { return n.market.Start(groupCtx) })
	group.Go(func() error { return patiently(groupCtx, n.cfg.Log, n.enter) })
	group.Go(func() error { return n.keepHouse(groupCtx) })
	for _, run := range n.run {
		group.Go(func() error { return run(groupCtx) })
	}
	err := group.Wait()
	if work.Err() != nil {
		return nil // it was told to
	}
	return err
}

// drain lets the compute node finish, within the time that it has.
func (n *Node) drain(ctx context.Context) {
	if n.compute == nil || n.cfg.Drain == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Drain)
	defer cancel()
	n.cfg.Log.Info("stopping: no new work is taken, what has begun goes on", "for", n.cfg.Drain)
	if n.compute.Drain(ctx) != nil {
		n.cfg.Log.Warn("stopping with work under way, which starts again with the node")
	}
}

// Close releases everything, after Run has returned.
func (n *Node) Close() error {
	var errs []error
	for _, s := range []*server{n.public, n.owner} {
		if s != nil {
			s.listener.Close() // closed already if Run served it
		}
	}
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}
