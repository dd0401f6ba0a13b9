package agent

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// onDisk is committed, by a node that has its work on disk.
func onDisk(t *testing.T, spoil func(*world, []sealedPiece, *store.Work)) (*world, *protocol.Run, store.Work) {
	t.Helper()
	var kept store.Work
	w, run := committed(t, 5, func(w *world, sealed []sealedPiece, work *store.Work) {
		spoil(w, sealed, work)
		kept = *work
	})
	kept.Execution, kept.Seat = run.Record.ID, 1
	if err := w.stores["node"].PutWork(kept); err != nil {
		t.Fatal(err)
	}
	return w, run, kept
}

// challenge demands seat 1's leaf of a piece.
func (w *world) challenge(run *protocol.Run, piece uint32) {
	w.Helper()
	w.ledger.emit(protocol.LeafChallenged{
		Execution: run.Record.ID, Seat: 1, Deadline: w.ledger.head.Time + 1000, Challenge: protocol.Challenge{
			Execution: run.Record.ID, Seat: 1, Piece: piece, Left: 700, Back: protocol.StatusCommitted,
		},
	})
	w.sync()
}

// A challenged node shows its leaf on chain, from its disk; the client reads that one though it gets no other.
func TestChallengedLeafIsShownAndRead(t *testing.T) {
	w, run, work := onDisk(t, honest)
	w.web["node"].down = true
	if opened, err := w.collect(run); err == nil || !opened.Failed || len(opened.Pieces) > 0 {
		t.Fatalf("%+v, %v", opened, err)
	}
	w.challenge(run, 3)
	w.restart()
	w.round()
	w.sync()
	shown := w.ledger.view.Runs[run.Record.ID].Answers[1][3]
	leaf := protocol.Sum{Hash: shown.Leaf.Hash(), Sum: shown.Leaf.Fuel}
	if !protocol.VerifySum(protocol.Sum{Hash: work.Root, Sum: work.Fuel}, leaf, 3, 5, shown.Proof) {
		t.Fatalf("the node showed %+v", shown)
	}
	opened, err := w.collect(w.ledger.view.Runs[run.Record.ID])
	if err == nil || !opened.Failed || len(opened.Pieces) != 1 || opened.Pieces[3].Digest != w.digestOffline(run, 3) {
		t.Errorf("%+v, %v", opened, err)
	}
	w.web["node"].down = false
	if opened, err = w.collect(run); err != nil || opened.Failed || len(opened.Pieces) != 5 {
		t.Errorf("after the node came back: %+v, %v", opened, err)
	}
}

// digestOffline is digest while the node serves nothing.
func (w *world) digestOffline(run *protocol.Run, index uint32) common.Hash {
	w.Helper()
	w.web["node"].down = false
	defer func() { w.web["node"].down = true }()
	return w.digest(run, index)
}

// A leaf in the wrong place is an answer, but worth nothing.
func TestMisplacedLeafOnChainIsNoResult(t *testing.T) {
	w, run, _ := onDisk(t, func(w *world, _ []sealedPiece, work *store.Work) {
		work.Leaves[1], work.Leaves[2] = work.Leaves[2], work.Leaves[1]
		recommit(w, work)
	})
	w.web["node"].down = true
	w.challenge(run, 1)
	w.round()
	w.sync()
	opened, _ := w.collect(w.ledger.view.Runs[run.Record.ID])
	if p, ok := opened.Pieces[1]; !ok || p.Leaf.Index != 2 || p.Digest != (common.Hash{}) {
		t.Errorf("%+v", opened)
	}
}

// The scalar that opens a commitment was made durable with it.
func TestSeatOpensItsCommitmentFromDisk(t *testing.T) {
	w, run, work := onDisk(t, honest)
	w.restart()
	call := protocol.OpenSelf{
		Terms: w.terms(run), Execution: run.Record, Seat: 1, Disclosure: protocol.Disclosure{Piece: 2},
	}
	if err := w.compute.disclose(t.Context(), plan.Disclose{Key: "openSelf:x", Call: call, Position: 2}); err != nil {
		t.Fatal(err)
	}
	sent := w.accounts["node"].sent["openSelf:x"].(protocol.OpenSelf).Disclosure
	if sent.R.Cmp(work.Scalars[2].Big()) != 0 || sent.Opening.Leaf.Hash() != work.Leaves[2].Hash() || sent.Piece != 2 {
		t.Errorf("disclosed %+v", sent)
	}
	call.Seat = 2
	err := w.compute.disclose(t.Context(), plan.Disclose{Key: "openSelf:y", Call: call, Position: 0})
	if err == nil || !strings.Contains(err.Error(), "read the work to open") {
		t.Errorf("opened a seat that the node never had: %v", err)
	}
}

// A juror's vote compares with the seats' digests, shows its own memory, and can be revealed after a crash.
func TestJurorsVoteIsOnDisk(t *testing.T) {
	w, run, _ := onDisk(t, honest)
	judge := plan.Judge{Job: run.Record.Job, Execution: run.Record.ID, Number: 5, Piece: 2, Salt: common.Hash{9}}
	key := plan.SeatKey{Execution: run.Record.ID, Seat: 5}
	if err := w.compute.judge(t.Context(), judge); err != nil {
		t.Fatal(err)
	}
	before := *w.compute.work[key].Ballot
	if before.Vote.Digest != w.digest(run, 2) {
		t.Errorf("the vote's digest %s is not the seats'", before.Vote.Digest)
	}
	if want := before.Vote.Commitment(chainID, contract, run.Record.ID, w.self("node"), before.Nonce); before.Sealed != want {
		t.Errorf("sealed as %s, want %s", before.Sealed, want)
	}
	w.restart()
	if after := w.compute.work[key].Ballot; after == nil || *after != before {
		t.Errorf("after a restart the vote is %+v, want %+v", after, before)
	}
	judge.Salt = common.Hash{7} // a reorganisation has had the jury drawn anew, and then another one takes that back
	if err := w.compute.judge(t.Context(), judge); err != nil {
		t.Fatal(err)
	}
	if anew := w.compute.work[key].Ballot; anew.Salt != judge.Salt || anew.Vote.Witness == before.Vote.Witness {
		t.Errorf("the vote in the new jury is %+v, in the old one %+v", anew, before)
	}
	judge.Salt = before.Salt
	if err := w.compute.judge(t.Context(), judge); err != nil {
		t.Fatal(err)
	}
	if again := *w.compute.work[key].Ballot; again != before {
		t.Errorf("the vote that may be sealed on chain was %+v and is now %+v", before, again)
	}
	judge.Number, judge.Salt = 6, common.Hash{8}
	if err := w.compute.judge(t.Context(), judge); err != nil {
		t.Fatal(err)
	}
	other := w.compute.work[plan.SeatKey{Execution: run.Record.ID, Seat: 6}].Ballot
	if other.Vote.Witness == before.Vote.Witness || other.Nonce == before.Nonce || other.Vote.Digest != before.Vote.Digest {
		t.Errorf("votes in two juries are %+v and %+v", before, other)
	}
}

// A node that cannot run its pieces gives them back, and does not ask for more of the job.
func TestNodeThatCannotRunDeclines(t *testing.T) {
	w := newWorld(t)
	broken := &atomic.Int32{}
	broken.Store(1 << 30)
	w.compute.Executor = machine{broken: broken}
	s := submission(5)
	s.ExecuteSeconds = 1600 // of which the ledger's deadline leaves 1000
	id, err := w.requester.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		w.round()
	}
	runs := w.ledger.view.Jobs[id].Runs
	if len(runs) != 1 || !w.ledger.view.Runs[runs[0]].Declined {
		t.Fatalf("%d executions, the first %+v", len(runs), w.ledger.view.Runs[runs[0]])
	}
	if open := w.ledger.view.Jobs[id].Open(); !slices.Equal(open, []protocol.Range{{Parent: runs[0], Count: 5}}) {
		t.Errorf("open pieces %+v", open)
	}
}
