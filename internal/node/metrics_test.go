package node_test

import (
	"encoding/json"
	"flag"
	"io"
	"math/big"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

var write = flag.Bool("write", false, "rewrite METRICS.md")

// TestMetricsTable: METRICS.md says what the code counts.
func TestMetricsTable(t *testing.T) {
	want := node.MetricsTable()
	if *write {
		if err := os.WriteFile("METRICS.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("METRICS.md is stale: run go test ./internal/node -run TestMetricsTable -write")
	}
}

func get(t *testing.T, url string, status int) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Errorf("%s: %s, want %d: %s", url, resp.Status, status, body)
	}
	return string(body)
}

// TestObservedNetwork looks at a network's nodes from outside while a job runs: what they count, whether they are ready,
// and that every line they log about an execution says which one.
func TestObservedNetwork(t *testing.T) {
	t.Parallel()
	cfg := config(t, 3, 0)
	lines := &capture{}
	cfg.Log = lines.logger()
	n, _ := start(t, cfg)
	b := n.Backend()
	waitForNodes(t, b, 3)
	text := upload(t, b, []byte("in the beginning"))
	id, err := b.Submit(t.Context(), client.JobRequest{
		Module: upload(t, b, examples.Wordcount), CheckRate: 0.999,
		Pieces: []client.PieceRequest{{Name: "a", Inputs: []protocol.Input{{CID: text, Path: "text"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if job := waitForEnd(t, b, id); job.Status != client.JobDone {
		t.Fatalf("job ended %s", job.Status)
	}
	lines.check(t)
	cheap, err := b.Submit(t.Context(), client.JobRequest{
		Module: upload(t, b, examples.Wordcount), Bid: client.Wei{Int: big.NewInt(1)}, FuelPrice: client.Wei{Int: big.NewInt(1)},
	})
	if err != nil {
		t.Fatal(err)
	}

	diagnostics := node.ServeDiagnostics(t, n)
	for _, line := range []string{
		`bacalhau_decisions_total{reason="suits",verdict="offered"} `,
		`bacalhau_decisions_total{reason="bid-for-fuel",verdict="passed over"} 1`,
	} {
		for some := ""; !strings.Contains(some, "\n"+line); { // in vain, until the test's own deadline
			some = get(t, diagnostics[len(diagnostics)-1]+"/metrics", http.StatusOK)
		}
	}
	if err := b.Cancel(t.Context(), cheap); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, url := range diagnostics {
		exposed := get(t, url+"/metrics", http.StatusOK)
		problems, err := promlint.New(strings.NewReader(exposed)).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			if strings.HasPrefix(p.Metric, "bacalhau_") {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
		}
		for _, name := range node.MetricNames() {
			if strings.Contains(exposed, "\n"+name+"{") || strings.Contains(exposed, "\n"+name+" ") || strings.Contains(exposed, "\n"+name+"_count ") {
				told[name] = true
			}
		}
		get(t, url+"/healthz", http.StatusOK)
		var ready struct {
			OK     bool
			Checks []struct{ Name string }
		}
		if err := json.Unmarshal([]byte(get(t, url+"/readyz", http.StatusOK)), &ready); err != nil || !ready.OK || len(ready.Checks) < 6 {
			t.Errorf("readyz: %+v, %v", ready, err)
		}
		get(t, url+"/debug/pprof/", http.StatusNotFound)
	}
	for _, name := range node.MetricNames() {
		if !told[name] {
			t.Errorf("no node told %s", name)
		}
	}
	get(t, n.URL()+"/readyz", http.StatusOK)
	foreign, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Header.Set("Origin", "http://elsewhere.example")
	resp, err := http.DefaultClient.Do(foreign)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a web page from elsewhere was told: %s", resp.Status)
	}
}
