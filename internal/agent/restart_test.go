package agent

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// finish plays until the job is done; a job needs few rounds.
func (w *world) finish(id common.Hash) JobFile {
	w.Helper()
	for range 20 {
		w.round()
		if f := w.file(id); f.Job.Done {
			return f
		}
	}
	w.Fatalf("the job is not done: %+v", w.file(id))
	return JobFile{}
}

// delivered checks that a done job has the right outputs, merged.
func (w *world) delivered(f JobFile, pieces int) {
	w.Helper()
	var want string
	for i := range pieces {
		want += fmt.Sprintf("piece-%d\n", i)
	}
	if len(f.Delivered) != pieces {
		w.Fatalf("%d of %d pieces are delivered", len(f.Delivered), pieces)
	}
	stdout, err := w.web["client"].ReadFile(w.Context(), f.Job.Result, "stdout", 1<<20)
	if err != nil || string(stdout) != want {
		w.Errorf("stdout %q, %v; want %q", stdout, err, want)
	}
}

func TestJobIsDone(t *testing.T) {
	for _, pieces := range []int{1, 5} {
		t.Run(fmt.Sprint(pieces, " pieces"), func(t *testing.T) {
			w := newWorld(t)
			w.delivered(w.finish(w.submit(pieces)), pieces)
			if trouble := w.requester.perform.trouble(); len(trouble) > 0 {
				t.Errorf("trouble: %v", trouble)
			}
		})
	}
}

// Whenever the process is killed, before or just after any transaction, the next start takes up the work where it was:
// nothing is lost, run or paid twice.
func TestKilledAtAnyTransaction(t *testing.T) {
	for sends := 1; ; sends++ {
		survived := false
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %v", sends, after), func(t *testing.T) {
				w := newWorld(t)
				w.ledger.life, w.ledger.after = sends, after
				id, err := w.requester.Submit(t.Context(), submission(5))
				for range 20 {
					if w.ledger.life <= 0 {
						break
					}
					w.round()
				}
				if survived = w.ledger.life > 0; !survived && id == (common.Hash{}) {
					t.Fatalf("killed in submit without a job: %v", err)
				}
				w.restart()
				w.delivered(w.finish(id), 5)
				created := 0
				for _, r := range w.ledger.records {
					if name := r.Event.Name(); name == "JobCreated" || name == "ExecutionAssigned" {
						created++
					}
				}
				if created != 2 {
					t.Errorf("%d jobs and executions were made, want one of each", created)
				}
			})
		}
		if survived {
			if sends < 5 {
				t.Errorf("only %d transactions were made", sends)
			}
			return
		}
	}
}

// Of a job that has ended only what is told of it stays in memory.
func TestEndedJobIsToldOfAfterARestart(t *testing.T) {
	w := newWorld(t)
	id := w.submit(5)
	before := w.finish(id)
	for range 2 {
		f := w.file(id)
		if f.Document == nil || f.Document.Lines != nil || f.Document.Spec.Module != "bafy" || f.Document.Pieces[4].Name != "piece-4" {
			t.Errorf("document %+v", f.Document)
		}
		if f.Job.Result != before.Job.Result || !slices.Equal(f.Delivered, before.Delivered) {
			t.Errorf("%+v, want %+v", f, before)
		}
		w.restart()
		w.round()
	}
	if len(w.requester.opened) > 0 {
		t.Error("opened results of an ended job are kept")
	}
	if files := w.requester.Files(); len(files) != 1 || files[0].Job.ID != id {
		t.Errorf("files %+v", files)
	}
}

// One job whose spec is lost is trouble of its own.
func TestLostSpecStopsNoOtherJob(t *testing.T) {
	w := newWorld(t)
	lost, fine := w.submit(1), w.submit(5)
	spec := w.file(lost).Job.Terms.SpecCID
	w.restart()
	w.web["client"].mu.Lock()
	delete(w.web["client"].held, spec)
	w.web["client"].mu.Unlock()
	w.delivered(w.finish(fine), 5)
	if w.file(lost).Trouble["load:"+lost.Hex()] == nil {
		t.Errorf("trouble: %v", w.file(lost).Trouble)
	}
}

// Strangers make as many jobs as they like: a node remembers those that may still give work.
func TestNodeForgetsJobsThatGiveNoWork(t *testing.T) {
	w := newWorld(t)
	id := w.submit(5)
	w.round()
	w.round()
	if len(w.compute.specs) != 1 || len(w.compute.failures) != 0 || len(w.compute.offered) != 1 {
		t.Fatalf("%d specs, %d failures, %d offers", len(w.compute.specs), len(w.compute.failures), len(w.compute.offered))
	}
	w.finish(id)
	w.ledger.head.Time += 2000 // the offer has expired
	w.round()
	if len(w.compute.specs)+len(w.compute.failures)+len(w.compute.offered) != 0 {
		t.Errorf("%d specs, %d failures, %d offers", len(w.compute.specs), len(w.compute.failures), len(w.compute.offered))
	}
	if len(w.compute.work) != 1 {
		t.Errorf("%d commitments are remembered, want one", len(w.compute.work))
	}
}

// A job that was cancelled before the chain had it never is on it.
func TestCancelledJobIsNotCreated(t *testing.T) {
	w := newWorld(t)
	w.ledger.life = 1
	id, err := w.requester.Submit(t.Context(), submission(1))
	if !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	if err := w.requester.Cancel(id); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.round()
	if len(w.ledger.view.Jobs) != 0 {
		t.Error("the job was created after it was cancelled")
	}
	expiry := w.file(id).Job.Terms.Expiry
	w.ledger.head.Time = expiry - 2 // each of the two feeds is shown a second of its own
	if w.round(); w.file(id).Job.Rejected != "" {
		t.Error("it was given up while a transaction from before the crash might still create it")
	}
	w.ledger.head.Time = expiry
	if w.round(); w.file(id).Job.Rejected == "" {
		t.Error("it never ends")
	}
}
