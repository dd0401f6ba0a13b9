package node

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"time"

	"github.com/filecoin-project/bacalhau/protocol"
)

const (
	// readyLagBlocks that a ready node may be behind.
	readyLagBlocks = 20
	// readyPatience is how long checks wait for the chain.
	readyPatience = 5 * time.Second
	// stuckAfter is how long a node may read nothing though the chain has new blocks.
	stuckAfter = 5 * time.Minute
)

// check is one line of /healthz or /readyz.
type check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Problem says what is wrong and what to do.
	Problem string `json:"problem,omitempty"`
}

func passed(name string) check { return check{Name: name, OK: true} }

func failed(name, format string, args ...any) check {
	return check{Name: name, Problem: fmt.Sprintf(format, args...)}
}

// Diagnostics serves /metrics, /healthz and /readyz, and with profiling also /debug/pprof/: for the node's owner only.
func (n *Node) Diagnostics(profiling bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.metrics())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { tell(w, []check{n.checkLoops()}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { tell(w, n.readiness(r.Context())) })
	if profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// tell answers with the checks, and 503 if one has failed.
func tell(w http.ResponseWriter, checks []check) {
	status := http.StatusOK
	for _, c := range checks {
		if !c.OK {
			status = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		OK     bool    `json:"ok"`
		Checks []check `json:"checks"`
	}{status == http.StatusOK, checks})
}

// checkLoops says whether the node moves: a chain that stands still or cannot be reached is not the node's own trouble,
// and a restart would not help.
func (n *Node) checkLoops() check {
	behind := n.chain.Newest() > n.head().Number
	since := time.Since(n.feed.Moved())
	if behind && since > stuckAfter {
		return failed("loops", "no block was read for %s though the chain has new ones: restart the node", since.Round(time.Second))
	}
	return passed("loops")
}

// readiness checks all that the node needs to do its work.
func (n *Node) readiness(ctx context.Context) []check {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	checks := []check{n.checkLoops(), n.checkStore()}
	newest, err := n.chain.HeadPoint(ctx)
	if err != nil {
		return append(checks, failed("chain", "the chain does not answer: %v: start its node, or name another one", err))
	}
	checks = append(checks, passed("chain"))
	head := n.head()
	if lag := max(newest.Number, head.Number) - head.Number; !n.feed.Ready() || lag > readyLagBlocks {
		checks = append(checks, failed("follower", "%d blocks are still to be read: wait", lag))
	} else {
		checks = append(checks, passed("follower"))
	}
	return append(checks, n.checkWallet(ctx)...)
}

func (n *Node) checkStore() check {
	f, err := os.CreateTemp(n.cfg.Dir, ".ready-*")
	if err != nil {
		return failed("store", "%v: make %s writable, or free some space", err, n.cfg.Dir)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4096))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return failed("store", "%v: free some space below %s", err, filepath.Clean(n.cfg.Dir))
	}
	return passed("store")
}

// checkWallet says whether the node's money and its place in the registry suffice for its role.
func (n *Node) checkWallet(ctx context.Context) []check {
	account, err := n.chain.Balance(ctx, n.self)
	if err != nil {
		return []check{failed("account", "its balance cannot be read: %v", err)}
	}
	checks := []check{passed("account")}
	if account.Sign() == 0 {
		checks[0] = failed("account", "%s has nothing to pay for gas: send it some", n.self)
	}
	wallet, err := n.market.Wallet(ctx, n.self)
	if err != nil {
		return append(checks, failed("wallet", "it cannot be read: %v", err))
	}
	least, p := "deposit", n.market.Deployed()
	need, have := p.MinDeposit, wallet.Free
	if n.compute != nil {
		least, need, have = "stake", p.MinStake, have.Add(have, wallet.Locked)
	}
	if have.Cmp(need) < 0 {
		checks = append(checks, failed("wallet", "%s has %s wei in the contract and the least %s is %s: deposit the difference", n.self, have, least, need))
	} else {
		checks = append(checks, passed("wallet"))
	}
	if n.compute == nil {
		return checks
	}
	var registered, paused bool
	n.feed.Read(func(v *protocol.View) { registered, paused = v.Nodes[n.self], v.Paused[n.self] })
	switch {
	case !registered:
		return append(checks, failed("registry", "%s is not registered: register it, or wait until the node has done so", n.self))
	case n.compute.Retired():
		return append(checks, failed("registry", "%s takes no more work since `bacalhau node drain`: start the node again", n.self))
	case paused:
		return append(checks, failed("registry", "%s is paused and gets no work: resume it", n.self))
	}
	return append(checks, passed("registry"))
}
