package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"golang.org/x/sync/errgroup"
)

// lateReceiptBlocks is how long a receipt may be missing after its nonce was used. Filecoin
// nodes index receipts up to three blocks late; ten minutes is beyond doubt.
const lateReceiptBlocks = 20

// receipt is what a node says about a mined transaction.
type receipt struct {
	Hash     common.Hash     `json:"transactionHash"`
	Block    hexutil.Uint64  `json:"blockNumber"`
	In       common.Hash     `json:"blockHash"`
	Status   hexutil.Uint64  `json:"status"`
	GasUsed  hexutil.Uint64  `json:"gasUsed"`
	PriceWei *hexutil.Big    `json:"effectiveGasPrice"` // wei per gas
	Contract *common.Address `json:"contractAddress"`
}

// settle looks at every pending transaction after a new block.
func (s *Sender) settle(ctx context.Context, head *block) error {
	if err := s.reopen(ctx, head); err != nil {
		return err
	}
	used, err := s.nonceAt(ctx, "latest") // nonces below this one are used
	if err != nil {
		return err
	}
	if err := s.revive(ctx, used); err != nil {
		return err
	}
	receipts, err := s.receipts(ctx, used)
	if err != nil {
		return err
	}
	var finished []*receipt
	var flights []*flight
	now := uint64(head.Number)
	for i, f := range s.pending {
		switch r := receipts[i]; {
		case r != nil:
			f.gone = false
			if now >= uint64(r.Block)+s.cfg.Confirmations {
				finished, flights = append(finished, r), append(flights, f)
			}
		case f.rec.Nonce < used && !f.gone:
			f.gone, f.goneAt = true, now
		case f.rec.Nonce >= used:
			f.gone = false
		}
	}
	if err := s.finish(ctx, flights, finished); err != nil {
		return err
	}
	if err := s.giveUp(now); err != nil {
		return err
	}
	if err := s.hurry(ctx, head, used); err != nil {
		return err
	}
	return s.prune(now)
}

// revive sends transactions again that had no effect and that a reorganisation took off the chain: nothing of ours can
// be mined before their nonces are used.
func (s *Sender) revive(ctx context.Context, used uint64) error {
	expected := s.next
	if len(s.pending) > 0 {
		expected = s.pending[0].rec.Nonce
	}
	for n := used; n < expected; n++ {
		f := s.done[n]
		if f == nil {
			if len(s.pending) == 0 {
				return nil // nothing of ours depends on it; findNonce starts afresh
			}
			return fmt.Errorf("the chain expects nonce %d of account %s and the oldest pending transaction has %d: the node is behind, or the chain was replaced (then start with an empty transaction log)", n, s.account, expected)
		}
		if err := s.sendRaw(ctx, f.newest()); err != nil && !says(err, alreadyThere...) {
			return err
		}
	}
	return nil
}

// receipts asks for the receipt of every pending transaction whose nonce is used; nil where there is none yet.
func (s *Sender) receipts(ctx context.Context, used uint64) ([]*receipt, error) {
	out := make([]*receipt, len(s.pending))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelCalls)
	for i, f := range s.pending {
		if f.rec.Nonce >= used {
			continue
		}
		g.Go(func() error {
			for _, v := range slices.Backward(f.rec.Versions) {
				var r *receipt
				if err := s.client.call(ctx, &r, "eth_getTransactionReceipt", v.Hash); err != nil {
					return err
				}
				if r != nil {
					out[i] = r
					return nil
				}
			}
			return nil
		})
	}
	return out, g.Wait()
}

// finish makes outcomes durable and then known.
func (s *Sender) finish(ctx context.Context, flights []*flight, receipts []*receipt) error {
	var records []Record
	var reverted []string
	outs := make([]Outcome, len(flights))
	for i, f := range flights {
		r := receipts[i]
		f.back = false
		outs[i] = Outcome{Hash: r.Hash, Block: uint64(r.Block), BlockHash: r.In, GasUsed: uint64(r.GasUsed)}
		if r.Contract != nil {
			outs[i].Contract = *r.Contract
		}
		if r.Status == 0 {
			outs[i].Reverted, outs[i].RevertData = true, s.replay(ctx, f, r)
			reverted = append(reverted, f.rec.Intent.Key)
		}
		rec := f.rec
		rec.Outcome = &outs[i]
		if outs[i].Reverted {
			rec.Intent.Key = rec.spentKey()
		}
		records = append(records, rec)
	}
	if err := s.store(records, reverted); err != nil {
		return err
	}
	for i, f := range flights {
		s.book.ended(f, receipts[i])
		s.done[f.rec.Nonce] = f
		s.succeed(f, outs[i])
		if outs[i].Reverted {
			s.forget(f, result{})
			s.rename(f)
		}
	}
	s.pending = slices.DeleteFunc(s.pending, func(f *flight) bool { return slices.Contains(flights, f) })
	return nil
}

func (s *Sender) store(records []Record, drop []string) error {
	if len(records) > 0 {
		if err := s.log.Put(records...); err != nil {
			return permanent{fmt.Errorf("transaction log: %w", err)}
		}
	}
	if len(drop) > 0 {
		if err := s.log.Delete(drop...); err != nil {
			return permanent{fmt.Errorf("transaction log: %w", err)}
		}
	}
	return nil
}

// replay asks why r failed; nil if the state before it does not tell, since other
// transactions of its block may have run in between.
func (s *Sender) replay(ctx context.Context, f *flight, r *receipt) []byte {
	args := s.args(f)
	args.Gas = hexutil.Uint64(f.rec.Gas)
	for _, at := range []uint64{uint64(r.Block), uint64(r.Block) - 1} {
		_, err := s.client.callAt(ctx, args, hexutil.EncodeUint64(at))
		var reverted *RevertError
		if errors.As(err, &reverted) {
			return reverted.Data
		}
	}
	return nil
}

// giveUp fails the transactions whose nonce was used by something else.
func (s *Sender) giveUp(now uint64) error {
	var lost []*flight
	var keys []string
	for _, f := range s.pending {
		if f.gone && now >= f.goneAt+max(lateReceiptBlocks, s.cfg.Confirmations) {
			lost, keys = append(lost, f), append(keys, f.rec.Intent.Key)
		}
	}
	if err := s.store(nil, keys); err != nil {
		return err
	}
	for _, f := range lost {
		s.forget(f, result{err: fmt.Errorf("%w: nonce %d of %s is used and not by %s", ErrNonceTaken, f.rec.Nonce, s.account, f.newest().Hash)})
	}
	s.pending = slices.DeleteFunc(s.pending, func(f *flight) bool { return slices.Contains(lost, f) })
	return nil
}

// hurry deals with transactions that were sent some blocks ago and are not mined: sent
// again if the node lost them, else replaced by one that pays more.
func (s *Sender) hurry(ctx context.Context, head *block, used uint64) error {
	now := uint64(head.Number)
	var slow []*flight
	for _, f := range s.pending {
		if f.rec.Nonce < used || !f.sent || now < f.sentAt+s.cfg.BumpAfter {
			continue
		}
		known, err := s.known(ctx, f)
		if err != nil {
			return err
		}
		if known || f.cheap {
			slow = append(slow, f)
		} else {
			f.sent = false
		}
	}
	if len(slow) == 0 {
		return nil
	}
	going, err := s.client.fees(ctx, head)
	if err != nil {
		return err
	}
	return s.bump(slow, going, now)
}

// bump signs dearer versions of the slow flights, durably; transmit sends them.
func (s *Sender) bump(slow []*flight, going fees, now uint64) error {
	var records []Record
	for _, f := range slow {
		old := fees{f.rec.TipWei, f.rec.CapWei}
		dearer := old.bumped(going)
		if old.generous(going) || dearer.checkLimit(s.cfg.MaxFeeWei) != nil {
			f.sentAt = now // it keeps waiting
			continue
		}
		if err := s.sign(f, dearer); err != nil {
			return err
		}
		s.book.note(f, func(t *Traffic) { t.Replaced++ })
		records = append(records, f.rec)
	}
	return s.store(records, nil)
}

// prune forgets outcomes older than the retained blocks.
func (s *Sender) prune(now uint64) error {
	var keys []string
	s.mu.Lock()
	defer s.mu.Unlock()
	for nonce, f := range s.done {
		if now <= f.rec.Outcome.Block+s.cfg.Retain {
			continue
		}
		delete(s.done, nonce)
		keys = append(keys, f.rec.Intent.Key)
		delete(s.all, f.rec.Intent.Key)
	}
	return s.store(nil, keys)
}
