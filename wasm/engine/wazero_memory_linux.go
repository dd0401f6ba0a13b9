package engine

import "golang.org/x/sys/unix"

// useHugePages asks the system to, as wasmtime_memory.c says why.
func useHugePages(memory []byte) { _ = unix.Madvise(memory, unix.MADV_HUGEPAGE) } // slower without, nothing else
