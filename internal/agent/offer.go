package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// offerPatience is how long a requester node may take to answer an offer before it goes through the chain.
const offerPatience = 5 * time.Second

// offer signs an offer and hands it to the job's requester node, or if that does not take it posts it on the chain. Its
// nonce is taken for good before anyone sees it.
func (c *Compute) offer(ctx context.Context, a plan.Offer) error {
	nonce, err := c.Store.NextNonce()
	if err != nil {
		return err
	}
	o := protocol.SignedOffer{Offer: protocol.Offer{
		Job: a.Job, Node: c.Self, Pieces: a.Pieces, Nonce: nonce, Deadline: a.Deadline,
	}}
	if o.Signature, err = c.Sign(protocol.OfferDigest(c.ChainID, c.Contract, o.Offer)); err != nil {
		return fmt.Errorf("sign offer: %w", err)
	}
	c.mu.Lock()
	c.offered[a.Job] = o.Offer
	c.mu.Unlock()
	if err := c.offerDirectly(ctx, o); err == nil || ctx.Err() != nil {
		return ctx.Err()
	} else if c.Peers != nil {
		c.Log.Debug("an offer goes through the chain", "job", a.Job, "err", err)
	}
	_, err = c.Chain.Send(ctx, fmt.Sprintf("postOffer:%d", nonce), protocol.PostOffer(o))
	return err
}

// offerDirectly hands an offer to the node of the job's client at the endpoint that it announced.
func (c *Compute) offerDirectly(ctx context.Context, o protocol.SignedOffer) error {
	var endpoint string
	c.Feed.Read(func(v *protocol.View) {
		if j := v.Jobs[o.Offer.Job]; j != nil {
			endpoint = v.Endpoints[j.Terms.Client]
		}
	})
	if c.Peers == nil || endpoint == "" {
		return fmt.Errorf("the client of job %s has announced no endpoint", o.Offer.Job)
	}
	ctx, done := context.WithTimeout(ctx, offerPatience)
	defer done()
	return c.Peers.Offer(ctx, endpoint, o)
}
