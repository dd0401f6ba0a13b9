package node_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

// BenchmarkJob measures jobs of trivial pieces on five honest nodes at 1 s blocks, from submission until the merged
// outputs are there: seconds and gas per job and piece, and the resident memory of the whole network.
func BenchmarkJob(b *testing.B) {
	cfg := config(b, 5, 0)
	cfg.Parallel = runtime.NumCPU()
	n, _ := start(b, cfg)
	waitForNodes(b, n.Backend(), cfg.Nodes)
	module := upload(b, n.Backend(), examples.Wordcount)
	for _, pieces := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("pieces=%d", pieces), func(b *testing.B) {
			var job client.Job
			for b.Loop() {
				job = runTrivial(b, n, module, pieces)
			}
			b.ReportMetric(float64(pieces)*float64(b.N)/b.Elapsed().Seconds(), "pieces/s")
			b.ReportMetric(job.Cost.GasPerPiece, "gas/piece")
			b.ReportMetric(100*float64(job.Cost.FuelExecuted)/float64(job.Cost.FuelClean), "%cost")
			if kib := residentKiB(); kib > 0 {
				b.ReportMetric(float64(kib)/1024, "MiB-resident")
			}
		})
	}
}

func runTrivial(b *testing.B, n *node.Network, module string, pieces int) client.Job {
	request := client.JobRequest{Module: module}
	input := upload(b, n.Backend(), []byte("in the beginning"))
	for i := range pieces {
		request.Pieces = append(request.Pieces, client.PieceRequest{
			Name: fmt.Sprintf("piece-%d", i), Inputs: []protocol.Input{{CID: input, Path: "text"}},
		})
	}
	id, err := n.Backend().Submit(b.Context(), request)
	if err != nil {
		b.Fatal(err)
	}
	job := waitForEnd(b, n.Backend(), id)
	if job.Status != client.JobDone {
		b.Fatalf("job ended %s", job.Status)
	}
	return job
}

// residentKiB is this process's resident memory, or 0 where the system does not say.
func residentKiB() (kib int) {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, resident int
	if _, err := fmt.Sscan(string(raw), &total, &resident); err != nil {
		return 0
	}
	return resident * os.Getpagesize() / 1024
}
