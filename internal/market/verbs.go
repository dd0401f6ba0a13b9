package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// List returns all jobs, the oldest first.
func (c *Client) List() ([]protocol.Job, error) {
	s, err := c.subscribed()
	if err != nil {
		return nil, err
	}
	var jobs []protocol.Job
	s.Read(func(v *protocol.View) {
		for _, j := range v.Jobs {
			jobs = append(jobs, copyOf(j))
		}
	})
	slices.SortFunc(jobs, func(a, b protocol.Job) int {
		return cmp.Or(cmp.Compare(a.Created.Number, b.Created.Number), a.ID.Cmp(b.ID))
	})
	return jobs, nil
}

// Get returns one job, or transport.ErrUnknownJob.
func (c *Client) Get(job common.Hash) (protocol.Job, error) {
	s, err := c.subscribed()
	if err != nil {
		return protocol.Job{}, err
	}
	var found protocol.Job
	err = fmt.Errorf("%w %s", transport.ErrUnknownJob, job)
	s.Read(func(v *protocol.View) {
		if j := v.Jobs[job]; j != nil {
			found, err = copyOf(j), nil
		}
	})
	return found, err
}

// copyOf detaches a job from the view.
func copyOf(j *protocol.Job) protocol.Job {
	c := *j
	c.Returned = maps.Clone(j.Returned)
	c.Offers = slices.Clone(j.Offers)
	c.Runs = slices.Clone(j.Runs)
	return c
}

// SubmitJob creates a job and returns its id.
func (c *Client) SubmitJob(ctx context.Context, terms protocol.Terms) (common.Hash, transport.Receipt, error) {
	receipt, err := c.sendOnce(ctx, protocol.CreateJob{Terms: terms})
	if err != nil {
		return common.Hash{}, receipt, err
	}
	return protocol.JobID(c.config.Chain.ChainID().Uint64(), c.config.Market, terms), receipt, nil
}

// UpdateDeal raises bid and concurrency of the listed pieces.
func (c *Client) UpdateDeal(ctx context.Context, deal protocol.Verify) (transport.Receipt, error) {
	return c.sendOnce(ctx, deal)
}

// CancelJob takes back every piece of a job that no node has.
func (c *Client) CancelJob(ctx context.Context, job common.Hash) ([]transport.Receipt, error) {
	j, err := c.Get(job)
	if err != nil {
		return nil, err
	}
	open := j.Open()
	if len(open) == 0 {
		return nil, fmt.Errorf("nothing to cancel: no piece of job %s waits for a node", job)
	}
	var receipts []transport.Receipt
	var failures []error
	for _, r := range open {
		var call protocol.Call = protocol.CloseJob{Terms: j.Terms}
		if r.Parent != j.ID {
			call = protocol.CloseReturned{Terms: j.Terms, Execution: j.Returned[r.Parent]}
		}
		receipt, err := c.sendOnce(ctx, call)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		receipts = append(receipts, receipt)
	}
	return receipts, errors.Join(failures...)
}

// AcceptJobBid assigns pieces to the node of an offer.
func (c *Client) AcceptJobBid(ctx context.Context, a transport.Acceptance) (transport.Receipt, error) {
	if c.isRejected(a.Offer.Offer) {
		return transport.Receipt{}, transport.ErrRejected
	}
	if a.Returned != nil {
		return c.sendOnce(ctx, protocol.AcceptReturned{
			Terms: a.Terms, Returned: *a.Returned, Offer: a.Offer.Offer, Signature: a.Offer.Signature,
			Count: a.Count, SeedHash: a.SeedHash,
		})
	}
	return c.sendOnce(ctx, protocol.AcceptOffer{
		Terms: a.Terms, Offer: a.Offer.Offer, Signature: a.Offer.Signature, Count: a.Count, SeedHash: a.SeedHash,
	})
}

// RejectJobBid decides against an offer, until it expires.
func (c *Client) RejectJobBid(offer protocol.Offer) {
	var now uint64 // seconds
	if s, err := c.subscribed(); err == nil {
		s.Read(func(v *protocol.View) { now = v.Head.Time })
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.rejected, func(_ offerKey, deadline uint64) bool { return deadline < now })
	c.rejected[offerKey{offer.Node, offer.Nonce}] = offer.Deadline
}

func (c *Client) isRejected(offer protocol.Offer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, rejected := c.rejected[offerKey{offer.Node, offer.Nonce}]
	return rejected
}

// BidJob posts a signed offer on chain.
func (c *Client) BidJob(ctx context.Context, o protocol.SignedOffer) (transport.Receipt, error) {
	return c.sendOnce(ctx, protocol.PostOffer(o))
}

// SubmitResult commits the result of an execution.
func (c *Client) SubmitResult(ctx context.Context, result protocol.CommitResult) (transport.Receipt, error) {
	return c.sendOnce(ctx, result)
}

// SubmitVerification commits a drawn verifier's result.
func (c *Client) SubmitVerification(ctx context.Context, result protocol.CommitVerification) (transport.Receipt, error) {
	return c.sendOnce(ctx, result)
}

// ErrorJob gives back an execution that this wallet's node cannot run.
func (c *Client) ErrorJob(ctx context.Context, failure protocol.Decline) (transport.Receipt, error) {
	return c.sendOnce(ctx, failure)
}

// ErrorJobForNode contests a node's result with evidence.
func (c *Client) ErrorJobForNode(ctx context.Context, evidence protocol.RevealKey) (transport.Receipt, error) {
	return c.sendOnce(ctx, evidence)
}
