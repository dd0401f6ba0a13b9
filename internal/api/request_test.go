package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/api/apitest"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

func TestBadRequests(t *testing.T) {
	_, c := serve(t)
	for _, test := range []struct {
		method, path, body string
		status             int
		code               client.Code
		says               string
	}{
		{"POST", "/api/v1/jobs", "", 400, client.CodeBadRequest, "the request is empty"},
		{"POST", "/api/v1/jobs", "{", 400, client.CodeBadRequest, "malformed request: unexpected EOF"},
		{"POST", "/api/v1/jobs", `{"modul":"x"}`, 400, client.CodeBadRequest, `unknown field "modul"`},
		{"POST", "/api/v1/jobs", `{"module":"x"} {}`, 400, client.CodeBadRequest, "more after the JSON value"},
		{"POST", "/api/v1/jobs", `{"module":""}`, 400, client.CodeBadRequest, "module: missing"},
		{"POST", "/api/v1/jobs", `{"module":"x","bidWei":5}`, 400, client.CodeBadRequest, "malformed request"},
		{"POST", "/api/v1/jobs", `{"module":"x","bidWei":"-5"}`, 400, client.CodeBadRequest, `"-5" is not an amount in wei`},
		{"POST", "/api/v1/jobs", `{"module":"x","checkRate":3}`, 400, client.CodeBadRequest, "checkRate: 3 is not a share"},
		{"POST", "/api/v1/jobs", `{"module":"x","flat":true,"fuelPriceWei":"1"}`, 400, client.CodeBadRequest, "flat:"},
		{"POST", "/api/v1/jobs", `{"module":"x","pieces":[{"name":"a"},{"name":"a"}]}`, 400, client.CodeBadRequest, `the name "a"`},
		{"POST", "/api/v1/jobs", `{"module":"x"}`, 400, client.CodeBadRequest, `"x" is not a CID`},
		{"POST", "/api/v1/wallet/deposit", `{"amountWei":"0"}`, 400, client.CodeBadRequest, "above zero"},
		{"POST", "/api/v1/wallet/deposit", `{}`, 400, client.CodeBadRequest, "above zero"},
		{"POST", "/api/v1/wallet/deposit", `{"amountWei":"` + strings.Repeat("1", 1<<17) + `"}`, 413, client.CodeBadRequest, "larger than 65536 bytes"},
		{"GET", "/api/v1/jobs/0x12", "", 400, client.CodeBadRequest, `"0x12" is not a job's id`},
		{"GET", "/api/v1/jobs/0x" + strings.Repeat("12", 32), "", 404, client.CodeNotFound, "not found"},
		{"POST", "/api/v1/data/import", "", 400, client.CodeBadRequest, "root: missing"},
		{"POST", "/api/v1/data/import?root=x", "", 400, client.CodeBadRequest, `"x" is not a CID`},
		{"POST", "/api/v1/data/url", `{}`, 400, client.CodeBadRequest, "url: missing"},
		{"POST", "/api/v1/data/fetch", `{}`, 400, client.CodeBadRequest, "cid: missing"},
		{"DELETE", "/api/v1/jobs", "", 404, client.CodeNotFound, "DELETE /api/v1/jobs is not part of this API"},
		{"GET", "/", "", 404, client.CodeNotFound, "GET / is not part of this API"},
	} {
		status, f := ask(t, c.URL(), test.method, test.path, test.body, nil)
		if status != test.status || f.Code != test.code || !strings.Contains(f.Error, test.says) {
			t.Errorf("%s %s %.60s: %d %+v, want %d %s %q",
				test.method, test.path, test.body, status, f, test.status, test.code, test.says)
		}
		if strings.Contains(f.Error, "\n") {
			t.Errorf("%s %s: the error %q has more than one line", test.method, test.path, f.Error)
		}
	}
}

// ask sends a request and reads its failure, if it is one.
func ask(t *testing.T, base, method, path, body string, header http.Header) (int, client.Failure) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
		if k == "Host" {
			req.Host = v[0]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var f client.Failure
	if resp.StatusCode/100 != 2 {
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatalf("%s %s: %d with body %q: %v", method, path, resp.StatusCode, raw, err)
		}
	}
	return resp.StatusCode, f
}

// TestWebPagesMayNotDrive sends what a browser sends for a page from elsewhere, and what it sends for the node's own.
func TestWebPagesMayNotDrive(t *testing.T) {
	_, c := serve(t)
	own := strings.TrimPrefix(c.URL(), "http://")
	port := own[strings.LastIndex(own, ":"):]
	for _, test := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"no browser", nil, 204},
		{"own page", http.Header{"Origin": {c.URL()}}, 204},
		{"own page by name", http.Header{"Origin": {"http://localhost" + port}, "Host": {"localhost" + port}}, 204},
		{"other page", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"other port", http.Header{"Origin": {"http://127.0.0.1:1"}}, 403},
		{"sandboxed page", http.Header{"Origin": {"null"}}, 403},
		{"two origins", http.Header{"Origin": {c.URL(), "https://evil.example"}}, 403},
		{"cross-site without origin", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"name that leads here", http.Header{"Origin": {"http://evil.example" + port}, "Host": {"evil.example" + port}}, 403},
		{"name that leads here, no origin", http.Header{"Host": {"evil.example" + port}}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, f := ask(t, c.URL(), "POST", "/api/v1/wallet/deposit", `{"amountWei":"1"}`, test.header)
			if status != test.status || (status == 403) != (f.Code == client.CodeForbidden) {
				t.Errorf("answer is %d %+v, want %d", status, f, test.status)
			}
		})
	}
	wallet, err := c.Wallet(t.Context())
	if err != nil || wallet.Account.Int64() != apitest.StartAccount-3 {
		t.Errorf("wallet is %+v (%v), want three deposits of 1 wei", wallet, err)
	}
}

// failing is a node on which cancelling fails.
type failing struct {
	*apitest.Node
	err error
}

func (f failing) Cancel(context.Context, common.Hash) error { return f.err }

func TestErrorsOfTheNode(t *testing.T) {
	lost := errors.New("lost the chain")
	for _, test := range []struct {
		err    error
		status int
		code   client.Code
		logged bool
	}{
		{fmt.Errorf("cancel: %w", api.ErrNotFound), 404, client.CodeNotFound, false},
		{transport.ErrUnknownJob, 404, client.CodeNotFound, false},
		{api.BadRequest{Err: lost}, 400, client.CodeBadRequest, false},
		{fmt.Errorf("cancel: %w", api.InsufficientFunds{Err: lost}), 402, client.CodeFunds, false},
		{&transport.RefusedError{Method: "closeJob", Reason: protocol.NotClient{}}, 409, client.CodeRefused, false},
		{context.DeadlineExceeded, 504, client.CodeInternal, true},
		{lost, 500, client.CodeInternal, true},
	} {
		var log strings.Builder
		node := failing{apitest.New(t), test.err}
		server := httptest.NewServer(api.New(node, slog.New(slog.NewTextHandler(&log, nil))))
		status, f := ask(t, server.URL, "POST", "/api/v1/jobs/0x"+strings.Repeat("00", 32)+"/cancel", "", nil)
		server.Close()
		if status != test.status || f.Code != test.code || f.Error != test.err.Error() {
			t.Errorf("%v: answer is %d %+v, want %d %s", test.err, status, f, test.status, test.code)
		}
		if logged := strings.Contains(log.String(), test.err.Error()); logged != test.logged {
			t.Errorf("%v: logged %t, want %t", test.err, logged, test.logged)
		}
	}
}
