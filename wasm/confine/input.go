package confine

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// Bytes asked for at first, and at most. A reader that goes on where it stopped is given twice as much each time.
	firstWindow = 16 << 10
	lastWindow  = 512 << 10
	// windows is how many places of how many inputs are kept, as for a merge of sorted files.
	windows = 16
	// windowBytes is the room of each, for a guest that asks for more than lastWindow at once.
	windowBytes = 1 << 20
)

// readAhead keeps what was read last, so that a guest's small reads are not a conversation each. It has one user at a
// time.
type readAhead struct {
	// fetch brings bytes of an input, which stay until something else is fetched for the same window.
	fetch func(window uint32, input uint32, offset int64, n int) ([]byte, error)
	kept  [windows]window
	next  int // window to give up next
}

// mapWindows maps the memory that has the bytes of all windows.
func mapWindows(shared *os.File, access int) ([]byte, error) {
	memory, err := unix.Mmap(int(shared.Fd()), 0, windows*windowBytes, access, unix.MAP_SHARED)
	return memory, os.NewSyscallError("mmap", err)
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
	n := int(min(int64(max(size, min(want, windowBytes))), f.size-offset))
	r.kept[place].used = false
	bytes, err := r.fetch(uint32(place), f.index, offset, n)
	if err != nil {
		return nil, err
	}
	r.kept[place] = window{f.index, offset, bytes, true}
	return bytes, nil
}
