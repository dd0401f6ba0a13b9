package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
)

const (
	genesisFile       = "genesis.json"
	genesisBaseFeeWei = 1_000_000 // low, so that a development wallet lasts; the chain adjusts it from there
)

// loadGenesis reads the first block of the chain in dir, or invents and stores it.
// It is stored before the chain's own database exists, so a crash in between
// leaves a directory that starts normally.
func loadGenesis(cfg EmbeddedConfig) (*core.Genesis, error) {
	path := filepath.Join(cfg.Dir, genesisFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		g := newGenesis(cfg)
		return g, writeGenesis(path, g)
	}
	if err != nil {
		return nil, fmt.Errorf("read the chain's genesis: %w", err)
	}
	g := new(core.Genesis)
	if err := json.Unmarshal(raw, g); err != nil || g.Config == nil || g.Config.ChainID == nil {
		return nil, fmt.Errorf("%s is damaged: restore it, or remove %s to start a new chain", path, cfg.Dir)
	}
	if g.Config.ChainID.Cmp(new(big.Int).SetUint64(cfg.ChainID)) != 0 {
		return nil, fmt.Errorf("%s holds chain %s, not chain %d: use that chain id or another directory", cfg.Dir, g.Config.ChainID, cfg.ChainID)
	}
	return g, nil
}

// newGenesis pins the rules to the released Osaka fork. go-ethereum's developer
// genesis also turns on forks that nobody runs yet and that price gas differently.
func newGenesis(cfg EmbeddedConfig) *core.Genesis {
	g := core.DeveloperGenesisBlock(cfg.GasLimit, nil)
	g.Config.ChainID = new(big.Int).SetUint64(cfg.ChainID)
	g.Config.AmsterdamTime, g.Config.BogotaTime, g.Config.UBTTime = nil, nil, nil
	g.BaseFee = big.NewInt(genesisBaseFeeWei)
	for addr, wei := range cfg.Alloc {
		g.Alloc[addr] = types.Account{Balance: new(big.Int).Set(wei)}
	}
	return g
}

func writeGenesis(path string, g *core.Genesis) error {
	raw, err := json.MarshalIndent(g, "", "  ")
	if err == nil {
		err = writeFileSynced(path, append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("store the chain's genesis: %w", err)
	}
	return nil
}

// writeFileSynced creates path with all of data or not at all, durable on return.
func writeFileSynced(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
