// Package node wires a node together: chain, contract, data, execution and the agents, with a start and a stop.
package node

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
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
	// ChainURL is an Ethereum JSON-RPC endpoint, http or ws.
	ChainURL string
	// Contract is the Market's address, and Start the block that has its deployment.
	Contract common.Address
	Start    uint64
	Key      *ecdsa.PrivateKey
	// Listen is the address of the HTTP server: the data gateway, and the API of a requester node.
	Listen string
	// Deposit is put into the wallet in the contract when it is empty, wei.
	Deposit *big.Int
	// AllowPrivate permits to fetch data from loopback and private addresses: for a network of one's own.
	AllowPrivate bool
	// Compute makes this a compute node; otherwise it is a requester node.
	Compute *ComputeConfig
	Log     *slog.Logger
}

// ComputeConfig is what only a compute node needs.
type ComputeConfig struct {
	Policy plan.Policy
	// Engine runs the programs; "" is the platform's default.
	Engine string
	// Parallel pieces.
	Parallel int
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
	case c.ChainURL == "":
		return errors.New("node: no chain given")
	case c.Contract == common.Address{}:
		return errors.New("node: no contract given")
	case c.Key == nil:
		return errors.New("node: no key given")
	case c.Log == nil:
		return errors.New("node: no logger given")
	}
	return nil
}

// Node is a running node.
type Node struct {
	cfg       Config
	self      common.Address
	chain     *chain.Client
	market    *market.Client
	feed      *agent.Feed
	store     *store.Store
	data      *data.Store
	fetcher   *data.Fetcher
	runner    *confine.Runner
	listener  net.Listener
	server    *http.Server
	requester *agent.Requester // nil on a compute node
	compute   *agent.Compute   // nil on a requester node
	run       []func(context.Context) error
	closers   []func() error // in the order of opening
	gas       gasBook
}

// Open makes a node ready to run. Close it in any case.
func Open(ctx context.Context, cfg Config) (_ *Node, err error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
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
	n.fetcher = &data.Fetcher{Store: n.data, HTTP: data.NewClient(data.ClientOptions{AllowPrivate: cfg.AllowPrivate})}
	if err := n.connect(ctx); err != nil {
		return nil, err
	}
	if n.feed, err = agent.NewFeed(n.store); err != nil {
		return nil, err
	}
	if err := n.market.Subscribe(n.feed); err != nil {
		return nil, err
	}
	if err := n.makeRunner(ctx); err != nil {
		return nil, err
	}
	if err := n.makeAgent(); err != nil {
		return nil, err
	}
	return n, n.listen()
}

// connect opens the chain, the sender and the contract.
func (n *Node) connect(ctx context.Context) (err error) {
	if n.chain, err = chain.Dial(ctx, n.cfg.ChainURL); err != nil {
		return err
	}
	n.closers = append(n.closers, func() error { n.chain.Close(); return nil })
	intents, err := chain.OpenIntents(filepath.Join(n.cfg.Dir, "intents"))
	if err != nil {
		return err
	}
	n.closers = append(n.closers, intents.Close)
	sender, err := chain.NewSender(n.chain, n.cfg.Key, intents, chain.SenderConfig{})
	if err != nil {
		return err
	}
	n.market, err = market.NewClient(ctx, market.Config{
		Chain: n.chain, Sender: sender, Market: n.cfg.Contract, Start: n.cfg.Start,
	})
	return err
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
	if n.runner, err = confine.NewRunner(ctx, engine); err != nil {
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

func (n *Node) makeAgent() (err error) {
	lib := &library{store: n.data, fetcher: n.fetcher}
	if n.cfg.Compute == nil {
		secret, err := protocol.NewClientSecret(crypto.FromECDSA(n.cfg.Key))
		if err != nil {
			return err
		}
		n.requester, err = agent.NewRequester(agent.RequesterConfig{
			Deployment: n.deployment(), Self: n.self, Secret: secret, Feed: n.feed, Chain: n.market,
			Library: lib, Store: n.store, Log: n.cfg.Log,
		})
		n.run = append(n.run, func(ctx context.Context) error { return n.requester.Run(ctx) })
		return err
	}
	n.compute, err = agent.NewCompute(n.cfg.Compute.BadActor.corrupt(agent.ComputeConfig{
		Deployment: n.deployment(), Self: n.self, Policy: n.cfg.Compute.Policy, Parallel: n.cfg.Compute.Parallel,
		Sign: func(digest common.Hash) ([]byte, error) { return signOffer(n.cfg.Key, digest) },
		Feed: n.feed, Chain: n.market, Library: lib, Store: n.store, Log: n.cfg.Log,
		Executor: &executor{store: n.data, fetcher: n.fetcher, runner: n.runner},
	}))
	n.run = append(n.run, func(ctx context.Context) error { return n.compute.Run(ctx) })
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

// listen starts to serve data, and on a requester node the API. An address in use is an error that names it.
func (n *Node) listen() (err error) {
	if n.listener, err = net.Listen("tcp", n.cfg.Listen); err != nil {
		return fmt.Errorf("listen on %s: %w", n.cfg.Listen, err)
	}
	handler := n.data.Handler()
	if n.requester != nil {
		handler = api.New(backend{n}, n.cfg.Log)
	} else {
		handler = n.cfg.Compute.BadActor.handler(handler)
	}
	n.server = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(n.cfg.Log.Handler(), slog.LevelDebug),
	}
	return nil
}

// URL is where the node serves HTTP.
func (n *Node) URL() string { return "http://" + n.listener.Addr().String() }

// Address is the node's wallet.
func (n *Node) Address() common.Address { return n.self }

// Run works until ctx ends or something fails for good. It returns nil if ctx ended.
func (n *Node) Run(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := n.server.Serve(n.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-groupCtx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := n.server.Shutdown(stop); err != nil {
			return n.server.Close()
		}
		return nil
	})
	group.Go(func() error { return n.market.Start(groupCtx) })
	group.Go(func() error { return n.enter(groupCtx) })
	for _, run := range n.run {
		group.Go(func() error { return run(groupCtx) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Close releases everything, after Run has returned.
func (n *Node) Close() error {
	var errs []error
	if n.listener != nil {
		n.listener.Close() // closed already if Run served it
	}
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}
