//go:build unix

package data

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/ipfs/go-cid"
	"golang.org/x/sys/unix"
)

// With this variable the system refuses the test binary files of more bytes: a disk
// that is full in the middle of a write, as it can be had everywhere.
const victimFileBytes = "DATA_TEST_FILE_BYTES"

func init() {
	var limit unix.Rlimit
	if n, _ := fmt.Sscan(os.Getenv(victimFileBytes), &limit.Max); n == 0 {
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // the write fails then
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}

// A write that the system cuts off ends in an error that says what to do; nothing that was acknowledged is lost, and with
// room again the store goes on.
func TestNoRoomForAFile(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), victimDir+"="+dir, fmt.Sprintf("DATA_TEST_ROUND=%d", round), victimFileBytes+"=5000000")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
			t.Fatalf("the victim ended with %v: %s", err, stderr.String())
		}
		for _, says := range []string{"restart once the disk", "file too large"} {
			if !strings.Contains(stderr.String(), says) {
				t.Errorf("the error does not say %q: %s", says, stderr.String())
			}
		}
		s := must(OpenStore(dir))(t)
		acknowledged := 0
		for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); acknowledged++ {
			if err := s.Verify(t.Context(), must(cid.Decode(lines.Text()))(t)); err != nil {
				t.Error(err)
			}
		}
		if acknowledged == 0 {
			t.Error("nothing was written before there was no room")
		}
		sample(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
