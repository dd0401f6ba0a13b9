package confine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/filecoin-project/bacalhau/wasm"
)

// marker is the environment variable that tells a child so, with the name of its engine.
const marker = "BACALHAU_EXECUTION"

// Started says whether this process is the child of a Runner. Then it has to call Serve and end.
func Started() bool { return os.Getenv(marker) != "" }

// C libraries read files to tell how much stack the first thread has. Tied to it, the main goroutine leaves the guest
// to other threads.
func init() {
	if Started() {
		runtime.LockOSThread()
	}
}

// Serve does the one job of a child process and returns its exit code. Nothing that the program does may come before
// it: main and, in tests that run executions, TestMain call it first if Started says so.
func Serve() (exitCode int) {
	c := &conn{r: os.Stdin, w: os.Stdout}
	os.Stdout = os.Stderr // the conversation's alone
	hand, spill := inheritedHand(), inheritedSpill()
	if err := closeInherited(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := serve(c, hand, spill); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(c *conn, hand, spill *os.File) error {
	// While no job is there yet, so that it does not wait for this.
	runner, err := wasm.NewRunner(os.Getenv(marker))
	if err != nil {
		return err
	}
	j, err := receiveJob(c)
	if errors.Is(err, io.EOF) {
		return nil // not needed any more
	} else if err != nil {
		return err
	}
	return perform(c, runner, hand, spill, j)
}

func receiveJob(c *conn) (*job, error) {
	raw, err := c.receiveLong(kindJob, maxJobBytes)
	if err != nil {
		return nil, err
	}
	var j job
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	return &j, nil
}

// perform does a job in confinement. The module is not looked at before.
func perform(c *conn, runner *wasm.Runner, hand, spill *os.File, j *job) (err error) {
	w := &worker{conn: c, runner: runner, job: j, spill: &spillFile{spill: j.Spill, file: spill}, answers: make(chan struct{})}
	if j.Task == taskRun {
		if err := w.equip(hand); err != nil {
			return err
		}
	}
	layers, err := confine(j)
	if err != nil {
		return err
	}
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(int64(j.DataBytes / 4 * 3)) // collect garbage rather than die
	if err := c.sendJSON(kindConfined, layers); err != nil {
		return err
	}
	if j.Task != taskRun {
		if w.module, err = c.receiveInto(make([]byte, 0, j.Module), kindModule, uint64(j.Module)); err != nil {
			return err
		}
	}
	go w.work()
	return w.listen()
}

// worker does a job. Its work goroutine sends, and listen receives.
type worker struct {
	*conn
	runner  *wasm.Runner
	job     *job
	module  []byte   // to check or to compile
	image   *os.File // to run
	spill   *spillFile
	windows []byte        // of inputs, which the node fills
	answers chan struct{} // to requests
}

// listen passes answers on until the node has hung up: because it has what it wants, or because it is no more.
func (w *worker) listen() error {
	for {
		k, _, err := w.receive()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if k != kindData {
			return fmt.Errorf("%w: an answer of kind %d", errGarbage, k)
		}
		w.answers <- struct{}{}
	}
}

// work does the job and says how it went. It has nobody to tell if that cannot be said: then the node is gone, which
// listen notices too.
func (w *worker) work() {
	if err := w.do(); err != nil {
		f := failure{What: err.Error()}
		var unfit *wasm.ProfileError
		if errors.As(err, &unfit) {
			f = failure{unfit.What, unfit.Fix}
		}
		f.What, f.Fix = f.What[:min(len(f.What), maxText)], f.Fix[:min(len(f.Fix), maxText)]
		_ = w.sendJSON(kindFailure, f)
	}
}

func (w *worker) do() error {
	ctx := context.Background()
	switch w.job.Task {
	case taskProbe:
		return w.sendFixed(kindResult, ending{})
	case taskCheck:
		if err := wasm.CheckWithin(w.module, w.job.Limits); err != nil {
			return err
		}
		return w.sendFixed(kindResult, ending{})
	case taskCompile:
		image, err := w.runner.Image(ctx, w.module, w.job.Limits)
		if err != nil {
			return err
		}
		return w.sendLong(kindImage, image)
	case taskRun:
		return w.run(ctx)
	}
	return fmt.Errorf("job: unknown task %q", w.job.Task)
}

// equip takes what the node hands over for a run.
func (w *worker) equip(hand *os.File) (err error) {
	defer hand.Close()
	if w.image, err = take(hand); err != nil || len(w.job.Inputs) == 0 {
		return err
	}
	shared, err := take(hand)
	if err != nil {
		return err
	}
	defer shared.Close()
	w.windows, err = mapWindows(shared, unix.PROT_READ)
	return err
}

func (w *worker) run(ctx context.Context) error {
	program, err := w.runner.Load(ctx, w.image)
	if err != nil {
		return err
	}
	w.image.Close() // what is mapped stays
	if err := seal(w.job); err != nil {
		return err
	}
	result, err := program.Run(ctx, w.taskOf())
	if err != nil {
		return err
	}
	return w.report(result)
}

// fetch asks the node for bytes of an input.
func (w *worker) fetch(window, input uint32, offset int64, n int) ([]byte, error) {
	err := w.sendFixed(kindRead, readRequest{Window: window, Input: input, Length: uint32(n), Offset: uint64(offset)})
	if err != nil {
		return nil, err
	}
	<-w.answers // or never: a node that cannot read an input ends this process
	return w.windows[window*windowBytes:][:n], nil
}
