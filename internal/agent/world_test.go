package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// world is a client and a node on one ledger. Disks, libraries and keys outlive the agents, which may be restarted.
type world struct {
	*testing.T
	ledger    *ledger
	web       map[string]*memory
	dirs      map[string]string
	stores    map[string]*store.Store
	keys      map[string]*ecdsa.PrivateKey
	accounts  map[string]*account
	secret    protocol.ClientSecret
	policy    plan.Policy
	feeds     map[string]*Feed
	requester *Requester
	compute   *Compute
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		T: t, ledger: newLedger(), web: map[string]*memory{}, dirs: map[string]string{}, stores: map[string]*store.Store{},
		keys: map[string]*ecdsa.PrivateKey{}, accounts: map[string]*account{}, feeds: map[string]*Feed{},
		secret: protocol.ClientSecret(crypto.Keccak256Hash([]byte("secret"))),
		policy: plan.Policy{MinBid: big.NewInt(1), MinFuelPrice: new(big.Int), MaxPieces: 100, OfferSeconds: 1000},
	}
	for _, name := range []string{"client", "node"} {
		key, err := crypto.ToECDSA(crypto.Keccak256([]byte(name)))
		if err != nil {
			t.Fatal(err)
		}
		self := crypto.PubkeyToAddress(key.PublicKey)
		w.keys[name], w.dirs[name] = key, t.TempDir()
		w.accounts[name] = &account{ledger: w.ledger, self: self, sent: map[string]protocol.Call{}}
		w.ledger.free[self] = big.NewInt(1_000_000)
		newMemory(w.web, name)
		w.ledger.emit(protocol.EndpointAnnounced{Wallet: self, URL: name})
	}
	w.ledger.emit(protocol.NodeRegistered{Node: w.self("node")})
	w.start()
	t.Cleanup(w.stop)
	return w
}

func (w *world) self(name string) common.Address { return w.accounts[name].self }

func (w *world) parameters() protocol.Parameters {
	return protocol.Parameters{
		MinStake: big.NewInt(1000), MinDeposit: big.NewInt(1), NoShowFee: big.NewInt(1), SettleWindow: 1000, DrawWindow: 1000,
		SilentWindow: 1000, AppealWindow: 1000, MaxPieces: 1000, ChallengePrice: big.NewInt(1), JurySize: 3,
	}
}

// start opens the stores and makes the agents.
func (w *world) start() {
	w.Helper()
	deployment := Deployment{ChainID: chainID, Contract: contract, Parameters: w.parameters()}
	for name, dir := range w.dirs {
		s, err := store.Open(dir)
		if err != nil {
			w.Fatal(err)
		}
		w.stores[name] = s
		if w.feeds[name], err = NewFeed(s); err != nil {
			w.Fatal(err)
		}
	}
	var err error
	w.requester, err = NewRequester(RequesterConfig{
		Deployment: deployment, Self: w.self("client"), Secret: w.secret, Feed: w.feeds["client"],
		Chain: w.accounts["client"], Library: w.web["client"], Store: w.stores["client"], Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.Fatal(err)
	}
	w.compute, err = NewCompute(ComputeConfig{
		Deployment: deployment, Self: w.self("node"), Policy: w.policy, Capacity: plan.Capacity{Pieces: 2}, Feed: w.feeds["node"],
		Sign:  w.sign,
		Chain: w.accounts["node"], Library: w.web["node"], Executor: machine{}, Store: w.stores["node"],
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.Fatal(err)
	}
	w.sync()
}

func (w *world) sign(digest common.Hash) ([]byte, error) {
	signature, err := crypto.Sign(digest[:], w.keys["node"])
	if err != nil {
		return nil, err
	}
	signature[crypto.RecoveryIDOffset] += 27
	return signature, nil
}

func (w *world) stop() {
	for _, s := range w.stores {
		if err := s.Close(); err != nil {
			w.Error(err)
		}
	}
}

// restart forgets all that is not on disk.
func (w *world) restart() {
	w.Helper()
	w.stop()
	w.ledger.life = 1 << 30
	w.start()
}

func (w *world) sync() {
	w.Helper()
	for _, f := range w.feeds {
		w.ledger.show(w.T, f)
	}
}

// round shows both agents a new head and lets them do all that they plan from it.
func (w *world) round() {
	w.Helper()
	w.sync()
	for _, agent := range []struct {
		step    func(context.Context) error
		perform *performer
	}{{w.requester.step, w.requester.perform}, {w.compute.step, w.compute.perform}} {
		if err := agent.perform.round(w.Context(), agent.step); err != nil {
			w.Fatal(err)
		}
		agent.perform.wait()
	}
}

func submission(pieces int) Submission {
	s := Submission{
		Spec: protocol.Spec{
			Version: 1, Profile: 1, Module: "bafy", Limits: protocol.Limits{MemoryBytes: 1 << 16, Fuel: 1000, OutputBytes: 1 << 10},
		},
		Bid: big.NewInt(10), CheckRate: 1 << 14, Seats: 2, ExecuteSeconds: 100, ExpirySeconds: 1_000_000, ColludingShare: 0.2,
	}
	for i := range pieces {
		s.Pieces = append(s.Pieces, protocol.Piece{Name: fmt.Sprintf("piece-%d", i)})
	}
	return s
}

func (w *world) submit(pieces int) common.Hash {
	w.Helper()
	id, err := w.requester.Submit(w.Context(), submission(pieces))
	if err != nil {
		w.Fatal(err)
	}
	w.sync()
	return id
}

func (w *world) file(id common.Hash) JobFile {
	w.Helper()
	f, err := w.requester.File(id)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

// machine runs a piece by writing down its name. It finds fault with what its fields say.
type machine struct {
	unfit  error
	broken *atomic.Int32 // runs that fail before one succeeds; nil for none
	runs   *atomic.Int32 // counts, if it is not nil
	inputs Inputs
	lost   error // of Measure
}

func (m machine) Check(context.Context, *protocol.Document, []string) error { return m.unfit }

func (m machine) Measure(context.Context, *protocol.Document, []string) (Inputs, error) {
	return m.inputs, m.lost
}

func (m machine) Run(ctx context.Context, t Task) (Output, error) {
	if m.runs != nil {
		m.runs.Add(1)
	}
	if m.broken != nil && m.broken.Add(-1) >= 0 {
		return Output{}, errors.New("out of memory")
	}
	scratch := newMemory(map[string]*memory{}, "scratch")
	outputs, err := scratch.Publish(ctx, map[string]io.Reader{"stdout": strings.NewReader(t.Piece.Name + "\n")}, nil)
	if err != nil {
		return Output{}, err
	}
	result := protocol.Result{Fuel: 100 + uint64(len(t.Piece.Name)), Outputs: outputs, Memory: common.Hash(t.Seed)}
	raw, err := json.Marshal(result)
	if err != nil {
		return Output{}, err
	}
	root, err := scratch.Publish(ctx, map[string]io.Reader{ResultFile: bytes.NewReader(raw)}, map[string]common.Hash{OutputsDir: outputs})
	keyed := crypto.Keccak256Hash(t.MemoryKey[:], t.Seed[:])
	return Output{Result: result, Root: root, Packed: packed(scratch.export(root)), KeyedMemory: keyed}, err
}

// packed is a CAR.
type packed []byte

func (p packed) WriteCAR(_ context.Context, w io.Writer) error {
	_, err := w.Write(p)
	return err
}

func (packed) Close() error { return nil }
