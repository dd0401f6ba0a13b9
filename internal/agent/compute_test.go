package agent

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// offers counts the offers on the ledger.
func (w *world) offers() (count int) {
	for _, r := range w.ledger.records {
		if _, ok := r.Event.(protocol.OfferPosted); ok {
			count++
		}
	}
	return count
}

func TestNodeMakesNoOfferForWhatDoesNotFit(t *testing.T) {
	w := newWorld(t)
	w.compute.Executor = machine{unfit: UnfitError{errors.New("too much memory")}}
	id := w.submit(1)
	for range 3 {
		w.round()
	}
	if facts := w.compute.specs[id]; facts.Fit || facts.Reason != "too much memory" || w.offers() != 0 {
		t.Errorf("%+v, %d offers", facts, w.offers())
	}
}

// A check that could not be made is no verdict: it is made again.
func TestNodeChecksAgainWhatItCouldNotCheck(t *testing.T) {
	w := newWorld(t)
	w.compute.Executor = machine{unfit: errors.New("the module is nowhere")}
	id := w.submit(1)
	w.round()
	if facts := w.compute.specs[id]; facts.Fit || facts.Reason != "the module is nowhere" || facts.Again == 0 {
		t.Errorf("%+v", facts)
	}
	w.compute.Executor = machine{}
	w.ledger.head.Time += firstAgain
	w.delivered(w.finish(id), 1)
}

// A spec that is not the one in the job's terms can never be run, by whomever it is served.
func TestNodeDeclinesASpecThatIsNotTheJobs(t *testing.T) {
	for name, change := range map[string]func(*protocol.Terms){
		"other root":   func(t *protocol.Terms) { t.SpecRoot[0] ^= 1 },
		"other pieces": func(t *protocol.Terms) { t.Pieces++ },
	} {
		w := newWorld(t)
		terms := w.file(w.submit(2)).Job.Terms
		change(&terms)
		id := protocol.JobID(chainID, contract, terms)
		w.ledger.emit(protocol.JobCreated{Job: id, Client: terms.Client, Terms: terms})
		w.round()
		if facts, decided := w.compute.specs[id]; !decided || facts.Fit || !strings.HasPrefix(facts.Reason, "spec ") {
			t.Errorf("%s: %+v", name, facts)
		}
	}
}

// A run that failed is this machine's trouble: nothing is committed, and it is run again.
func TestFailedRunIsNoResult(t *testing.T) {
	w := newWorld(t)
	broken := &atomic.Int32{}
	broken.Store(1)
	w.compute.Executor = machine{broken: broken}
	id := w.submit(5)
	for range 4 {
		w.round()
	}
	run := w.ledger.view.Runs[w.ledger.view.Jobs[id].Runs[0]]
	trouble := w.compute.perform.trouble()["execute:"+run.Record.ID.Hex()+":1"]
	if trouble == nil || !strings.Contains(trouble.Error(), "out of memory") {
		t.Errorf("trouble: %v", w.compute.perform.trouble())
	}
	work := w.compute.work[plan.SeatKey{Execution: run.Record.ID, Seat: 1}]
	if run.Record.Status != protocol.StatusAssigned || !work.Failing || work.Commitment != nil || work.Trouble != trouble.Error() {
		t.Errorf("execution %+v, work %+v", run.Record, w.compute.work)
	}
	w.restart() // which forgets the pause before the next try, too
	w.delivered(w.finish(id), 5)
}

// Work that is on disk is not done again: a second commitment to the same seat would be another one.
func TestFinishedWorkIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	id := w.submit(5)
	for range 3 {
		w.round()
	}
	w.sync()
	run := w.ledger.view.Runs[w.ledger.view.Jobs[id].Runs[0]]
	execute := plan.Execute{Job: id, Execution: run.Record.ID, Seat: 1, Pieces: []uint32{0, 1, 2, 3, 4}}
	if err := w.compute.execute(t.Context(), execute); err != nil {
		t.Fatal(err)
	}
	before := w.compute.work[plan.SeatKey{Execution: run.Record.ID, Seat: 1}].Commitment
	w.restart()
	runs := &atomic.Int32{}
	w.compute.Executor = machine{runs: runs}
	w.delivered(w.finish(id), 5)
	if run = w.ledger.view.Runs[run.Record.ID]; run.Record.Root != before.Root || runs.Load() != 0 {
		t.Errorf("root %s after %d more runs, want %s", run.Record.Root, runs.Load(), before.Root)
	}
	if scalars := w.scalars(run); scalars != 5 {
		t.Errorf("%d scalars are on disk, want 5", scalars)
	}
}

// scalars counts what opens an execution's leaves without the client.
func (w *world) scalars(run *protocol.Run) (count int) {
	w.Helper()
	err := w.stores["node"].Works(func(work store.Work) error {
		if work.Execution == run.Record.ID {
			count += len(work.Scalars)
		}
		return nil
	})
	if err != nil {
		w.Error(err)
	}
	return count
}
