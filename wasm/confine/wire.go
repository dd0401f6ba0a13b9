package confine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/bacalhau/wasm"
)

// kind says what a frame carries.
type kind byte

// A conversation is one job, then the child's requests, each with its answer unless it fails, and at last what came out. Messages
// marked "long" are a run of frames of which only the last one is shorter than maxPayload.
const (
	none kind = iota

	// To the child.
	kindJob    // long: a job as JSON
	kindModule // long: the module, unless the job is to run its image
	kindData   // nothing: the bytes that were asked for are there

	// From the child.
	kindConfined // the layers that hold the child, as JSON
	kindRead     // a readRequest
	kindImage    // long: the compiled module
	kindOutput   // which output follows: outputStdout, outputStderr, or outputFile and its path
	kindExtents  // long: where the content of that output is, as extents
	kindBytes    // long: those of its bytes that are in the child's memory
	kindResult   // an ending
	kindFailure  // a failure as JSON
)

const (
	headerBytes = 5
	maxPayload  = 1 << 20 // bytes
	// shortPayload is worth copying, to be written together with its header.
	shortPayload = 32 << 10 // bytes
)

// First bytes of a kindOutput.
const (
	outputStdout byte = iota
	outputStderr
	outputFile
)

// errGarbage is a peer that does not keep to the protocol.
var errGarbage = errors.New("it broke the protocol")

// readRequest asks for bytes of an input, in the memory that both processes have, at Window times windowBytes.
type readRequest struct {
	Window uint32
	Input  uint32 // index into job.Inputs
	Length uint32 // bytes, at most windowBytes
	Offset uint64 // bytes
}

// extent is a wasm.Extent: OnDisk is in the file that both processes have open.
type extent struct {
	Place wasm.Place
	Bytes uint64
	At    uint64 // offset on disk, bytes
}

const extentBytes = 17

// ending is the part of a wasm.Result that has a fixed size.
type ending struct {
	ExitCode        uint32
	Trap            uint8 // index into traps
	MemoryHash      [32]byte
	KeyedMemoryHash [32]byte
	Fuel            uint64
	PeakMemory      uint64 // bytes
}

// traps are the values of Result.Trap by their number in an ending.
var traps = [...]string{"", wasm.TrapOutOfFuel, wasm.TrapStack, wasm.TrapGuest}

// failure is an attempt's error. With Fix it is a *wasm.ProfileError.
type failure struct{ What, Fix string }

// task says what a job is for.
type task string

const (
	taskProbe   task = "probe"   // confine yourself
	taskCheck   task = "check"   // and see whether the module fits
	taskCompile task = "compile" // and send its image
	taskRun     task = "run"     // and run this image
)

// job is what one child does. A child does one and ends.
type job struct {
	Task       task
	Args       [][]byte // JSON's strings hold UTF-8 only
	Env        [][]byte // "NAME=value"
	Inputs     []input
	Seed       [32]byte
	MemoryKey  [32]byte
	Limits     wasm.Limits
	Module     int    // bytes of the module that follows, or of the image that was handed over
	DataBytes  uint64 // most private writable memory
	CPUSeconds uint64 // most processor time
	Scratch    string // folder for the engine's files until the module is loaded; "" if it needs none
	Spill      spill  // of a run
}

// opensFiles says whether the job opens files once it is confined.
func (j *job) opensFiles() bool { return j.Task == taskRun || j.Scratch != "" }

// spill says how a child uses the file that it was started with for outputs. Zero for none.
type spill struct {
	Dir   string // that holds the file, for messages: the file has no name
	After uint64 // bytes of outputs that stay in memory
	Most  uint64 // bytes of the file
	Free  uint64 // bytes of the disk that stay free
}

// input is a file that the child may read through requests.
type input struct {
	Path string
	Size int64 // bytes
}

// conn carries frames. It is used by one reader and one writer at a time.
type conn struct {
	r       io.Reader
	w       io.Writer
	in, out []byte
}

// send writes one frame.
func (c *conn) send(k kind, payload []byte) error {
	c.out = binary.LittleEndian.AppendUint32(append(c.out[:0], byte(k)), uint32(len(payload)))
	if len(payload) <= shortPayload {
		c.out = append(c.out, payload...)
		_, err := c.w.Write(c.out)
		return err
	}
	if _, err := c.w.Write(c.out); err != nil {
		return err
	}
	_, err := c.w.Write(payload)
	return err
}

// sendFixed sends a value of fixed size.
func (c *conn) sendFixed(k kind, v any) error {
	payload, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		return err
	}
	return c.send(k, payload)
}

// sendJSON sends a value as JSON in one frame.
func (c *conn) sendJSON(k kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.send(k, payload)
}

// sendLong sends a long message.
func (c *conn) sendLong(k kind, message []byte) error {
	for {
		n := min(len(message), maxPayload)
		if err := c.send(k, message[:n]); err != nil {
			return err
		}
		if message = message[n:]; n < maxPayload {
			return nil
		}
	}
}

// sendStream sends what r has as a long message.
func (c *conn) sendStream(k kind, r io.Reader) error {
	part := make([]byte, maxPayload)
	for {
		n, err := io.ReadFull(r, part)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		if err := c.send(k, part[:n]); err != nil || n < maxPayload {
			return err
		}
	}
}

// receive reads one frame. The payload is valid until the next call and never longer than maxPayload.
func (c *conn) receive() (kind, []byte, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(c.r, header[:]); err != nil {
		return none, nil, err
	}
	k, n := kind(header[0]), binary.LittleEndian.Uint32(header[1:])
	if n > maxPayload {
		return none, nil, fmt.Errorf("%w: a frame of %d bytes", errGarbage, n)
	}
	if uint32(cap(c.in)) < n {
		c.in = make([]byte, n)
	}
	payload := c.in[:n]
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return none, nil, err
	}
	return k, payload, nil
}

// receiveLong reads a long message of at most limit bytes. It holds no more memory than it has received.
func (c *conn) receiveLong(want kind, limit uint64) ([]byte, error) {
	return c.receiveInto(nil, want, limit)
}

// receiveInto reads a long message as receiveLong does, behind what message holds already.
func (c *conn) receiveInto(message []byte, want kind, limit uint64) ([]byte, error) {
	for {
		k, payload, err := c.receive()
		if err != nil {
			return nil, err
		}
		if message, err = appendPart(message, want, k, payload, limit); err != nil {
			return nil, err
		}
		if len(payload) < maxPayload {
			return message, nil
		}
	}
}

// appendPart adds a frame to the long message that it is a part of.
func appendPart(message []byte, want, have kind, payload []byte, limit uint64) ([]byte, error) {
	if have != want {
		return nil, fmt.Errorf("%w: frame of kind %d in place of %d", errGarbage, have, want)
	}
	if uint64(len(message)+len(payload)) > limit {
		return nil, fmt.Errorf("%w: a message of more than %d bytes", errGarbage, limit)
	}
	return append(message, payload...), nil
}

// decodeFixed reads a value of fixed size that fills the payload.
func decodeFixed(payload []byte, v any) error {
	n, err := binary.Decode(payload, binary.LittleEndian, v)
	if err != nil || n != len(payload) {
		return fmt.Errorf("%w: a message of %d bytes", errGarbage, len(payload))
	}
	return nil
}
