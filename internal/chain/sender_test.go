package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

func TestSenderSendsManyOnceEach(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.WSURL())
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{})
	contract := deployCounter(t, e, s).Contract
	const n = 300
	emit(t, e, s, contract, 0, n)
	emit(t, e, s, contract, 0, n) // the same keys: nothing more may happen
	if got := count(t, c, contract); got != n {
		t.Fatalf("the counter is %d, want %d", got, n)
	}
	if nonce, err := s.nonceAt(t.Context(), "latest"); err != nil || nonce != n+1 {
		t.Fatalf("nonce %d, %v; want %d", nonce, err, n+1)
	}
	if _, err := s.Send(t.Context(), Intent{Key: "emit 0", To: contract}); err == nil || !strings.Contains(err.Error(), "another transaction") {
		t.Fatalf("one key for two transactions: %v", err)
	}
	if _, err := s.Send(t.Context(), Intent{To: contract}); err == nil || !strings.Contains(err.Error(), "needs a key") {
		t.Fatalf("no key: %v", err)
	}
}

func TestSenderReportsReverts(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.WSURL())
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{})
	contract := deployCounter(t, e, s).Contract

	out, err := s.Send(t.Context(), Intent{Key: "empty", To: contract})
	if err != nil || !out.Reverted || out.Hash != (common.Hash{}) || common.Bytes2Hex(out.RevertData) != "deadbeef" {
		t.Fatalf("a call that always reverts: %+v, %v", out, err)
	}
	if _, err := c.Call(t.Context(), contract, nil); !isRevert(err, "deadbeef") {
		t.Fatalf("Call = %v", err)
	}

	// Two calls of which only the first can succeed, estimated before either is mined.
	var outs [2]Outcome
	var errs [2]error
	during(t, e, func() {
		var wg sync.WaitGroup
		for i := range outs {
			wg.Go(func() {
				outs[i], errs[i] = s.Send(t.Context(), Intent{Key: fmt.Sprint("once ", i), To: contract, Data: []byte{1}})
			})
		}
		wg.Wait()
	})
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	lost := outs[0]
	if outs[1].Reverted {
		lost = outs[1]
	}
	if outs[0].Reverted == outs[1].Reverted || common.Bytes2Hex(lost.RevertData) != "deadbeef" {
		t.Fatalf("one of two should have reverted: %+v", outs)
	}
}

func isRevert(err error, data string) bool {
	var r *RevertError
	return errors.As(err, &r) && common.Bytes2Hex(r.Data) == data
}

func TestSenderFailsFastWithoutFunds(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.WSURL())
	s, _ := startSender(t, c, poorKey, t.TempDir(), SenderConfig{})
	for key, in := range map[string]Intent{
		"no gas money": {Key: "a", To: testAddr},
		"no value":     {Key: "b", To: testAddr, Value: ether(1)},
	} {
		if _, err := s.Send(t.Context(), in); !errors.Is(err, ErrNoFunds) || !strings.Contains(err.Error(), s.Account().Hex()) {
			t.Fatalf("%s: %v", key, err)
		}
	}
	// With money the same intent goes through.
	rich, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{})
	during(t, e, func() {
		if _, err := rich.Send(t.Context(), Intent{Key: "gift", To: s.Account(), Value: ether(1)}); err != nil {
			t.Error(err)
		}
		if out, err := s.Send(t.Context(), Intent{Key: "a", To: testAddr}); err != nil || out.Reverted {
			t.Errorf("after the gift: %+v, %v", out, err)
		}
	})
}

// What is signed goes on after a crash of the sender, whatever the node got of it.
func TestSenderResumesAfterRestart(t *testing.T) {
	for name, swallow := range map[string]rule{
		"never arrived": func(request, func() json.RawMessage) (any, *rpcError) {
			return nil, &rpcError{-32000, "too many requests"}
		},
		"arrived, unanswered": func(_ request, ask func() json.RawMessage) (any, *rpcError) {
			ask()
			return nil, &rpcError{-32000, "too many requests"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := startChain(t, t.TempDir())
			url, set := startProxy(t, e, nil)
			c, dir := dial(t, url), t.TempDir()
			s, stop := startSender(t, c, testKey, dir, SenderConfig{})
			contract := deployCounter(t, e, s).Contract
			var tried atomic.Int32
			set("eth_sendRawTransaction", func(r request, ask func() json.RawMessage) (any, *rpcError) {
				tried.Add(1)
				return swallow(r, ask)
			})
			in := Intent{Key: "once", To: contract, Data: []byte{7}}
			first := make(chan error, 1)
			go func() { _, err := s.Send(context.Background(), in); first <- err }()
			eventually(t, "tried to send", func() bool { return tried.Load() > 0 })
			stop()
			if err := <-first; !errors.Is(err, ErrStopped) {
				t.Fatalf("Send = %v, want ErrStopped", err)
			}
			if _, err := s.Send(t.Context(), in); !errors.Is(err, ErrStopped) {
				t.Fatalf("Send after the end = %v, want ErrStopped", err)
			}

			set("eth_sendRawTransaction", nil)
			s, stop = startSender(t, c, testKey, dir, SenderConfig{})
			var out Outcome
			var err error
			during(t, e, func() { out, err = s.Send(t.Context(), in) })
			if err != nil || out.Reverted || count(t, c, contract) != 1 {
				t.Fatalf("%+v, %v, counter %d", out, err, count(t, c, contract))
			}
			stop()
			s, _ = startSender(t, c, testKey, dir, SenderConfig{})
			if again, err := s.Send(t.Context(), in); err != nil || again.Hash != out.Hash || again.GasUsed != out.GasUsed {
				t.Fatalf("the outcome was not kept: %+v, %v", again, err)
			}
		})
	}
}

func TestSenderSendsAgainWhatTheNodeLost(t *testing.T) {
	e := startChain(t, t.TempDir())
	var lost atomic.Int32
	url, _ := startProxy(t, e, map[string]rule{"eth_sendRawTransaction": func(r request, ask func() json.RawMessage) (any, *rpcError) {
		if lost.Add(1) <= 3 {
			return common.Hash{1}, nil // accepted and forgotten
		}
		return ask(), nil
	}})
	c := dial(t, url)
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{BumpAfter: 2})
	deployCounter(t, e, s)
	if lost.Load() < 4 {
		t.Fatalf("sent %d times", lost.Load())
	}
}

// A transaction that stays in the pool is replaced by one that pays at least a tenth more.
func TestSenderPaysMoreWhenStuck(t *testing.T) {
	e := startChain(t, t.TempDir())
	var mu sync.Mutex
	var sent []*types.Transaction
	url, _ := startProxy(t, e, map[string]rule{
		"eth_sendRawTransaction": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			mu.Lock()
			defer mu.Unlock()
			var raw hexutil.Bytes
			tx := new(types.Transaction)
			if err := json.Unmarshal(r.Params[0], &raw); err != nil || tx.UnmarshalBinary(raw) != nil {
				return nil, &rpcError{-32602, "not a transaction"}
			}
			if sent = append(sent, tx); len(sent) < 3 {
				return tx.Hash(), nil // stuck in a pool that nobody mines from
			}
			return ask(), nil
		},
		"eth_getTransactionByHash": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			return map[string]any{"hash": json.RawMessage(r.Params[0])}, nil
		},
	})
	s, _ := startSender(t, dial(t, url), testKey, t.TempDir(), SenderConfig{BumpAfter: 2})
	out := deployCounter(t, e, s)
	if len(sent) != 3 || out.Hash != sent[2].Hash() {
		t.Fatalf("%d versions, mined %s", len(sent), out.Hash)
	}
	for i, tx := range sent[1:] {
		old := sent[i]
		for what, pair := range map[string][2]*big.Int{"tip": {old.GasTipCap(), tx.GasTipCap()}, "cap": {old.GasFeeCap(), tx.GasFeeCap()}} {
			tenth := new(big.Int).Mul(pair[0], big.NewInt(11))
			if tenth.Cmp(new(big.Int).Mul(pair[1], big.NewInt(10))) > 0 || tx.Nonce() != old.Nonce() {
				t.Fatalf("version %d has %s %s after %s", i+2, what, pair[1], pair[0])
			}
		}
	}
}

func TestSenderSurvivesReorgs(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.WSURL())
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{Confirmations: 2, BumpAfter: 2})
	contract := deployCounter(t, e, s)

	// Mined once, then taken off the chain before it is confirmed.
	result := make(chan error, 1)
	go func() {
		_, err := s.Send(t.Context(), Intent{Key: "x", To: contract.Contract, Data: []byte{7}})
		result <- err
	}()
	eventually(t, "mined", func() bool { mine(t, e, 1); return count(t, c, contract.Contract) == 1 })
	head, err := c.headNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rewind(t, e, head-1)
	if count(t, c, contract.Contract) != 0 {
		t.Fatal("the transaction was not taken off the chain")
	}
	during(t, e, func() { err = <-result })
	if err != nil || count(t, c, contract.Contract) != 1 {
		t.Fatalf("%v, counter %d", err, count(t, c, contract.Contract))
	}

	// Taken off although it was confirmed: it comes back before the next one.
	head, err = c.headNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rewind(t, e, contract.Block)
	emit(t, e, s, contract.Contract, 0, 3)
	if got := count(t, c, contract.Contract); got != 4 {
		t.Fatalf("the counter is %d, want 4 (head was %d)", got, head)
	}
}

func TestSenderWithdrawsWhatTheNodeRefuses(t *testing.T) {
	e := startChain(t, t.TempDir())
	var refuse atomic.Bool
	url, _ := startProxy(t, e, map[string]rule{"eth_sendRawTransaction": func(r request, ask func() json.RawMessage) (any, *rpcError) {
		if refuse.CompareAndSwap(true, false) {
			return nil, &rpcError{-32000, "we do not like your face"}
		}
		return ask(), nil
	}})
	c := dial(t, url)
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{})
	contract := deployCounter(t, e, s).Contract
	refuse.Store(true)
	errs := make([]error, 10)
	during(t, e, func() {
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.Send(t.Context(), Intent{Key: fmt.Sprint(i), To: contract, Data: []byte{7}})
			})
		}
		wg.Wait()
	})
	err := errors.Join(errs...)
	if err == nil || !strings.Contains(err.Error(), "like your face") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("exactly one of ten should fail: %v", err)
	}
	if got := count(t, c, contract); got != 9 {
		t.Fatalf("the counter is %d, want 9", got)
	}
}

// Another program with the same key takes the nonce.
func TestSenderNoticesAStolenNonce(t *testing.T) {
	e := startChain(t, t.TempDir())
	url, set := startProxy(t, e, nil)
	c := dial(t, url)
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{})
	contract := deployCounter(t, e, s).Contract
	var stolen atomic.Bool
	set("eth_sendRawTransaction", func(request, func() json.RawMessage) (any, *rpcError) {
		stolen.Store(true)
		return common.Hash{1}, nil
	})
	result := make(chan error, 1)
	go func() {
		_, err := s.Send(t.Context(), Intent{Key: "x", To: contract, Data: []byte{7}})
		result <- err
	}()
	eventually(t, "sent", stolen.Load)
	thief, _ := startSender(t, dial(t, e.URL()), testKey, t.TempDir(), SenderConfig{})
	emit(t, e, thief, contract, 0, 1)
	var err error
	during(t, e, func() { err = <-result })
	if !errors.Is(err, ErrNonceTaken) {
		t.Fatalf("Send = %v, want ErrNonceTaken", err)
	}
	set("eth_sendRawTransaction", nil)
	emit(t, e, s, contract, 50, 2) // and it goes on
}

// The prices of storage, logs and call data are those of the released rules. If this
// fails after an upgrade of go-ethereum, look for a fork that newGenesis must switch off.
func TestGasPricesArePinned(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.WSURL())
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{})
	contract := deployCounter(t, e, s)
	gas := []uint64{contract.GasUsed}
	for i := range 2 {
		var out Outcome
		during(t, e, func() {
			var err error
			if out, err = s.Send(t.Context(), Intent{Key: fmt.Sprint(i), To: contract.Contract, Data: []byte{9, 9, 9, 9}}); err != nil {
				t.Error(err)
			}
		})
		gas = append(gas, out.GasUsed)
	}
	if got, want := fmt.Sprint(gas), "[65682 44025 26925]"; got != want {
		t.Fatalf("gas of creation, first and second call is %s, want %s", got, want)
	}
}

// BenchmarkSender measures transactions per second of one account, signed, synced to disk, mined and reported.
func BenchmarkSender(b *testing.B) {
	e, err := StartEmbedded(testConfig(b.TempDir(), 1))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	s, _ := startSender(b, dial(b, e.WSURL()), testKey, b.TempDir(), SenderConfig{MaxInFlight: 2048})
	contract, err := s.Deploy(b.Context(), "deploy", counterInit)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range b.N {
		wg.Go(func() {
			if _, err := s.Send(b.Context(), Intent{Key: fmt.Sprint(i), To: contract.Contract, Data: []byte{9}}); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}
