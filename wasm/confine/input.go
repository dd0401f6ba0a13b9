package confine

import "io"

const (
	// Bytes asked for at first, and at most. A reader that goes on where it stopped is given twice as much each time.
	firstWindow = 16 << 10
	lastWindow  = 512 << 10
	// windows is how many places of how many inputs are kept, as for a merge of sorted files.
	windows = 16
)

// readAhead keeps what was read last, so that a guest's small reads are not a conversation each. It has one user at a
// time.
type readAhead struct {
	fetch func(input uint32, offset int64, n int) ([]byte, error)
	kept  [windows]window
	next  int // window to give up next
}

// window is a part of an input.
type window struct {
	input  uint32
	offset int64
	bytes  []byte
	used   bool
}

// remoteFile is an input that the node reads for this process.
type remoteFile struct {
	cache *readAhead
	index uint32
	size  int64
}

// Size implements wasm.File.
func (f *remoteFile) Size() int64 { return f.size }

// ReadAt implements wasm.File.
func (f *remoteFile) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) && offset < f.size {
		part, err := f.cache.at(f, offset, len(p)-n)
		if err != nil {
			return n, err
		}
		k := copy(p[n:], part)
		n, offset = n+k, offset+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// at returns some bytes of a file at an offset inside of it, of which want are needed.
func (r *readAhead) at(f *remoteFile, offset int64, want int) ([]byte, error) {
	size, place := firstWindow, -1
	for i := range r.kept {
		w := &r.kept[i]
		end := w.offset + int64(len(w.bytes))
		switch {
		case !w.used || w.input != f.index:
		case w.offset <= offset && offset < end:
			return w.bytes[offset-w.offset:], nil
		case offset == end:
			size, place = min(2*len(w.bytes), lastWindow), i
		}
	}
	if place < 0 {
		place = r.next
		r.next = (r.next + 1) % windows
	}
	n := int(min(int64(max(size, min(want, maxPayload))), f.size-offset))
	bytes, err := r.fetch(f.index, offset, n)
	if err != nil {
		return nil, err
	}
	w := &r.kept[place]
	w.input, w.offset, w.used = f.index, offset, true
	w.bytes = append(w.bytes[:0], bytes...)
	return w.bytes, nil
}
