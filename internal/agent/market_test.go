package agent

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

const chainID = 31415926

var contract = common.HexToAddress("0xc0")

// ledger stands for the contract and its chain, as far as a client and one node need them: it keeps the contract's
// rules on identity, signatures, nonces and records, and emits its events in its order. It knows no deadlines, and as
// there is only one node, a verification finds nobody eligible at once. Every call is a block of its own.
type ledger struct {
	mu      sync.Mutex
	records []transport.Record
	head    protocol.Block
	free    map[common.Address]*big.Int
	spent   map[[2]common.Hash]bool // nonces, by wallet
	view    *protocol.View          // what the records fold into: the contract's state
	// life is how many sends are left before the process is killed; after is whether the last one still gets through.
	life  int
	after bool
}

var errKilled = errors.New("the process was killed")

func newLedger() *ledger {
	l := &ledger{
		head: protocol.Block{Number: 100, Time: 1000}, free: map[common.Address]*big.Int{},
		spent: map[[2]common.Hash]bool{}, view: protocol.NewView(), life: 1 << 30,
	}
	return l
}

func (l *ledger) emit(events ...protocol.Event) {
	l.head = protocol.Block{Number: l.head.Number + 1, Time: l.head.Time + 1}
	for _, e := range events {
		if err := l.view.Fold(e, l.head); err != nil {
			panic(err) // the ledger contradicts itself
		}
		l.records = append(l.records, transport.Record{Event: e, Meta: transport.Meta{Block: l.point()}})
	}
}

func (l *ledger) point() transport.Point {
	return transport.Point{Block: l.head, Hash: crypto.Keccak256Hash(big.NewInt(int64(l.head.Number)).Bytes())}
}

// show brings a feed up to a new head, as the follower does.
func (l *ledger) show(t testing.TB, f *Feed) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	known := uint64(0)
	if points := f.Checkpoints(); len(points) > 0 {
		known = points[0].Number
	}
	var news []transport.Record
	for _, r := range l.records {
		if r.Meta.Block.Number > known {
			news = append(news, r)
		}
	}
	l.head = protocol.Block{Number: l.head.Number + 1, Time: l.head.Time + 1}
	if err := f.Apply(t.Context(), l.point(), news); err != nil {
		t.Fatal(err)
	}
	f.CaughtUp(l.point())
}

// account is a wallet's Chain.
type account struct {
	*ledger
	self common.Address
	sent map[string]protocol.Call // by key; on disk in the real one
}

func (a *account) Wallet(_ context.Context, owner common.Address) (protocol.Wallet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return protocol.Wallet{Free: new(big.Int).Set(a.free[owner]), Locked: new(big.Int)}, nil
}

func (a *account) Send(ctx context.Context, key string, call protocol.Call) (transport.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life--; a.life < 0 || (a.life == 0 && !a.after) {
		return transport.Receipt{}, errKilled
	}
	before, known := a.sent[key]
	switch {
	case known && !reflect.DeepEqual(before, call):
		return transport.Receipt{}, fmt.Errorf("the intent key %q already stands for another transaction", key)
	case !known:
		events, reason := a.run(call)
		if reason != nil {
			return transport.Receipt{}, &transport.RefusedError{Method: call.Method(), Reason: reason}
		}
		a.sent[key] = call
		a.emit(events...)
	}
	if a.life == 0 {
		return transport.Receipt{}, errKilled
	}
	return transport.Receipt{Block: a.head.Number}, nil
}

// run is the contract: what a call emits, or why it is refused.
func (a *account) run(call protocol.Call) ([]protocol.Event, error) {
	switch c := call.(type) {
	case protocol.CreateJob:
		if c.Terms.Bid.Sign() == 0 {
			return nil, protocol.BadTerms{Field: "bid"}
		}
		escrow := new(big.Int).Mul(c.Terms.Bid, big.NewInt(int64(c.Terms.Pieces)))
		if err := a.lock(c.Terms.Client, escrow, c.Terms.Nonce); err != nil {
			return nil, err
		}
		id := protocol.JobID(chainID, contract, c.Terms)
		return []protocol.Event{protocol.JobCreated{Job: id, Client: a.self, Terms: c.Terms}}, nil
	case protocol.PostOffer:
		return []protocol.Event{protocol.OfferPosted{
			Job: c.Offer.Job, Node: c.Offer.Node, Offer: c.Offer, Signature: c.Signature,
		}}, nil
	case protocol.AcceptOffer:
		return a.accept(c)
	case protocol.CommitResult:
		if err := a.match(c.Execution, protocol.StatusAssigned); err != nil {
			return nil, err
		}
		return []protocol.Event{protocol.ResultCommitted{
			Execution: c.Execution.ID, Root: c.Root, Fuel: c.Fuel, Deadline: a.head.Time + 1000, Leaves: c.Leaves,
		}}, nil
	case protocol.Settle:
		if err := a.match(c.Execution, protocol.StatusCommitted); err != nil {
			return nil, err
		}
		if protocol.SeedHash(c.Seed) != c.Execution.SeedHash {
			return nil, protocol.WrongSeed{}
		}
		return []protocol.Event{protocol.ExecutionSettled{Execution: c.Execution.ID, Pay: c.Terms.Bid}}, nil
	case protocol.Verify:
		if err := a.match(c.Execution, protocol.StatusCommitted); err != nil {
			return nil, err
		}
		return []protocol.Event{
			protocol.VerificationRequested{Execution: c.Execution.ID, Bid: c.Bid, Listed: c.Listed, Target: a.head.Number},
			protocol.SeatChanged{Execution: c.Execution.ID, Number: 2, Seat: protocol.Seat{
				Execution: c.Execution.ID, Number: 2, Status: protocol.SeatStatusVacant, DoneAt: a.head.Time,
			}},
		}, nil
	case protocol.SettleVerified:
		if err := a.match(c.Execution, protocol.StatusVerifying); err != nil {
			return nil, err
		}
		return []protocol.Event{protocol.ExecutionSettled{Execution: c.Execution.ID, Pay: c.Terms.Bid}}, nil
	case protocol.Decline:
		if err := a.match(c.Execution, protocol.StatusAssigned); err != nil {
			return nil, err
		}
		return []protocol.Event{
			protocol.ExecutionDeclined{Execution: c.Execution.ID, Node: a.self},
			protocol.ExecutionReturned{
				Execution: c.Execution.ID, Returned: c.Execution.ID, From: c.Execution.From, Count: c.Execution.Count,
			},
		}, nil
	case protocol.AnswerLeaf:
		if err := a.match(c.Execution, protocol.StatusChallenged); err != nil {
			return nil, err
		}
		return []protocol.Event{protocol.LeafAnswered{
			Execution: c.Execution.ID, Seat: c.Challenge.Seat, Piece: c.Challenge.Piece, Leaf: c.Opening.Leaf,
			Proof: c.Opening.Proof, Deadline: a.head.Time + c.Challenge.Left,
		}}, nil
	case protocol.OpenSelf:
		return []protocol.Event{protocol.SelfOpened{
			Execution: c.Execution.ID, Seat: c.Seat, Node: a.self, Piece: c.Disclosure.Piece, Fuel: c.Disclosure.Opening.Leaf.Fuel,
		}}, nil
	}
	panic(fmt.Sprintf("nobody should send %T", call))
}

func (a *account) accept(c protocol.AcceptOffer) ([]protocol.Event, error) {
	if (protocol.SignedOffer{Offer: c.Offer, Signature: c.Signature}).Check(chainID, contract) != nil {
		return nil, protocol.BadSignature{Node: c.Offer.Node}
	}
	j := a.view.Jobs[c.Offer.Job]
	if most := min(j.Terms.Pieces-j.Frontier, c.Offer.Pieces); c.Count == 0 || c.Count > most {
		return nil, protocol.BadCount{Have: c.Count, Most: most}
	}
	if err := a.lock(c.Offer.Node, c.Terms.Fine, c.Offer.Nonce); err != nil {
		return nil, err
	}
	a.free[c.Terms.Client].Sub(a.free[c.Terms.Client], c.Terms.Bond)
	return []protocol.Event{protocol.ExecutionAssigned{
		Job: j.ID, Execution: protocol.ExecutionID(j.ID, j.Frontier), Parent: j.ID, Node: c.Offer.Node,
		From: j.Frontier, Count: c.Count, Deadline: a.head.Time + 1000, SeedHash: c.SeedHash, Nonce: c.Offer.Nonce,
	}}, nil
}

func (a *account) lock(wallet common.Address, amount *big.Int, nonce uint32) error {
	id := [2]common.Hash{common.BytesToHash(wallet[:]), common.BigToHash(big.NewInt(int64(nonce)))}
	free := a.free[wallet]
	switch {
	case a.spent[id]:
		return protocol.NonceSpent{Wallet: wallet, Nonce: nonce}
	case free.Cmp(amount) < 0:
		return protocol.InsufficientFree{Wallet: wallet, Have: free, Want: amount}
	}
	a.spent[id] = true
	free.Sub(free, amount)
	return nil
}

// match says whether an execution's record is the present one.
func (a *account) match(e protocol.Execution, status protocol.Status) error {
	if r := a.view.Runs[e.ID]; r == nil || r.Record != e || e.Status != status {
		return protocol.StaleRecord{ID: e.ID}
	}
	return nil
}
