package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
)

// ChainConfig says how a chain is reached and how it wants to be treated.
type ChainConfig struct {
	// Name is what people call it; "" is a chain without a name.
	Name string
	// URL of an Ethereum JSON-RPC endpoint: http, https, ws or wss.
	URL string
	// ID that the endpoint must report; 0 takes any.
	ID uint64
	// Confirmations are the blocks on top of an event before the node believes it.
	Confirmations uint64
	// Source is the randomness that draws on it take.
	Source protocol.Source
	// MaxInFlight bounds the wallet's transactions that are not mined yet; 0 is the sender's default.
	MaxInFlight int
	// Poll is the longest wait before looking for a block; 0 is the default, which suits a chain of one's own.
	Poll time.Duration
}

const filecoinPoll = 5 * time.Second

// Chains lists the public chains that are known by name, with endpoints that anyone may use. Their nodes refuse log
// queries that end at the head, take ten transactions of an account at a time, and count what they are asked; a block
// comes every half minute.
func Chains() []ChainConfig {
	return []ChainConfig{
		{Name: "filecoin", URL: "https://api.node.glif.io/rpc/v1", ID: 314,
			Confirmations: 1, MaxInFlight: 10, Poll: filecoinPoll, Source: protocol.SourceFilecoinBeacon},
		{Name: "calibration", URL: "https://api.calibration.node.glif.io/rpc/v1", ID: 314159,
			Confirmations: 1, MaxInFlight: 10, Poll: filecoinPoll, Source: protocol.SourceFilecoinBeacon},
	}
}

// ChainNamed finds a chain by name, or makes one of a URL.
func ChainNamed(name string) (ChainConfig, error) {
	var names []string
	for _, c := range Chains() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	c := ChainConfig{URL: name}
	if !strings.Contains(name, "://") || c.Check() != nil {
		return c, fmt.Errorf("%q is no chain: give %s, or the URL of a JSON-RPC endpoint (http, https, ws or wss)",
			name, strings.Join(names, ", "))
	}
	return c, nil
}

// Check says what is wrong with the URL.
func (c ChainConfig) Check() error {
	if c.URL == "" {
		return errors.New("node: no chain given")
	}
	u, err := url.Parse(c.URL)
	if err == nil && u.Host != "" {
		switch u.Scheme {
		case "http", "https", "ws", "wss":
			return nil
		}
	}
	return fmt.Errorf("%q is not the URL of a JSON-RPC endpoint: it begins with http, https, ws or wss", c.URL)
}

func (c ChainConfig) sender() chain.SenderConfig {
	return chain.SenderConfig{MaxInFlight: c.MaxInFlight, Poll: c.Poll}
}

const (
	firstDialPause = time.Second
	lastDialPause  = 30 * time.Second
)

// patiently does something again for as long as it fails because the chain does not answer, until ctx ends.
func patiently(ctx context.Context, log *slog.Logger, do func(context.Context) error) error {
	for pause := firstDialPause; ; pause = min(2*pause, lastDialPause) {
		err := do(ctx)
		if !errors.Is(err, chain.ErrNoAnswer) {
			return err
		}
		log.Warn("the chain does not answer, trying again", "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// dial connects to the chain. An endpoint that does not answer is tried again until it does or ctx ends: it may start
// together with this node. One that serves another chain is an error.
func (c ChainConfig) dial(ctx context.Context, log *slog.Logger) (*chain.Client, error) {
	for pause := firstDialPause; ; pause = min(2*pause, lastDialPause) {
		client, err := chain.Dial(ctx, c.URL)
		if err == nil {
			if c.ID == 0 {
				return client, nil
			}
			if err := client.CheckChainID(c.ID); err != nil {
				client.Close()
				return nil, fmt.Errorf("chain %s at %s: %w", c.Name, c.URL, err)
			}
			return client, nil
		}
		log.Warn("the chain does not answer, trying again", "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}
