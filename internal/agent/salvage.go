package agent

import (
	"cmp"
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
)

// patient says whether the client still waits for outputs that it paid for: until the job expires, and at least for
// as long as the work itself might have taken. A cancelled job is not waited for.
func patient(v *protocol.View, j *protocol.Job, run *protocol.Run, cancelled bool) bool {
	last := max(j.Terms.Expiry, run.Ended.Time+uint64(j.Terms.ExecuteWindow))
	return !cancelled && v.Head.Time <= last
}

// claim is what the client accepted of an ended execution and does not have yet.
type claim struct {
	execution common.Hash
	// seats that have it, and the one piece of it that counts; nil for all.
	seats []uint8
	piece *uint32
}

// salvage takes what can be had of the outputs that the nodes of a job withhold, and gives the rest up.
func (r *Requester) salvage(ctx context.Context, job common.Hash) error {
	for _, c := range r.claims(job) {
		for _, seat := range c.seats {
			pieces := r.salvageSeat(ctx, c, seat)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if len(pieces) == 0 {
				continue
			}
			if err := r.Store.PutDelivered(c.execution, pieces); err != nil {
				return err
			}
			r.mu.Lock()
			r.deliveredBy(c.execution, pieces)
			r.mu.Unlock()
			break
		}
	}
	return nil
}

func (r *Requester) claims(job common.Hash) []claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	var claims []claim
	r.Feed.Read(func(v *protocol.View) {
		for _, id := range v.Jobs[job].Runs {
			run := v.Runs[id]
			if !r.owes(run) {
				continue
			}
			c := claim{execution: id, seats: []uint8{1}}
			if run.Record.Status != protocol.StatusSettled {
				piece, seats := run.Kept()
				c.seats, c.piece = seats, &piece
			}
			claims = append(claims, c)
		}
	})
	return claims
}

// salvageSeat opens those outputs of a seat that are sound. What is not is the node's failure, for which the client has
// waited long enough.
func (r *Requester) salvageSeat(ctx context.Context, c claim, seat uint8) (pieces []store.Delivered) {
	p, err := r.publishedBy(c.execution, seat)
	if err != nil {
		return nil
	}
	r.mu.Lock()
	doc := r.documents[p.job]
	r.mu.Unlock()
	opened, err := r.openSeat(ctx, p, c.execution)
	if err != nil {
		r.Log.Warn("outputs are given up", "job", p.job, "execution", c.execution, "seat", seat, "peer", p.node, "err", err)
	}
	for index, piece := range opened.Pieces {
		if doc == nil || piece.Leaf.Index != index || (c.piece != nil && *c.piece != index) {
			continue
		}
		// One by one, for one that is missing ends the fetching of them all.
		if r.Library.Fetch(ctx, piece.Leaf.Output, p.endpoints) != nil {
			continue
		}
		if d, err := r.open(ctx, piece, p, doc.Spec); err == nil {
			pieces = append(pieces, d)
		}
	}
	slices.SortFunc(pieces, func(a, b store.Delivered) int { return cmp.Compare(a.Piece, b.Piece) })
	return pieces
}
