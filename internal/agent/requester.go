package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
	"github.com/filecoin-project/bacalhau/transport"
)

// RequesterConfig is what a requester node is made of.
type RequesterConfig struct {
	Deployment
	Self     common.Address
	Secret   protocol.ClientSecret
	Policy   plan.ChoicePolicy
	Peers    Peers // needed if the policy calls nodes
	Feed     *Feed
	Chain    Chain
	Library  Library
	Store    *store.Store
	Log      *slog.Logger
	Observer Observer // may be nil
	// Keep is how long a job and its outputs are kept after it has ended.
	Keep time.Duration
}

// Requester is a requester node's agent: it acts for one client.
type Requester struct {
	RequesterConfig
	perform *performer
	loading chan struct{} // one token: specs are large, and one disk reads them

	mu        sync.Mutex
	jobs      map[common.Hash]store.Job
	documents map[common.Hash]*protocol.Document
	opened    map[plan.SeatKey]plan.Opened
	delivered map[common.Hash]map[common.Hash][]store.Delivered // by job and execution
	refused   map[plan.OfferKey]protocol.Offer
	direct    map[place]protocol.SignedOffer // offers that did not come through the chain
	reach     map[common.Address]plan.Reach
	choices   map[common.Hash][]plan.Choice
}

// NewRequester takes up the jobs that the store knows of.
func NewRequester(cfg RequesterConfig) (*Requester, error) {
	r := &Requester{
		RequesterConfig: cfg,
		perform:         newPerformer(cfg.Log, cfg.Feed, cfg.Observer),
		loading:         make(chan struct{}, 1),
		jobs:            map[common.Hash]store.Job{},
		documents:       map[common.Hash]*protocol.Document{},
		opened:          map[plan.SeatKey]plan.Opened{},
		delivered:       map[common.Hash]map[common.Hash][]store.Delivered{},
		refused:         map[plan.OfferKey]protocol.Offer{},
		direct:          map[place]protocol.SignedOffer{},
		reach:           map[common.Address]plan.Reach{},
	}
	err := cfg.Store.Jobs(func(j store.Job) error {
		r.jobs[j.ID] = j
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = cfg.Store.Deliveries(func(execution common.Hash, pieces []store.Delivered) error {
		r.deliveredBy(execution, pieces)
		return nil
	})
	cfg.Feed.Hold(r.holds)
	return r, err
}

// Run works until ctx ends and returns its error, after all that was begun has stopped.
func (r *Requester) Run(ctx context.Context) error { return r.perform.loop(ctx, r.Feed, r.step) }

// Activity says what the agent is doing.
func (r *Requester) Activity() Activity { return r.perform.activity() }

func (r *Requester) step(ctx context.Context) error {
	wallet, err := r.Chain.Wallet(ctx, r.Self)
	if err != nil {
		return fmt.Errorf("read wallet: %w", err)
	}
	if err := r.forgetJobs(); err != nil {
		return err
	}
	r.loadDocuments(ctx)
	r.forget()
	facts := r.facts(wallet)
	var actions []plan.Action
	var choices map[common.Hash][]plan.Choice
	r.Feed.Read(func(v *protocol.View) { actions, choices = plan.Requester(v, facts) })
	r.chosen(choices)
	for _, a := range actions {
		r.act(ctx, a)
	}
	r.finishJobs(ctx)
	return nil
}

// facts copies what a plan needs, so that nobody waits for the plan.
func (r *Requester) facts(wallet protocol.Wallet) plan.RequesterFacts {
	r.mu.Lock()
	defer r.mu.Unlock()
	facts := plan.RequesterFacts{
		Terms: plan.Terms{Self: r.Self, Parameters: r.Parameters}, Wallet: wallet, Secret: r.Secret,
		Policy: r.Policy, Reach: maps.Clone(r.reach), Jobs: r.unfinished(), Opened: maps.Clone(r.opened),
		Delivered: map[common.Hash]bool{}, Refused: map[plan.OfferKey]bool{},
	}
	for job := range facts.Jobs {
		for execution := range r.delivered[job] {
			facts.Delivered[execution] = true
		}
	}
	for _, o := range r.direct {
		facts.Offers = append(facts.Offers, o)
	}
	slices.SortFunc(facts.Offers, func(a, b protocol.SignedOffer) int { // which favours nobody
		return bytes.Compare(a.Signature, b.Signature)
	})
	for offer := range r.refused {
		facts.Refused[offer] = true
	}
	return facts
}

// holds keeps the client's own jobs: unfinished ones, and others for a while.
func (r *Requester) holds() Needs {
	unfinished := map[common.Hash]bool{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, j := range r.jobs {
		unfinished[id] = !j.Done && j.Rejected == ""
	}
	return func(v *protocol.View, j *protocol.Job, since protocol.Block) bool {
		unfinished, mine := unfinished[j.ID]
		return mine && (unfinished || !r.expired(v, since.Time))
	}
}

// expired says whether something that ended at a time, seconds, need not be kept any longer.
func (r *Requester) expired(v *protocol.View, ended uint64) bool {
	return v.Head.Time > ended+uint64(r.Keep/time.Second)
}

// forgetJobs drops jobs that were archived, and those that the contract never took.
func (r *Requester) forgetJobs() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var gone []common.Hash
	var failure error
	r.Feed.Read(func(v *protocol.View) {
		for id, j := range r.jobs {
			if v.Jobs[id] != nil || (!j.Done && j.Rejected == "") {
				continue
			}
			if j.Rejected != "" && r.expired(v, uint64(j.Created)) {
				failure = errors.Join(failure, r.Store.DropJob(id))
			}
			if _, err := r.Store.Job(id); errors.Is(err, store.ErrNotFound) {
				gone = append(gone, id)
			}
		}
	})
	for _, id := range gone {
		delete(r.jobs, id)
		delete(r.documents, id)
		delete(r.delivered, id)
	}
	return failure
}

// rootOn is the root that a seat has committed to as far as the view says, zero if it has not.
func rootOn(run *protocol.Run, seat uint8) common.Hash {
	if seat == 1 {
		return run.Record.Root
	}
	if s := run.Seats[seat]; s != nil {
		return s.Record.Root
	}
	return common.Hash{}
}

// forget drops what no plan will ask for again: results of executions that have nothing more to deliver or that a
// reorganisation of the chain undid, and refused offers that have expired or are for jobs that have ended.
func (r *Requester) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	jobs := r.unfinished()
	r.Feed.Read(func(v *protocol.View) {
		maps.DeleteFunc(r.opened, func(key plan.SeatKey, o plan.Opened) bool {
			run := v.Runs[key.Execution]
			return run == nil || rootOn(run, key.Seat) != o.Root || (run.Done() && !r.owes(run))
		})
		maps.DeleteFunc(r.refused, func(_ plan.OfferKey, o protocol.Offer) bool {
			_, cared := jobs[o.Job]
			return !cared || v.Head.Time > o.Deadline
		})
		r.forgetOffers(v, jobs)
	})
}

// deliveredBy remembers an execution's outputs; the caller holds r.mu or is alone.
func (r *Requester) deliveredBy(execution common.Hash, pieces []store.Delivered) {
	for _, d := range pieces { // all of one job
		if r.delivered[d.Job] == nil {
			r.delivered[d.Job] = map[common.Hash][]store.Delivered{}
		}
		r.delivered[d.Job][execution] = pieces
	}
}

// unfinished lists the jobs that still need something done and whose specs are loaded; the caller holds r.mu.
func (r *Requester) unfinished() map[common.Hash]plan.JobFacts {
	jobs := map[common.Hash]plan.JobFacts{}
	for id, j := range r.jobs {
		if j.Rejected == "" && !j.Done && r.documents[id] != nil {
			jobs[id] = plan.JobFacts{
				Terms: j.Terms, Cancelled: j.Cancelled, PiecesPerExecution: j.PiecesPerExecution,
				VerifierBid: j.VerifierBid, Document: r.documents[id],
			}
		}
	}
	return jobs
}

// loadDocuments has the specs of the client's own jobs read, which are in its own library; a job is taken up when its
// spec is here.
func (r *Requester) loadDocuments(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, j := range r.jobs {
		if r.documents[id] == nil && j.Rejected == "" {
			r.perform.do(ctx, "load:"+id.Hex(), func(ctx context.Context) error { return r.loadDocument(ctx, j) })
		}
	}
}

func (r *Requester) loadDocument(ctx context.Context, j store.Job) error {
	select {
	case r.loading <- struct{}{}:
		defer func() { <-r.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	doc, err := fetchDocument(ctx, r.Library, j.Terms, nil)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.jobs[j.ID].Done {
		doc = summarized(doc)
	}
	r.documents[j.ID] = doc
	return nil
}

// summarized is what is told of an ended job's spec: what all pieces have in common, and their names.
func summarized(doc *protocol.Document) *protocol.Document {
	pieces := make([]protocol.Piece, len(doc.Pieces))
	for i, p := range doc.Pieces {
		pieces[i].Name = p.Name
	}
	return &protocol.Document{Spec: doc.Spec, Pieces: pieces}
}

func (r *Requester) act(ctx context.Context, action plan.Action) {
	switch a := action.(type) {
	case plan.Send:
		r.perform.do(ctx, a.Key, func(ctx context.Context) error { return r.send(ctx, a) })
	case plan.Collect:
		key := fmt.Sprintf("collect:%s:%d", a.Execution, a.Seat)
		r.perform.do(ctx, key, func(ctx context.Context) error { return r.collect(ctx, a) })
	case plan.Probe:
		r.perform.do(ctx, "probe:"+a.Node.Hex(), func(ctx context.Context) error { return r.probe(ctx, a) })
	case plan.TopUp:
		// Nothing but money helps: it is shown as trouble until the plan does without.
		r.perform.do(ctx, "topUp:"+a.For.Hex(), func(context.Context) error {
			return fmt.Errorf("too little balance: the checks may cost %s wei more than are free; deposit as much", a.Wei)
		})
	case plan.Deliver:
		key := fmt.Sprintf("deliver:%s:%d", a.Execution, a.Seat)
		r.perform.do(ctx, key, func(ctx context.Context) error { return r.deliver(ctx, a) })
	}
}

// send makes a call; what the contract refuses for good is remembered, so that it is not asked again.
func (r *Requester) send(ctx context.Context, a plan.Send) error {
	_, err := r.Chain.Send(ctx, a.Key, a.Call)
	if err == nil {
		return nil
	}
	switch call := a.Call.(type) {
	case protocol.CreateJob:
		if refusal(err) {
			return errors.Join(err, r.reject(call.Terms, err))
		}
	case protocol.AcceptOffer:
		r.refuse(call.Offer, call.Signature, err)
	case protocol.AcceptReturned:
		r.refuse(call.Offer, call.Signature, err)
	}
	return err
}

// refuse drops an offer that the contract did not take, unless that was for want of the client's own money or because
// another transaction was faster.
func (r *Requester) refuse(o protocol.Offer, signature []byte, err error) {
	var (
		short protocol.InsufficientFree
		stale protocol.StaleRecord
		count protocol.BadCount
	)
	if !refusal(err) || (errors.As(err, &short) && short.Wallet == r.Self) || errors.As(err, &stale) || errors.As(err, &count) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[plan.KeyOf(o, signature)] = o
}

// reject remembers that a job never came to be.
func (r *Requester) reject(t protocol.Terms, cause error) error {
	return r.update(protocol.JobID(r.ChainID, r.Contract, t), func(j *store.Job) { j.Rejected = cause.Error() })
}

// update changes what is known of a job, on disk first.
func (r *Requester) update(id common.Hash, change func(*store.Job)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.jobs[id]
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownJob, id)
	}
	change(&j)
	if err := r.Store.PutJob(j); err != nil {
		return err
	}
	r.jobs[id] = j
	return nil
}

// refusal says whether an error is the contract's.
func refusal(err error) bool {
	var refused *transport.RefusedError
	return errors.As(err, &refused)
}

// ErrUnknownJob means that this client has no such job.
var ErrUnknownJob = errors.New("unknown job")
