package wasm

import "golang.org/x/sys/unix"

// touch maps all of a memory at once, of which reading it would map page by page what nobody has used.
func touch(memory []byte) { _ = unix.Madvise(memory, unix.MADV_POPULATE_READ) } // slower without, nothing else
