package agent

import (
	"testing"

	"github.com/filecoin-project/bacalhau/internal/store"
)

// A node that withholds outputs it was paid for does not keep a job from ending: once it has expired the client takes
// what there is.
func TestWithheldOutputsAreGivenUp(t *testing.T) {
	withhold := func(w *world, _ []sealedPiece, work *store.Work) {
		w.web["node"].withheld[work.Leaves[3].Output] = true
	}
	for name, hurry := range map[string]func(*world, JobFile){
		"when the job expires": func(w *world, f JobFile) { w.ledger.head.Time = f.Job.Terms.Expiry + 1 },
		"when it is cancelled": func(w *world, f JobFile) {
			if err := w.requester.Cancel(f.Job.ID); err != nil {
				w.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, run := committed(t, 5, withhold)
			id := run.Record.Job
			w.ledger.head.Time += 600 // more than half of the settle window
			for range 5 {
				w.round()
			}
			if f := w.file(id); f.Job.Done || len(f.Delivered) > 0 {
				t.Fatalf("done %v with %d pieces while the client waits", f.Job.Done, len(f.Delivered))
			}
			hurry(w, w.file(id))
			for range 3 {
				w.round()
			}
			f := w.file(id)
			if !f.Job.Done || len(f.Delivered) != 4 {
				t.Fatalf("done %v with %d pieces", f.Job.Done, len(f.Delivered))
			}
			for _, d := range f.Delivered {
				if d.Piece == 3 {
					t.Error("the withheld piece was delivered")
				}
			}
		})
	}
}
