package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// DefaultURL is where a node's API listens unless told otherwise.
const DefaultURL = "http://127.0.0.1:1234"

// maxAnswerBytes bounds an answer in JSON.
const maxAnswerBytes = 256 << 20

// Client calls the API of one node. Its methods may be called concurrently. Their errors are an *APIError when the node
// said no, ErrNoNode when nobody answers, or the context's.
type Client struct {
	base *url.URL
	http *http.Client
}

// New returns a client of the node at base, such as DefaultURL. Without an HTTP client it uses http.DefaultClient.
func New(base string, hc *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a node: give one such as %s", base, DefaultURL)
	}
	if hc == nil {
		hc = http.DefaultClient
	}
	return &Client{base: u, http: hc}, nil
}

// URL is the node's, below which the trustless gateway serves /ipfs/ too.
func (c *Client) URL() string { return c.base.String() }

// Status describes the node.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.get(ctx, "/api/v1/status", &s)
}

// Wallet is the money of the node's wallet.
func (c *Client) Wallet(ctx context.Context) (w Wallet, err error) {
	return w, c.get(ctx, "/api/v1/wallet", &w)
}

// Deposit moves money (wei) from the wallet's account into the contract and returns once it is there.
func (c *Client) Deposit(ctx context.Context, amount *big.Int) error {
	return c.post(ctx, "/api/v1/wallet/deposit", Transfer{Wei{amount}}, nil)
}

// Withdraw moves free money (wei) from the contract to the wallet's account.
func (c *Client) Withdraw(ctx context.Context, amount *big.Int) error {
	return c.post(ctx, "/api/v1/wallet/withdraw", Transfer{Wei{amount}}, nil)
}

// Pay sends money (wei) of the wallet's account to another account.
func (c *Client) Pay(ctx context.Context, to common.Address, amount *big.Int) error {
	return c.post(ctx, "/api/v1/wallet/pay", Payout{To: to, Amount: Wei{amount}}, nil)
}

// Register enters the compute node in the registry: it may be given work and may be drawn.
func (c *Client) Register(ctx context.Context) error {
	return c.post(ctx, "/api/v1/node/register", nil, nil)
}

// Pause keeps new work away from the compute node.
func (c *Client) Pause(ctx context.Context) error { return c.post(ctx, "/api/v1/node/pause", nil, nil) }

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context) error {
	return c.post(ctx, "/api/v1/node/resume", nil, nil)
}

// Exit takes the compute node out of the registry; its locks come back as its work ends.
func (c *Client) Exit(ctx context.Context) error { return c.post(ctx, "/api/v1/node/exit", nil, nil) }

// Submit creates a job and returns its id once the job is on the chain.
func (c *Client) Submit(ctx context.Context, job JobRequest) (common.Hash, error) {
	var s Submitted
	err := c.post(ctx, "/api/v1/jobs", job, &s)
	return s.ID, err
}

// Jobs lists the client's jobs, the newest first.
func (c *Client) Jobs(ctx context.Context) (jobs []JobSummary, err error) {
	return jobs, c.get(ctx, "/api/v1/jobs", &jobs)
}

// Job is one job in full.
func (c *Client) Job(ctx context.Context, id common.Hash) (j Job, err error) {
	return j, c.get(ctx, "/api/v1/jobs/"+id.Hex(), &j)
}

// Cancel takes back the pieces that no node has yet; running ones end normally.
func (c *Client) Cancel(ctx context.Context, id common.Hash) error {
	return c.post(ctx, "/api/v1/jobs/"+id.Hex()+"/cancel", nil, nil)
}

// Audit adds up everybody's money in the contract and compares it with the contract's balance.
func (c *Client) Audit(ctx context.Context) (a Audit, err error) {
	return a, c.get(ctx, "/api/v1/audit", &a)
}

// Nodes lists the compute nodes.
func (c *Client) Nodes(ctx context.Context) (nodes []Node, err error) {
	return nodes, c.get(ctx, "/api/v1/nodes", &nodes)
}

// Decisions lists what a compute node made of jobs, each time that it changed, the oldest first; of one job unless it is
// zero.
func (c *Client) Decisions(ctx context.Context, job common.Hash) (list []Decision, err error) {
	path := "/api/v1/decisions"
	if job != (common.Hash{}) {
		path += "?job=" + job.Hex()
	}
	return list, c.get(ctx, path, &list)
}

// Drain has a compute node take no more work; called again it tells how much is left.
func (c *Client) Drain(ctx context.Context) (d Draining, err error) {
	return d, c.post(ctx, "/api/v1/drain", nil, &d)
}

// Import gives the node a DAG, as a CARv1 that is complete under the CID root.
func (c *Client) Import(ctx context.Context, root string, car io.Reader) (i Imported, err error) {
	path := "/api/v1/data/import?" + url.Values{"root": {root}}.Encode()
	return i, c.call(ctx, http.MethodPost, path, ContentCAR, car, &i)
}

// ImportURL lets the node download a URL once and freeze it: http, https or s3://bucket/key as a file, s3://bucket/prefix/
// as a directory.
func (c *Client) ImportURL(ctx context.Context, source string) (i Imported, err error) {
	return i, c.post(ctx, "/api/v1/data/url", URLRequest{source}, &i)
}

// Fetch lets the node get a DAG from providers, base URLs of trustless gateways, and from the network.
func (c *Client) Fetch(ctx context.Context, cid string, providers []string) (i Imported, err error) {
	return i, c.post(ctx, "/api/v1/data/fetch", FetchRequest{CID: cid, Providers: providers}, &i)
}

// Outline is Fetch for a job's inputs: of what one of the providers has, the node gets only what tells the names and sizes
// of the files, since those who work for the job find the rest there too.
func (c *Client) Outline(ctx context.Context, cid string, providers []string) (i Imported, err error) {
	return i, c.post(ctx, "/api/v1/data/fetch", FetchRequest{CID: cid, Providers: providers, Outline: true}, &i)
}

// Block is the one block of a CID that the node holds, as a CARv1. The caller closes it and verifies it.
func (c *Client) Block(ctx context.Context, cid string) (io.ReadCloser, error) {
	resp, err := c.do(ctx, http.MethodGet, "/ipfs/"+url.PathEscape(cid)+"?format=car&dag-scope=block", "", nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, "", nil, into)
}

func (c *Client) post(ctx context.Context, path string, body, into any) error {
	if body == nil {
		return c.call(ctx, http.MethodPost, path, "", nil, into)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.call(ctx, http.MethodPost, path, "application/json", bytes.NewReader(raw), into)
}

func (c *Client) call(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	resp, err := c.do(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into == nil {
		return nil
	}
	// Unknown fields pass: a newer node may say more.
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswerBytes)).Decode(into); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s %s: the node's answer makes no sense: %w", method, c.base.JoinPath(path), err)
	}
	return nil
}

// do sends a request and returns a 2xx answer, whose body the caller closes.
func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unanswered(ctx, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, failure(resp)
}

// unanswered tells a caller who gave up and a node that is not there from other troubles.
func (c *Client) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, which comes again
	}
	return fmt.Errorf("%w at %s: %w", ErrNoNode, c.base, err)
}
