package node_test

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// TestMain serves executions of the nodes that run in this process, as main does.
func TestMain(m *testing.M) {
	if confine.Started() {
		os.Exit(confine.Serve())
	}
	os.Exit(m.Run())
}

// start runs a network until the test ends or stop is called, after some preparations.
func start(t testing.TB, cfg node.NetworkConfig, prepare ...func(*node.Network)) (n *node.Network, stop func()) {
	t.Helper()
	n, err := node.OpenNetwork(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range prepare {
		p(n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("network ended with %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("close network: %v", err)
		}
	}
	t.Cleanup(stop)
	return n, stop
}

func config(t testing.TB, nodes, bad int) node.NetworkConfig {
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	return node.NetworkConfig{
		Dir: t.TempDir(), Nodes: nodes, BadActors: bad, PeriodSeconds: 1, APIAddr: "127.0.0.1:0", Parallel: 1,
		Parameters: node.DevelopmentParameters(), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
}

// upload puts a file into the requester's node and gives its CID.
func upload(t testing.TB, b api.Backend, content []byte) string {
	t.Helper()
	store, err := data.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c, err := store.AddFile(t.Context(), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var car bytes.Buffer
	if err := store.ExportCAR(t.Context(), c, &car); err != nil {
		t.Fatal(err)
	}
	imported, err := b.Import(t.Context(), c.String(), &car)
	if err != nil {
		t.Fatal(err)
	}
	return imported.CID
}

func waitForNodes(t testing.TB, b api.Backend, count int) {
	t.Helper()
	eventually(t, func() bool {
		nodes, err := b.Nodes(t.Context())
		return err == nil && len(nodes) == count
	})
}

// eventually waits for a state of the network; a test that waits in vain ends with the test binary's own deadline.
func eventually(t testing.TB, reached func() bool) {
	t.Helper()
	for !reached() {
		select {
		case <-t.Context().Done():
			t.Fatal("the test was ended while it waited")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func waitForEnd(t testing.TB, b api.Backend, id common.Hash) client.Job {
	t.Helper()
	var job client.Job
	eventually(t, func() bool {
		var err error
		if job, err = b.Job(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return job.Status.Ended()
	})
	return job
}

// TestNetworkCatchesACheat runs a job on nodes with different engines: honest ones agree, the cheat is fined.
func TestNetworkCatchesACheat(t *testing.T) {
	t.Parallel() // it waits for the chain most of the time
	cfg := config(t, 4, 1)
	cfg.Engines = wasm.Engines()
	n, _ := start(t, cfg)
	b := n.Backend()
	waitForNodes(t, b, 4)
	request := client.JobRequest{Module: upload(t, b, examples.Wordcount), CheckRate: 0.999}
	books, err := fs.Glob(examples.KJV(), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, book := range books[:12] {
		text, err := fs.ReadFile(examples.KJV(), book)
		if err != nil {
			t.Fatal(err)
		}
		request.Pieces = append(request.Pieces, client.PieceRequest{
			Name: book, Inputs: []protocol.Input{{CID: upload(t, b, text), Path: book}},
		})
	}
	request.Limits = protocol.Limits{MemoryBytes: 64 << 20, Fuel: 1e10, OutputBytes: 1 << 20}
	cheats := map[common.Address]bool{}
	for _, wallet := range n.BadActors() {
		cheats[wallet] = true
	}
	var job client.Job
	for met := false; !met; { // chance draws the seats, and a busy machine may hold the cheat's offer back
		id, err := b.Submit(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if job = waitForEnd(t, b, id); job.Status != client.JobDone {
			t.Fatalf("job ended %s: %+v", job.Status, job)
		}
		for _, x := range job.Executions {
			met = met || cheats[x.Node] && len(x.Checked) > 0
			for _, seat := range x.Seats {
				met = met || cheats[seat.Node] && seat.Root != (common.Hash{})
			}
		}
	}
	fined := false
	for _, x := range job.Executions {
		for _, p := range x.Penalties {
			if p.Kind == protocol.PenaltySlash && !cheats[p.Wallet] {
				t.Errorf("honest node %s was slashed", p.Wallet)
			}
			fined = fined || cheats[p.Wallet] && p.Wei.Sign() > 0
		}
	}
	if !fined {
		t.Error("the cheat was not fined")
	}
	for _, p := range job.PieceList {
		if p.Status != "delivered" || p.ExitCode != 0 || cheats[p.Node] {
			t.Errorf("piece %d: %s by %s, exit code %d", p.Index, p.Status, p.Node, p.ExitCode)
		}
	}
	t.Logf("cost %+v", job.Cost)
}
