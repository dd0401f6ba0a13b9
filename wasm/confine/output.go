package confine

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/filecoin-project/bacalhau/wasm"
)

const (
	// pathBytes is what paths of outputs may take beyond the limit of output bytes. The host charges a guest for a
	// directory's name once, and here it is in every path below it.
	pathBytes = 64 << 20
	pathExtra = 64 // of each path
	// minExtentBytes is how long all extents but the last one of a file are at least.
	minExtentBytes = 4096
)

// tally is what a child's outputs have taken so far.
type tally struct {
	outputs int    // stdout and stderr included
	content uint64 // bytes
	paths   uint64 // bytes
}

// output takes the header of an output and all of its content: stdout comes first, then stderr, then files.
func (a *attempt) output(header []byte) error {
	if len(header) == 0 || int(header[0]) != min(a.tally.outputs, int(outputFile)) {
		return fmt.Errorf("%w: an output out of order", errGarbage)
	}
	a.tally.outputs++
	if a.result == nil {
		a.result = &wasm.Result{}
	}
	which, path := header[0], string(header[1:])
	if which == outputFile {
		if err := a.checkPath(path); err != nil {
			return err
		}
	}
	content, err := a.receiveFile()
	if err != nil {
		return err
	}
	switch which {
	case outputStdout:
		a.result.Stdout = content
	case outputStderr:
		a.result.Stderr = content
	case outputFile:
		a.result.Outputs = append(a.result.Outputs, wasm.OutputFile{Path: path, File: content})
	}
	return nil
}

// checkPath admits clean relative paths in ascending order.
func (a *attempt) checkPath(path string) error {
	a.tally.paths += uint64(len(path)) + pathExtra
	files := a.result.Outputs
	switch {
	case a.tally.paths > a.job.Limits.OutputBytes+pathBytes:
		return fmt.Errorf("%w: too many outputs", errGarbage)
	case !fs.ValidPath(path) || path == "." || strings.IndexByte(path, 0) >= 0:
		return fmt.Errorf("%w: output path %q", errGarbage, printable(path))
	case len(files) > 0 && path <= files[len(files)-1].Path:
		return fmt.Errorf("%w: outputs out of order", errGarbage)
	}
	return nil
}

// end completes the result, if it is one that the guest can have had.
func (a *attempt) end(payload []byte) error {
	var e ending
	if err := decodeFixed(payload, &e); err != nil {
		return err
	}
	limits := a.job.Limits
	outOfFuel := int(e.Trap) < len(traps) && traps[e.Trap] == wasm.TrapOutOfFuel
	switch {
	case a.tally.outputs < int(outputFile):
		return fmt.Errorf("%w: a result without outputs", errGarbage)
	case int(e.Trap) >= len(traps), e.Fuel > limits.Fuel, e.PeakMemory > limits.MemoryBytes,
		outOfFuel != (e.ExitCode == wasm.ExitOutOfFuel),
		(e.Trap != 0 && !outOfFuel) != (e.ExitCode == wasm.ExitTrap),
		e.Trap == 0 && e.ExitCode >= 1<<31:
		return fmt.Errorf("%w: a result that no program has", errGarbage)
	}
	r := a.result
	r.ExitCode, r.Trap, r.Fuel, r.PeakMemory = e.ExitCode, traps[e.Trap], e.Fuel, e.PeakMemory
	r.MemoryHash, r.KeyedMemoryHash = e.MemoryHash, e.KeyedMemoryHash
	return nil
}
