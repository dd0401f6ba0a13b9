package node

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
)

// ServiceConfig is a node that has a process of its own.
type ServiceConfig struct {
	Config
	// Embedded makes the process run a chain too, which Config.Chain then follows from, and its contract unless
	// Config.Contract names one.
	Embedded *EmbeddedConfig
}

// EmbeddedConfig is a chain for development. The node's own account has all of its money at first.
type EmbeddedConfig struct {
	Listen        string // address of its JSON-RPC, HTTP and WebSocket
	PeriodSeconds uint64 // between blocks
	Parameters    protocol.Parameters
}

// Service is a node with its folder locked and, if it runs one, its chain.
type Service struct {
	*Node
	chain   *chain.Embedded // nil if the node follows a chain of others
	closers []func() error
}

// OpenService makes a node ready to run in a process of its own. Close it in any case.
func OpenService(ctx context.Context, cfg ServiceConfig) (_ *Service, err error) {
	s := &Service{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	release, err := Lock(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, release)
	if cfg.Embedded != nil {
		if err := s.startChain(ctx, &cfg); err != nil {
			return nil, err
		}
	}
	s.Node, err = Open(ctx, cfg.Config)
	return s, err
}

// startChain runs the chain and fills in what follows from it.
func (s *Service) startChain(ctx context.Context, cfg *ServiceConfig) (err error) {
	wallet := crypto.PubkeyToAddress(cfg.Key.PublicKey)
	s.chain, err = chain.StartEmbedded(chain.EmbeddedConfig{
		Dir: filepath.Join(cfg.Dir, "chain"), ChainID: developmentChain, PeriodSeconds: cfg.Embedded.PeriodSeconds,
		HTTPAddr: cfg.Embedded.Listen, Alloc: map[common.Address]*big.Int{wallet: faucetFunds},
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.chain.Close)
	cfg.Chain = ChainConfig{Name: "embedded", URL: s.chain.WSURL(), ID: developmentChain}
	if cfg.Contract != (common.Address{}) {
		return nil
	}
	client, err := s.chain.Dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	d, err := deploy(ctx, client, cfg.Dir, cfg.Key, chain.SenderConfig{}, cfg.Embedded.Parameters)
	cfg.Contract, cfg.Start = d.Contract, d.Block
	return err
}

// ChainURL is the JSON-RPC address of the chain that this process runs, "" if it runs none.
func (s *Service) ChainURL() string {
	if s.chain == nil {
		return ""
	}
	return s.chain.URL()
}

// Run works until ctx ends, which is no error, or a part fails for good.
func (s *Service) Run(ctx context.Context) error {
	if s.chain == nil {
		return s.Node.Run(ctx)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	ended := make(chan struct{})
	group.Go(func() error {
		select {
		case <-ended:
			return nil
		case <-s.chain.Failed():
			return fmt.Errorf("embedded chain: %w", s.chain.Err())
		}
	})
	group.Go(func() error {
		defer close(ended)
		return s.Node.Run(groupCtx)
	})
	return group.Wait()
}

// Close releases everything, after Run has returned.
func (s *Service) Close() error {
	var errs []error
	if s.Node != nil {
		errs = append(errs, s.Node.Close())
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}
