package agent

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// hostile puts a job on the chain whose terms or spec a client has spoiled.
func (w *world) hostile(terms func(*protocol.Terms), spec func(map[string][]byte)) common.Hash {
	w.Helper()
	f := w.file(w.submit(2))
	t := f.Job.Terms
	if spec != nil {
		files := map[string][]byte{protocol.SpecJobFile: f.Document.Job, protocol.SpecPiecesFile: f.Document.Lines}
		spec(files)
		readers := map[string]io.Reader{}
		for name, content := range files {
			readers[name] = bytes.NewReader(content)
		}
		cid, err := w.web["client"].Publish(w.Context(), readers, nil)
		if err != nil {
			w.Fatal(err)
		}
		t.SpecCID = cid
		if doc, err := protocol.ParseDocument(files[protocol.SpecJobFile], files[protocol.SpecPiecesFile]); err == nil {
			t.SpecRoot = doc.Root() // what is wrong with it is not its form
		}
	}
	t.Nonce += 1000
	if terms != nil {
		terms(&t)
	}
	id := protocol.JobID(chainID, contract, t)
	w.ledger.emit(protocol.JobCreated{Job: id, Client: t.Client, Terms: t})
	return id
}

// Whatever a client makes of a job, the node says why it does not take it, and serves the next client.
func TestHostileJobsArePassedOver(t *testing.T) {
	replace := func(old, new string) func(map[string][]byte) {
		return func(files map[string][]byte) {
			for name, content := range files {
				files[name] = bytes.Replace(content, []byte(old), []byte(new), 1)
			}
		}
	}
	for name, c := range map[string]struct {
		terms func(*protocol.Terms)
		spec  func(map[string][]byte)
		want  string
	}{
		"a million pieces":     {func(t *protocol.Terms) { t.Pieces = 1_000_000 }, nil, "job-pieces"},
		"fuel beyond reason":   {nil, replace(`"fuel":1000`, `"fuel":4000000000000000000`), "fuel"},
		"a limit beyond 2^62":  {nil, replace(`"fuel":1000`, `"fuel":9000000000000000000`), "unfit"},
		"memory beyond reason": {nil, replace(`"memoryBytes":65536`, `"memoryBytes":4294967296`), "memory"},
		"a key off the curve":  {nil, replace(`"publicKey":"0`, `"publicKey":"9`), "unfit"},
		"more than JSON":       {nil, replace("}\n", "}{\n"), "unfit"},
		"endless nesting":      {nil, func(f map[string][]byte) { f[protocol.SpecJobFile] = bytes.Repeat([]byte("["), 1<<20) }, "unfit"},
		"a spec nobody has":    {func(t *protocol.Terms) { t.SpecCID[0]++ }, nil, "spec-unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.compute.Policy.Limits.JobPieces = 100_000
			w.compute.Policy.Limits.Fuel = 1 << 40
			w.compute.Policy.Limits.MemoryBytes = 1 << 30
			id := w.hostile(c.terms, c.spec)
			for range 3 {
				w.round()
			}
			reasons := w.reasons(id)
			if !slices.Contains(reasons, "passed over: "+c.want) || slices.ContainsFunc(reasons, isOffered) {
				t.Errorf("decided %q, want %s", reasons, c.want)
			}
			w.delivered(w.finish(w.submit(3)), 3)
		})
	}
}

func isOffered(reason string) bool { return strings.HasPrefix(reason, "offered") }

// Inputs that never arrive are found out by the sizes of their roots, before anything is offered.
func TestInputsThatNobodyHas(t *testing.T) {
	w := newWorld(t)
	w.compute.Executor = machine{lost: errors.New("nobody has the input")}
	id := w.submit(1)
	w.round()
	w.round()
	if got := w.reasons(id); !slices.Contains(got, "passed over: spec-unavailable") || w.offers() != 0 {
		t.Errorf("decided %q", got)
	}
}
