package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// Config says which contract a client talks to, and how.
type Config struct {
	Chain  *chain.Client
	Sender *chain.Sender  // for the wallet that the client acts for; the client runs it
	Market common.Address // the contract
	Start  uint64         // block of the contract's deployment
	// Confirmations is how many blocks must be on top of an event before it is told.
	Confirmations uint64
	Poll          time.Duration // longest wait before looking for a block; 0 is the chain's default
}

// Client is the contract as one wallet sees it. It implements transport.Transport; its Reader asks the contract
// directly.
type Client struct {
	*Reader
	config     Config
	parameters protocol.Parameters

	mu         sync.Mutex
	subscriber transport.Subscriber // guarded by mu
	rejected   map[offerKey]uint64  // guarded by mu: offers' deadlines, seconds
}

var _ transport.Transport = (*Client)(nil)

// offerKey names an offer: a node spends a nonce once.
type offerKey struct {
	node  common.Address
	nonce uint32
}

// NewClient checks that the contract is there and speaks this version's language.
func NewClient(ctx context.Context, config Config) (*Client, error) {
	c := &Client{
		Reader:   NewReader(config.Chain, config.Market),
		config:   config,
		rejected: make(map[offerKey]uint64),
	}
	var err error
	if c.parameters, err = c.Reader.Parameters(ctx); err != nil {
		return nil, fmt.Errorf("connect to market: %w", err)
	}
	return c, nil
}

// Deployed returns the parameters that the contract was deployed with; they never change.
func (c *Client) Deployed() protocol.Parameters { return c.parameters }

// HostID is the wallet that the client acts for.
func (c *Client) HostID() common.Address { return c.config.Sender.Account() }

// Subscribe names who keeps the events. It is called once, before Start.
func (c *Client) Subscribe(s transport.Subscriber) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subscriber != nil {
		return errors.New("there is a subscriber already")
	}
	c.subscriber = s
	return nil
}

func (c *Client) subscribed() (transport.Subscriber, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subscriber == nil {
		return nil, transport.ErrNotSubscribed
	}
	return c.subscriber, nil
}

// Start follows and sends until ctx ends or one of both fails for good. It may be called once.
func (c *Client) Start(ctx context.Context) error {
	s, err := c.subscribed()
	if err != nil {
		return err
	}
	follower := &chain.Follower{
		Client:        c.config.Chain,
		Address:       c.config.Market,
		Start:         c.config.Start,
		Confirmations: c.config.Confirmations,
		Poll:          c.config.Poll,
		Sink:          sink{s},
		OnHead:        func(p chain.Point) { s.CaughtUp(fromChain(p)) },
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return follower.Run(ctx) })
	group.Go(func() error { return c.config.Sender.Run(ctx) })
	return group.Wait()
}

// Send brings a call to the contract. The receipt or refusal is final as far as the sender's confirmations reach.
func (c *Client) Send(ctx context.Context, key string, call protocol.Call) (transport.Receipt, error) {
	return c.send(ctx, key, nil, call)
}

// Deposit pays wei of the account into the wallet's free balance. The key tells one deposit from the next.
func (c *Client) Deposit(ctx context.Context, key string, wei *big.Int) (transport.Receipt, error) {
	return c.send(ctx, key, wei, protocol.Deposit{})
}

func (c *Client) send(ctx context.Context, key string, wei *big.Int, call protocol.Call) (transport.Receipt, error) {
	data, err := EncodeCall(call)
	if err != nil {
		return transport.Receipt{}, err
	}
	out, err := c.config.Sender.Send(ctx, chain.Intent{Key: key, To: c.config.Market, Data: data, Value: wei})
	if err != nil {
		return transport.Receipt{}, fmt.Errorf("%s: %w", call.Method(), err)
	}
	receipt := transport.Receipt{Tx: out.Hash, Block: out.Block, GasUsed: out.GasUsed}
	if out.Reverted {
		return receipt, &transport.RefusedError{
			Method: call.Method(), Reason: DecodeError(out.RevertData), Receipt: receipt,
		}
	}
	return receipt, nil
}

// sendOnce sends a call whose arguments alone say that it is the same call.
func (c *Client) sendOnce(ctx context.Context, call protocol.Call) (transport.Receipt, error) {
	data, err := EncodeCall(call)
	if err != nil {
		return transport.Receipt{}, err
	}
	return c.Send(ctx, call.Method()+":"+crypto.Keccak256Hash(data).Hex(), call)
}
