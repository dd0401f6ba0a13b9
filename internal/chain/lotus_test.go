package chain

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// lotus stands before a real chain and makes it one of Filecoin's nodes, with all that is peculiar about them. What it
// refuses is counted by reason.
type lotus struct {
	real     *Client
	head     func() uint64
	null     func(number uint64) bool // rounds without a block
	maxRange uint64                   // blocks of a log query; 2,880 on Filecoin
	late     int                      // times that a receipt is asked for before it is there
	pool     int                      // transactions of an account that are not mined yet

	mu      sync.Mutex
	asked   map[string]int    // receipts
	gas     map[string]uint64 // estimates by call data
	sent    []*types.Transaction
	read    map[uint64]int // answered log queries, by block
	refused map[string]int
}

// Why lotus refuses.
const (
	nullRound = "requested epoch was a null round"
	pastHead  = "cannot ask for events at or past the head"
	tooWide   = "block range too large"
	nonceGap  = "nonce gap"
	tooMany   = "too many pending transactions"
	badTxType = "unsupported transaction type"
	notItsGas = "gas limit is not what was estimated"
)

// rehash is another hash for a block: Filecoin's are of tipsets, not of Ethereum's header fields.
func rehash(hash string) string {
	return crypto.Keccak256Hash([]byte("tipset"), common.HexToHash(hash).Bytes()).Hex()
}

// rehashed replaces the block's hash below a key of an answer.
func rehashed(raw json.RawMessage, key string) any {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return raw
	}
	if hash, ok := fields[key].(string); ok {
		fields[key] = rehash(hash)
	}
	return fields
}

func (l *lotus) refuse(why string) (any, *rpcError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[why]++
	return nil, &rpcError{-32000, why}
}

func (l *lotus) rules() map[string]rule {
	l.asked, l.gas, l.read, l.refused = map[string]int{}, map[string]uint64{}, map[uint64]int{}, map[string]int{}
	return map[string]rule{
		"eth_getBlockByNumber": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			if n, ok := number(r.Params[0]); ok && l.null(n) {
				return l.refuse(nullRound)
			}
			return rehashed(ask(), "hash"), nil
		},
		"eth_getLogs":               l.logs,
		"eth_getTransactionReceipt": l.receipt,
		"eth_estimateGas": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			var q struct{ Data hexutil.Bytes }
			answer := ask()
			if n, ok := number(answer); ok && json.Unmarshal(r.Params[0], &q) == nil {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.gas[string(q.Data)] = n
			}
			return answer, nil
		},
		"eth_sendRawTransaction": l.send,
	}
}

func (l *lotus) logs(r request, ask func() json.RawMessage) (any, *rpcError) {
	var q struct{ FromBlock, ToBlock hexutil.Uint64 }
	if err := json.Unmarshal(r.Params[0], &q); err != nil {
		return l.refuse(err.Error())
	}
	switch from, to := uint64(q.FromBlock), uint64(q.ToBlock); {
	case to >= l.head():
		return l.refuse(pastHead)
	case to-from >= l.maxRange:
		return l.refuse(tooWide)
	}
	var logs []map[string]any
	if err := json.Unmarshal(ask(), &logs); err != nil {
		return l.refuse(err.Error())
	}
	for _, log := range logs {
		delete(log, "blockTimestamp")
		log["logIndex"], log["blockHash"] = "0x0", rehash(log["blockHash"].(string))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := uint64(q.FromBlock); n <= uint64(q.ToBlock); n++ {
		l.read[n]++
	}
	return logs, nil
}

func (l *lotus) receipt(r request, ask func() json.RawMessage) (any, *rpcError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := string(r.Params[0])
	if l.asked[hash]++; l.asked[hash] <= l.late {
		return nil, nil
	}
	return rehashed(ask(), "blockHash"), nil
}

// send takes transactions in the order of their nonces, of two types, without access lists, with the gas that was
// estimated and not much more, for it burns what is too much.
func (l *lotus) send(r request, ask func() json.RawMessage) (any, *rpcError) {
	var raw hexutil.Bytes
	tx := new(types.Transaction)
	if json.Unmarshal(r.Params[0], &raw) != nil || tx.UnmarshalBinary(raw) != nil {
		return l.refuse(badTxType)
	}
	from, err := types.Sender(types.LatestSignerForChainID(l.real.chainID), tx)
	if err != nil {
		return l.refuse(err.Error())
	}
	var pending, mined hexutil.Uint64
	for tag, n := range map[string]*hexutil.Uint64{"pending": &pending, "latest": &mined} {
		if err := l.real.rpc.Call(n, "eth_getTransactionCount", from, tag); err != nil {
			return l.refuse(err.Error())
		}
	}
	l.mu.Lock()
	estimate := l.gas[string(tx.Data())]
	for _, sent := range l.sent { // which the real node's pool may not have counted yet
		pending = max(pending, hexutil.Uint64(sent.Nonce()+1))
	}
	l.mu.Unlock()
	switch {
	case tx.Nonce() > uint64(pending):
		return l.refuse(nonceGap)
	case tx.Nonce() >= uint64(mined)+uint64(l.pool):
		return l.refuse(tooMany)
	case tx.Type() != types.LegacyTxType && tx.Type() != types.DynamicFeeTxType, len(tx.AccessList()) > 0:
		return l.refuse(badTxType)
	case tx.Gas() < estimate, tx.Gas() > estimate+estimate/4:
		return l.refuse(notItsGas)
	}
	l.mu.Lock()
	l.sent = append(l.sent, tx)
	l.mu.Unlock()
	return ask(), nil
}

// TestFollowerAndSenderOnANodeLikeLotus has each rule of a Filecoin node kept, or broken once and then learned.
func TestFollowerAndSenderOnANodeLikeLotus(t *testing.T) {
	e := startChain(t, t.TempDir())
	real := dial(t, e.URL())
	l := &lotus{real: real, maxRange: 7, late: 3, pool: 10}
	l.head = func() uint64 {
		n, err := real.headNumber(t.Context())
		if err != nil {
			t.Error(err)
		}
		return n
	}
	l.null = func(n uint64) bool { // blocks without transactions, all but every fifth
		var txs hexutil.Uint64
		if err := real.call(t.Context(), &txs, "eth_getBlockTransactionCountByNumber", hexutil.Uint64(n)); err != nil {
			t.Error(err)
		}
		return txs == 0 && n%5 != 0
	}
	url, _ := startProxy(t, e, l.rules())
	c := dial(t, url)
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{Confirmations: 2, MaxInFlight: 10, BumpAfter: 1000})
	contract := deployCounter(t, e, s)
	for i := range 4 {
		emit(t, e, s, contract.Contract, i*10, 10)
		mine(t, e, 20)
	}
	sink := &memorySink{}
	f := &Follower{Client: c, Address: contract.Contract, Start: contract.Block, Confirmations: 1, MaxRange: 1000, Sink: sink}
	stop := follow(t, f)
	mine(t, e, 10-int(l.head()%5)) // the head is no null round: only its being the head forbids to ask for it
	last := (l.head() - 1) / 5 * 5
	eventually(t, "caught up", func() bool { return sink.newest() >= last })
	stop()

	checks := map[string]func() error{
		"null rounds are passed over": func() error {
			for _, p := range sink.Checkpoints() {
				if l.null(p.Number) {
					return fmt.Errorf("checkpoint %d is a null round", p.Number)
				}
			}
			return met(l, nullRound)
		},
		"no log query reaches the head": func() error { return never(l, pastHead) },
		"log queries become as short as the node wants": func() error {
			if f.span > l.maxRange*2 || defaultMaxRange > 2880 {
				return fmt.Errorf("range %d, at first %d", f.span, defaultMaxRange)
			}
			return met(l, tooWide)
		},
		"logs with equal indices are all there, in order": func() error {
			if len(sink.logs) != 40 || len(sink.rollbacks) != 0 {
				return fmt.Errorf("%d logs, %d rollbacks", len(sink.logs), len(sink.rollbacks))
			}
			for i, log := range sink.logs[1:] {
				if log.Block.Number < sink.logs[i].Block.Number {
					return fmt.Errorf("log %d is of block %d, after %d", i+1, log.Block.Number, sink.logs[i].Block.Number)
				}
			}
			return nil
		},
		"logs without a time get their block's": func() error {
			for _, log := range sink.logs {
				b, err := real.blockAt(t.Context(), log.Block.Number)
				if err != nil || uint64(b.Time) != log.Block.Time {
					return fmt.Errorf("log of block %d has time %d, %v", log.Block.Number, log.Block.Time, err)
				}
			}
			return nil
		},
		"a block is named by the hash that the node says": func() error {
			for _, p := range sink.Checkpoints() {
				b, err := real.blockAt(t.Context(), p.Number)
				if err != nil || p.Hash.Hex() != rehash(b.Hash.Hex()) {
					return fmt.Errorf("checkpoint %+v, block %+v, %v", p, b, err)
				}
			}
			return nil
		},
		"each block's logs are read once": func() error {
			for n := contract.Block; n <= sink.newest(); n++ {
				if l.read[n] != 1 {
					return fmt.Errorf("block %d was read %d times", n, l.read[n])
				}
			}
			return nil
		},
		"late receipts are waited for": func() error {
			for hash, times := range l.asked {
				if times <= l.late {
					return fmt.Errorf("receipt of %s was asked for %d times", hash, times)
				}
			}
			return nil
		},
		"nothing is sent twice for want of a receipt": func() error {
			seen := map[uint64]common.Hash{}
			for _, tx := range l.sent {
				if before, ok := seen[tx.Nonce()]; ok && before != tx.Hash() {
					return fmt.Errorf("nonce %d stands for %s and %s", tx.Nonce(), before, tx.Hash())
				}
				seen[tx.Nonce()] = tx.Hash()
			}
			if len(seen) != 41 {
				return fmt.Errorf("%d nonces for 41 intents", len(seen))
			}
			return nil
		},
		"nonces have no gap":                                func() error { return never(l, nonceGap) },
		"the node's pool is not filled further":             func() error { return never(l, tooMany) },
		"transactions have a type that it knows":            func() error { return never(l, badTxType) },
		"gas is what the node estimates, and a little more": func() error { return never(l, notItsGas) },
	}
	for rule, check := range checks {
		t.Run(rule, func(t *testing.T) {
			if err := check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// never says that lotus had to refuse something for this reason.
func never(l *lotus, why string) error {
	if n := l.refused[why]; n > 0 {
		return fmt.Errorf("refused %d times: %s", n, why)
	}
	return nil
}

// met says that lotus never refused anything for this reason, which leaves the rule untested.
func met(l *lotus, why string) error {
	if l.refused[why] == 0 {
		return fmt.Errorf("never refused: %s", why)
	}
	return nil
}
