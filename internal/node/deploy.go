package node

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/protocol"
)

// Deployment is a market on a chain.
type Deployment struct {
	ChainID  uint64         `json:"chainId"`
	Contract common.Address `json:"contract"`
	// Block that has the deployment's last transaction, which is Tx.
	Block      uint64              `json:"block"`
	Tx         common.Hash         `json:"tx"`
	Parameters protocol.Parameters `json:"parameters"`
}

// Deploy makes a market with these parameters on a chain, from key's account. Dir remembers what was sent and what came
// of it: the same again, after a kill or later, goes on and gives the same market.
func Deploy(ctx context.Context, where ChainConfig, dir string, key *ecdsa.PrivateKey, p protocol.Parameters, log *slog.Logger) (d Deployment, err error) {
	if err := where.Check(); err != nil {
		return d, err
	}
	release, err := Lock(dir)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, release()) }()
	client, err := where.dial(ctx, log)
	if err != nil {
		return d, err
	}
	defer client.Close()
	return deploy(ctx, client, dir, key, where.sender(), p)
}

// deploy is Deploy for who holds the folder's lock.
func deploy(ctx context.Context, client *chain.Client, dir string, key *ecdsa.PrivateKey, tune chain.SenderConfig, p protocol.Parameters) (Deployment, error) {
	d := Deployment{ChainID: client.ChainID().Uint64(), Parameters: p}
	raw, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	name := crypto.Keccak256Hash(raw).Hex()[2:18] // of chain and parameters
	file := filepath.Join(dir, "deployments", name+".json")
	known, err := readDeployment(file)
	if err == nil {
		return known, known.stillThere(ctx, client, file)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	intents, err := chain.OpenIntents(filepath.Join(dir, "intents"))
	if err != nil {
		return d, err
	}
	defer intents.Close()
	sender, err := chain.NewSender(client, key, intents, tune)
	if err != nil {
		return d, err
	}
	err = whileSending(ctx, sender, func(ctx context.Context) error {
		contract, receipt, err := market.Deploy(ctx, sender, "deploy:"+name, p)
		d.Contract, d.Block, d.Tx = contract, receipt.Block, receipt.Tx
		return err
	})
	if err != nil {
		return d, err
	}
	return d, d.save(file)
}

// whileSending runs a sender for as long as use does.
func whileSending(ctx context.Context, sender *chain.Sender, use func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	sending, stop := context.WithCancel(ctx)
	group.Go(func() error {
		if err := sender.Run(sending); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		defer stop()
		return use(ctx)
	})
	return group.Wait()
}

// stillThere fails if the chain has lost the market, as one for development does when it begins anew.
func (d Deployment) stillThere(ctx context.Context, client *chain.Client, file string) error {
	code, err := client.Code(ctx, d.Contract)
	if err == nil && len(code) == 0 {
		err = fmt.Errorf("%s tells of a market at %s, where this chain has none: if it is another chain with the same id, or begins "+
			"anew, give it a folder of its own with --data-dir", file, d.Contract)
	}
	return err
}

func readDeployment(file string) (d Deployment, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("%s is damaged: %w; remove it if the contract does not matter", file, err)
	}
	return d, nil
}

func (d Deployment) save(file string) error {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(file, append(raw, '\n'), 0o600)
}
