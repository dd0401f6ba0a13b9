package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

func mustSend(t *testing.T, e *Embedded, s *Sender, in Intent) (out Outcome) {
	t.Helper()
	var err error
	during(t, e, func() { out, err = s.Send(t.Context(), in) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What a reorganisation undid, and somebody else was faster to do then, is not taken for done any more, be the sender
// running all the time or started anew.
func TestSenderForgetsWhatAReorgUndid(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprint("restarted ", restarted), func(t *testing.T) {
			e := startChain(t, t.TempDir())
			var held atomic.Bool
			url, _ := startProxy(t, e, map[string]rule{
				"eth_sendRawTransaction": func(_ request, ask func() json.RawMessage) (any, *rpcError) {
					if held.Load() {
						return nil, &rpcError{-32000, "too many transactions"}
					}
					return ask(), nil
				},
			})
			c, dir := dial(t, url), t.TempDir()
			s, stop := startSender(t, c, testKey, dir, SenderConfig{})
			contract := deployCounter(t, e, s).Contract
			rivalKey, err := crypto.GenerateKey()
			if err != nil {
				t.Fatal(err)
			}
			mustSend(t, e, s, Intent{Key: "fund", To: crypto.PubkeyToAddress(rivalKey.PublicKey), Value: big.NewInt(1e18)})
			rival, _ := startSender(t, dial(t, e.WSURL()), rivalKey, t.TempDir(), SenderConfig{})
			fork, err := c.headNumber(t.Context())
			if err != nil {
				t.Fatal(err)
			}

			once, many := Intent{Key: "once", To: contract, Data: []byte{1}}, Intent{Key: "many", To: contract, Data: []byte{7}}
			for _, in := range []Intent{once, many} {
				if out := mustSend(t, e, s, in); out.Reverted || out.BlockHash == (common.Hash{}) {
					t.Fatalf("%s: %+v", in.Key, out)
				}
			}
			held.Store(true)
			rewind(t, e, fork)
			if restarted {
				stop()
				s, _ = startSender(t, c, testKey, dir, SenderConfig{})
			}
			if out := mustSend(t, e, rival, Intent{Key: "once", To: contract, Data: []byte{1}}); out.Reverted {
				t.Fatalf("the rival was too late: %+v", out)
			}
			held.Store(false)
			mustSend(t, e, s, Intent{Key: "after", To: contract, Data: []byte{7}}) // waits for the others
			if out := mustSend(t, e, s, once); !out.Reverted {
				t.Errorf("still taken for done: %+v", out)
			}
			if out := mustSend(t, e, s, many); out.Reverted || count(t, c, contract) != 2 {
				t.Errorf("%+v, counter %d", out, count(t, c, contract))
			}
		})
	}
}

// A transaction that the contract refused, and that a reorganisation undid, is sent again after a restart too: those
// after it have no other way onto the chain.
func TestSenderFillsTheNonceOfWhatReverted(t *testing.T) {
	e := startChain(t, t.TempDir())
	var held atomic.Bool
	var before func() // what happens before the next transaction is passed on
	url, _ := startProxy(t, e, map[string]rule{
		"eth_sendRawTransaction": func(_ request, ask func() json.RawMessage) (any, *rpcError) {
			if held.Load() {
				return nil, &rpcError{-32000, "too many transactions"}
			}
			if f := before; f != nil {
				before = nil
				f()
			}
			return ask(), nil
		},
	})
	c, dir := dial(t, url), t.TempDir()
	s, stop := startSender(t, c, testKey, dir, SenderConfig{})
	contract := deployCounter(t, e, s).Contract
	rivalKey, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, e, s, Intent{Key: "fund", To: crypto.PubkeyToAddress(rivalKey.PublicKey), Value: big.NewInt(1e18)})
	rival, _ := startSender(t, dial(t, e.WSURL()), rivalKey, t.TempDir(), SenderConfig{})
	fork, err := c.headNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	once, after := Intent{Key: "once", To: contract, Data: []byte{1}}, Intent{Key: "after", To: contract, Data: []byte{7}}
	before = func() {
		if out, err := rival.Send(t.Context(), once); err != nil || out.Reverted {
			t.Errorf("the rival was too late: %+v, %v", out, err)
		}
	}
	if out := mustSend(t, e, s, once); !out.Reverted || out.Block == 0 {
		t.Fatalf("not refused on the chain: %+v", out)
	}
	held.Store(true)
	ctx, abandon := context.WithCancel(t.Context())
	during(t, e, func() {
		go s.Send(ctx, after)
		for records(t, s) < 4 { // the deployment, the money, what reverted, and this
			time.Sleep(10 * time.Millisecond)
		}
	})
	abandon()
	stop()
	rewind(t, e, fork)
	held.Store(false)
	s, _ = startSender(t, c, testKey, dir, SenderConfig{})
	if out := mustSend(t, e, s, after); out.Reverted || count(t, c, contract) != 1 {
		t.Errorf("%+v, counter %d", out, count(t, c, contract))
	}
}

// records is how many a sender's log has.
func records(t *testing.T, s *Sender) int {
	t.Helper()
	all, err := s.log.Load()
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
