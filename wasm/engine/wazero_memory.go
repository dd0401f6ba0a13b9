package engine

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// linearMemory is a guest's memory: address space for all that it may grow to, so that it never moves.
type linearMemory struct{ reserved []byte }

// allocate reserves a memory of at most max bytes.
func allocate(_, max uint64) experimental.LinearMemory {
	reserved, err := unix.Mmap(-1, 0, int(max), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return &linearMemory{} // which is too small
	}
	useHugePages(reserved)
	return &linearMemory{reserved}
}

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size == 0 {
		return []byte{}
	}
	if size > uint64(len(m.reserved)) || unix.Mprotect(m.reserved[:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
		return nil
	}
	return m.reserved[:size:size]
}

// Free implements experimental.LinearMemory.
func (m *linearMemory) Free() {
	if m.reserved != nil {
		_ = unix.Munmap(m.reserved) // what cannot be given back ends with the process
		m.reserved = nil
	}
}
