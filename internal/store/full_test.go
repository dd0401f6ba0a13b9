//go:build unix

package store_test

import (
	"bytes"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/sys/unix"

	"github.com/filecoin-project/bacalhau/internal/store"
)

// With this variable the test binary fills the store in that folder with work, though the system refuses it large files: a
// disk that is full in the middle of a write, as it can be had everywhere.
const fillDir = "STORE_TEST_FILL_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(fillDir); dir != "" {
		fmt.Fprintln(os.Stderr, fill(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// fill prints the number of each work that the store has acknowledged.
func fill(dir string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails then
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		return err
	}
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	for i := int64(1); ; i++ {
		// Whoever recovers from a panic, as an HTTP server does, must not go on with a store that cannot.
		func() {
			defer func() { _ = recover() }()
			err = s.PutWork(store.Work{Execution: common.BigToHash(big.NewInt(i)), Published: bytes.Repeat([]byte{byte(i)}, 10_000)})
		}()
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// A write that the system cuts off ends the process with the reason; all that was acknowledged is there with the next one,
// which goes on.
func TestNoRoomForAFile(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fillDir+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	reason, _, _ := strings.Cut(stderr.String(), "\n")
	if err == nil || !strings.Contains(reason, "file too large") || !strings.Contains(reason, "start again") {
		t.Fatalf("ended with %v: %s", err, stderr.String())
	}
	acknowledged := strings.Count(string(out), "\n")
	if acknowledged == 0 {
		t.Error("nothing was written before there was no room")
	}
	s := open(t, dir)
	kept := map[common.Hash]bool{}
	if err := s.Works(func(w store.Work) error { kept[w.Execution] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range acknowledged {
		if !kept[common.BigToHash(big.NewInt(int64(i+1)))] {
			t.Errorf("work %d is lost", i+1)
		}
	}
	if err := s.PutWork(store.Work{Execution: common.Hash{}}); err != nil {
		t.Error(err)
	}
}
