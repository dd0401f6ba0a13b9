package agent

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// committed is a world whose node has run a job of some pieces and committed to what spoil made of its work.
func committed(t *testing.T, pieces int, spoil func(*world, []sealedPiece, *store.Work)) (*world, *protocol.Run) {
	t.Helper()
	w := newWorld(t)
	id := w.submit(pieces)
	for range 3 { // the node loads the job, the node offers, the client accepts
		w.round()
	}
	w.sync()
	run := *w.ledger.view.Runs[w.ledger.view.Jobs[id].Runs[0]]
	doc, terms, _, err := w.compute.document(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	sealed := make([]sealedPiece, pieces)
	for i := range sealed {
		index := uint32(i)
		out, err := machine{}.Run(t.Context(), Task{
			Spec: doc.Spec, Piece: doc.Pieces[i], Seed: protocol.RandomSeed(terms.Salt, index),
		})
		if err != nil {
			t.Fatal(err)
		}
		if sealed[i], err = w.compute.seal(t.Context(), out, doc, terms, index, run.Record.ID); err != nil {
			t.Fatal(err)
		}
	}
	work, err := publish(t.Context(), w.web["node"], sealed)
	if err != nil {
		t.Fatal(err)
	}
	spoil(w, sealed, &work)
	w.ledger.emit(protocol.ResultCommitted{
		Execution: run.Record.ID, Root: work.Root, Fuel: work.Fuel, Deadline: w.ledger.head.Time + 1000, Leaves: work.Published,
	})
	w.sync()
	return w, w.ledger.view.Runs[run.Record.ID]
}

func honest(*world, []sealedPiece, *store.Work) {}

// recommit publishes changed leaves, with the outputs as they were.
func recommit(w *world, work *store.Work) {
	w.Helper()
	lib := w.web["node"]
	outputs, err := lib.Resolve(w.Context(), work.Bundle, OutputsDir)
	if err != nil {
		w.Fatal(err)
	}
	tree, err := protocol.LeavesTree(work.Leaves)
	if err != nil {
		w.Fatal(err)
	}
	work.Root, work.Fuel = tree.Root().Hash, tree.Root().Sum
	var encoded []byte
	for _, l := range work.Leaves {
		encoded = append(encoded, l.Encode()...)
	}
	work.Bundle, err = lib.Publish(w.Context(), map[string]io.Reader{leavesFile: bytes.NewReader(encoded)}, map[string]common.Hash{OutputsDir: outputs})
	if err != nil {
		w.Fatal(err)
	}
	work.Published = work.Bundle[:]
}

func (w *world) collect(run *protocol.Run) (plan.Opened, error) {
	err := w.requester.collect(w.Context(), plan.Collect{Execution: run.Record.ID, Seat: 1})
	return w.requester.opened[plan.SeatKey{Execution: run.Record.ID, Seat: 1}], err
}

// digest is the right result of a piece.
func (w *world) digest(run *protocol.Run, index uint32) common.Hash {
	w.Helper()
	doc, terms, _, err := w.compute.document(w.Context(), run.Record.Job)
	if err != nil {
		w.Fatal(err)
	}
	out, err := machine{}.Run(w.Context(), Task{
		Spec: doc.Spec, Piece: doc.Pieces[index], Seed: protocol.RandomSeed(terms.Salt, index),
	})
	if err != nil {
		w.Fatal(err)
	}
	return out.Result.Digest(terms.Salt, index, doc.Spec.Profile)
}

func TestHonestResultsAreOpened(t *testing.T) {
	for _, pieces := range []int{1, 5} {
		w, run := committed(t, pieces, honest)
		opened, err := w.collect(run)
		if err != nil || opened.Failed || opened.Incomplete || len(opened.Pieces) != pieces {
			t.Fatalf("%d pieces: %+v, %v", pieces, opened, err)
		}
		for index, p := range opened.Pieces {
			if want := w.digest(run, index); p.Digest != want {
				t.Errorf("piece %d: digest %s, want %s", index, p.Digest, want)
			}
		}
	}
}

// A leaf in the wrong place is the result of the piece that belongs there, and worth nothing: with its own proof it is
// what the contract takes for junk.
func TestMisplacedLeafIsNoEscape(t *testing.T) {
	w, run := committed(t, 5, func(w *world, _ []sealedPiece, work *store.Work) {
		work.Leaves[1], work.Leaves[2] = work.Leaves[2], work.Leaves[1]
		recommit(w, work)
	})
	opened, err := w.collect(run)
	if err != nil || len(opened.Pieces) != 5 {
		t.Fatalf("%+v, %v", opened, err)
	}
	root := protocol.Sum{Hash: run.Record.Root, Sum: run.Record.Fuel}
	for index, p := range opened.Pieces {
		if misplaced := index == 1 || index == 2; misplaced != (p.Digest == common.Hash{}) || misplaced != (p.Leaf.Index != index) {
			t.Errorf("piece %d: leaf %d, digest %s", index, p.Leaf.Index, p.Digest)
		}
		if leaf := (protocol.Sum{Hash: p.Leaf.Hash(), Sum: p.Leaf.Fuel}); !protocol.VerifySum(root, leaf, index, 5, p.Proof) {
			t.Errorf("piece %d: its opening does not stand at its place", index)
		}
	}
}

// Spoiled outputs are no escape either: what the seat committed to is known without them.
func TestLeavesComeWithoutTheOutputs(t *testing.T) {
	for name, spoil := range map[string]func(*world, []sealedPiece, *store.Work){
		"one output is withheld": func(w *world, _ []sealedPiece, work *store.Work) {
			w.web["node"].withheld[work.Leaves[3].Output] = true
		},
		"a leaf names another output": func(w *world, _ []sealedPiece, work *store.Work) {
			work.Leaves[3].Output = common.Hash{1}
			recommit(w, work)
		},
		"the bundle has no outputs": func(w *world, _ []sealedPiece, work *store.Work) {
			var encoded []byte
			for _, l := range work.Leaves {
				encoded = append(encoded, l.Encode()...)
			}
			bundle, err := w.web["node"].Publish(w.Context(), map[string]io.Reader{leavesFile: bytes.NewReader(encoded)}, nil)
			if err != nil {
				w.Fatal(err)
			}
			work.Published = bundle[:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, run := committed(t, 5, spoil)
			opened, err := w.collect(run)
			if err == nil || opened.Failed || !opened.Incomplete || len(opened.Pieces) != 5 {
				t.Fatalf("%+v, %v", opened, err)
			}
			for index, p := range opened.Pieces {
				if p.Digest != w.digest(run, index) {
					t.Errorf("piece %d is not readable", index)
				}
			}
		})
	}
}

// The one leaf of a single piece is in the event: no node can withhold it.
func TestSingleLeafNeedsNoNode(t *testing.T) {
	w, run := committed(t, 1, honest)
	w.web["node"].down = true
	opened, err := w.collect(run)
	if err == nil || !opened.Incomplete || opened.Pieces[0].Digest != w.digest(run, 0) {
		t.Errorf("%+v, %v", opened, err)
	}
	w.web["node"].down = false
	if opened, err = w.collect(run); err != nil || opened.Incomplete {
		t.Errorf("after the node came back: %+v, %v", opened, err)
	}
	w.web["node"].down = true
	if again, err := w.collect(run); err != nil || again.Incomplete {
		t.Errorf("what is here is asked for again: %v", err)
	}
}

func TestLeavesThatAreNotTheCommittedOnes(t *testing.T) {
	for name, spoil := range map[string]func(*world, []sealedPiece, *store.Work){
		"truncated":      func(w *world, _ []sealedPiece, work *store.Work) { republish(w, work, 4*protocol.LeafBytes) },
		"cut in a leaf":  func(w *world, _ []sealedPiece, work *store.Work) { republish(w, work, 4*protocol.LeafBytes+1) },
		"of other fuel":  func(_ *world, _ []sealedPiece, work *store.Work) { work.Fuel++ },
		"another root's": func(_ *world, _ []sealedPiece, work *store.Work) { work.Root[0] ^= 1 },
		"unnamed":        func(_ *world, _ []sealedPiece, work *store.Work) { work.Published = nil },
		"nowhere":        func(w *world, _ []sealedPiece, _ *store.Work) { w.web["node"].down = true },
		"without a file": func(w *world, _ []sealedPiece, work *store.Work) {
			dir, err := w.web["node"].Publish(w.Context(), map[string]io.Reader{"x": strings.NewReader("")}, nil)
			if err != nil {
				w.Fatal(err)
			}
			work.Published = dir[:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, run := committed(t, 5, spoil)
			if opened, err := w.collect(run); err == nil || !opened.Failed || len(opened.Pieces) > 0 {
				t.Errorf("%+v, %v", opened, err)
			}
		})
	}
}

// republish publishes the first bytes of the leaves only.
func republish(w *world, work *store.Work, length int) {
	w.Helper()
	lib := w.web["node"]
	raw, err := lib.ReadFile(w.Context(), work.Bundle, leavesFile, 1<<20)
	if err != nil {
		w.Fatal(err)
	}
	bundle, err := lib.Publish(w.Context(), map[string]io.Reader{leavesFile: bytes.NewReader(raw[:length])}, nil)
	if err != nil {
		w.Fatal(err)
	}
	work.Published = bundle[:]
}

// What was opened once is not forgotten because it cannot be had a second time.
func TestOpenedLeavesAreKept(t *testing.T) {
	w, run := committed(t, 5, honest)
	if _, err := w.collect(run); err != nil {
		t.Fatal(err)
	}
	clear(w.web["client"].held)
	w.web["node"].down = true
	if opened, err := w.collect(run); err == nil || opened.Failed || len(opened.Pieces) != 5 {
		t.Errorf("%+v, %v", opened, err)
	}
}

// What was opened goes with the commitment that a reorganisation undoes, for another one stands in its place.
func TestOpenedGoesWithItsCommitment(t *testing.T) {
	w, run := committed(t, 5, honest)
	if _, err := w.collect(run); err != nil {
		t.Fatal(err)
	}
	key := plan.SeatKey{Execution: run.Record.ID, Seat: 1}
	w.requester.forget()
	if _, ok := w.requester.opened[key]; !ok {
		t.Fatal("forgotten although it stands")
	}
	w.requester.Feed.Read(func(v *protocol.View) { v.Runs[key.Execution].Record.Root = common.Hash{1} })
	w.requester.forget()
	if _, ok := w.requester.opened[key]; ok {
		t.Error("taken for what the new commitment opens to")
	}
}
