package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// ComputeConfig is what a compute node is made of.
type ComputeConfig struct {
	Deployment
	Self     common.Address
	Sign     func(digest common.Hash) ([]byte, error) // with the key of Self
	Policy   plan.Policy
	Parallel int // pieces to run at once
	Feed     *Feed
	Chain    Chain
	Library  Library
	Executor Executor
	Store    *store.Store
	Log      *slog.Logger
}

// Compute is a compute node's agent.
type Compute struct {
	ComputeConfig
	perform  *performer
	slots    chan struct{} // one token for each piece being run
	draining atomic.Bool

	mu        sync.Mutex
	specs     map[common.Hash]plan.SpecFacts
	documents map[common.Hash]*protocol.Document
	offered   map[common.Hash]protocol.Offer
	work      map[plan.SeatKey]plan.WorkFacts
}

// NewCompute takes up the work that the store knows of.
func NewCompute(cfg ComputeConfig) (*Compute, error) {
	c := &Compute{
		ComputeConfig: cfg,
		perform:       newPerformer(cfg.Log),
		slots:         make(chan struct{}, max(1, cfg.Parallel)),
		specs:         map[common.Hash]plan.SpecFacts{},
		documents:     map[common.Hash]*protocol.Document{},
		offered:       map[common.Hash]protocol.Offer{},
		work:          map[plan.SeatKey]plan.WorkFacts{},
	}
	err := cfg.Store.Works(func(w store.Work) error {
		c.work[plan.SeatKey{Execution: w.Execution, Seat: w.Seat}] = finished(w)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, cfg.Store.Ballots(func(b store.Ballot) error {
		c.work[plan.SeatKey{Execution: b.Execution, Seat: b.Number}] = c.judged(b)
		return nil
	})
}

func finished(w store.Work) plan.WorkFacts {
	return plan.WorkFacts{Commitment: &plan.Commitment{Root: w.Root, Fuel: w.Fuel, Leaves: w.Published}}
}

// Run works until ctx ends and returns its error, after all that was begun has stopped.
func (c *Compute) Run(ctx context.Context) error { return c.perform.loop(ctx, c.Feed, c.step) }

func (c *Compute) step(ctx context.Context) error {
	wallet, err := c.Chain.Wallet(ctx, c.Self)
	if err != nil {
		return fmt.Errorf("read wallet: %w", err)
	}
	c.forget()
	c.mu.Lock()
	facts := plan.ComputeFacts{
		Terms: plan.Terms{Self: c.Self, Parameters: c.Parameters}, Wallet: wallet, Policy: c.Policy,
		Specs: maps.Clone(c.specs), Offered: maps.Clone(c.offered), Work: maps.Clone(c.work),
	}
	c.mu.Unlock()
	var actions []plan.Action
	c.Feed.Read(func(v *protocol.View) { actions = plan.Compute(v, facts) })
	for _, a := range actions {
		if c.draining.Load() && isNewWork(a) {
			continue
		}
		c.act(ctx, a)
	}
	return nil
}

// forget drops what is known of jobs that give no work any more: strangers make as many as they like. Work is kept: it
// is the node's own, and a second commitment for the same seat must never be made.
func (c *Compute) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Feed.Read(func(v *protocol.View) {
		closed := func(id common.Hash) bool {
			j := v.Jobs[id]
			return j == nil || v.Head.Time > j.Terms.Expiry || len(j.Open()) == 0
		}
		maps.DeleteFunc(c.specs, func(id common.Hash, _ plan.SpecFacts) bool { return closed(id) })
		maps.DeleteFunc(c.offered, func(_ common.Hash, o protocol.Offer) bool { return v.Head.Time > o.Deadline })
		maps.DeleteFunc(c.documents, func(id common.Hash, _ *protocol.Document) bool {
			running := func(run common.Hash) bool { return !v.Runs[run].Done() }
			return closed(id) && (v.Jobs[id] == nil || !slices.ContainsFunc(v.Jobs[id].Runs, running))
		})
	})
}

func (c *Compute) act(ctx context.Context, action plan.Action) {
	switch a := action.(type) {
	case plan.Send:
		c.perform.do(ctx, a.Key, func(ctx context.Context) error {
			_, err := c.Chain.Send(ctx, a.Key, a.Call)
			return err
		})
	case plan.Load:
		c.perform.do(ctx, "load:"+a.Job.Hex(), func(ctx context.Context) error { return c.load(ctx, a.Job) })
	case plan.Offer:
		c.perform.do(ctx, "offer:"+a.Job.Hex(), func(ctx context.Context) error { return c.offer(ctx, a) })
	case plan.Execute:
		key := fmt.Sprintf("execute:%s:%d", a.Execution, a.Seat)
		c.perform.do(ctx, key, func(ctx context.Context) error {
			return c.tried(ctx, plan.SeatKey{Execution: a.Execution, Seat: a.Seat}, c.execute(ctx, a))
		})
	case plan.Judge:
		key := fmt.Sprintf("judge:%s:%d", a.Execution, a.Number)
		c.perform.do(ctx, key, func(ctx context.Context) error {
			return c.tried(ctx, plan.SeatKey{Execution: a.Execution, Seat: a.Number}, c.judge(ctx, a))
		})
	case plan.Answer:
		c.perform.do(ctx, a.Key, func(ctx context.Context) error { return c.answer(ctx, a) })
	case plan.Disclose:
		c.perform.do(ctx, a.Key, func(ctx context.Context) error { return c.disclose(ctx, a) })
	}
}

// load fetches a job's spec and finds out whether this node can run it.
func (c *Compute) load(ctx context.Context, job common.Hash) error {
	doc, terms, endpoints, err := c.document(ctx, job)
	if err == nil {
		err = c.Executor.Check(ctx, doc, endpoints)
	}
	facts := plan.SpecFacts{Fit: err == nil}
	if err != nil {
		var unfit UnfitError
		if !errors.As(err, &unfit) {
			return err
		}
		facts.Reason = err.Error()
		c.Log.Info("declined a job", "job", job, "client", terms.Client, "reason", err)
	}
	c.mu.Lock()
	c.specs[job] = facts
	c.mu.Unlock()
	return nil
}

// document gives a job's spec, fetched if need be, with its terms and the endpoints where its data may be had.
func (c *Compute) document(
	ctx context.Context, job common.Hash,
) (*protocol.Document, protocol.Terms, []string, error) {
	var terms protocol.Terms
	var endpoints []string
	c.Feed.Read(func(v *protocol.View) {
		if j := v.Jobs[job]; j != nil {
			terms = j.Terms
			endpoints = endpointsFor(v, terms.Client, c.Self)
		}
	})
	c.mu.Lock()
	doc := c.documents[job]
	c.mu.Unlock()
	if doc != nil {
		return doc, terms, endpoints, nil
	}
	doc, err := fetchDocument(ctx, c.Library, terms, endpoints)
	if err != nil {
		return nil, terms, endpoints, err
	}
	c.mu.Lock()
	c.documents[job] = doc
	c.mu.Unlock()
	return doc, terms, endpoints, nil
}

// offer signs and posts an offer. Its nonce is taken for good before anyone sees it.
func (c *Compute) offer(ctx context.Context, a plan.Offer) error {
	nonce, err := c.Store.NextNonce()
	if err != nil {
		return err
	}
	o := protocol.Offer{Job: a.Job, Node: c.Self, Pieces: a.Pieces, Nonce: nonce, Deadline: a.Deadline}
	digest, err := c.Chain.OfferDigest(ctx, o)
	if err != nil {
		return err
	}
	signature, err := c.Sign(digest)
	if err != nil {
		return fmt.Errorf("sign offer: %w", err)
	}
	c.mu.Lock()
	c.offered[a.Job] = o
	c.mu.Unlock()
	key := fmt.Sprintf("postOffer:%d", nonce)
	_, err = c.Chain.Send(ctx, key, protocol.PostOffer{Offer: o, Signature: signature})
	return err
}

// fetchDocument gets a job's spec and checks it against the job's terms.
func fetchDocument(
	ctx context.Context, lib Library, t protocol.Terms, endpoints []string,
) (*protocol.Document, error) {
	if err := lib.Fetch(ctx, t.SpecCID, endpoints); err != nil {
		return nil, fmt.Errorf("fetch spec: %w", err)
	}
	job, err := lib.ReadFile(ctx, t.SpecCID, protocol.SpecJobFile, protocol.MaxSpecBytes)
	if err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	lines, err := lib.ReadFile(ctx, t.SpecCID, protocol.SpecPiecesFile, protocol.MaxSpecBytes)
	if err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	doc, err := protocol.ParseDocument(job, lines)
	if err != nil {
		return nil, UnfitError{fmt.Errorf("malformed spec: %w", err)}
	}
	if err := doc.Check(t); err != nil {
		return nil, UnfitError{err}
	}
	return doc, nil
}

// endpointsFor lists where data of interest to first may be had: its own endpoint, then everybody else's.
func endpointsFor(v *protocol.View, first, self common.Address) []string {
	var endpoints []string
	if url := v.Endpoints[first]; url != "" {
		endpoints = append(endpoints, url)
	}
	for node := range v.Nodes {
		if url := v.Endpoints[node]; node != first && node != self && url != "" {
			endpoints = append(endpoints, url)
		}
	}
	return endpoints
}
