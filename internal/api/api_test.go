package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/api/apitest"
	"github.com/filecoin-project/bacalhau/protocol"
)

// serve starts a node and returns it with a client of its API.
func serve(t *testing.T) (*apitest.Node, *client.Client) {
	t.Helper()
	node := apitest.New(t)
	server := httptest.NewServer(api.New(node, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return node, c
}

// car is the CID and CARv1 of a file.
func car(t *testing.T, content []byte) (string, []byte) {
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
	var out bytes.Buffer
	if err := store.ExportCAR(t.Context(), c, &out); err != nil {
		t.Fatal(err)
	}
	return c.String(), out.Bytes()
}

func TestWork(t *testing.T) {
	ctx := t.Context()
	_, c := serve(t)
	module, moduleCAR := car(t, examples.Wordcount)
	input, inputCAR := car(t, []byte("to be or not to be\n"))
	for cid, content := range map[string][]byte{module: moduleCAR, input: inputCAR} {
		imported, err := c.Import(ctx, cid, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if imported.CID != cid {
			t.Errorf("imported %s, want %s", imported.CID, cid)
		}
	}
	id, err := c.Submit(ctx, client.JobRequest{
		Module: module, Inputs: []protocol.Input{{CID: input, Path: "hamlet.txt"}}, Bid: client.Wei{Int: big.NewInt(700)},
	})
	if err != nil {
		t.Fatal(err)
	}
	job := await(t, c, id)
	if job.Status != client.JobDone || job.PieceList[0].ExitCode != 0 || job.PieceList[0].Fuel == 0 {
		t.Fatalf("job is %+v, want it done", job)
	}
	if job.Cost.Paid.Cmp(big.NewInt(700)) != 0 {
		t.Errorf("paid %s wei, want 700", job.Cost.Paid)
	}
	if got := download(t, c, job.Result); !strings.Contains(got["outputs/frequencies.tsv"], "be\t2") {
		t.Errorf("outputs are %q, want the word counts", got)
	}
	jobs, err := c.Jobs(ctx)
	if err != nil || len(jobs) != 1 || jobs[0].ID != id || jobs[0].Result != job.Result {
		t.Errorf("jobs are %+v (%v), want %s", jobs, err, id)
	}
	nodes, err := c.Nodes(ctx)
	if err != nil || len(nodes) != 1 || nodes[0].Settled != 1 {
		t.Errorf("nodes are %+v (%v), want one with a settled execution", nodes, err)
	}
}

func await(t *testing.T, c *client.Client, id common.Hash) client.Job {
	t.Helper()
	for {
		job, err := c.Job(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if job.Status.Ended() {
			return job
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// download fetches a directory by way of the gateway, verified.
func download(t *testing.T, c *client.Client, root string) map[string]string {
	t.Helper()
	store, err := data.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	cid, err := data.ParseCID(root)
	if err != nil {
		t.Fatal(err)
	}
	fetcher := data.Fetcher{Store: store, HTTP: data.NewClient(data.ClientOptions{AllowPrivate: true})}
	if err := fetcher.Fetch(t.Context(), cid, []string{c.URL()}); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = store.Walk(t.Context(), cid, func(path string, e data.Entry) error {
		f, err := store.Open(t.Context(), e.CID)
		if err != nil {
			return err
		}
		content, err := io.ReadAll(f)
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMoney(t *testing.T) {
	ctx := t.Context()
	_, c := serve(t)
	if err := c.Deposit(ctx, big.NewInt(2_000)); err != nil {
		t.Fatal(err)
	}
	if err := c.Withdraw(ctx, big.NewInt(500)); err != nil {
		t.Fatal(err)
	}
	wallet, err := c.Wallet(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if wallet.Free.Int64() != apitest.StartFree+1_500 || wallet.Account.Int64() != apitest.StartAccount-1_500 {
		t.Errorf("wallet is %+v", wallet)
	}
	wantCode(t, c.Withdraw(ctx, big.NewInt(1<<40)), http.StatusPaymentRequired, client.CodeFunds)
	wantCode(t, c.Withdraw(ctx, new(big.Int)), http.StatusBadRequest, client.CodeBadRequest)
	after, err := c.Wallet(ctx)
	if err != nil || after.Free.Cmp(wallet.Free.Int) != 0 {
		t.Errorf("refused withdrawals moved money: %+v (%v)", after, err)
	}
}

func TestCancel(t *testing.T) {
	node, c := serve(t)
	release := node.Hold()
	module, moduleCAR := car(t, examples.Wordcount)
	if _, err := c.Import(t.Context(), module, bytes.NewReader(moduleCAR)); err != nil {
		t.Fatal(err)
	}
	id, err := c.Submit(t.Context(), client.JobRequest{Module: module})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	release()
	if job := await(t, c, id); job.Status != client.JobCancelled || job.Delivered != 0 {
		t.Errorf("job is %+v, want it cancelled", job.JobSummary)
	}
	wantCode(t, c.Cancel(t.Context(), common.Hash{1}), http.StatusNotFound, client.CodeNotFound)
}

func wantCode(t *testing.T, err error, status int, code client.Code) {
	t.Helper()
	var refused *client.APIError
	if !errors.As(err, &refused) || refused.Status != status || refused.Code != code {
		t.Errorf("error is %v (%+v), want %d %s", err, refused, status, code)
	}
}

func TestImportTakesTrueDataOnly(t *testing.T) {
	_, c := serve(t)
	_, lie := car(t, []byte("this"))
	promised, _ := car(t, []byte("that"))
	_, err := c.Import(t.Context(), promised, bytes.NewReader(lie))
	wantCode(t, err, http.StatusBadRequest, client.CodeBadRequest)
	_, err = c.Fetch(t.Context(), promised, nil)
	wantCode(t, err, http.StatusNotFound, client.CodeNotFound)
	frozen, err := c.ImportURL(t.Context(), "https://example.org/data")
	if err != nil || frozen.Size != uint64(len("https://example.org/data")) {
		t.Errorf("imported %+v (%v)", frozen, err)
	}
	block, err := c.Block(t.Context(), frozen.CID)
	if err != nil {
		t.Fatal(err)
	}
	defer block.Close()
	content, err := io.ReadAll(block)
	if err != nil || !bytes.Contains(content, []byte("https://example.org/data")) {
		t.Errorf("block is %q (%v)", content, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, client.ErrNoNode) {
		t.Errorf("error is %v, want ErrNoNode", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrNoNode) {
		t.Errorf("error is %v, want the context's", err)
	}
}
