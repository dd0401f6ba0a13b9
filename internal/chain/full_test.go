//go:build unix

package chain

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// With this variable the test binary makes blocks of a chain in that folder, though the system refuses it large files: a disk
// that is full in the middle of a write, as it can be had everywhere.
const fillDirVar = "CHAIN_TEST_FILL_DIR"

// fill prints the number and hash of each block that was made.
func fill(dir string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails then
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100 << 10, Max: 100 << 10}); err != nil {
		return err
	}
	e, err := StartEmbedded(testConfig(dir, byHand))
	if err != nil {
		return err
	}
	for {
		if err := e.Advance(1); err != nil {
			return err
		}
		head := e.eth.BlockChain().CurrentBlock()
		fmt.Println(head.Number, head.Hash())
	}
}

// A block that the disk has no room for ends the process with the reason; every block before it is there when the chain is
// started again, and goes on.
func TestNoRoomForAFile(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fillDirVar+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if reason, _, _ := strings.Cut(stderr.String(), "\n"); err == nil || !strings.Contains(reason, "file too large") {
		t.Fatalf("ended with %v: %s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	e := startChain(t, dir)
	for _, line := range lines {
		var number uint64
		var hash string
		if _, err := fmt.Sscan(line, &number, &hash); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if kept := e.eth.BlockChain().GetHeaderByNumber(number); kept == nil || kept.Hash().Hex() != hash {
			t.Errorf("block %d is lost", number)
		}
	}
	before := e.eth.BlockChain().CurrentBlock().Number.Uint64()
	if err := e.Advance(1); err != nil || e.eth.BlockChain().CurrentBlock().Number.Uint64() != before+1 {
		t.Errorf("no block follows block %d: %v", before, err)
	}
}
