package chain

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

var (
	// ErrNoFunds says that the account cannot pay for a transaction; nothing was sent.
	ErrNoFunds = errors.New("not enough funds")
	// ErrStopped says that the sender is not running any more. What it had signed
	// is on disk and goes on when it runs again.
	ErrStopped = errors.New("the transaction sender has stopped")
	// ErrNonceTaken says that a transaction from elsewhere used up the nonce of one of
	// ours, which therefore can never happen.
	ErrNonceTaken = errors.New("another program sends transactions from this account")
)

// SenderConfig tunes a Sender; the zero value suits the embedded chain.
type SenderConfig struct {
	Confirmations uint64        // blocks on top of a transaction's block before it counts as done
	MaxInFlight   int           // signed and not yet done; 0 is 64 (public Filecoin gateways accept 10)
	BumpAfter     uint64        // blocks without being mined before a transaction is sent again or pays more; 0 is 5
	Retain        uint64        // blocks for which outcomes are remembered; 0 is 10,000
	MaxFeeWei     *big.Int      // most wei per gas to offer; nil is no limit
	Poll          time.Duration // longest wait before looking for a block; 0 is 250 ms
}

func (c *SenderConfig) fill() {
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 64)
	c.BumpAfter = cmp.Or(c.BumpAfter, 5)
	c.Retain = cmp.Or(c.Retain, 10_000)
	c.Poll = cmp.Or(c.Poll, defaultPoll)
}

// Sender carries out intents with transactions of one account, each exactly once: a
// transaction is signed and on disk before any node sees it, and the same signed
// bytes are sent again after a crash or a reorganisation. After the latter they may be
// refused where they had been accepted: then the same intent may be tried again. No other program may use the key.
type Sender struct {
	client  *Client
	key     *ecdsa.PrivateKey
	account common.Address
	signer  types.Signer
	log     IntentLog
	cfg     SenderConfig
	news    chan struct{} // waiting has grown
	book    trafficBook

	mu      sync.Mutex
	all     map[string]*flight // every intent known, by key
	waiting []*flight          // accepted, nothing signed yet
	stopped bool

	// Owned by Run.
	pending []*flight          // signed and not done, by rising nonce
	done    map[uint64]*flight // successful, by nonce, for as long as outcomes are retained
	next    uint64             // first nonce not used yet
	settled *block             // newest block whose receipts were looked at
}

// flight is one intent on its way.
type flight struct {
	rec     Record        // Intent never changes; Outcome is guarded by Sender.mu; the rest is owned by Run
	waiters []chan result // guarded by Sender.mu

	// Owned by Run.
	fresh  bool   // no node has seen it
	sent   bool   // its newest version was handed to the node by this process
	sentAt uint64 // head's number then
	cheap  bool   // the node found it too cheap
	gone   bool   // its nonce is used and no receipt is there
	goneAt uint64 // head's number when that was first seen
	back   bool   // it was done, and a reorganisation took it off the chain
}

type result struct {
	out Outcome
	err error
}

// NewSender continues what log holds for key's account on the client's chain.
func NewSender(client *Client, key *ecdsa.PrivateKey, log IntentLog, cfg SenderConfig) (*Sender, error) {
	cfg.fill()
	s := &Sender{
		client:  client,
		key:     key,
		account: crypto.PubkeyToAddress(key.PublicKey),
		signer:  types.LatestSignerForChainID(client.chainID),
		log:     log,
		cfg:     cfg,
		news:    make(chan struct{}, 1),
		all:     make(map[string]*flight),
		done:    make(map[uint64]*flight),
	}
	records, err := log.Load()
	if err != nil {
		return nil, err
	}
	for _, rec := range records {
		if err := s.restore(rec); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.pending, func(a, b *flight) int { return cmp.Compare(a.rec.Nonce, b.rec.Nonce) })
	return s, nil
}

// restore takes over one record of an earlier run.
func (s *Sender) restore(rec Record) error {
	if len(rec.Versions) == 0 {
		return fmt.Errorf("transaction log: record %q has no transaction: the log is damaged", rec.Intent.Key)
	}
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(rec.Versions[0].Raw); err != nil {
		return fmt.Errorf("transaction log: record %q is damaged: %w", rec.Intent.Key, err)
	}
	from, err := types.Sender(s.signer, tx)
	if err != nil || from != s.account {
		return fmt.Errorf("the transaction log belongs to another account or chain than %s on chain %s: give each its own", s.account, s.client.chainID)
	}
	f := &flight{rec: rec}
	s.all[rec.Intent.Key] = f
	s.next = max(s.next, rec.Nonce+1)
	if rec.Outcome != nil {
		s.done[rec.Nonce] = f
		return nil
	}
	s.pending = append(s.pending, f)
	return nil
}

// Account is the address that pays.
func (s *Sender) Account() common.Address { return s.account }

// Send carries out in and returns when it is done, or would revert, or cannot be done.
// A key that is on its way already, or was done within the retained blocks, is not
// sent again: its outcome is returned. An error other than ctx's and ErrStopped means
// that nothing happened and the same intent may be tried again.
// If ctx ends, the intent goes on without the caller.
func (s *Sender) Send(ctx context.Context, in Intent) (Outcome, error) {
	return s.submit(ctx, Record{Intent: in})
}

// Deploy makes a contract with initCode (creation code followed by encoded
// arguments); Outcome.Contract is its address. It follows the rules of Send.
func (s *Sender) Deploy(ctx context.Context, key string, initCode []byte) (Outcome, error) {
	return s.submit(ctx, Record{Intent: Intent{Key: key, Data: initCode}, Create: true})
}

func (s *Sender) submit(ctx context.Context, rec Record) (Outcome, error) {
	if rec.Intent.Key == "" {
		return Outcome{}, errors.New("an intent needs a key")
	}
	if rec.Intent.Value == nil {
		rec.Intent.Value = new(big.Int)
	}
	wait, err := s.enlist(rec)
	if err != nil {
		return Outcome{}, err
	}
	select {
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	case r := <-wait:
		return r.out, r.err
	}
}

// enlist attaches to the flight of rec's key, making it if it is new.
func (s *Sender) enlist(rec Record) (<-chan result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, ErrStopped
	}
	wait := make(chan result, 1)
	f, known := s.all[rec.Intent.Key]
	if known && !f.rec.sameAs(rec) {
		return nil, fmt.Errorf("the intent key %q already stands for another transaction", rec.Intent.Key)
	}
	if known && f.rec.Outcome != nil {
		wait <- result{out: *f.rec.Outcome}
		return wait, nil
	}
	if !known {
		f = &flight{rec: rec, fresh: true}
		s.all[rec.Intent.Key] = f
		s.waiting = append(s.waiting, f)
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
	f.waiters = append(f.waiters, wait)
	return wait, nil
}

func (r *Record) sameAs(o Record) bool {
	return r.Create == o.Create && r.Intent.To == o.Intent.To && r.Intent.Value.Cmp(o.Intent.Value) == 0 &&
		bytes.Equal(r.Intent.Data, o.Intent.Data)
}

// Run sends until ctx ends and returns its error, or an error of the intent log.
// Trouble with the node is logged and tried again. Run may be called once.
func (s *Sender) Run(ctx context.Context) error {
	defer s.stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wake := s.client.wake(ctx, s.cfg.Poll)
	quiet := false
	var again <-chan time.Time // after trouble, whether there is a new block or not
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-s.news:
		case <-again:
		}
		again = nil
		err := s.step(ctx)
		var fatal permanent
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &fatal):
			return fatal.error
		case err != nil && !quiet:
			slog.Warn("cannot send transactions, trying again", "account", s.account, "err", err)
		}
		if quiet = err != nil; quiet {
			again = time.After(s.cfg.Poll)
		}
	}
}

// step looks at a new block, if there is one, and sends what can be sent.
func (s *Sender) step(ctx context.Context) error {
	head, err := s.client.head(ctx)
	if err != nil {
		return err
	}
	if s.settled == nil || s.settled.Hash != head.Hash {
		if err := s.settle(ctx, head); err != nil {
			return err
		}
		s.settled = head
	}
	return errors.Join(s.launch(ctx, head), s.transmit(ctx, head))
}

// stop turns every waiting caller away.
func (s *Sender) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, f := range s.all {
		f.answer(result{err: ErrStopped})
	}
}

// answer tells everyone who waits for f; the caller holds Sender.mu.
func (f *flight) answer(r result) {
	for _, w := range f.waiters {
		w <- r
	}
	f.waiters = nil
}

// succeed records a durable outcome and tells whoever waits for it.
func (s *Sender) succeed(f *flight, out Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.rec.Outcome = &out
	f.answer(result{out: out})
}

// forget drops an intent that changed nothing, so that it may be tried again.
func (s *Sender) forget(f *flight, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, f.rec.Intent.Key)
	switch {
	case r.err != nil:
		s.book.note(f, func(t *Traffic) { t.Failed++ })
	case r.out.Reverted: // nothing was sent
		s.book.note(f, func(t *Traffic) { t.Reverted++ })
	}
	f.answer(r)
}

// rename gives up the key of an intent that the contract refused, for a later attempt. The transaction is kept: should a
// reorganisation undo it, it is sent again for its nonce.
func (s *Sender) rename(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.rec.Intent.Key = f.rec.spentKey()
	s.all[f.rec.Intent.Key] = f
}

// take removes up to n of the waiting flights.
func (s *Sender) take(n int) []*flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(max(n, 0), len(s.waiting))
	batch := slices.Clone(s.waiting[:n])
	s.waiting = slices.Delete(s.waiting, 0, n)
	return batch
}

// putBack returns flights to the front of the queue.
func (s *Sender) putBack(batch []*flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(slices.Clone(batch), s.waiting...)
}
