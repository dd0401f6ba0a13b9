//go:build unix

package confine

import (
	"os"
	"syscall"
)

// forbidden says whether the filter has ended the process.
func forbidden(state *os.ProcessState) bool { return endedBy(state, syscall.SIGSYS) }

// killed says whether somebody else has.
func killed(state *os.ProcessState) bool { return endedBy(state, syscall.SIGKILL) }

func endedBy(state *os.ProcessState, signal syscall.Signal) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == signal
}
