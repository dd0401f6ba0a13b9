//go:build unix && !linux

package confine

import (
	"os/exec"
	"syscall"
)

// isolate gives a child a session of its own. It notices by itself that its node has gone.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// confine takes from this process what the job does not need, as far as this system can, and says by which layers.
func confine(j *job) ([]string, error) {
	if err := setLimits(j, j.Scratch == ""); err != nil {
		return nil, err
	}
	return []string{"rlimits"}, nil
}

// seal takes the files from a process that confine has left some.
func seal(j *job) error { return setLimits(j, true) }
