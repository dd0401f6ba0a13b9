package node_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

const (
	soakPeriod = 30   // seconds from block to block
	soakHaste  = 2    // the same while a job runs: offers stand for a minute, and the nodes work in real time
	soakEvery  = 1000 // blocks from job to job
	soakStride = 5    // blocks made in a row while nothing happens
	soakPieces = 8
)

var soakBlocks = flag.Int("blocks", 7*24*3600/soakPeriod, "how many blocks the soak lives through")

// BenchmarkWeek lives through a week of blocks, which every node follows, with a job every eight hours, and fails
// if the second half leaves more behind than the first: goroutines, memory, open files, disk, or records of any kind.
// Only the chain's own directory grows, as a chain does.
func BenchmarkWeek(b *testing.B) {
	cfg := config(b, 4, 0)
	cfg.Keep = 6 * time.Hour
	p := &cfg.Parameters // windows that are long in blocks
	p.SettleWindow, p.DrawWindow, p.SilentWindow, p.AppealWindow, p.MinExecuteWindow = 3600, 3600, 3600, 3600, 600
	n, _ := start(b, cfg)
	waitForNodes(b, n.Backend(), cfg.Nodes)

	var halves []map[string]int
	record := func() { halves = append(halves, soakTally(b, n, cfg.Dir)) }
	for block := 0; block < *soakBlocks; {
		block += soakJob(b, n)
		switch {
		case len(halves) == 0, len(halves) == 1 && block >= *soakBlocks/2:
			record()
		}
		for range soakEvery / soakStride {
			advance(b, n, soakStride, soakPeriod)
			block += soakStride
		}
		fmt.Fprintf(os.Stderr, "block %d of %d\n", block, *soakBlocks)
	}
	record()
	fmt.Fprintf(os.Stderr, "%-22s%12s%12s%12s\n", "", "begin", "middle", "end")
	for _, what := range slices.Sorted(maps.Keys(halves[2])) {
		fmt.Fprintf(os.Stderr, "%-22s%12d%12d%12d\n", what, halves[0][what], halves[1][what], halves[2][what])
	}
	for what, end := range halves[2] {
		middle := halves[1][what]
		if most := middle + middle/4 + soakSlack[what]; end > most && what != "KiB of chain" {
			b.Errorf("%s: %d in the middle and %d at the end, more than the %d that is no growth", what, middle, end, most)
		}
	}
}

// soakSlack is how much more a count may be by chance, beside a quarter of it.
var soakSlack = map[string]int{"KiB of heap": 16 << 10, "KiB of data": 8 << 10, "KiB of store": 8 << 10, "KiB of intents": 2 << 10, "goroutines": 20, "open files": 20}

func advance(b *testing.B, n *node.Network, blocks int, seconds uint64) {
	if err := n.Advance(b.Context(), blocks, seconds); err != nil {
		b.Fatal(err)
	}
}

// soakJob has a job of small pieces done, with new input, and returns how many blocks that took.
func soakJob(b *testing.B, n *node.Network) (blocks int) {
	module := upload(b, n.Backend(), examples.Wordcount) // again, for the one of the job before may be gone
	request := client.JobRequest{Module: module, CheckRate: 0.2, ExecuteSeconds: 3600, ExpirySeconds: 7200}
	text := slices.Repeat([]byte(fmt.Sprintf("job at %v ", time.Now().UnixNano())), 1000)
	for i := range soakPieces {
		request.Pieces = append(request.Pieces, client.PieceRequest{
			Name: fmt.Sprintf("piece-%d", i), Inputs: []protocol.Input{{CID: upload(b, n.Backend(), text), Path: "text"}},
		})
	}
	submitted := make(chan error, 1)
	var id common.Hash
	go func() {
		var err error
		id, err = n.Backend().Submit(b.Context(), request)
		submitted <- err
	}()
	known := false
	for {
		select {
		case err := <-submitted:
			if err != nil {
				b.Fatal(err)
			}
			known = true
		case <-time.After(100 * time.Millisecond):
		}
		advance(b, n, 1, soakHaste)
		blocks++
		if !known {
			continue
		}
		job, err := n.Backend().Job(b.Context(), id)
		if err != nil {
			b.Fatal(err)
		}
		if job.Status.Ended() {
			if job.Status != client.JobDone {
				b.Fatalf("job ended %s", job.Status)
			}
			return blocks
		}
	}
}

// soakTally counts what the network holds on to.
func soakTally(b *testing.B, n *node.Network, dir string) map[string]int {
	tally, err := n.Tally(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.GC() // what the first one's finalizers freed
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	tally["KiB of heap"] = int(memory.HeapAlloc >> 10)
	tally["goroutines"] = runtime.NumGoroutine()
	if open, err := os.ReadDir("/proc/self/fd"); err == nil { // Linux only
		tally["open files"] = len(open)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a database has just dropped it
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, path) // chain/… or node-1/store/…
		for _, part := range strings.Split(filepath.Dir(below), string(filepath.Separator)) {
			if slices.Contains([]string{"chain", "store", "intents", "data", "images"}, part) {
				tally["KiB of "+part] += int(info.Size() >> 10)
				break
			}
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return tally
}
