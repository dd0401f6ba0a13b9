package market

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

const chainID = 31337

var development = protocol.Parameters{
	MinStake: big.NewInt(1000), MinDeposit: big.NewInt(100), NoShowFee: big.NewInt(10),
	SettleWindow: 20, DrawWindow: 20, SilentWindow: 20, AppealWindow: 20, MinExecuteWindow: 5, Confirmations: 1,
	Redraws: 2, MaxPieces: 1000, MinCheckRate: 655, DeclinesPerDay: 2, ChallengePrice: big.NewInt(5), JurySize: 3,
}

// network is a chain with a market on it.
type network struct {
	rpc    *chain.Client
	market common.Address
	start  uint64
}

// party is a wallet with its client.
type party struct {
	*Client
	key     *ecdsa.PrivateKey
	journal *journal
	log     *chain.PebbleIntents
	stop    func()
}

func newNetwork(t *testing.T, keys ...*ecdsa.PrivateKey) *network {
	t.Helper()
	ether := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	deployer := newKey(t)
	funds := map[common.Address]*big.Int{crypto.PubkeyToAddress(deployer.PublicKey): ether}
	for _, key := range keys {
		funds[crypto.PubkeyToAddress(key.PublicKey)] = ether
	}
	embedded, err := chain.StartEmbedded(chain.EmbeddedConfig{Dir: t.TempDir(), ChainID: chainID, PeriodSeconds: 1, Alloc: funds})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { embedded.Close() })
	rpc, err := embedded.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rpc.Close)
	sender, stop := startSender(t, rpc, deployer, openLog(t))
	defer stop()
	address, receipt, err := Deploy(t.Context(), sender, "market", development)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("deployed with %d gas", receipt.GasUsed)
	return &network{rpc: rpc, market: address, start: receipt.Block}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func openLog(t *testing.T) *chain.PebbleIntents {
	t.Helper()
	log, err := chain.OpenIntents(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func startSender(t *testing.T, rpc *chain.Client, key *ecdsa.PrivateKey, log chain.IntentLog) (*chain.Sender, func()) {
	t.Helper()
	sender, err := chain.NewSender(rpc, key, log, chain.SenderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); sender.Run(ctx) }()
	return sender, func() { cancel(); <-ended }
}

// join starts a client for the key. A nil log or journal is a new one.
func (n *network) join(t *testing.T, key *ecdsa.PrivateKey, log *chain.PebbleIntents, j *journal) *party {
	t.Helper()
	if log == nil {
		log = openLog(t)
	}
	if j == nil {
		j = newJournal()
	}
	sender, err := chain.NewSender(n.rpc, key, log, chain.SenderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(t.Context(), Config{Chain: n.rpc, Sender: sender, Market: n.market, Start: n.start, Confirmations: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Subscribe(j); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.Start(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Start returned %v", err)
		}
	})
	t.Cleanup(stop)
	return &party{Client: client, key: key, journal: j, log: log, stop: stop}
}

// journal is a subscriber that keeps everything in memory.
type journal struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced by every change
	points  []transport.Point
	records []transport.Record
	view    *protocol.View
	caught  int
}

func newJournal() *journal {
	return &journal{changed: make(chan struct{}), view: protocol.NewView()}
}

func (j *journal) Apply(_ context.Context, upTo transport.Point, records []transport.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range records {
		if err := j.view.Fold(r.Event, r.Meta.Block.Block); err != nil {
			return err
		}
	}
	j.view.Advance(upTo.Block)
	j.records, j.points = append(j.records, records...), append(j.points, upTo)
	close(j.changed)
	j.changed = make(chan struct{})
	return nil
}

func (j *journal) Rollback(_ context.Context, to transport.Point) error {
	return fmt.Errorf("a chain with one producer was rolled back to block %d", to.Number)
}

func (j *journal) Checkpoints() []transport.Point {
	j.mu.Lock()
	defer j.mu.Unlock()
	newestFirst := slices.Clone(j.points)
	slices.Reverse(newestFirst)
	return newestFirst[:min(len(newestFirst), 10)]
}

func (j *journal) CaughtUp(transport.Point) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.caught++
}

func (j *journal) Read(f func(*protocol.View)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(j.view)
}

// wait returns once the view satisfies the condition.
func (j *journal) wait(t *testing.T, what string, condition func(*protocol.View) bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		j.mu.Lock()
		ok, changed := condition(j.view), j.changed
		j.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (p *party) must(t *testing.T) func(transport.Receipt, error) transport.Receipt {
	return func(r transport.Receipt, err error) transport.Receipt {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if r.Tx == (common.Hash{}) || r.Block == 0 || r.GasUsed == 0 {
			t.Fatalf("receipt %+v", r)
		}
		return r
	}
}

func (p *party) sign(t *testing.T, offer protocol.Offer) protocol.SignedOffer {
	t.Helper()
	digest, err := p.OfferDigest(t.Context(), offer)
	if err != nil {
		t.Fatal(err)
	}
	if own := protocol.OfferDigest(p.config.Chain.ChainID().Uint64(), p.Market(), offer); own != digest {
		t.Fatalf("our digest of an offer is %s, the contract's %s", own, digest)
	}
	signature, err := crypto.Sign(digest[:], p.key)
	if err != nil {
		t.Fatal(err)
	}
	signature[64] += 27
	return protocol.SignedOffer{Offer: offer, Signature: signature}
}
