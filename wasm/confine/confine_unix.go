//go:build unix && !linux

package confine

import (
	"math"
	"os"
	"os/exec"
	"syscall"
)

// isolate gives a child a session of its own. It notices by itself that its node has gone.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// freeBytes would say how much is free on the disk of a file.
func freeBytes(*os.File) (uint64, error) { return math.MaxUint64, nil }

// confine takes from this process what the job does not need, as far as this system can, and says by which layers.
func confine(j *job) ([]string, error) {
	if err := setLimits(j, !j.opensFiles()); err != nil {
		return nil, err
	}
	return []string{"rlimits"}, nil
}

// seal takes the files from a process that confine has left some.
func seal(j *job) error { return setLimits(j, true) }
