package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/protocol"
)

const (
	chainID = 1337
	// genesis is a midnight, so that no game sees two days.
	genesis = 1_800_057_600
)

// contract is the compiled market in an EVM of our own, where time, blocks and their hashes are ours to set, and where
// every call can be taken back.
type contract struct {
	evm     *vm.EVM
	state   *state.StateDB
	address common.Address
	// now is the time, seconds, block the present block's number; entropy is every block's hash.
	now, block uint64
	entropy    common.Hash
	// calls counts what was sent to it.
	calls int
}

// moment is what taking back a call restores.
type moment struct {
	snapshot   int
	now, block uint64
}

func newContract(t *testing.T, build market.Build, p protocol.Parameters) *contract {
	t.Helper()
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	// The rules of the embedded chain.
	rules := *core.DeveloperGenesisBlock(30_000_000, nil).Config
	rules.ChainID = big.NewInt(chainID)
	rules.AmsterdamTime, rules.BogotaTime, rules.UBTTime = nil, nil, nil
	c := &contract{state: db, now: genesis, block: 1000}
	c.evm = vm.NewEVM(vm.BlockContext{
		CanTransfer: core.CanTransfer,
		Transfer:    core.Transfer,
		GetHash:     func(uint64) common.Hash { return c.entropy },
		BlockNumber: new(big.Int), Difficulty: new(big.Int), BaseFee: new(big.Int), BlobBaseFee: new(big.Int),
		Random: new(common.Hash), Time: genesis, GasLimit: 30_000_000,
	}, db, &rules, vm.Config{})
	c.evm.SetTxContext(vm.TxContext{GasPrice: new(uint256.Int)})
	var parts []common.Address
	for _, part := range build.Parts {
		parts = append(parts, c.deploy(t, part.Hex, p))
	}
	c.address = c.deploy(t, build.Market, p, parts...)
	return c
}

func (c *contract) deploy(t *testing.T, codeHex string, p protocol.Parameters, parts ...common.Address) common.Address {
	t.Helper()
	code, err := market.Creation(codeHex, p, parts...)
	if err != nil {
		t.Fatal(err)
	}
	c.setBlock()
	ret, address, _, err := c.evm.Create(common.Address{0xde}, code, plenty, new(uint256.Int))
	if err != nil {
		t.Fatalf("deploy: %v: %v", err, market.DecodeError(ret))
	}
	return address
}

// plenty of gas: how much a call takes is measured elsewhere.
var plenty = vm.NewGasBudget(1<<40, 1<<40)

func (c *contract) setBlock() {
	c.evm.Context.Time = c.now
	c.evm.Context.BlockNumber.SetUint64(c.block)
}

func (c *contract) mark() moment { return moment{c.state.Snapshot(), c.now, c.block} }

func (c *contract) back(m moment) {
	c.state.RevertToSnapshot(m.snapshot)
	c.now, c.block = m.now, m.block
}

// send makes a call, encoded. It returns the events, or the name of the error that refused it.
func (c *contract) send(from common.Address, data []byte, value uint64) (events []protocol.Event, refused string, err error) {
	c.calls++
	c.setBlock()
	before := len(c.logs())
	ret, _, err := c.evm.Call(from, c.address, data, plenty, uint256.NewInt(value))
	if err != nil {
		reason := market.DecodeError(ret)
		if typ := reflect.TypeOf(reason); typ.Kind() == reflect.Struct {
			return nil, typ.Name(), nil
		}
		return nil, reason.Error(), nil
	}
	for _, log := range c.logs()[before:] {
		event, err := market.DecodeLog(log.Topics, log.Data)
		if err != nil {
			return nil, "", err
		}
		events = append(events, event)
	}
	return events, "", nil
}

func (c *contract) logs() []*types.Log { return c.state.GetLogs(common.Hash{}, 0, common.Hash{}, 0) }

// view calls a function that returns words only.
func (c *contract) view(signature string, arguments ...[]byte) ([]byte, error) {
	data := crypto.Keccak256([]byte(signature))[:4]
	for _, a := range arguments {
		data = append(data, a...)
	}
	c.setBlock()
	ret, _, err := c.evm.StaticCall(common.Address{}, c.address, data, plenty)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", signature, err)
	}
	return ret, nil
}

func (c *contract) hash(signature string, arguments ...[]byte) (common.Hash, error) {
	ret, err := c.view(signature, arguments...)
	return common.BytesToHash(ret), err
}

func (c *contract) wallet(owner common.Address) (free, locked uint64, err error) {
	ret, err := c.view("wallet(address)", common.LeftPadBytes(owner[:], 32))
	if err != nil {
		return 0, 0, err
	}
	return binary.BigEndian.Uint64(ret[24:32]), binary.BigEndian.Uint64(ret[56:64]), nil
}

func (c *contract) burned() (uint64, error) {
	h, err := c.hash("burned()")
	return h.Big().Uint64(), err
}

// fund gives a wallet ether outside the contract.
func (c *contract) fund(who common.Address, wei uint64) {
	c.state.AddBalance(who, uint256.NewInt(wei), 0)
}

// artifact is the creation code, hex, that forge has built of a contract.
func artifact(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(*artifacts, name+".sol", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var built struct {
		Bytecode struct{ Object string }
	}
	if err := json.Unmarshal(content, &built); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(built.Bytecode.Object, "0x")
}
