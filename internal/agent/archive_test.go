package agent

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// TestArchive: a job that ended long ago goes with its events, what it says of its node stays, a younger one and one that
// an agent holds stay whole, and a restart gives the same view.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	f, s := openFeed(t, dir)
	node, client := common.Address{1}, common.Address{2}
	held := common.Hash{20}
	f.Hold(func() Needs {
		return func(_ *protocol.View, j *protocol.Job, _ protocol.Block) bool { return j.ID == held }
	})
	apply := func(number uint64, events ...protocol.Event) {
		t.Helper()
		records := make([]transport.Record, len(events))
		for i, e := range events {
			records[i] = transport.Record{Event: e, Meta: transport.Meta{Block: point(number)}}
		}
		if err := f.Apply(t.Context(), point(number), records); err != nil {
			t.Fatal(err)
		}
	}
	life := func(job, run common.Hash) []protocol.Event {
		return []protocol.Event{
			protocol.JobCreated{Job: job, Client: client, Terms: protocol.Terms{Client: client, Pieces: 1}},
			protocol.OfferPosted{Job: job, Node: node, Offer: protocol.Offer{Job: job, Node: node, Nonce: 7, Deadline: 1 << 40}},
			protocol.ExecutionAssigned{Job: job, Parent: job, Execution: run, Node: node, Count: 1},
			protocol.ResultCommitted{Execution: run},
			protocol.ExecutionSettled{Execution: run, Pay: big.NewInt(1)},
		}
	}
	apply(1, protocol.Deposited{Wallet: client, Amount: big.NewInt(5)}, protocol.NodeRegistered{Node: node})
	old, oldRun := common.Hash{10}, common.Hash{11}
	apply(2, life(old, oldRun)...)
	apply(3, append(life(held, common.Hash{21}), protocol.NonceCancelled{Wallet: node, Nonce: 7})...)
	apply(5 + keptPoints)
	young := common.Hash{30}
	apply(6+keptPoints, life(young, common.Hash{31})...)

	jobs, err := f.Archive()
	if err != nil || jobs != 1 {
		t.Fatalf("archived %d jobs, %v", jobs, err)
	}
	f.Read(func(v *protocol.View) {
		if v.Jobs[old] != nil || v.Runs[oldRun] != nil || v.Jobs[held] == nil || v.Jobs[young] == nil {
			t.Errorf("jobs left: %v", v.Jobs)
		}
		if r := v.Reputations()[node]; r.Executions != 3 || r.Settled != 3 {
			t.Errorf("reputation %+v", r)
		}
	})
	events := map[string]int{}
	if err := f.Transactions(func(e protocol.Event, _ common.Hash) error { events[e.Name()]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if events["Deposited"] != 0 || events["NodeRegistered"] != 0 || events["JobCreated"] != 2 || events["NonceCancelled"] != 1 {
		t.Errorf("events left: %v", events)
	}
	want := spelled(t, f)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := openFeed(t, dir)
	if got := spelled(t, again); got != want {
		t.Errorf("after a restart the view is\n%s\nand was\n%s", got, want)
	}
	if n, err := again.Archive(); err != nil || n != 1 { // nobody holds the other one now
		t.Errorf("archived %d more jobs, %v", n, err)
	}
}
