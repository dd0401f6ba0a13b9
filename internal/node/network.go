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
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/internal/seal"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// NetworkConfig describes a whole network in one process: a chain, a requester and compute nodes. They share nothing but
// the process: each has its own key, store and data.
type NetworkConfig struct {
	Dir string
	// Nodes is the number of compute nodes; the last BadActors of them cheat.
	Nodes, BadActors int
	// Misbehaviour is how they do it; "" is WrongResults.
	Misbehaviour Misbehaviour
	// PeriodSeconds between blocks of an embedded chain.
	PeriodSeconds uint64
	// Chain is another chain to play on, where Funder's account gives the nodes what they spend; without a URL an
	// embedded chain is started.
	Chain  ChainConfig
	Funder *ecdsa.PrivateKey
	// APIAddr is where the requester node has its API.
	APIAddr string
	// Engines run the programs, dealt out to the nodes in turn; none is the platform's default.
	Engines []string
	// Parallel pieces on each node.
	Parallel int
	// Sources and S3 are where all nodes may get data; what the nodes publish is given to a Kubo among the sources.
	Sources    data.Sources
	S3         data.S3
	Parameters protocol.Parameters
	// Keep is how long jobs that have ended and their data are kept; 0 is DefaultKeep.
	Keep time.Duration
	// Traces is where all nodes tell what they do, as Config.Traces.
	Traces string
	Log    *slog.Logger
}

// Check says what is wrong.
func (c *NetworkConfig) Check() error {
	switch {
	case c.Dir == "":
		return errors.New("network: no directory given")
	case c.Nodes < 1 || c.Nodes > 1000:
		return fmt.Errorf("network: %d nodes; give between 1 and 1000", c.Nodes)
	case c.BadActors < 0 || c.BadActors > c.Nodes:
		return fmt.Errorf("network: %d bad actors among %d nodes", c.BadActors, c.Nodes)
	case c.Misbehaviour != "" && c.Misbehaviour.Check() != nil:
		return fmt.Errorf("network: %w", c.Misbehaviour.Check())
	case c.Chain.URL != "" && c.Funder == nil:
		return errors.New("network: nobody pays on the chain given")
	case c.Log == nil:
		return errors.New("network: no logger given")
	}
	if err := errors.Join(c.Sources.Check(), c.S3.Check()); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}

const (
	// developmentChain is the chain id that Filecoin's own development networks have.
	developmentChain = 31415926
	// developmentPassword protects nothing: the keys are worth nothing outside of this chain.
	developmentPassword = "development"
)

var (
	accountFunds   = tokens(10_000) // of every account at genesis
	faucetFunds    = tokens(1_000_000_000)
	nodeDeposit    = tokens(100)
	clientDeposit  = tokens(1000)
	minimalBalance = tokens(1)
)

func tokens(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), ether) }

// Network is a running network.
type Network struct {
	cfg       NetworkConfig
	state     *networkState
	chain     *chain.Embedded // nil on another chain
	where     ChainConfig
	requester *Node
	nodes     []*Node
}

// OpenNetwork makes a network ready to run, or takes up the one in Dir. Close it in any case.
func OpenNetwork(ctx context.Context, cfg NetworkConfig) (_ *Network, err error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	n := &Network{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.state, err = loadState(cfg.Dir, cfg.Nodes); err != nil {
		return nil, err
	}
	if n.where = cfg.Chain; n.where.URL == "" {
		if err := n.embed(); err != nil {
			return nil, err
		}
	}
	if err := n.provide(ctx); err != nil {
		return nil, err
	}
	if n.requester, err = n.open(ctx, "requester", &n.state.Requester, cfg.APIAddr, nil); err != nil {
		return nil, err
	}
	for i := range cfg.Nodes {
		compute := &ComputeConfig{Policy: developmentPolicy(), Parallel: cfg.Parallel}
		if i >= cfg.Nodes-cfg.BadActors {
			compute.BadActor = cmp.Or(cfg.Misbehaviour, WrongResults)
		}
		if len(cfg.Engines) > 0 {
			compute.Engine = cfg.Engines[i%len(cfg.Engines)]
		}
		member, err := n.open(ctx, fmt.Sprintf("node-%d", i+1), &n.state.Nodes[i], "", compute)
		if err != nil {
			return nil, err
		}
		n.nodes = append(n.nodes, member)
	}
	return n, n.state.save(cfg.Dir)
}

func developmentPolicy() plan.Policy {
	return plan.Policy{
		MinBid: big.NewInt(1), MinFuelPrice: big.NewInt(1), MaxPieces: 4000, OfferSeconds: 60, Appeals: true, Grace: 10,
		Limits: plan.Limits{JobPieces: 100_000}, FuelShare: 0.01, // programs that people try use little of their limit
	}
}

// embed starts the chain.
func (n *Network) embed() (err error) {
	alloc := map[common.Address]*big.Int{n.state.Faucet: faucetFunds, n.state.Requester.Wallet: accountFunds}
	for _, m := range n.state.Nodes {
		alloc[m.Wallet] = accountFunds
	}
	n.chain, err = chain.StartEmbedded(chain.EmbeddedConfig{
		Dir: filepath.Join(n.cfg.Dir, "chain"), ChainID: developmentChain, PeriodSeconds: n.cfg.PeriodSeconds, Alloc: alloc,
	})
	if err != nil {
		return err
	}
	n.where = ChainConfig{URL: n.chain.WSURL()}
	return nil
}

// provide deploys the contract and funds the accounts, as far as the chain lacks them.
func (n *Network) provide(ctx context.Context) error {
	key := n.cfg.Funder
	if key == nil {
		var err error
		if key, err = n.key("faucet", n.state.Faucet); err != nil {
			return err
		}
	}
	client, err := n.where.dial(ctx, n.cfg.Log)
	if err != nil {
		return err
	}
	defer client.Close()
	intents, err := chain.OpenIntents(filepath.Join(n.cfg.Dir, "faucet", "intents"))
	if err != nil {
		return err
	}
	defer intents.Close()
	sender, err := chain.NewSender(client, key, intents, n.where.sender())
	if err != nil {
		return err
	}
	return whileSending(ctx, sender, func(ctx context.Context) error {
		if err := n.deploy(ctx, client, sender); err != nil {
			return err
		}
		return n.fund(ctx, client, sender)
	})
}

func (n *Network) deploy(ctx context.Context, client *chain.Client, sender *chain.Sender) error {
	if n.state.Contract != (common.Address{}) {
		code, err := client.Code(ctx, n.state.Contract)
		if err != nil {
			return err
		}
		if len(code) == 0 {
			return fmt.Errorf("the chain in %s lacks contract %s: remove the directory to start anew", n.cfg.Dir, n.state.Contract)
		}
		return nil
	}
	contract, receipt, err := market.Deploy(ctx, sender, "deploy", n.cfg.Parameters)
	if err != nil {
		return err
	}
	n.state.Contract, n.state.Start = contract, receipt.Block
	return n.state.save(n.cfg.Dir)
}

// fund gives accounts that genesis left out something to pay transactions with.
func (n *Network) fund(ctx context.Context, client *chain.Client, sender *chain.Sender) error {
	var group errgroup.Group
	for _, m := range append([]member{n.state.Requester}, n.state.Nodes...) {
		balance, err := client.Balance(ctx, m.Wallet)
		if err != nil {
			return err
		}
		if balance.Cmp(minimalBalance) >= 0 {
			continue
		}
		group.Go(func() error {
			intent := chain.Intent{Key: fmt.Sprintf("fund:%s:%s", m.Wallet, balance), To: m.Wallet, Value: accountFunds}
			if _, err := sender.Send(ctx, intent); err != nil {
				return fmt.Errorf("fund account %s: %w", m.Wallet, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (n *Network) key(name string, wallet common.Address) (*ecdsa.PrivateKey, error) {
	return seal.LoadKey(filepath.Join(n.cfg.Dir, name, "keystore"), wallet, developmentPassword)
}

// open opens one node. Its port is the one that it had last time, if that is free.
func (n *Network) open(
	ctx context.Context, name string, m *member, api string, compute *ComputeConfig,
) (*Node, error) {
	key, err := n.key(name, m.Wallet)
	if err != nil {
		return nil, err
	}
	cfg := Config{
		Dir: filepath.Join(n.cfg.Dir, name), Chain: n.where, Contract: n.state.Contract,
		Start: n.state.Start, Key: key, Listen: m.listen(), API: api, Enter: true, Deposit: clientDeposit,
		AllowPrivate: true, Requester: compute == nil, Compute: compute,
		Keep: n.cfg.Keep, Sources: n.cfg.Sources, S3: n.cfg.S3, Traces: n.cfg.Traces,
		Log: n.cfg.Log.With("node", name),
	}
	if compute != nil {
		cfg.Deposit = nodeDeposit
	}
	node, err := Open(ctx, cfg)
	if err != nil && m.Listen != "" && ctx.Err() == nil {
		cfg.Listen = anyPort // its old one was taken, or so it seems
		node, err = Open(ctx, cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m.Listen = node.public.listener.Addr().String()
	return node, nil
}

// Run works until ctx ends or a part fails for good.
func (n *Network) Run(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	if n.chain != nil {
		group.Go(func() error {
			select {
			case <-groupCtx.Done():
				return nil
			case <-n.chain.Failed():
				return fmt.Errorf("embedded chain: %w", n.chain.Err())
			}
		})
	}
	for _, member := range append([]*Node{n.requester}, n.nodes...) {
		group.Go(func() error { return member.Run(groupCtx) })
	}
	return group.Wait()
}

// Await waits until every node has staked and registered and the client has its deposit.
func (n *Network) Await(ctx context.Context) error {
	for {
		changed, entered := n.requester.feed.Changed(), true
		n.requester.feed.Read(func(v *protocol.View) {
			entered = v.Wallets[n.requester.self]
			for _, m := range n.nodes {
				entered = entered && v.Nodes[m.self]
			}
		})
		if entered {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// URL is that of the requester node's API.
func (n *Network) URL() string { return n.requester.API() }

// Backend is what the requester node does for its user.
func (n *Network) Backend() api.Backend { return backend{n.requester} }

// BadActors lists the wallets of the nodes that cheat.
func (n *Network) BadActors() []common.Address {
	var wallets []common.Address
	for _, m := range n.nodes {
		if m.cfg.Compute.BadActor != "" {
			wallets = append(wallets, m.Address())
		}
	}
	return wallets
}

// Close stops everything, after Run has returned.
func (n *Network) Close() error {
	var errs []error
	for i := len(n.nodes) - 1; i >= 0; i-- {
		errs = append(errs, n.nodes[i].Close())
	}
	if n.requester != nil {
		errs = append(errs, n.requester.Close())
	}
	if n.chain != nil {
		errs = append(errs, n.chain.Close())
	}
	return errors.Join(errs...)
}
