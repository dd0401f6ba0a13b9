package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// Needs says whether an agent still needs a job that ended some time ago. It is called while the view is read.
type Needs func(v *protocol.View, j *protocol.Job, since protocol.Block) bool

// Hold has a job kept for as long as an agent needs it. What hold takes to answer it gathers before the view is read. It
// must be called before the feed is followed.
func (f *Feed) Hold(hold func() Needs) { f.holders = append(f.holders, hold) }

// Archive drops the jobs that have ended, beyond the reach of any reorganisation, and that no agent needs: their events
// and what this node has stored of them. What they say of nodes' reputations stays. It returns how many there were.
func (f *Feed) Archive() (int, error) {
	var holders []Needs
	for _, hold := range f.holders {
		holders = append(holders, hold())
	}
	a := archiving{jobs: map[common.Hash]bool{}, live: map[common.Hash]bool{}, returned: map[common.Hash]bool{}}
	f.Read(func(v *protocol.View) { a.choose(v, holders) })
	if a.upTo == 0 {
		return 0, nil
	}
	a.base = protocol.NewView()
	if err := f.store.Base(a.base); err != nil {
		return 0, err
	}
	c := store.Compaction{UpTo: a.upTo, Useless: a.useless, Base: func() any { return a.base }}
	for id := range a.jobs {
		c.Jobs = append(c.Jobs, id)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range a.jobs {
		if f.view.Jobs[id] == nil {
			return 0, fmt.Errorf("job %s was final and is gone from the chain", id)
		}
		c.Executions = append(c.Executions, f.view.Jobs[id].Runs...)
	}
	for id := range a.jobs {
		f.view.Archive(id)
	}
	a.base.Past = f.view.Past
	if err := f.store.Compact(c); err != nil {
		return 0, errors.Join(err, f.reload())
	}
	// No way back behind what is not there any more.
	if i := slices.IndexFunc(f.points, func(p transport.Point) bool { return p.Number < a.upTo }); i >= 0 {
		f.points = f.points[:i]
	}
	return len(a.jobs), nil
}

// archiving tells the events that may go from those that a later start must fold again.
type archiving struct {
	upTo uint64
	jobs map[common.Hash]bool
	// live are the jobs and executions that stay, and returned the executions of theirs whose pieces were given back.
	live, returned map[common.Hash]bool
	offers         map[offerID]bool // that stay
	base           *protocol.View   // what the events that went say of wallets and nodes
}

// offerID is what a cancelled nonce makes void.
type offerID struct {
	node  common.Address
	nonce uint32
}

// choose finds the jobs that go.
func (a *archiving) choose(v *protocol.View, holders []Needs) {
	if v.Head.Number <= keptPoints {
		return
	}
	a.upTo = v.Head.Number - keptPoints
	for id, j := range v.Jobs {
		since, ended := v.Ended(j)
		needed := func(needs Needs) bool { return needs(v, j, since) }
		if ended && since.Number <= a.upTo && !slices.ContainsFunc(holders, needed) {
			a.jobs[id] = true
			continue
		}
		a.live[id] = true
		for _, run := range j.Runs {
			a.live[run] = true
		}
	}
	a.offers = map[offerID]bool{}
}

// useless says whether an event goes; what it says of wallets and nodes is taken over into the base.
func (a *archiving) useless(l store.Log) (bool, error) {
	var subject struct{ Job, Execution, Returned common.Hash }
	if err := json.Unmarshal(l.Event, &subject); err != nil {
		return false, fmt.Errorf("node store is damaged: %s: %w", l.Name, err)
	}
	event, err := decode(l)
	if err != nil {
		return false, err
	}
	switch e := event.(type) {
	case protocol.OfferPosted:
		kept := a.live[subject.Job]
		if kept {
			a.offers[offerID{e.Offer.Node, e.Offer.Nonce}] = true
		}
		return !kept, nil
	case protocol.NonceCancelled:
		return !a.offers[offerID{e.Wallet, e.Nonce}], nil
	case protocol.ReturnedClosed:
		return !a.returned[e.Execution], nil
	case protocol.ExecutionReturned:
		a.returned[e.Returned] = a.live[e.Execution]
	}
	if subject.Execution != (common.Hash{}) {
		return !a.live[subject.Execution], nil
	}
	if subject.Job != (common.Hash{}) {
		return !a.live[subject.Job], nil
	}
	return true, a.base.Fold(event, protocol.Block{Number: l.Block.Number, Time: l.Block.Time})
}
