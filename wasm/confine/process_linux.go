package confine

import (
	"os/exec"
	"syscall"
)

// self is this program, even if its file was replaced since it was started.
var self = "/proc/self/exe"

// isolate gives a child a session of its own and lets it die with the thread that starts it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}
