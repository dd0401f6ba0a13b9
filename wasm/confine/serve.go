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
	spill := inheritedSpill()
	if err := closeInherited(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := serve(c, spill); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(c *conn, spill *os.File) error {
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
	return perform(c, runner, spill, j)
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
func perform(c *conn, runner *wasm.Runner, spill *os.File, j *job) error {
	layers, err := confine(j)
	if err != nil {
		return err
	}
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(int64(j.DataBytes / 4 * 3)) // collect garbage rather than die
	if err := c.sendJSON(kindConfined, layers); err != nil {
		return err
	}
	module, err := c.receiveInto(make([]byte, 0, j.Module), kindModule, uint64(j.Module))
	if err != nil {
		return err
	}
	w := &worker{conn: c, runner: runner, job: j, spill: &spillFile{spill: j.Spill, file: spill}, answers: make(chan []byte)}
	go w.work(module)
	return w.listen()
}

// worker does a job. Its work goroutine sends, and listen receives.
type worker struct {
	*conn
	runner  *wasm.Runner
	job     *job
	spill   *spillFile
	answers chan []byte // to requests, valid until the next one
}

// listen passes answers on until the node has hung up: because it has what it wants, or because it is no more.
func (w *worker) listen() error {
	for {
		k, payload, err := w.receive()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if k != kindData {
			return fmt.Errorf("%w: an answer of kind %d", errGarbage, k)
		}
		// The payload is not overwritten before the next request: no other frame comes until then.
		w.answers <- payload
	}
}

// work does the job and says how it went. It has nobody to tell if that cannot be said: then the node is gone, which
// listen notices too.
func (w *worker) work(module []byte) {
	if err := w.do(module); err != nil {
		f := failure{What: err.Error()}
		var unfit *wasm.ProfileError
		if errors.As(err, &unfit) {
			f = failure{unfit.What, unfit.Fix}
		}
		f.What, f.Fix = f.What[:min(len(f.What), maxText)], f.Fix[:min(len(f.Fix), maxText)]
		_ = w.sendJSON(kindFailure, f)
	}
}

func (w *worker) do(module []byte) error {
	ctx := context.Background()
	switch w.job.Task {
	case taskProbe:
		return w.sendFixed(kindResult, ending{})
	case taskCheck:
		if err := wasm.CheckWithin(module, w.job.Limits); err != nil {
			return err
		}
		return w.sendFixed(kindResult, ending{})
	case taskCompile:
		image, err := w.runner.Image(ctx, module, w.job.Limits)
		if err != nil {
			return err
		}
		return w.sendLong(kindImage, image)
	case taskRun:
		return w.run(ctx, module)
	}
	return fmt.Errorf("job: unknown task %q", w.job.Task)
}

func (w *worker) run(ctx context.Context, image []byte) error {
	program, err := w.runner.Load(ctx, image)
	if err != nil {
		return err
	}
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
func (w *worker) fetch(input uint32, offset int64, n int) ([]byte, error) {
	err := w.sendFixed(kindRead, readRequest{Input: input, Length: uint32(n), Offset: uint64(offset)})
	if err != nil {
		return nil, err
	}
	bytes := <-w.answers // or never: a node that cannot read an input ends this process
	if len(bytes) != n {
		return nil, fmt.Errorf("%w: %d bytes in place of %d", errGarbage, len(bytes), n)
	}
	return bytes, nil
}
