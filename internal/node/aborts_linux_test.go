package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// TestAbortsAreCounted: the process of a program that would never end is killed.
func TestAbortsAreCounted(t *testing.T) {
	store, err := data.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	module, err := os.Open("../../wasm/testdata/run/loop_forever.wasm")
	if err != nil {
		t.Fatal(err)
	}
	defer module.Close()
	c, err := store.AddFile(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := confine.NewRunner(t.Context(), "", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close()
	m := &Node{}
	m.makeMetrics()
	e := measured{&executor{store: store, fetcher: &data.Fetcher{Store: store}, runner: runner}, &m.measures}
	ended := make(chan error)
	go func() {
		_, err := e.Run(t.Context(), agent.Task{Spec: protocol.Spec{
			Module: c.String(), Limits: protocol.Limits{MemoryBytes: 1 << 20, Fuel: wasm.MaxFuel, OutputBytes: 1 << 10},
		}})
		ended <- err
	}()
	for err = nil; err == nil; {
		select {
		case err = <-ended:
		default:
			killChildren()
		}
	}
	if !errors.Is(err, confine.ErrAborted) || m.measures.aborted.Load() != 1 || m.measures.failed.Load() != 1 {
		t.Errorf("%v, %d aborts, %d failures", err, m.measures.aborted.Load(), m.measures.failed.Load())
	}
}

// killChildren kills the processes that this one started.
func killChildren() {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		var pid, parent int
		var state string
		fmt.Sscan(string(raw), &pid)
		fmt.Sscan(string(raw[strings.LastIndexByte(string(raw), ')')+1:]), &state, &parent)
		if parent == os.Getpid() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
