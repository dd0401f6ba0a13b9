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

// rivalry is a counter on a chain, and two accounts that want to be the first to raise it.
type rivalry struct {
	*Embedded
	c        *Client
	dir      string // of our transaction log
	s, rival *Sender
	stop     func() // ends s
	contract common.Address
	fork     uint64                 // the block before either has tried
	held     atomic.Bool            // the chain takes no transaction of ours
	before   atomic.Pointer[func()] // what happens before the next one is passed on
}

func newRivalry(t *testing.T) *rivalry {
	t.Helper()
	r := &rivalry{Embedded: startChain(t, t.TempDir()), dir: t.TempDir()}
	url, _ := startProxy(t, r.Embedded, map[string]rule{
		"eth_sendRawTransaction": func(_ request, ask func() json.RawMessage) (any, *rpcError) {
			if r.held.Load() {
				return nil, &rpcError{-32000, "too many transactions"}
			}
			if f := r.before.Swap(nil); f != nil {
				(*f)()
			}
			return ask(), nil
		},
	})
	r.c = dial(t, url)
	r.s, r.stop = startSender(t, r.c, testKey, r.dir, SenderConfig{})
	r.contract = deployCounter(t, r.Embedded, r.s).Contract
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, r.Embedded, r.s, Intent{Key: "fund", To: crypto.PubkeyToAddress(key.PublicKey), Value: big.NewInt(1e18)})
	r.rival, _ = startSender(t, dial(t, r.WSURL()), key, t.TempDir(), SenderConfig{})
	if r.fork, err = r.c.headNumber(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// restart starts our sender anew.
func (r *rivalry) restart(t *testing.T) {
	r.stop()
	r.s, r.stop = startSender(t, r.c, testKey, r.dir, SenderConfig{})
}

// What a reorganisation undid, and somebody else was faster to do then, is not taken for done any more, be the sender
// running all the time or started anew.
func TestSenderForgetsWhatAReorgUndid(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprint("restarted ", restarted), func(t *testing.T) {
			r := newRivalry(t)
			once, many := Intent{Key: "once", To: r.contract, Data: []byte{1}}, Intent{Key: "many", To: r.contract, Data: []byte{7}}
			for _, in := range []Intent{once, many} {
				if out := mustSend(t, r.Embedded, r.s, in); out.Reverted || out.BlockHash == (common.Hash{}) {
					t.Fatalf("%s: %+v", in.Key, out)
				}
			}
			r.held.Store(true)
			rewind(t, r.Embedded, r.fork)
			if restarted {
				r.restart(t)
			}
			if out := mustSend(t, r.Embedded, r.rival, once); out.Reverted {
				t.Fatalf("the rival was too late: %+v", out)
			}
			r.held.Store(false)
			mustSend(t, r.Embedded, r.s, Intent{Key: "after", To: r.contract, Data: []byte{7}}) // waits for the others
			if out := mustSend(t, r.Embedded, r.s, once); !out.Reverted {
				t.Errorf("still taken for done: %+v", out)
			}
			if out := mustSend(t, r.Embedded, r.s, many); out.Reverted || count(t, r.c, r.contract) != 2 {
				t.Errorf("%+v, counter %d", out, count(t, r.c, r.contract))
			}
		})
	}
}

// A transaction that the contract refused, and that a reorganisation undid, is sent again after a restart too: those
// after it have no other way onto the chain.
func TestSenderFillsTheNonceOfWhatReverted(t *testing.T) {
	r := newRivalry(t)
	once, after := Intent{Key: "once", To: r.contract, Data: []byte{1}}, Intent{Key: "after", To: r.contract, Data: []byte{7}}
	overtake := func() {
		if out, err := r.rival.Send(t.Context(), once); err != nil || out.Reverted {
			t.Errorf("the rival was too late: %+v, %v", out, err)
		}
	}
	r.before.Store(&overtake)
	if out := mustSend(t, r.Embedded, r.s, once); !out.Reverted || out.Block == 0 {
		t.Fatalf("not refused on the chain: %+v", out)
	}
	r.held.Store(true)
	ctx, abandon := context.WithCancel(t.Context())
	during(t, r.Embedded, func() {
		go r.s.Send(ctx, after)
		for records(t, r.s) < 4 { // the deployment, the money, what reverted, and this
			time.Sleep(10 * time.Millisecond)
		}
	})
	abandon()
	r.stop()
	rewind(t, r.Embedded, r.fork)
	r.held.Store(false)
	r.restart(t)
	if out := mustSend(t, r.Embedded, r.s, after); out.Reverted || count(t, r.c, r.contract) != 1 {
		t.Errorf("%+v, counter %d", out, count(t, r.c, r.contract))
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
