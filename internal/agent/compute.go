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
	"time"

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
	Capacity plan.Capacity // its speed is the one assumed before the first run
	// Keep is how long work is kept after its job has ended.
	Keep     time.Duration
	Feed     *Feed
	Chain    Chain
	Library  Library
	Executor Executor
	Peers    Peers // nil offers through the chain only
	Store    *store.Store
	Log      *slog.Logger
	Observer Observer // may be nil
}

// Compute is a compute node's agent.
type Compute struct {
	ComputeConfig
	perform   *performer
	slots     *slots
	speed     speed
	loading   chan struct{} // one token: specs are large, and checking modules is work
	documents *documents
	draining  atomic.Bool           // the process is about to end
	retiring  atomic.Bool           // the owner wants no more work
	decided   map[subject]Judgement // what was noted last; the planner's own

	mu       sync.Mutex
	specs    map[common.Hash]plan.SpecFacts
	failures map[common.Hash]int // loads of a job's spec in a row
	offered  map[common.Hash]protocol.Offer
	tally    map[Judgement]int
	work     map[plan.SeatKey]plan.WorkFacts
	// sealed are the pieces of unfinished executions that need not be run again, by index.
	sealed map[plan.SeatKey]map[uint32]sealedPiece
}

// NewCompute takes up the work that the store knows of.
func NewCompute(cfg ComputeConfig) (*Compute, error) {
	c := &Compute{
		ComputeConfig: cfg,
		perform:       newPerformer(cfg.Log, cfg.Feed, cfg.Observer),
		slots:         newSlots(cfg.Capacity),
		speed:         speed{assumed: cfg.Capacity.FuelPerSecond},
		loading:       make(chan struct{}, 1),
		documents:     newDocuments(),
		decided:       map[subject]Judgement{},
		specs:         map[common.Hash]plan.SpecFacts{},
		failures:      map[common.Hash]int{},
		offered:       map[common.Hash]protocol.Offer{},
		tally:         map[Judgement]int{},
		work:          map[plan.SeatKey]plan.WorkFacts{},
		sealed:        map[plan.SeatKey]map[uint32]sealedPiece{},
	}
	err := cfg.Store.Works(func(w store.Work) error {
		c.work[plan.SeatKey{Execution: w.Execution, Seat: w.Seat}] = finished(w)
		return nil
	})
	if err != nil {
		return nil, err
	}
	cfg.Feed.Hold(c.holds)
	err = cfg.Store.Ballots(func(b store.Ballot) error {
		c.work[plan.SeatKey{Execution: b.Execution, Seat: b.Number}] = c.judged(b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, c.recall()
}

func finished(w store.Work) plan.WorkFacts {
	c := plan.Commitment{Root: w.Root, Fuel: w.Fuel, Leaves: w.Published}
	for _, leaf := range w.Leaves {
		c.Pieces = append(c.Pieces, leaf.Index)
	}
	return plan.WorkFacts{Commitment: &c}
}

// Run works until ctx ends and returns its error, after all that was begun has stopped.
func (c *Compute) Run(ctx context.Context) error { return c.perform.loop(ctx, c.Feed, c.step) }

// Activity says what the agent is doing.
func (c *Compute) Activity() Activity { return c.perform.activity() }

// Waiting is how many executions, checks and votes wait to run their next piece.
func (c *Compute) Waiting() int { return int(c.slots.waiting.Load()) }

func (c *Compute) step(ctx context.Context) error {
	wallet, err := c.Chain.Wallet(ctx, c.Self)
	if err != nil {
		return fmt.Errorf("read wallet: %w", err)
	}
	c.forget()
	facts := c.facts(wallet)
	var actions []plan.Action
	var decisions []plan.Decision
	var now uint64
	c.Feed.Read(func(v *protocol.View) {
		actions, decisions = plan.Compute(v, facts)
		now = v.Head.Time
	})
	if err := c.note(now, decisions); err != nil {
		return err
	}
	for _, a := range actions {
		if c.draining.Load() && isNewWork(a) {
			continue
		}
		c.act(ctx, a)
	}
	return nil
}

// facts copies what a plan needs, so that nobody waits for the plan.
func (c *Compute) facts(wallet protocol.Wallet) plan.ComputeFacts {
	capacity := c.Capacity
	capacity.FuelPerSecond = c.speed.perSecond()
	c.mu.Lock()
	defer c.mu.Unlock()
	return plan.ComputeFacts{
		Terms: plan.Terms{Self: c.Self, Parameters: c.Parameters}, Wallet: wallet, Policy: c.Policy,
		Capacity: capacity, Draining: c.retiring.Load(),
		Specs: maps.Clone(c.specs), Offered: maps.Clone(c.offered), Work: maps.Clone(c.work),
	}
}

// holds keeps the jobs that the node has worked for.
func (c *Compute) holds() Needs {
	mine := map[common.Hash]bool{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.work {
		mine[key.Execution] = true
	}
	return func(v *protocol.View, j *protocol.Job, since protocol.Block) bool {
		return v.Head.Time <= since.Time+uint64(c.Keep/time.Second) &&
			slices.ContainsFunc(j.Runs, func(id common.Hash) bool { return mine[id] })
	}
}

// forget drops what is known of jobs that give no work any more: strangers make as many as they like. Work goes when its
// job was archived and not before: it is the node's own, and a second commitment for the same seat must never be made.
func (c *Compute) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Feed.Read(func(v *protocol.View) {
		closed := func(id common.Hash) bool {
			j := v.Jobs[id]
			return j == nil || v.Head.Time > j.Terms.Expiry || len(j.Open()) == 0
		}
		maps.DeleteFunc(c.sealed, func(key plan.SeatKey, _ map[uint32]sealedPiece) bool {
			run := v.Runs[key.Execution]
			return run == nil || run.Done()
		})
		over := func(id common.Hash) bool { // what runs tells how long the node is busy
			running := func(run common.Hash) bool { return !v.Runs[run].Done() }
			return closed(id) && (v.Jobs[id] == nil || !slices.ContainsFunc(v.Jobs[id].Runs, running))
		}
		maps.DeleteFunc(c.specs, func(id common.Hash, _ plan.SpecFacts) bool { return over(id) })
		maps.DeleteFunc(c.failures, func(id common.Hash, _ int) bool { return over(id) })
		maps.DeleteFunc(c.work, func(key plan.SeatKey, w plan.WorkFacts) bool {
			if attempt := w.Commitment == nil && w.Ballot == nil; attempt {
				return v.Runs[key.Execution] == nil || v.Runs[key.Execution].Done()
			}
			return v.Runs[key.Execution] == nil && !c.stored(key, w)
		})
		maps.DeleteFunc(c.offered, func(_ common.Hash, o protocol.Offer) bool { return v.Head.Time > o.Deadline })
	})
}

// stored says whether the work or vote of a seat is on disk, or may be.
func (c *Compute) stored(key plan.SeatKey, w plan.WorkFacts) bool {
	var err error
	if w.Commitment != nil {
		_, err = c.Store.Work(key.Execution, key.Seat, w.Commitment.Root)
	} else {
		_, err = c.Store.Ballot(key.Execution, key.Seat, w.Ballot.Salt)
	}
	return !errors.Is(err, store.ErrNotFound)
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
		c.perform.doWhileAsked(ctx, key, func(ctx context.Context) error {
			return c.tried(ctx, plan.SeatKey{Execution: a.Execution, Seat: a.Seat}, c.execute(ctx, a))
		})
	case plan.Judge:
		key := fmt.Sprintf("judge:%s:%d", a.Execution, a.Number)
		c.perform.doWhileAsked(ctx, key, func(ctx context.Context) error {
			return c.tried(ctx, plan.SeatKey{Execution: a.Execution, Seat: a.Number}, c.judge(ctx, a))
		})
	case plan.Answer:
		c.perform.do(ctx, a.Key, func(ctx context.Context) error { return c.answer(ctx, a) })
	case plan.Disclose:
		c.perform.do(ctx, a.Key, func(ctx context.Context) error { return c.disclose(ctx, a) })
	}
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
