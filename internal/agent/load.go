package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

const (
	// loadPatience is how long spec, module and what tells the sizes of inputs may take to arrive and be checked.
	loadPatience = 5 * time.Minute
	// Seconds until what could not be had is asked for again; they double with every failure.
	firstAgain = 30
	lastAgain  = 3600
	// againForInputs is after how many seconds inputs that are not here are looked for again.
	againForInputs = 60
	// maxSpecFetch bounds the directory of a spec, bytes.
	maxSpecFetch = 2*protocol.MaxSpecBytes + 1<<20
)

// load fetches a job's spec and finds out whether this node can run it. What could not be had is a finding too: the plan
// asks again for it, and other jobs are served meanwhile.
func (c *Compute) load(ctx context.Context, job common.Hash) error {
	patient, done := context.WithTimeout(ctx, loadPatience)
	defer done()
	facts, err := c.inspect(patient, job)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var now uint64
	c.Feed.Read(func(v *protocol.View) { now = v.Head.Time })
	c.mu.Lock()
	defer c.mu.Unlock()
	var unfit UnfitError
	switch {
	case err == nil:
		delete(c.failures, job)
		facts.Again = 0
		if facts.MissingBytes > 0 {
			facts.Again = now + againForInputs
		}
	case errors.As(err, &unfit):
		facts.Reason = err.Error()
	default:
		facts.Reason, facts.Again = err.Error(), now+min(uint64(firstAgain)<<min(c.failures[job], 10), lastAgain)
		c.failures[job]++
		c.Log.Warn("cannot judge a job yet", "job", job, "attempt", c.failures[job], "err", err)
	}
	c.specs[job] = facts
	return nil
}

// inspect judges a job's spec, the cheap things first: what the policy refuses by its limits is not looked at further.
func (c *Compute) inspect(ctx context.Context, job common.Hash) (facts plan.SpecFacts, err error) {
	doc, terms, endpoints, err := c.document(ctx, job)
	if err != nil {
		return facts, err
	}
	facts.Limits = doc.Spec.Limits
	if c.Policy.RefusesSpec(terms, doc.Spec.Limits) != nil {
		return facts, nil // which the plan says with its numbers
	}
	if err := c.alone(ctx, func() error { return c.Executor.Check(ctx, doc, endpoints) }); err != nil {
		return facts, err
	}
	inputs, err := c.Executor.Measure(ctx, doc, endpoints)
	if err != nil {
		return facts, err
	}
	facts.InputBytes, facts.MissingBytes = inputs.MostBytes, inputs.MissingBytes
	facts.Fit = true
	return facts, nil
}

// alone runs what takes much memory or processor time for a stranger, one at a time.
func (c *Compute) alone(ctx context.Context, work func() error) error {
	select {
	case c.loading <- struct{}{}:
		defer func() { <-c.loading }()
		return work()
	case <-ctx.Done():
		return ctx.Err()
	}
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
	if doc := c.documents.get(job); doc != nil {
		return doc, terms, endpoints, nil
	}
	if err := fetchSpec(ctx, c.Library, terms, endpoints); err != nil {
		return nil, terms, endpoints, err
	}
	var doc *protocol.Document
	err := c.alone(ctx, func() (err error) {
		doc, err = readDocument(ctx, c.Library, terms)
		return err
	})
	if err != nil {
		return nil, terms, endpoints, err
	}
	c.documents.put(job, doc)
	return doc, terms, endpoints, nil
}

// fetchDocument gets a job's spec and checks it against the job's terms.
func fetchDocument(
	ctx context.Context, lib Library, t protocol.Terms, endpoints []string,
) (*protocol.Document, error) {
	if err := fetchSpec(ctx, lib, t, endpoints); err != nil {
		return nil, err
	}
	return readDocument(ctx, lib, t)
}

func fetchSpec(ctx context.Context, lib Library, t protocol.Terms, endpoints []string) error {
	if err := lib.FetchWithin(ctx, t.SpecCID, endpoints, maxSpecFetch); err != nil {
		return fmt.Errorf("fetch spec: %w", err)
	}
	return nil
}

func readDocument(ctx context.Context, lib Library, t protocol.Terms) (*protocol.Document, error) {
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
