package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/seal"
	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

func (w *world) deliver(run *protocol.Run, pieces, disputed []uint32) error {
	return w.requester.deliver(w.Context(), plan.Deliver{
		Execution: run.Record.ID, Seat: 1, Pieces: pieces, Disputed: disputed,
	})
}

// opened collects what seat 1 published.
func (w *world) opened(run *protocol.Run) {
	w.Helper()
	if _, err := w.collect(run); err != nil {
		w.Fatal(err)
	}
}

func TestDeliveryIsRememberedWithItsDisputes(t *testing.T) {
	w, run := committed(t, 5, honest)
	w.opened(run)
	if err := w.deliver(run, []uint32{0, 1, 2, 3, 4}, []uint32{3}); err != nil {
		t.Fatal(err)
	}
	before := w.file(run.Record.Job).Delivered
	w.restart()
	after := w.file(run.Record.Job).Delivered
	if !slices.Equal(before, after) || len(after) != 5 {
		t.Fatalf("%+v before the restart, %+v after it", before, after)
	}
	for _, d := range after {
		if d.Disputed != (d.Piece == 3) {
			t.Errorf("piece %d: disputed %v", d.Piece, d.Disputed)
		}
		if want := w.digest(run, d.Piece); d.Result.Digest(w.terms(run).Salt, d.Piece, 1) != want {
			t.Errorf("piece %d: result %+v", d.Piece, d.Result)
		}
		stdout, err := w.web["client"].ReadFile(t.Context(), d.Output, "stdout", 100)
		if err != nil || !strings.HasPrefix(string(stdout), "piece-") {
			t.Errorf("piece %d: stdout %q, %v", d.Piece, stdout, err)
		}
	}
}

func (w *world) terms(run *protocol.Run) protocol.Terms {
	return w.ledger.view.Jobs[run.Record.Job].Terms
}

// Outputs that are not what the seat committed to are not delivered, and the client asks for them again.
func TestSpoiledOutputsAreNotDelivered(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(w *world, plain []byte) []byte // what is encrypted to the client
		want  string
	}{
		"nothing":          {func(*world, []byte) []byte { return nil }, "truncated output"},
		"half a root":      {func(_ *world, plain []byte) []byte { return plain[:16] }, "truncated output"},
		"a truncated CAR":  {func(_ *world, plain []byte) []byte { return plain[:len(plain)-40] }, "lacks blocks"},
		"a stranger's CAR": {func(_ *world, plain []byte) []byte { plain[0] ^= 1; return plain }, "lacks blocks"},
		"another result": {func(w *world, _ []byte) []byte {
			out, err := machine{}.Run(w.Context(), Task{Piece: protocol.Piece{Name: "other"}})
			if err != nil {
				w.Fatal(err)
			}
			return append(out.Root[:], out.Packed.(packed)...)
		}, "not the output that the node committed to"},
	} {
		t.Run(name, func(t *testing.T) {
			w, run := committed(t, 5, func(w *world, sealed []sealedPiece, work *store.Work) {
				w.reencrypt(sealed, work, 3, func(plain []byte) []byte { return c.spoil(w, plain) })
			})
			w.opened(run)
			err := w.deliver(run, []uint32{3}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if opened := w.requester.opened[plan.SeatKey{Execution: run.Record.ID, Seat: 1}]; !opened.Incomplete {
				t.Error("it will not be asked for again")
			}
			if err := w.deliver(run, []uint32{0, 1, 2, 4}, nil); err != nil {
				t.Errorf("the other pieces: %v", err)
			}
		})
	}
}

// reencrypt puts another plaintext in the place of a piece's output, under the very secret of its leaf.
func (w *world) reencrypt(sealed []sealedPiece, work *store.Work, index uint32, change func([]byte) []byte) {
	w.Helper()
	ctx := context.Background()
	var job protocol.Run
	for _, r := range w.ledger.view.Runs {
		job = *r
	}
	leaf := work.Leaves[index]
	binding := protocol.Binding{ChainID: chainID, Contract: contract, Execution: job.Record.ID, Index: index, Node: job.Node}
	sealedLeaf := protocol.Sealed{Rx: leaf.Rx, Parity: leaf.Parity, C: leaf.C}
	_, shared, err := protocol.Unseal(sealedLeaf, w.secret.PieceKey(w.terms(&job).Salt, index), binding)
	if err != nil {
		w.Fatal(err)
	}
	output, err := w.web["node"].Open(ctx, leaf.Output, sealedFile)
	if err != nil {
		w.Fatal(err)
	}
	plain, err := seal.Decrypt(shared[:], output)
	if err != nil {
		w.Fatal(err)
	}
	was, err := io.ReadAll(plain)
	if err != nil {
		w.Fatal(err)
	}
	sealed[index].leaf.Output = w.publishSealed(shared[:], change(was))
	again, err := publish(ctx, w.web["node"], sealed)
	if err != nil {
		w.Fatal(err)
	}
	*work = again
}

// publishSealed has the node publish a plaintext as the output of a piece.
func (w *world) publishSealed(secret, plain []byte) common.Hash {
	w.Helper()
	var sealed bytes.Buffer
	to, err := seal.Encrypt(secret, &sealed)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := to.Write(plain); err != nil {
		w.Fatal(err)
	}
	if err := to.Close(); err != nil {
		w.Fatal(err)
	}
	dir, err := w.web["node"].Publish(w.Context(), map[string]io.Reader{sealedFile: &sealed}, nil)
	if err != nil {
		w.Fatal(err)
	}
	return dir
}

func TestOutputEncryptedToSomebodyElseIsNotDelivered(t *testing.T) {
	w, run := committed(t, 1, func(w *world, sealed []sealedPiece, work *store.Work) {
		var secret [64]byte
		rand.Read(secret[:])
		sealed[0].leaf.Output = w.publishSealed(secret[:], []byte("x"))
		again, err := publish(w.Context(), w.web["node"], sealed)
		if err != nil {
			w.Fatal(err)
		}
		*work = again
	})
	w.opened(run)
	if err := w.deliver(run, []uint32{0}, nil); err == nil {
		t.Error("it was delivered")
	}
}

// A settled piece whose leaf stands for another one has no output.
func TestMisplacedOutputIsNotDelivered(t *testing.T) {
	w, run := committed(t, 5, func(w *world, _ []sealedPiece, work *store.Work) {
		work.Leaves[1], work.Leaves[2] = work.Leaves[2], work.Leaves[1]
		recommit(w, work)
	})
	w.opened(run)
	if err := w.deliver(run, []uint32{1}, nil); err == nil || !strings.Contains(err.Error(), "in the place of piece 1") {
		t.Errorf("got %v", err)
	}
	if err := w.deliver(run, []uint32{0}, nil); err != nil {
		t.Error(err)
	}
}
