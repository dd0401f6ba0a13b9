package confine

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/filecoin-project/bacalhau/wasm"
)

// report sends what came out of a run.
func (w *worker) report(r *wasm.Result) error {
	if err := w.reportOutput([]byte{outputStdout}, r.Stdout); err != nil {
		return err
	}
	if err := w.reportOutput([]byte{outputStderr}, r.Stderr); err != nil {
		return err
	}
	for _, f := range r.Outputs {
		if err := w.reportOutput(append([]byte{outputFile}, f.Path...), f.File); err != nil {
			return err
		}
	}
	end := ending{
		ExitCode: r.ExitCode, MemoryHash: r.MemoryHash, KeyedMemoryHash: r.KeyedMemoryHash,
		Fuel: r.Fuel, PeakMemory: r.PeakMemory,
	}
	end.Trap = uint8(slices.Index(traps[:], r.Trap))
	return w.sendFixed(kindResult, end)
}

// reportOutput sends of an output what is in memory, and where the rest is.
func (w *worker) reportOutput(which []byte, f wasm.File) error {
	parts, ok := f.(interface{ Extents() iter.Seq[wasm.Extent] })
	if !ok {
		return fmt.Errorf("an output that is a %T", f)
	}
	if err := w.send(kindOutput, which); err != nil {
		return err
	}
	var table []byte
	var resident []io.Reader
	var at int64
	for e := range parts.Extents() {
		var err error
		if table, err = binary.Append(table, binary.LittleEndian, extent{e.Place, uint64(e.Bytes), uint64(e.At)}); err != nil {
			return err
		}
		if e.Place == wasm.InMemory {
			resident = append(resident, io.NewSectionReader(f, at, e.Bytes))
		}
		at += e.Bytes
	}
	if err := w.sendLong(kindExtents, table); err != nil {
		return err
	}
	return w.sendStream(kindBytes, io.MultiReader(resident...))
}
