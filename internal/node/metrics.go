package node

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// metric is a row of METRICS.md, which a test compares with this list.
type metric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	name   string
	labels []string
	help   string
}

func (m *metric) of(value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
}

// catalogue is everything that a node counts, in the order of METRICS.md.
var catalogue []*metric

func counts(kind prometheus.ValueType, name, help string, labels ...string) *metric {
	name = "bacalhau_" + name
	m := &metric{prometheus.NewDesc(name, help, labels, nil), kind, name, labels, help}
	catalogue = append(catalogue, m)
	return m
}

func counter(name, help string, labels ...string) *metric {
	return counts(prometheus.CounterValue, name, help, labels...)
}

func gauge(name, help string, labels ...string) *metric {
	return counts(prometheus.GaugeValue, name, help, labels...)
}

var (
	headBlock    = gauge("chain_head_block", "Newest block whose events were read.")
	headTime     = gauge("chain_head_timestamp_seconds", "That block's time, Unix seconds. Its age grows when the chain or the connection stands still.")
	lagBlocks    = gauge("chain_lag_blocks", "Blocks that the chain is known to have and whose events are not read yet.")
	reorgs       = counter("chain_reorgs_total", "Reorganisations that took back events.")
	rpcCalls     = counter("chain_rpc_calls_total", "JSON-RPC calls by method; eth_getLogs are the follower's queries.", "method")
	rpcErrors    = counter("chain_rpc_errors_total", "JSON-RPC calls that failed or were refused, by method.", "method")
	txSent       = counter("transactions_sent_total", "Transactions that a chain node took, by the contract's function.", "call")
	txMined      = counter("transactions_mined_total", "Transactions that succeeded.", "call")
	txRefused    = counter("transactions_refused_total", "Calls that the contract refused, most of them before anything was sent.", "call")
	txFailed     = counter("transactions_failed_total", "Transactions that could not be brought to the chain.", "call")
	txReplaced   = counter("transactions_replaced_total", "Transactions sent again with a higher fee.", "call")
	txGas        = counter("transactions_gas_total", "Gas used.", "call")
	txFee        = counter("transactions_fee_wei_total", "Paid for gas, wei.", "call")
	txQueue      = gauge("transactions_queue", "Transactions not done: waiting to be signed, or pending on the chain.", "state")
	jobs         = gauge("jobs", "The client's own jobs that are not archived, by status.", "status")
	executions   = gauge("executions", "Executions that are not archived, by what this node is in them (client, node, verifier, juror) and their status.", "role", "status")
	archived     = counter("jobs_archived_total", "Jobs of anybody that were dropped from this node's view after they had ended.")
	viewJobs     = gauge("view_jobs", "Jobs of anybody in this node's view.")
	decisions    = counter("decisions_total", "What became of jobs, each time that it changed, by verdict (pending, offered, passed over; declined, of an execution) and reason.", "verdict", "reason")
	owed         = gauge("pieces_owed", "Pieces that the node was given and has not committed to yet.")
	waiting      = gauge("executions_waiting", "Executions, checks and votes whose next piece waits until others have run.")
	actions      = gauge("actions", "Things that the node does now (running) or will try again (failing), by kind.", "kind", "state")
	runsRunning  = gauge("runs_running", "Pieces being run.")
	runsFuel     = counter("runs_fuel_total", "Fuel of the pieces run.")
	runsFailed   = counter("runs_failed_total", "Attempts to run a piece that ended without a result: inputs that cannot be had, aborts.")
	aborts       = counter("processes_aborted_total", "Processes that compiled or ran a program for this node's work and ended without a result: crashed, killed, or out of what they may use.")
	fetchedBytes = counter("data_fetched_bytes_total", "Received from other nodes and gateways, bytes.")
	servedBytes  = counter("data_served_bytes_total", "Served from the data store, bytes.")
	storeBytes   = gauge("store_bytes", "Disk used, bytes: store (facts and events), intents (transactions), data (blocks), images (compiled programs).", "part")
	walletWei    = gauge("wallet_wei", "Money, wei: free and locked in the contract, and the account that pays for gas.", "part")
	noShows      = counter("no_shows_total", "Deadlines that this node missed and paid for, ever.")
	slashes      = counter("slashes_total", "Results of this node that were proved wrong, ever.")
)

// runSeconds is the one metric that keeps a distribution.
var runSeconds = prometheus.HistogramOpts{
	Name: "bacalhau_run_duration_seconds", Help: "Time that pieces took to run, with fetching their inputs.",
	Buckets: prometheus.ExponentialBuckets(0.05, 4, 9),
}

// measures are counted where things happen; everything else is read when somebody asks.
type measures struct {
	running, failed atomic.Int64
	aborted         atomic.Int64
	fuel            atomic.Uint64
	fetched, served atomic.Int64
	archived        atomic.Int64
	duration        prometheus.Histogram
	registry        *prometheus.Registry
}

// makeMetrics has a registry of the node's own.
func (n *Node) makeMetrics() {
	n.measures.duration = prometheus.NewHistogram(runSeconds)
	n.measures.registry = prometheus.NewRegistry()
	n.measures.registry.MustRegister(n, n.measures.duration, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// metrics serves them to Prometheus.
func (n *Node) metrics() http.Handler {
	return promhttp.HandlerFor(n.measures.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Describe lists the metrics.
func (n *Node) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range catalogue {
		ch <- m.desc
	}
}

// walletPatience is how long a scrape waits for the chain.
const walletPatience = 2 * time.Second

// Collect reads the metrics.
func (n *Node) Collect(ch chan<- prometheus.Metric) {
	n.collectChain(ch)
	n.collectTransactions(ch)
	n.collectWork(ch)
	n.collectCompute(ch)
	n.collectActions(ch)
	n.collectWallet(ch)
	m := &n.measures
	ch <- archived.of(float64(m.archived.Load()))
	ch <- runsRunning.of(float64(m.running.Load()))
	ch <- runsFuel.of(float64(m.fuel.Load()))
	ch <- runsFailed.of(float64(m.failed.Load()))
	ch <- aborts.of(float64(m.aborted.Load()))
	ch <- fetchedBytes.of(float64(m.fetched.Load()))
	ch <- servedBytes.of(float64(m.served.Load()))
	for _, part := range []string{"store", "intents", "data", "images"} {
		ch <- storeBytes.of(float64(bytesBelow(filepath.Join(n.cfg.Dir, part))), part)
	}
}

func (n *Node) collectChain(ch chan<- prometheus.Metric) {
	head := n.head()
	ch <- headBlock.of(float64(head.Number))
	ch <- headTime.of(float64(head.Time))
	ch <- lagBlocks.of(float64(max(n.chain.Newest(), head.Number) - head.Number))
	ch <- reorgs.of(float64(n.feed.Reorgs()))
	for method, c := range n.chain.Calls() {
		ch <- rpcCalls.of(float64(c.Calls), method)
		ch <- rpcErrors.of(float64(c.Errors), method)
	}
}

func (n *Node) collectTransactions(ch chan<- prometheus.Metric) {
	for function, t := range n.sender.Traffic() {
		call := market.MethodName(function)
		ch <- txSent.of(float64(t.Sent), call)
		ch <- txMined.of(float64(t.Mined), call)
		ch <- txRefused.of(float64(t.Reverted), call)
		ch <- txFailed.of(float64(t.Failed), call)
		ch <- txReplaced.of(float64(t.Replaced), call)
		ch <- txGas.of(float64(t.Gas), call)
		ch <- txFee.of(wei(t.FeeWei), call)
	}
	waiting, pending := n.sender.Queue()
	ch <- txQueue.of(float64(waiting), "waiting")
	ch <- txQueue.of(float64(pending), "pending")
}

func (n *Node) collectWork(ch chan<- prometheus.Metric) {
	if n.requester != nil {
		byStatus := map[string]int{}
		files := n.requester.Files()
		n.feed.Read(func(v *protocol.View) {
			for _, f := range files {
				byStatus[string(jobStatus(v, f))]++
			}
		})
		for status, count := range byStatus {
			ch <- jobs.of(float64(count), status)
		}
	}
	type place struct{ role, status string }
	places := map[place]int{}
	n.feed.Read(func(v *protocol.View) {
		for _, r := range v.Runs {
			t := v.Jobs[r.Record.Job].Terms
			if role := roleOf(n.self, r, t); role != "" {
				places[place{role, r.Status(t, n.market.Deployed().SettleWindow, v.Head.Time).String()}]++
			}
		}
		mine := v.Reputations()[n.self]
		ch <- viewJobs.of(float64(len(v.Jobs)))
		ch <- noShows.of(float64(mine.NoShows))
		ch <- slashes.of(float64(mine.Slashed))
	})
	for p, count := range places {
		ch <- executions.of(float64(count), p.role, p.status)
	}
}

func (n *Node) collectCompute(ch chan<- prometheus.Metric) {
	if n.compute == nil {
		return
	}
	for made, count := range n.compute.Decided() {
		ch <- decisions.of(float64(count), string(made.Verdict), string(made.Reason))
	}
	pieces, _ := n.compute.Left()
	ch <- owed.of(float64(pieces))
	ch <- waiting.of(float64(n.compute.Waiting()))
}

// roleOf says what a wallet is in an execution, "" for nothing.
func roleOf(self common.Address, r *protocol.Run, t protocol.Terms) string {
	if t.Client == self {
		return "client"
	}
	if r.Node == self {
		return "node"
	}
	for _, s := range r.Seats {
		if s.Record.Node == self {
			return "verifier"
		}
	}
	if r.Appeal != nil {
		for _, juror := range r.Appeal.Record.Jurors {
			if juror == self {
				return "juror"
			}
		}
	}
	return ""
}

func (n *Node) collectActions(ch chan<- prometheus.Metric) {
	now, usual := n.activity(), []string{}
	if n.compute != nil {
		usual = append(usual, "execute", "judge")
	}
	if n.requester != nil {
		usual = append(usual, "collect", "deliver")
	}
	for state, by := range map[string]map[string]int{"running": now.Running, "failing": now.Failing} {
		for _, kind := range usual { // also when there are none
			by[kind] += 0
		}
		for kind, count := range by {
			ch <- actions.of(float64(count), kind, state)
		}
	}
}

func (n *Node) activity() agent.Activity {
	all := agent.Activity{Running: map[string]int{}, Failing: map[string]int{}}
	if n.requester != nil {
		all.Add(n.requester.Activity())
	}
	if n.compute != nil {
		all.Add(n.compute.Activity())
	}
	return all
}

// collectWallet asks the chain; while it does not answer there is nothing to tell.
func (n *Node) collectWallet(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), walletPatience)
	defer cancel()
	if w, err := n.market.Wallet(ctx, n.self); err == nil {
		ch <- walletWei.of(wei(w.Free), "free")
		ch <- walletWei.of(wei(w.Locked), "locked")
	}
	if account, err := n.chain.Balance(ctx, n.self); err == nil {
		ch <- walletWei.of(wei(account), "account")
	}
}

func wei(amount *big.Int) float64 {
	f, _ := new(big.Float).SetInt(amount).Float64()
	return f
}

// bytesBelow adds up the files of a folder that changes meanwhile.
func bytesBelow(dir string) (total int64) {
	filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // it has just gone
		}
		if info, err := entry.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}

// measured counts what an executor does.
type measured struct {
	agent.Executor
	measures *measures
}

func (m measured) Check(ctx context.Context, doc *protocol.Document, endpoints []string) error {
	err := m.Executor.Check(ctx, doc, endpoints)
	m.measures.note(err)
	return err
}

// note counts an error that a process of ours died of.
func (m *measures) note(err error) {
	if errors.Is(err, confine.ErrAborted) {
		m.aborted.Add(1)
	}
}

func (m measured) Run(ctx context.Context, t agent.Task) (agent.Output, error) {
	m.measures.running.Add(1)
	defer m.measures.running.Add(-1)
	begun := time.Now()
	out, err := m.Executor.Run(ctx, t)
	if err != nil {
		m.measures.note(err)
		if ctx.Err() == nil {
			m.measures.failed.Add(1)
		}
		return out, err
	}
	m.measures.duration.Observe(time.Since(begun).Seconds())
	m.measures.fuel.Add(out.Result.Fuel)
	return out, nil
}

// counting counts the bytes of answers.
func (m *measures) counting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(countingWriter{w, &m.served}, r) })
}

type countingWriter struct {
	http.ResponseWriter
	count *atomic.Int64
}

func (c countingWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.count.Add(int64(n))
	return n, err
}

// Unwrap lets the server's deadlines through.
func (c countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// countingTransport counts the bytes that are received.
type countingTransport struct {
	http.RoundTripper
	count *atomic.Int64
}

func (t countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = countingBody{resp.Body, t.count}
	}
	return resp, err
}

type countingBody struct {
	body  io.ReadCloser
	count *atomic.Int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.count.Add(int64(n))
	return n, err
}

func (b countingBody) Close() error { return b.body.Close() }
