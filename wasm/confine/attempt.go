package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/filecoin-project/bacalhau/wasm"
)

// Bounds on what a child may say.
const (
	maxJobBytes   = 1 << 30
	maxImageBytes = 1 << 30
	maxText       = 4 << 10 // of an error, bytes
)

// attempt is the node's side of one job's conversation. The child is not trusted.
type attempt struct {
	job    job
	module []byte      // to check or to compile
	image  *os.File    // to run
	files  []wasm.File // of job.Inputs
	child  *child

	windows []byte // of inputs, which the child sees

	layers   []string
	compiled []byte // an image
	result   *wasm.Result
	tally    tally
	// spilled says that a part of the result is in the child's file on disk.
	spilled bool
}

// converse sends the job and answers requests until it is done.
func (a *attempt) converse() error {
	err := a.talk()
	var told *toldError
	if errors.As(err, &told) {
		return told.error
	}
	if err == nil {
		return nil
	}
	return a.child.autopsy(err, &a.job)
}

// toldError is an error whose cause lies outside of the child, or that the child has reported itself.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

func (a *attempt) talk() error {
	raw, err := json.Marshal(&a.job)
	if err != nil {
		return &toldError{err}
	}
	if len(raw) > maxJobBytes {
		return &toldError{fmt.Errorf("arguments and input paths take %d bytes: at most %d are possible", len(raw), maxJobBytes)}
	}
	if a.image != nil {
		if err := a.equip(); err != nil {
			return err
		}
	}
	if err := a.child.sendLong(kindJob, raw); err != nil {
		return err
	}
	k, payload, err := a.child.receive()
	if err != nil {
		return err
	}
	if k != kindConfined || json.Unmarshal(payload, &a.layers) != nil {
		return fmt.Errorf("%w: it is not confined", errGarbage)
	}
	if a.image == nil {
		if err := a.child.sendLong(kindModule, a.module); err != nil {
			return err
		}
	}
	for done := false; !done; {
		k, payload, err := a.child.receive()
		if err != nil {
			return err
		}
		if done, err = a.hear(k, payload); err != nil {
			return err
		}
	}
	return nil
}

// equip hands the child what it needs for a run.
func (a *attempt) equip() error {
	if err := give(a.child.hand, a.image); err != nil || len(a.files) == 0 {
		return err
	}
	shared, err := sharedFile(windows * windowBytes)
	if err != nil {
		return &toldError{fmt.Errorf("memory for inputs: %w", err)}
	}
	defer shared.Close()
	if a.windows, err = mapWindows(shared, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return &toldError{fmt.Errorf("memory for inputs: %w", err)}
	}
	return give(a.child.hand, shared)
}

// close frees what equip has made.
func (a *attempt) close() {
	if a.windows != nil {
		_ = unix.Munmap(a.windows) // what cannot be given back ends with the process
		a.windows = nil
	}
}

// hear takes a frame and says whether it was the last one.
func (a *attempt) hear(k kind, payload []byte) (done bool, err error) {
	running := a.job.Task == taskRun
	switch {
	case k == kindFailure:
		return true, childError(payload)
	case k == kindRead && running && a.result == nil:
		return false, a.answer(payload)
	case k == kindOutput && running:
		return false, a.output(payload)
	case k == kindImage && a.job.Task == taskCompile:
		a.compiled, err = appendPart(a.compiled, kindImage, k, payload, maxImageBytes)
		return len(payload) < maxPayload, err
	case k == kindResult && running:
		return true, a.end(payload)
	case k == kindResult && a.job.Task != taskCompile:
		return true, nil
	}
	return true, fmt.Errorf("%w: an unexpected frame of kind %d", errGarbage, k)
}

// childError is what the child says went wrong, in printable form.
func childError(payload []byte) error {
	var f failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return fmt.Errorf("%w: a failure that cannot be read", errGarbage)
	}
	what, fix := printable(f.What), printable(f.Fix)
	if fix != "" {
		return &toldError{&wasm.ProfileError{What: what, Fix: fix}}
	}
	return &toldError{errors.New(what)}
}

// answer serves bytes of an input.
func (a *attempt) answer(payload []byte) error {
	var q readRequest
	if err := decodeFixed(payload, &q); err != nil {
		return err
	}
	if q.Input >= uint32(len(a.files)) || q.Length > windowBytes || q.Window >= windows {
		return fmt.Errorf("%w: a request for %d bytes of input %d in window %d", errGarbage, q.Length, q.Input, q.Window)
	}
	in := a.job.Inputs[q.Input]
	if q.Offset > uint64(in.Size) || uint64(q.Length) > uint64(in.Size)-q.Offset {
		return fmt.Errorf("%w: a request for bytes behind the end of input %q", errGarbage, in.Path)
	}
	window := a.windows[q.Window*windowBytes:][:q.Length]
	n, err := a.files[q.Input].ReadAt(window, int64(q.Offset))
	if n == len(window) {
		return a.child.send(kindData, nil)
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &toldError{fmt.Errorf("run: read input %s: %w", in.Path, err)}
}
