package chain

import (
	"encoding/json"
	"errors"
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

func number(raw json.RawMessage) (uint64, bool) {
	var n hexutil.Uint64
	err := json.Unmarshal(raw, &n)
	return uint64(n), err == nil
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

// An endpoint that is down can be told from a node that says no: only the former is worth another try.
func TestSilenceIsToldFromRefusal(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status int
		silent bool
	}{
		"too many":  {"slow down", http.StatusTooManyRequests, true},
		"truncated": {`{"jsonrpc":"2.0","id":1,"res`, http.StatusOK, true},
		"no JSON":   {"<html>", http.StatusOK, true},
		"refused":   {`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}`, http.StatusOK, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			}))
			t.Cleanup(srv.Close)
			_, err := Dial(t.Context(), srv.URL)
			if err == nil || errors.Is(err, ErrNoAnswer) != c.silent {
				t.Errorf("got %v, silent %t", err, errors.Is(err, ErrNoAnswer))
			}
		})
	}
}
