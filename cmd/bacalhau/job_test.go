package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
)

func addPath(t *testing.T, store *data.Store, path string) (string, error) {
	t.Helper()
	c, err := store.AddPath(t.Context(), path, data.AddOptions{})
	return c.String(), err
}

func TestJobs(t *testing.T) {
	node := network(t)
	if got := bacalhau(t, "job", "list"); !strings.Contains(got.stdout, "no jobs yet") {
		t.Errorf("got %+v", got)
	}
	release := node.Hold()
	var ids []string
	for range 2 {
		got := bacalhau(t, "run", "--detach", wordcountWasm)
		if got.code != exitOK {
			t.Fatalf("got %+v", got)
		}
		ids = append(ids, strings.TrimSpace(got.stdout))
	}
	if got := bacalhau(t, "get", ids[0]); got.code != exitError || !strings.Contains(got.stderr, "is still waiting") {
		t.Errorf("got %+v", got)
	}
	if got := bacalhau(t, "job", "cancel", ids[0][:10]); got.code != exitOK || !strings.Contains(got.stdout, ids[0][:10]) {
		t.Errorf("got %+v", got)
	}
	release()
	if got := bacalhau(t, "get", ids[0]); got.code != exitError || !strings.Contains(got.stderr, "has no outputs: it is cancelled") {
		t.Errorf("got %+v", got)
	}
	got := bacalhau(t, "job", "list", "-o", "json")
	var jobs []client.JobSummary
	decodeInto(t, got.stdout, &jobs)
	if len(jobs) != 2 || jobs[0].ID.Hex() != ids[1] || jobs[1].Status != client.JobCancelled {
		t.Errorf("jobs are %+v, want the newer of %v first", jobs, ids)
	}
	if got := bacalhau(t, "job", "describe", "0x"); got.code != exitUsage {
		t.Errorf("got %+v", got)
	}
	if got := bacalhau(t, "job", "describe", strings.ToUpper(ids[0][2:12])); !strings.Contains(got.stdout, ids[0]) {
		t.Errorf("got %+v", got)
	}
}

func TestDescribe(t *testing.T) {
	network(t)
	dir := t.TempDir()
	write(t, "word", dir, "evil\x1b[2J.txt")
	write(t, "word", dir, "plain.txt")
	got := bacalhau(t, "run", "-i", dir, "--each-file", "--out", filepath.Join(t.TempDir(), "out"), "-o", "json", wordcountWasm)
	if got.code != exitOK {
		t.Fatalf("got %+v", got)
	}
	var report runReport
	decodeInto(t, got.stdout, &report)
	got = bacalhau(t, "job", "describe", report.ID.Hex())
	for _, says := range []string{
		report.ID.Hex(), "status   done", "plain.txt", `evil\x1b[2J.txt`, "delivered", "Settled", "1000 wei", "paid", report.Result,
	} {
		if !strings.Contains(got.stdout, says) {
			t.Errorf("stdout lacks %q: %q", says, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "\x1b") {
		t.Errorf("a file's name reaches the terminal: %q", got.stdout)
	}
	got = bacalhau(t, "job", "describe", report.ID.Hex(), "-o", "json")
	var job client.Job
	decodeInto(t, got.stdout, &job)
	if job.ID != report.ID || len(job.PieceList) != 2 || len(job.Executions) != 2 {
		t.Errorf("job is %+v", job)
	}
}

func TestGetByCID(t *testing.T) {
	node := network(t)
	root, err := addPath(t, node.Store(), texts(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	got := bacalhau(t, "get", root)
	if got.code != exitOK || strings.TrimSpace(got.stdout) != root {
		t.Fatalf("got %+v", got)
	}
	if text := read(t, root, "deep", "b.txt"); text != "two fish\n" {
		t.Errorf("b.txt is %q", text)
	}
	if got := bacalhau(t, "get", root); got.code != exitError || !strings.Contains(got.stderr, "exists already") {
		t.Errorf("got %+v", got)
	}
}

func TestWalletAndNodes(t *testing.T) {
	network(t)
	got := bacalhau(t, "wallet", "deposit", "0.000002gwei", "-o", "json")
	var wallet client.Wallet
	decodeInto(t, got.stdout, &wallet)
	if wallet.Account.Int64() != 3_000 || wallet.Free.Int64() != 1_002_000 {
		t.Errorf("wallet is %+v, want 2000 wei moved", wallet)
	}
	if got := bacalhau(t, "wallet", "withdraw", "1000"); !strings.Contains(got.stdout, "account  4000 wei") {
		t.Errorf("got %+v", got)
	}
	if got := bacalhau(t, "node", "list"); !strings.Contains(got.stdout, "0x00000000000000000000000000000000000000bb") {
		t.Errorf("got %+v", got)
	}
	if got := bacalhau(t, "version"); got.code != exitOK || !strings.Contains(got.stdout, "wazero") {
		t.Errorf("got %+v", got)
	}
}
