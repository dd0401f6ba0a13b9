package node_test

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/protocol"
)

// told is a span that a collector was told of.
type told struct {
	*otlp.Span
	wallet     string
	attributes map[string]string // those that are text
}

// spans is a collector of traces.
type spans struct {
	mu   sync.Mutex
	told []told
}

// ServeHTTP takes them as OTLP over HTTP has it.
func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	raw, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &request) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range request.ResourceSpans {
		wallet := ""
		for _, a := range from.Resource.Attributes {
			if a.Key == "service.instance.id" {
				wallet = a.Value.GetStringValue()
			}
		}
		for _, scope := range from.ScopeSpans {
			for _, span := range scope.Spans {
				t := told{span, wallet, map[string]string{}}
				for _, a := range span.Attributes {
					t.attributes[a.Key] = a.Value.GetStringValue()
				}
				s.told = append(s.told, t)
			}
		}
	}
}

// of lists the spans of a trace with this name.
func (s *spans) of(trace, name string) (list []told) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.told {
		if hex.EncodeToString(t.TraceId) == trace && t.Name == name {
			list = append(list, t)
		}
	}
	return list
}

// TestTraces: what three parties do for an execution of which every piece is checked is told to a collector as one trace.
func TestTraces(t *testing.T) {
	t.Parallel()
	s := &spans{}
	server := httptest.NewServer(s)
	defer server.Close()
	cfg := config(t, 2, 0)
	cfg.Traces = server.URL
	n, stop := start(t, cfg)
	b := n.Backend()
	waitForNodes(t, b, 2)
	text := upload(t, b, []byte("in the beginning"))
	id, err := b.Submit(t.Context(), client.JobRequest{
		Module: upload(t, b, examples.Wordcount), CheckRate: 0.999,
		Pieces: []client.PieceRequest{{Name: "genesis", Inputs: []protocol.Input{{CID: text, Path: "text"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	job := waitForEnd(t, b, id)
	if job.Status != client.JobDone || len(job.Executions) != 1 {
		t.Fatalf("job ended %s after %d executions", job.Status, len(job.Executions))
	}
	stop() // which tells the rest

	execution := job.Executions[0]
	ofExecution, ofJob := execution.ID.Hex()[2:34], id.Hex()[2:34]
	client, first, verifier := job.Terms.Client.Hex(), execution.Node.Hex(), execution.Seats[0].Node.Hex()
	for _, want := range []struct{ trace, name, wallet string }{
		{ofJob, "load", first}, {ofJob, "offer", first}, {ofJob, "acceptOffer", client}, {ofJob, "finish", client},
		{ofExecution, "execute", first}, {ofExecution, "run piece", first}, {ofExecution, "publish", first},
		{ofExecution, "commitResult", first}, {ofExecution, "verify", client}, {ofExecution, "execute", verifier},
		{ofExecution, "run piece", verifier}, {ofExecution, "commitVerification", verifier},
		{ofExecution, "collect", client}, {ofExecution, "GET", client}, {ofExecution, "settleVerified", client}, {ofExecution, "deliver", client},
	} {
		found := false
		for _, span := range s.of(want.trace, want.name) {
			found = found || span.wallet == want.wallet
		}
		if !found {
			t.Errorf("%s told of no span %q of trace %s", want.wallet, want.name, want.trace)
		}
	}
	for _, span := range s.of(ofExecution, "execute") {
		if span.attributes["job"] != id.Hex() || span.attributes["execution"] != execution.ID.Hex() || span.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
			t.Errorf("%v", span)
		}
		runs := 0
		for _, run := range s.of(ofExecution, "run piece") {
			if string(run.ParentSpanId) == string(span.SpanId) && run.attributes["piece"] == "genesis" {
				runs++
			}
		}
		if runs != 1 {
			t.Errorf("%d runs of the piece below span %v", runs, span)
		}
	}
	for _, span := range s.told {
		if len(span.ParentSpanId) == 0 {
			t.Errorf("a span of nothing: %v", span)
		}
	}
}
