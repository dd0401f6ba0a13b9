//go:build unix

package confine

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// fewFiles is enough for what Go's runtime opens for itself, and for an engine's scratch files.
const fewFiles = 32

func closeOnExec(descriptor int) { unix.CloseOnExec(descriptor) }

// setLimits bounds the process for good. The number of its threads is not bounded: that limit is one of the user's, and
// new processes are the filter's to refuse. Address space is not bounded either, since engines reserve far more than
// they use; private writable memory is.
func setLimits(j *job, sealed bool) error {
	limits := []struct {
		name     string
		resource int
		most     uint64
	}{
		{"core size", unix.RLIMIT_CORE, 0},
		{"processor time", unix.RLIMIT_CPU, j.CPUSeconds},
		{"data size", unix.RLIMIT_DATA, j.DataBytes},
		{"open files", unix.RLIMIT_NOFILE, fewFiles},
	}
	if sealed {
		limits = append(limits, struct {
			name     string
			resource int
			most     uint64
		}{"file size", unix.RLIMIT_FSIZE, j.Spill.Most})
	}
	for _, l := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
		now.Max = min(now.Max, l.most) // what is lower already stays
		now.Cur = now.Max
		if err := unix.Setrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	return nil
}

// closeInherited closes what the node left open by mistake. All that Go opens closes itself on exec, so what does not
// was inherited.
func closeInherited() error {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd) // nothing is lost if it fails
		}
	}
	return nil
}
