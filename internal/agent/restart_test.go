package agent

import (
	"fmt"
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
