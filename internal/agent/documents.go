package agent

import (
	"maps"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// documentBytes bounds the specs of strangers that a node has in memory, bytes as they were published; decoded they have
// about eight times as many. The last one used is kept whatever its size.
const documentBytes = 32 << 20

// documents are the specs used last. What is dropped is read again from the node's own library.
type documents struct {
	mu    sync.Mutex
	byJob map[common.Hash]*protocol.Document
	order []common.Hash // the one used last at the end
	bytes int
}

func newDocuments() *documents { return &documents{byJob: map[common.Hash]*protocol.Document{}} }

// get gives a spec, or nil.
func (d *documents) get(job common.Hash) *protocol.Document {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc := d.byJob[job]
	if doc != nil {
		i := slices.Index(d.order, job)
		d.order = append(slices.Delete(d.order, i, i+1), job)
	}
	return doc
}

func (d *documents) put(job common.Hash, doc *protocol.Document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byJob[job] != nil {
		return
	}
	d.byJob[job], d.order, d.bytes = doc, append(d.order, job), d.bytes+size(doc)
	for d.bytes > documentBytes && len(d.order) > 1 {
		d.bytes -= size(d.byJob[d.order[0]])
		delete(d.byJob, d.order[0])
		d.order = d.order[1:]
	}
}

// all lists the specs, in any order.
func (d *documents) all() []*protocol.Document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.byJob))
}

func size(doc *protocol.Document) int { return len(doc.Job) + len(doc.Lines) }
