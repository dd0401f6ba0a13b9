package confine

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/filecoin-project/bacalhau/wasm"
)

// keptFile is an output of a child, of which it has sent a part and left the rest on disk.
type keptFile struct {
	parts []part
	disk  io.ReaderAt
}

// part is an extent whose bytes have come, if they were in the child's memory.
type part struct {
	extent
	end   int64 // where it ends in the file, bytes
	bytes []byte
}

// Size implements wasm.File.
func (f *keptFile) Size() int64 {
	if len(f.parts) == 0 {
		return 0
	}
	return f.parts[len(f.parts)-1].end
}

// ReadAt implements wasm.File.
func (f *keptFile) ReadAt(p []byte, off int64) (done int, err error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	i := sort.Search(len(f.parts), func(i int) bool { return f.parts[i].end > off })
	for ; done < len(p) && i < len(f.parts); i++ {
		part := &f.parts[i]
		within := int64(part.Bytes) - (part.end - off)
		into := p[done:min(int64(len(p)), int64(done)+part.end-off)]
		n := 0
		switch part.Place {
		case wasm.InMemory:
			n = copy(into, part.bytes[within:])
		case wasm.OnDisk:
			if n, err = f.disk.ReadAt(into, int64(part.At)+within); err != nil && err != io.EOF {
				return done, fmt.Errorf("read outputs from disk: %w", err)
			}
		}
		clear(into[n:]) // the file on disk ends where zeros follow only
		done, off = done+len(into), off+int64(len(into))
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// receiveFile takes the extents of an output and those bytes that were in the child's memory.
func (a *attempt) receiveFile() (*keptFile, error) {
	room := a.job.Limits.OutputBytes - a.tally.content
	table, err := a.child.receiveLong(kindExtents, extentBytes*(room/minExtentBytes+2))
	if err != nil {
		return nil, err
	}
	f := &keptFile{disk: a.child.spill}
	var size, resident uint64
	for ; len(table) > 0; table = table[extentBytes:] {
		var e extent
		if len(table) < extentBytes {
			return nil, fmt.Errorf("%w: half an extent", errGarbage)
		}
		if err := decodeFixed(table[:extentBytes], &e); err != nil {
			return nil, err
		}
		most := a.job.Spill.Most
		switch {
		case e.Bytes == 0 || e.Bytes > room-size:
			return nil, fmt.Errorf("%w: an extent of %d bytes", errGarbage, e.Bytes)
		case e.Place > wasm.OnDisk || e.Place == wasm.OnDisk && (e.Bytes > most || e.At > most-e.Bytes):
			return nil, fmt.Errorf("%w: an extent that is nowhere", errGarbage)
		case e.Place == wasm.InMemory:
			resident += e.Bytes
		case e.Place == wasm.OnDisk:
			a.spilled = true
		}
		size += e.Bytes
		f.parts = append(f.parts, part{extent: e, end: int64(size)})
	}
	bytes, err := a.child.receiveLong(kindBytes, resident)
	if err != nil {
		return nil, err
	}
	if uint64(len(bytes)) != resident {
		return nil, fmt.Errorf("%w: %d bytes of %d", errGarbage, len(bytes), resident)
	}
	for i := range f.parts {
		if p := &f.parts[i]; p.Place == wasm.InMemory {
			p.bytes, bytes = bytes[:p.Bytes], bytes[p.Bytes:]
		}
	}
	a.tally.content += size
	return f, nil
}
