// Package apitest is a node without a network, for tests of what speaks to the API: it runs jobs in its own process, and
// moves money and data as a real one does.
package apitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

// What a node starts with and asks for, wei.
const (
	StartFree    = 1_000_000
	StartAccount = 5_000
	DefaultBid   = 1_000
)

// Address is the wallet's.
var Address = common.HexToAddress("0x00000000000000000000000000000000000000aa")

// Worker is the one compute node.
var Worker = common.HexToAddress("0x00000000000000000000000000000000000000bb")

// Node is an api.Backend.
type Node struct {
	store  *data.Store
	runner *wasm.Runner
	ctx    context.Context
	work   sync.WaitGroup
	hold   chan struct{}

	mu     sync.Mutex
	wallet client.Wallet
	jobs   []*client.Job

	registered, paused bool
}

// New returns a node that ends with the test.
func New(t testing.TB) *Node {
	t.Helper()
	store, err := data.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	runner, err := wasm.NewRunner("wazero")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	n := &Node{store: store, runner: runner, ctx: ctx, hold: make(chan struct{})}
	n.wallet = client.Wallet{
		Address: Address, Free: wei(StartFree), Locked: wei(0), Account: wei(StartAccount),
	}
	close(n.hold)
	t.Cleanup(func() {
		stop()
		n.work.Wait()
		if err := errors.Join(runner.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Hold keeps the jobs that are submitted from now on waiting until the returned function is called.
func (n *Node) Hold() (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	hold := make(chan struct{})
	n.hold = hold
	return func() { close(hold) }
}

// Store is the node's data.
func (n *Node) Store() *data.Store { return n.store }

// Status implements api.Backend.
func (n *Node) Status(context.Context) (client.Status, error) {
	return client.Status{Version: "test", ChainID: 1337, Wallet: Address, Ready: true,
		Parameters: protocol.Parameters{MinCheckRate: 655}}, nil
}

// Wallet implements api.Backend.
func (n *Node) Wallet(context.Context) (client.Wallet, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wallet, nil
}

// Deposit implements api.Backend.
func (n *Node) Deposit(_ context.Context, amount *big.Int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return move(amount, &n.wallet.Account, &n.wallet.Free)
}

// Withdraw implements api.Backend.
func (n *Node) Withdraw(_ context.Context, amount *big.Int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return move(amount, &n.wallet.Free, &n.wallet.Account)
}

// Pay implements api.Backend.
func (n *Node) Pay(_ context.Context, _ common.Address, amount *big.Int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone := wei(0)
	return move(amount, &n.wallet.Account, &gone)
}

// Register implements api.Backend.
func (n *Node) Register(context.Context) error { return n.enter(true) }

// Exit implements api.Backend.
func (n *Node) Exit(context.Context) error { return n.enter(false) }

func (n *Node) enter(registered bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.registered == registered {
		return api.BadRequest{Err: errors.New("the node is there already")}
	}
	n.registered, n.paused = registered, false
	return nil
}

// Pause implements api.Backend.
func (n *Node) Pause(context.Context) error { return n.pause(true) }

// Resume implements api.Backend.
func (n *Node) Resume(context.Context) error { return n.pause(false) }

func (n *Node) pause(paused bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.registered || n.paused == paused {
		return api.BadRequest{Err: errors.New("the node is not registered, or there already")}
	}
	n.paused = paused
	return nil
}

func move(amount *big.Int, from, to *client.Wei) error {
	if from.Cmp(amount) < 0 {
		return api.InsufficientFunds{Err: fmt.Errorf("too little balance: %s wei are there and %s are needed", from, amount)}
	}
	from.Int = new(big.Int).Sub(from.Int, amount)
	to.Int = new(big.Int).Add(to.Int, amount)
	return nil
}

// Submit implements api.Backend: it locks the bids and starts the job.
func (n *Node) Submit(ctx context.Context, r client.JobRequest) (common.Hash, error) {
	module, err := n.local(ctx, r.Module)
	if err != nil {
		return common.Hash{}, err
	}
	if len(r.Pieces) == 0 {
		r.Pieces = []client.PieceRequest{{Name: "0"}}
	}
	fill(&r)
	n.mu.Lock()
	defer n.mu.Unlock()
	price := new(big.Int).Mul(r.Bid.Int, big.NewInt(int64(len(r.Pieces))))
	if err := move(price, &n.wallet.Free, &n.wallet.Locked); err != nil {
		return common.Hash{}, err
	}
	job := &client.Job{
		JobSummary: client.JobSummary{
			ID: crypto.Keccak256Hash([]byte{byte(len(n.jobs) >> 8), byte(len(n.jobs))}), Status: client.JobWaiting,
			Created: time.Now().UTC(), Module: r.Module, Pieces: uint32(len(r.Pieces)),
		},
		Terms: protocol.Terms{Client: Address, Pieces: uint32(len(r.Pieces)), Bid: r.Bid.Int, Seats: 2},
		Args:  r.Args,
	}
	for i, p := range r.Pieces {
		job.PieceList = append(job.PieceList, client.PieceReport{Index: uint32(i), Name: p.Name, Status: client.PieceOpen})
	}
	n.jobs = append(n.jobs, job)
	hold := n.hold
	n.work.Go(func() { n.run(job, module, r, hold) })
	return job.ID, nil
}

// fill sets what a request leaves to the node.
func fill(r *client.JobRequest) {
	for _, limit := range []struct {
		value  *uint64
		filled uint64
	}{{&r.Limits.MemoryBytes, 256 << 20}, {&r.Limits.Fuel, 50_000_000_000}, {&r.Limits.OutputBytes, 16 << 20}} {
		if *limit.value == 0 {
			*limit.value = limit.filled
		}
	}
	if r.Bid.Int == nil || r.Bid.Sign() == 0 {
		r.Bid = wei(DefaultBid)
	}
}

// Jobs implements api.Backend.
func (n *Node) Jobs(context.Context) ([]client.JobSummary, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []client.JobSummary
	for _, job := range n.jobs {
		all = append(all, job.JobSummary)
	}
	return all, nil
}

// Job implements api.Backend.
func (n *Node) Job(_ context.Context, id common.Hash) (client.Job, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	job, err := n.find(id)
	if err != nil {
		return client.Job{}, err
	}
	shown := *job
	shown.PieceList, shown.Executions = slices.Clone(job.PieceList), slices.Clone(job.Executions)
	return shown, nil
}

// Cancel implements api.Backend.
func (n *Node) Cancel(_ context.Context, id common.Hash) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	job, err := n.find(id)
	if err != nil {
		return err
	}
	if !job.Status.Ended() {
		job.Status = client.JobCancelled
	}
	return nil
}

func (n *Node) find(id common.Hash) (*client.Job, error) {
	for _, job := range n.jobs {
		if job.ID == id {
			return job, nil
		}
	}
	return nil, fmt.Errorf("job %s: %w", id, api.ErrNotFound)
}

// Audit implements api.Backend: the wallet is the only one.
func (n *Node) Audit(context.Context) (client.Audit, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	balance := new(big.Int).Add(n.wallet.Free.Int, n.wallet.Locked.Int)
	return client.Audit{
		Wallets: 1, Balance: client.Wei{Int: balance}, Free: n.wallet.Free, Locked: n.wallet.Locked,
		Burned: client.Wei{Int: new(big.Int)}, Conserved: true,
	}, nil
}

// Decisions implements api.Backend: there is one about every job.
func (n *Node) Decisions(_ context.Context, job common.Hash) ([]client.Decision, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []client.Decision
	for _, j := range n.jobs {
		if job == (common.Hash{}) || j.ID == job {
			list = append(list, client.Decision{
				Job: j.ID, Verdict: "passed over", Reason: "bid", Text: "the bid is 1 wei a piece, this node asks for 2",
			})
		}
	}
	return list, nil
}

// Drain implements api.Backend: there is nothing to finish.
func (n *Node) Drain(context.Context) (client.Draining, error) { return client.Draining{}, nil }

// Nodes implements api.Backend.
func (n *Node) Nodes(context.Context) ([]client.Node, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	worker := client.Node{Address: Worker, Free: wei(7), Locked: wei(0)}
	for _, job := range n.jobs {
		worker.Executions += uint32(len(job.Executions))
		worker.Settled += uint32(len(job.Executions))
	}
	return []client.Node{worker}, nil
}

// Import implements api.Backend.
func (n *Node) Import(ctx context.Context, root string, car io.Reader) (client.Imported, error) {
	c, err := data.ParseCID(root)
	if err != nil {
		return client.Imported{}, api.BadRequest{Err: err}
	}
	missing, err := n.store.ImportCAR(ctx, car, c, data.Limits{})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("the CAR lacks %s, which %s refers to", missing[0], c)
	}
	if err != nil {
		return client.Imported{}, api.BadRequest{Err: err}
	}
	return n.imported(ctx, c.String())
}

// ImportURL implements api.Backend; there is no network, so a URL holds its own text.
func (n *Node) ImportURL(ctx context.Context, url string) (client.Imported, error) {
	c, err := n.store.AddFiles(ctx, map[string]data.Source{"page": data.Bytes([]byte(url))})
	if err == nil {
		c, err = n.store.Resolve(ctx, c, "page")
	}
	if err != nil {
		return client.Imported{}, err
	}
	return n.imported(ctx, c.String())
}

// Fetch implements api.Backend; there is no network to get anything from.
func (n *Node) Fetch(ctx context.Context, wanted client.FetchRequest) (client.Imported, error) {
	return n.imported(ctx, wanted.CID)
}

func (n *Node) imported(ctx context.Context, cid string) (client.Imported, error) {
	c, err := n.local(ctx, cid)
	if err != nil {
		return client.Imported{}, err
	}
	size, err := n.store.Size(ctx, c)
	return client.Imported{CID: c.String(), Size: size}, err
}

// Gateway implements api.Backend.
func (n *Node) Gateway() http.Handler { return n.store.Handler() }

func wei(n int64) client.Wei { return client.Wei{Int: big.NewInt(n)} }
