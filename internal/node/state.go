package node

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
	"github.com/google/renameio/v2"

	"github.com/filecoin-project/bacalhau/internal/seal"
)

// networkState is what a network remembers of itself between runs.
type networkState struct {
	Contract  common.Address `json:"contract"`
	Start     uint64         `json:"start"` // block of the deployment
	Faucet    common.Address `json:"faucet"`
	Requester member         `json:"requester"`
	Nodes     []member       `json:"nodes"`
}

type member struct {
	Wallet common.Address `json:"wallet"`
	Listen string         `json:"listen,omitempty"`
}

const anyPort = "127.0.0.1:0"

func (m member) listen() string { return cmp.Or(m.Listen, anyPort) }

const stateFile = "network.json"

// loadState reads the state of the network in dir, and makes what it lacks of keys for so many nodes.
func loadState(dir string, nodes int) (*networkState, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &networkState{}
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err == nil {
		if err := json.Unmarshal(raw, s); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w; remove the directory to start anew", filepath.Join(dir, stateFile), err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s.Faucet, err = keyFor(dir, "faucet", s.Faucet); err != nil {
		return nil, err
	}
	if s.Requester.Wallet, err = keyFor(dir, "requester", s.Requester.Wallet); err != nil {
		return nil, err
	}
	for i := range nodes {
		if i == len(s.Nodes) {
			s.Nodes = append(s.Nodes, member{})
		}
		if s.Nodes[i].Wallet, err = keyFor(dir, fmt.Sprintf("node-%d", i+1), s.Nodes[i].Wallet); err != nil {
			return nil, err
		}
	}
	return s, s.save(dir)
}

// keyFor makes a key unless there is one.
func keyFor(dir, name string, wallet common.Address) (common.Address, error) {
	if wallet != (common.Address{}) {
		return wallet, nil
	}
	return seal.NewKey(filepath.Join(dir, name, "keystore"), developmentPassword, true)
}

// save replaces the state file, on disk when it returns.
func (s *networkState) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, stateFile), append(raw, '\n'), 0o600)
}
