package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"golang.org/x/sync/errgroup"
)

// parallelCalls is how many questions about different transactions one sender asks at a time.
const parallelCalls = 8

// launch moves waiting intents to pending: estimated, affordable, signed and on disk.
func (s *Sender) launch(ctx context.Context, head *block) error {
	if slices.ContainsFunc(s.pending, func(f *flight) bool { return f.back }) {
		return nil // the newest state lacks what the callers were told is done
	}
	batch := s.take(s.cfg.MaxInFlight - len(s.pending))
	if len(batch) == 0 {
		return nil
	}
	going, err := s.client.fees(ctx, head)
	if err == nil && len(s.pending) == 0 {
		err = s.findNonce(ctx)
	}
	if err != nil {
		s.putBack(batch)
		return err
	}
	if err := going.checkLimit(s.cfg.MaxFeeWei); err != nil {
		for _, f := range batch {
			s.forget(f, result{err: err})
		}
		return nil
	}
	ready, later := s.estimate(ctx, batch, head)
	ready, poor, err := s.afford(ctx, ready, going)
	s.putBack(append(poor, later...))
	if err != nil || len(ready) == 0 {
		return err
	}
	records := make([]Record, len(ready))
	for i, f := range ready {
		f.rec.Nonce = s.next + uint64(i)
		if err := s.sign(f, going); err != nil {
			s.putBack(ready)
			return err
		}
		records[i] = f.rec
	}
	if err := s.log.Put(records...); err != nil {
		return permanent{fmt.Errorf("transaction log: %w", err)}
	}
	s.next += uint64(len(ready))
	s.pending = append(s.pending, ready...)
	return nil
}

// findNonce asks where the account stands; only with nothing pending may the node's word be taken for it.
func (s *Sender) findNonce(ctx context.Context) error {
	n, err := s.nonceAt(ctx, "pending")
	if err != nil {
		return err
	}
	if n < s.next && s.done[n] != nil { // dropped by a reorganisation, settle brings it back
		return nil
	}
	s.next = n
	return nil
}

func (s *Sender) nonceAt(ctx context.Context, tag string) (uint64, error) {
	var n hexutil.Uint64
	err := s.client.call(ctx, &n, "eth_getTransactionCount", s.account, tag)
	return uint64(n), err
}

// estimate sets the gas of each flight. It finishes those that would revert or that the
// node refuses, and returns the rest: ready, and those to ask about later.
func (s *Sender) estimate(ctx context.Context, batch []*flight, head *block) (ready, later []*flight) {
	gas, errs := make([]hexutil.Uint64, len(batch)), make([]error, len(batch))
	var g errgroup.Group
	g.SetLimit(parallelCalls)
	for i, f := range batch {
		g.Go(func() error {
			errs[i] = s.client.call(ctx, &gas[i], "eth_estimateGas", s.args(f))
			return nil
		})
	}
	g.Wait()
	for i, f := range batch {
		err := asRevert(errs[i])
		var reverted *RevertError
		var said rpc.Error
		switch {
		case err == nil:
			f.rec.Gas = gasMargin(uint64(gas[i]), uint64(head.GasLimit))
			ready = append(ready, f)
		case errors.As(err, &reverted) && !s.still(ctx, head):
			later = append(later, f)
		case errors.As(err, &reverted):
			s.forget(f, result{out: Outcome{Reverted: true, RevertData: reverted.Data}})
		case lacksFunds(err):
			s.forget(f, result{err: fmt.Errorf("%w: account %s cannot pay %s wei: %w", ErrNoFunds, s.account, f.rec.Intent.Value, err)})
		case errors.As(err, &said):
			s.forget(f, result{err: err})
		default:
			later = append(later, f)
		}
	}
	return ready, later
}

// still reports whether head is on the chain, as far as is known: what a state without it refuses says nothing.
func (s *Sender) still(ctx context.Context, head *block) bool {
	ok, err := s.client.has(ctx, head.point())
	return ok && err == nil
}

func (s *Sender) args(f *flight) callArgs {
	a := callArgs{From: &s.account, Value: (*hexutil.Big)(f.rec.Intent.Value), Data: f.rec.Intent.Data}
	if !f.rec.Create {
		a.To = &f.rec.Intent.To
	}
	return a
}

// afford splits off the flights that the account cannot pay for on top of all that is
// pending. They wait while something is pending (it may cost less, or bring money), else they fail.
func (s *Sender) afford(ctx context.Context, ready []*flight, going fees) (rich, poor []*flight, err error) {
	if len(ready) == 0 {
		return nil, nil, nil
	}
	left, err := s.client.Balance(ctx, s.account)
	if err != nil {
		return nil, ready, err
	}
	for _, f := range s.pending {
		left.Sub(left, f.rec.costWei(fees{f.rec.TipWei, f.rec.CapWei}))
	}
	for i, f := range ready {
		cost := f.rec.costWei(going)
		if left.Cmp(cost) >= 0 {
			left.Sub(left, cost)
			continue
		}
		if i > 0 || len(s.pending) > 0 {
			return ready[:i], ready[i:], nil
		}
		s.forget(f, result{err: fmt.Errorf("%w: account %s has %s wei and the transaction may cost %s wei: send it some", ErrNoFunds, s.account, left, cost)})
		return nil, ready[1:], nil
	}
	return ready, nil, nil
}

// solvent reports whether the account can pay for its pending transactions up to index i. A
// node that says otherwise has a pool that has not seen the newest block yet.
func (s *Sender) solvent(ctx context.Context, i int) bool {
	left, err := s.client.Balance(ctx, s.account)
	if err != nil {
		return true // nothing is known; ask again later
	}
	for _, f := range s.pending[:i+1] {
		left.Sub(left, f.rec.costWei(fees{f.rec.TipWei, f.rec.CapWei}))
	}
	return left.Sign() >= 0
}

// costWei is the most that r may take from the account.
func (r *Record) costWei(f fees) *big.Int {
	wei := new(big.Int).Mul(f.cap, new(big.Int).SetUint64(r.Gas))
	return wei.Add(wei, r.Intent.Value)
}

// sign adds a version of f with the given prices. The caller stores it before it is sent.
func (s *Sender) sign(f *flight, price fees) error {
	var to *common.Address
	if !f.rec.Create {
		to = &f.rec.Intent.To
	}
	tx, err := types.SignNewTx(s.key, s.signer, &types.DynamicFeeTx{
		ChainID: s.client.chainID, Nonce: f.rec.Nonce, Gas: f.rec.Gas, To: to,
		GasTipCap: price.tip, GasFeeCap: price.cap, Value: f.rec.Intent.Value, Data: f.rec.Intent.Data,
	})
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	f.rec.TipWei, f.rec.CapWei = price.tip, price.cap
	f.rec.Versions = append(f.rec.Versions, Version{Hash: tx.Hash(), Raw: raw})
	f.sent, f.cheap = false, false
	return nil
}

// transmit hands what is pending and unsent to the node in the order of nonces, because a
// Filecoin gateway refuses a nonce whose predecessor it does not know.
func (s *Sender) transmit(ctx context.Context, head *block) error {
	for i, f := range s.pending {
		if f.sent {
			continue
		}
		err := s.sendRaw(ctx, f.newest())
		var said rpc.Error
		switch {
		case err == nil, says(err, alreadyThere...):
			if f.fresh {
				s.book.note(f, func(t *Traffic) { t.Sent++ })
			}
			f.sent, f.fresh, f.sentAt = true, false, uint64(head.Number)
		case !errors.As(err, &said):
			f.fresh = false // the answer was lost, perhaps not the question
			return err
		case says(err, tooCheap...):
			f.sent, f.fresh, f.cheap, f.sentAt = true, false, true, 0 // settle makes it dearer
			return err
		case says(err, notNow...), lacksFunds(err) && s.solvent(ctx, i):
			return err
		default:
			return s.refused(ctx, i, head, err)
		}
	}
	return nil
}

// Phrases of geth, anvil and Lotus, lower case.
var (
	// alreadyThere: this version, or another one of the same nonce, is in the pool or on the chain.
	alreadyThere = []string{"already known", "already imported", "known transaction", "already exists", "nonce too low",
		"nonce is too low", "replacement transaction underpriced", "replace by fee"}
	// tooCheap: the going rate has risen since it was signed.
	tooCheap = []string{"underpriced", "gas price below minimum", "base fee"}
	// notNow: the node wants fewer transactions, or the predecessor first.
	notNow = []string{"too many", "pool is full", "out of capacity", "limit exceeded", "nonce gap", "nonce too high"}
)

func lacksFunds(err error) bool { return says(err, "insufficient funds", "not enough funds") }

// refused handles a transaction that the node will not take. If no node can have it, it is
// withdrawn together with those behind it, and only its own callers get the error.
func (s *Sender) refused(ctx context.Context, i int, head *block, reason error) error {
	f := s.pending[i]
	for _, g := range s.pending[i:] {
		if !g.fresh {
			f.sent, f.sentAt = true, uint64(head.Number) // settle tries again some blocks later
			return fmt.Errorf("transaction %s: %w", f.newest().Hash, reason)
		}
	}
	known, err := s.known(ctx, f)
	if err != nil {
		return err
	}
	if known {
		f.sent, f.fresh, f.sentAt = true, false, uint64(head.Number)
		return nil
	}
	behind := s.pending[i+1:]
	keys := []string{f.rec.Intent.Key}
	for _, g := range behind {
		keys = append(keys, g.rec.Intent.Key)
		g.rec.Versions = nil
	}
	if err := s.log.Delete(keys...); err != nil {
		return permanent{fmt.Errorf("transaction log: %w", err)}
	}
	s.putBack(behind)
	s.pending, s.next = s.pending[:i], f.rec.Nonce
	if lacksFunds(reason) {
		reason = fmt.Errorf("%w: account %s: %w", ErrNoFunds, s.account, reason)
	}
	s.forget(f, result{err: reason})
	return nil
}

func (f *flight) newest() Version { return f.rec.Versions[len(f.rec.Versions)-1] }

func (s *Sender) sendRaw(ctx context.Context, v Version) error {
	var hash common.Hash
	return s.client.call(ctx, &hash, "eth_sendRawTransaction", v.Raw)
}

// known reports whether the node has a version of f, in its pool or on the chain.
func (s *Sender) known(ctx context.Context, f *flight) (bool, error) {
	for _, v := range slices.Backward(f.rec.Versions) {
		var tx *struct {
			Hash common.Hash `json:"hash"`
		}
		if err := s.client.call(ctx, &tx, "eth_getTransactionByHash", v.Hash); err != nil {
			return false, err
		}
		if tx != nil {
			return true, nil
		}
	}
	return false, nil
}
