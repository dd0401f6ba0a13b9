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

// isolate gives a child a session of its own and lets it die with the thread that starts it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
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
