package agent

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
)

// Holdings is the data that an agent still needs: directories by digest, modules and inputs by CID.
type Holdings struct {
	Dirs []common.Hash
	CIDs []string
}

// add takes in what a spec names.
func (h *Holdings) add(doc *protocol.Document) {
	h.CIDs = append(h.CIDs, doc.Spec.Module)
	for _, in := range doc.Spec.Inputs {
		h.CIDs = append(h.CIDs, in.CID)
	}
	for _, p := range doc.Pieces {
		for _, in := range p.Inputs {
			h.CIDs = append(h.CIDs, in.CID)
		}
	}
}

// Holdings are the specs of jobs that may give work or have given some that runs, the inputs of those used last, and the
// finished work of all jobs that are not archived. Inputs of other jobs were asked for when they last ran.
func (c *Compute) Holdings() (Holdings, error) {
	var h Holdings
	err := c.Store.Works(func(w store.Work) error {
		h.Dirs = append(h.Dirs, w.Bundle)
		return nil
	})
	for _, doc := range c.documents.all() {
		h.add(doc)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Feed.Read(func(v *protocol.View) {
		for id := range c.specs {
			if j := v.Jobs[id]; j != nil {
				h.Dirs = append(h.Dirs, j.Terms.SpecCID)
			}
		}
	})
	return h, err
}

// Holdings are the specs and outputs of all the client's jobs, and the inputs of those that have not ended. It reports
// false while not all specs are loaded.
func (r *Requester) Holdings() (h Holdings, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, j := range r.jobs {
		h.Dirs = append(h.Dirs, j.Terms.SpecCID)
		if j.Result != (common.Hash{}) {
			h.Dirs = append(h.Dirs, j.Result)
		}
		for _, pieces := range r.delivered[id] {
			for _, d := range pieces {
				h.Dirs = append(h.Dirs, d.Output)
			}
		}
		if j.Done || j.Rejected != "" {
			continue
		}
		doc := r.documents[id]
		if doc == nil {
			return h, false
		}
		h.add(doc)
	}
	return h, true
}
