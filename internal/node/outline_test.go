package node_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/protocol"
)

// TestRequesterLeavesInputsAtTheirProvider: of an input that a named provider serves, the requester node gets a block or two,
// and the node that works for it everything.
func TestRequesterLeavesInputsAtTheirProvider(t *testing.T) {
	t.Parallel() // it waits for the chain most of the time
	store, err := data.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	text := make([]byte, 5<<20)
	for i := range text {
		text[i] = "word "[i%5] + byte(i>>20) // so that no two of its blocks are the same
	}
	input, err := store.AddFiles(t.Context(), map[string]data.Source{"a": data.Bytes(text), "b": data.Bytes([]byte("b"))})
	if err != nil {
		t.Fatal(err)
	}
	var blocks, whole atomic.Int32
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "car" {
			whole.Add(1)
		} else {
			blocks.Add(1)
		}
		store.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(provider.Close)

	cfg := config(t, 1, 0)
	n, _ := start(t, cfg)
	b := n.Backend()
	waitForNodes(t, b, 1)
	named := []string{provider.URL}
	seen, err := b.Fetch(t.Context(), client.FetchRequest{CID: input.String(), Providers: named, Outline: true})
	if err != nil || seen.Size != 5<<20+1 {
		t.Errorf("the input is said to be %+v, %v", seen, err)
	}
	if n := blocks.Load(); n != 2 { // the directory and the root of the large file
		t.Errorf("%d blocks were asked for", n)
	}
	request := client.JobRequest{
		Module: upload(t, b, examples.Wordcount), Providers: named,
		Inputs: []protocol.Input{{CID: input.String(), Path: "."}},
		Limits: protocol.Limits{MemoryBytes: 64 << 20, Fuel: 1e10, OutputBytes: 1 << 20},
	}
	id, err := b.Submit(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if job := waitForEnd(t, b, id); job.Status != client.JobDone || job.PieceList[0].ExitCode != 0 {
		t.Fatalf("job ended %s: %+v", job.Status, job)
	}
	if whole.Load() != 1 {
		t.Errorf("the whole input was asked for %d times, want once, by the node", whole.Load())
	}
	got, err := b.Fetch(t.Context(), client.FetchRequest{CID: input.String(), Providers: named})
	if err != nil || got != seen || blocks.Load() < 7 { // the leaves were not here
		t.Errorf("then got %+v, %v with %d blocks", got, err, blocks.Load())
	}
}
