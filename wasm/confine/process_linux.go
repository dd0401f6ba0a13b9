package confine

import (
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// self is this program, even if its file was replaced since it was started.
var self = "/proc/self/exe"

// isolate gives a child a process group of its own and lets it die with the thread that starts it. A session of its own
// would give it as large a share of the processors as the whole node has, where the system groups by sessions.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// niceness of a child, above the node's own.
const niceness = 5

// yield lets the node go first where programs want all processors: a program can wait, the chain's deadlines cannot.
func yield(cmd *exec.Cmd) {
	if own, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil { // 20 less the niceness
		_ = unix.Setpriority(unix.PRIO_PGRP, cmd.Process.Pid, min(20-own+niceness, 19)) // or it takes its turn like the node
	}
}

// widen lets a pipe hold a whole frame, if the system has that much to spare, so that its ends take turns less often.
func widen(pipe io.Writer) {
	file, ok := pipe.(*os.File)
	if !ok {
		return
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, maxPayload) // slower without, nothing else
	})
}
