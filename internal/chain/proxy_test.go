package chain

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// request is one JSON-RPC call on its way to the real chain.
type request struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// rule changes what happens to a request: ask gives the real answer. Returning nil, nil is the answer null.
type rule func(r request, ask func() json.RawMessage) (any, *rpcError)

// rules are looked up by method; the others pass. They may be changed while the proxy runs.
type rules struct {
	mu sync.Mutex
	m  map[string]rule
}

func (r *rules) set(method string, f rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.m[method] = f
}

func (r *rules) get(method string) rule {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.m[method]
}

// startProxy stands between a client and the chain and applies rules.
func startProxy(t testing.TB, e *Embedded, m map[string]rule) (url string, set func(string, rule)) {
	t.Helper()
	real := dial(t, e.URL())
	rs := &rules{m: maps.Clone(m)}
	if rs.m == nil {
		rs.m = map[string]rule{}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var r request
		if err := json.NewDecoder(q.Body).Decode(&r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var fail *rpcError
		ask := func() json.RawMessage {
			args := make([]any, len(r.Params))
			for i, p := range r.Params {
				args[i] = p
			}
			var out json.RawMessage
			if err := real.rpc.CallContext(q.Context(), &out, r.Method, args...); err != nil {
				fail = &rpcError{-32000, err.Error()}
			}
			return out
		}
		answer := map[string]any{"jsonrpc": "2.0", "id": r.ID}
		var result any
		var refused *rpcError
		if f := rs.get(r.Method); f != nil {
			result, refused = f(r, ask)
		} else {
			result = ask()
		}
		switch {
		case refused != nil:
			answer["error"] = refused
		case fail != nil:
			answer["error"] = fail
		default:
			answer["result"] = result
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, rs.set
}

// lotus misbehaves as Filecoin's nodes do: null rounds are errors, log queries must be short and
// end below the head, logs have neither index nor time, and receipts come late.
func lotus(head func() uint64, null func(number uint64) bool, maxRange uint64, lateReceipts int) map[string]rule {
	var mu sync.Mutex
	asked := map[string]int{}
	return map[string]rule{
		"eth_getBlockByNumber": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			if n, ok := number(r.Params[0]); ok && null(n) {
				return nil, &rpcError{12, fmt.Sprintf("requested epoch was a null round (%d)", n)}
			}
			return ask(), nil
		},
		"eth_getLogs": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			var q struct{ FromBlock, ToBlock hexutil.Uint64 }
			if err := json.Unmarshal(r.Params[0], &q); err != nil {
				return nil, &rpcError{-32602, err.Error()}
			}
			if uint64(q.ToBlock) >= head() {
				return nil, &rpcError{-32000, "cannot ask for events at or past the head"}
			}
			if uint64(q.ToBlock-q.FromBlock) >= maxRange {
				return nil, &rpcError{-32000, "block range too large"}
			}
			var logs []map[string]any
			if err := json.Unmarshal(ask(), &logs); err != nil {
				return nil, &rpcError{-32603, err.Error()}
			}
			for _, l := range logs {
				delete(l, "blockTimestamp")
				l["logIndex"] = "0x0"
			}
			return logs, nil
		},
		"eth_getTransactionReceipt": func(r request, ask func() json.RawMessage) (any, *rpcError) {
			mu.Lock()
			defer mu.Unlock()
			hash := string(r.Params[0])
			if asked[hash]++; asked[hash] <= lateReceipts {
				return nil, nil
			}
			return ask(), nil
		},
	}
}

func number(raw json.RawMessage) (uint64, bool) {
	var n hexutil.Uint64
	err := json.Unmarshal(raw, &n)
	return uint64(n), err == nil
}

func TestFollowerAndSenderOnANodeLikeLotus(t *testing.T) {
	e := startChain(t, t.TempDir())
	real := dial(t, e.URL())
	headNumber := func() uint64 {
		n, err := real.headNumber(t.Context())
		if err != nil {
			t.Error(err)
		}
		return n
	}
	// Blocks without transactions play the null rounds, all but every fifth.
	null := func(n uint64) bool {
		var txs hexutil.Uint64
		if err := real.call(t.Context(), &txs, "eth_getBlockTransactionCountByNumber", hexutil.Uint64(n)); err != nil {
			t.Error(err)
		}
		return txs == 0 && n%5 != 0
	}
	url, _ := startProxy(t, e, lotus(headNumber, null, 7, 3))
	c := dial(t, url)
	s, _ := startSender(t, c, testKey, t.TempDir(), SenderConfig{Confirmations: 2, MaxInFlight: 10})
	contract := deployCounter(t, e, s)
	for i := range 4 {
		emit(t, e, s, contract.Contract, i*10, 10)
		mine(t, e, 20)
	}
	sink := &memorySink{}
	f := &Follower{Client: c, Address: contract.Contract, Start: contract.Block, Confirmations: 1, MaxRange: 1000, Sink: sink}
	stop := follow(t, f)
	mine(t, e, 5)
	last := (headNumber() - 1) / 5 * 5
	eventually(t, "caught up", func() bool { return sink.newest() >= last })
	stop()
	sink.equalsChain(t, real, contract.Contract, contract.Block)
	if len(sink.logs) != 40 || len(sink.rollbacks) != 0 {
		t.Fatalf("%d logs, %d rollbacks", len(sink.logs), len(sink.rollbacks))
	}
	for _, p := range sink.Checkpoints() {
		if null(p.Number) {
			t.Fatalf("checkpoint %d is a null round", p.Number)
		}
	}
	if f.span > 7*2 {
		t.Fatalf("the range grew to %d although the node allows 7", f.span)
	}
}

func TestClientRefusesForeignLogs(t *testing.T) {
	e := startChain(t, t.TempDir())
	mine(t, e, 4)
	for name, l := range map[string]map[string]any{
		"another contract": {"address": common.Address{9}, "blockNumber": "0x2"},
		"before the range": {"address": testAddr, "blockNumber": "0x1"},
		"after the range":  {"address": testAddr, "blockNumber": "0x4"},
		"removed":          {"address": testAddr, "blockNumber": "0x2", "removed": true},
	} {
		t.Run(name, func(t *testing.T) {
			l["topics"], l["data"] = []string{}, "0x"
			l["blockHash"], l["transactionHash"] = common.Hash{1}, common.Hash{2}
			l["transactionIndex"], l["logIndex"] = "0x0", "0x0"
			url, _ := startProxy(t, e, map[string]rule{
				"eth_getLogs": func(request, func() json.RawMessage) (any, *rpcError) { return []any{l}, nil },
			})
			if _, err := dial(t, url).logs(t.Context(), testAddr, 2, &block{Number: 3}); err == nil {
				t.Fatal("taken for good")
			}
		})
	}
}
