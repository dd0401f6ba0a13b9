package confine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// dying is how long a child that has hung up may take to end by itself, so that its reason can be told.
const dying = 5 * time.Second

// child is a process of this program that does one job.
type child struct {
	conn
	cmd     *exec.Cmd
	words   words       // on its stderr
	hand    *os.File    // over which it is handed its image
	scratch string      // folder for its engine's files, or ""
	spill   *os.File    // for outputs that are too large for memory, or nil
	overdue atomic.Bool // it was killed for its time
	reap    sync.Once   // of wait
}

// start starts a child with an environment of its own, and if spill is not "" with a file in that folder.
func start(engine, spill string, env []string) (*child, error) {
	c := &child{}
	c.cmd = &exec.Cmd{
		Path: self, Args: []string{"bacalhau-execution"}, Dir: os.TempDir(), Stderr: &c.words,
		Env: append([]string{
			marker + "=" + engine,
			// A guest has one thread; a compiler and Go's collector may use more. To be told keeps libraries from
			// looking for the number of processors in files, and one arena keeps the C library from looking there how
			// to shrink the others.
			"GOMAXPROCS=2", "MALLOC_ARENA_MAX=1", "RAYON_NUM_THREADS=" + strconv.Itoa(runtime.NumCPU()),
			"GOTRACEBACK=single",
			"GOGC=off", // until there is a job
		}, env...),
	}
	isolate(c.cmd)
	if err := c.start(engine == "wazero", spill); err != nil {
		err = fmt.Errorf("start a process for an execution: %w", err)
		return nil, errors.Join(err, c.clean())
	}
	return c, nil
}

// start starts the process, with a folder for files if it needs one and with a file in the folder spill if that is not "".
func (c *child) start(files bool, spill string) (err error) {
	var childs *os.File
	if c.hand, childs, err = openHand(); err != nil {
		return err
	}
	defer childs.Close()
	c.cmd.ExtraFiles = []*os.File{childs} // handDescriptor
	if spill != "" {
		if c.spill, err = openSpill(spill); err != nil {
			return err
		}
		c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, c.spill) // spillDescriptor
		c.cmd.Env = append(c.cmd.Env, spillMarker+"=1")
	}
	if files {
		if c.scratch, err = os.MkdirTemp("", "bacalhau-execution-"); err != nil {
			return err
		}
		c.cmd.Env = append(c.cmd.Env, "TMPDIR="+c.scratch)
	}
	if c.w, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	if c.r, err = c.cmd.StdoutPipe(); err != nil {
		return err
	}
	widen(c.w)
	if err := c.cmd.Start(); err != nil {
		return err
	}
	yield(c.cmd)
	return nil
}

// kill ends the process at once.
func (c *child) kill() { _ = c.cmd.Process.Kill() } // it fails only if the process has ended already

// expire kills a process that takes too long.
func (c *child) expire() {
	c.overdue.Store(true)
	c.kill()
}

// wait waits until the process has ended. Nobody may be reading from it any more. How it ended is in cmd.ProcessState.
func (c *child) wait() { c.reap.Do(func() { _ = c.cmd.Wait() }) }

// clean removes the files of a child that has ended, unless somebody took them.
func (c *child) clean() error {
	var errs []error
	if c.hand != nil {
		errs = append(errs, c.hand.Close())
	}
	if c.scratch != "" {
		errs = append(errs, os.RemoveAll(c.scratch))
	}
	if c.spill != nil {
		errs = append(errs, c.spill.Close())
	}
	return errors.Join(errs...)
}

// keep takes the outputs of a child on disk, which it cannot change any more.
func (c *child) keep() (f *os.File) {
	c.kill()
	c.wait()
	f, c.spill = c.spill, nil
	return f
}

// autopsy says why a conversation that ended with err has no result. It ends the process.
func (c *child) autopsy(err error, j *job) error {
	if errors.Is(err, errGarbage) {
		c.kill()
		c.wait()
		return fmt.Errorf("%w: %w", ErrAborted, err)
	}
	defer time.AfterFunc(dying, c.kill).Stop()
	c.wait()
	state := c.cmd.ProcessState
	reason := state.String()
	most := time.Duration(j.CPUSeconds) * time.Second
	switch used := state.UserTime() + state.SystemTime(); {
	case c.overdue.Load():
		reason = "it took too long"
	case killed(state) && used >= most/2: // the limit goes by whole clock ticks, which on a busy machine are not all its own
		reason = fmt.Sprintf("it used up its %d seconds of processor time", j.CPUSeconds)
	case forbidden(state):
		reason = "it made a system call that it may not make"
	case killed(state):
		reason = "it was killed: the machine may be out of memory"
	}
	if said := c.words.first(); said != "" {
		reason += ": " + said
	}
	return fmt.Errorf("%w: %s", ErrAborted, reason)
}

// words keeps the beginning of what a child writes to stderr. It is written to until the process was waited for.
type words struct{ kept []byte }

// Write implements io.Writer.
func (w *words) Write(p []byte) (int, error) {
	w.kept = append(w.kept, p[:min(len(p), maxText-len(w.kept))]...)
	return len(p), nil
}

// first is the first line, printable.
func (w *words) first() string {
	line, _, _ := strings.Cut(string(w.kept), "\n")
	return printable(line)
}

// printable is text of a stranger as one line of an error.
func printable(s string) string {
	s = s[:min(len(s), maxText)]
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
