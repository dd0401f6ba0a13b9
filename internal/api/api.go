// Package api is a node's HTTP API, which the command line, the dashboard and the Go SDK use.
package api

import (
	"context"
	"io"
	"log/slog"
	"math/big"
	"net/http"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
)

// Backend is the node behind the API. Its errors choose the answer's status: ErrNotFound, BadRequest,
// InsufficientFunds and *transport.RefusedError are the caller's to mend, all others the node's own trouble.
type Backend interface {
	Status(ctx context.Context) (client.Status, error)
	Wallet(ctx context.Context) (client.Wallet, error)
	// Deposit and Withdraw move wei between the wallet's account and the contract; amounts are above zero.
	Deposit(ctx context.Context, amount *big.Int) error
	Withdraw(ctx context.Context, amount *big.Int) error
	// Pay sends wei of the account to another one.
	Pay(ctx context.Context, to common.Address, amount *big.Int) error
	// Register enters the compute node in the registry, Exit takes it out; Pause keeps new work away until Resume.
	Register(ctx context.Context) error
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
	Exit(ctx context.Context) error
	Submit(ctx context.Context, job client.JobRequest) (common.Hash, error)
	// Jobs lists all jobs in any order; the API answers with the newest first.
	Jobs(ctx context.Context) ([]client.JobSummary, error)
	Job(ctx context.Context, id common.Hash) (client.Job, error)
	Cancel(ctx context.Context, id common.Hash) error
	Nodes(ctx context.Context) ([]client.Node, error)
	// Decisions lists what a compute node made of jobs, each time that it changed, the oldest first; of one job unless it is
	// zero. A node that is none has ErrNotFound.
	Decisions(ctx context.Context, job common.Hash) ([]client.Decision, error)
	// Drain has a compute node take no more work.
	Drain(ctx context.Context) (client.Draining, error)
	// Audit adds up everybody's money in the contract.
	Audit(ctx context.Context) (client.Audit, error)
	// Import takes the DAG under the CID root from a CARv1 and verifies it.
	Import(ctx context.Context, root string, car io.Reader) (client.Imported, error)
	ImportURL(ctx context.Context, url string) (client.Imported, error)
	// Fetch gets a DAG from the network into this node.
	Fetch(ctx context.Context, wanted client.FetchRequest) (client.Imported, error)
	// Gateway serves the node's data as a trustless gateway below /ipfs/.
	Gateway() http.Handler
}

// Largest request bodies, bytes.
const (
	maxJobBytes  = 64 << 20
	maxJSONBytes = 64 << 10
	maxCARBytes  = 64 << 30
)

type server struct {
	node Backend
	log  *slog.Logger
}

// New returns the API's handler. Errors that are the node's own go to log as well as to the caller, who may be far away
// from whoever can mend them.
func New(b Backend, log *slog.Logger) http.Handler {
	s := &server{node: b, log: log}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.pattern, r.handle)
	}
	mux.Handle("GET /ipfs/", b.Gateway())
	mux.HandleFunc("/", s.unknown)
	return Guard(mux)
}

type route struct {
	pattern string
	handle  http.HandlerFunc
}

func (s *server) routes() []route {
	return []route{
		{"GET /api/v1/status", answer(s, s.status)},
		{"GET /api/v1/wallet", answer(s, s.wallet)},
		{"POST /api/v1/wallet/deposit", answer(s, s.deposit)},
		{"POST /api/v1/wallet/withdraw", answer(s, s.withdraw)},
		{"POST /api/v1/wallet/pay", answer(s, s.pay)},
		{"POST /api/v1/node/register", answer(s, s.does(Backend.Register))},
		{"POST /api/v1/node/pause", answer(s, s.does(Backend.Pause))},
		{"POST /api/v1/node/resume", answer(s, s.does(Backend.Resume))},
		{"POST /api/v1/node/exit", answer(s, s.does(Backend.Exit))},
		{"GET /api/v1/jobs", answer(s, s.jobs)},
		{"POST /api/v1/jobs", answer(s, s.submit)},
		{"GET /api/v1/jobs/{id}", answer(s, s.job)},
		{"POST /api/v1/jobs/{id}/cancel", answer(s, s.cancel)},
		{"GET /api/v1/nodes", answer(s, s.nodes)},
		{"GET /api/v1/decisions", answer(s, s.decisions)},
		{"POST /api/v1/drain", answer(s, s.drain)},
		{"GET /api/v1/audit", answer(s, s.audit)},
		{"POST /api/v1/data/import", answer(s, s.importCAR)},
		{"POST /api/v1/data/url", answer(s, s.importURL)},
		{"POST /api/v1/data/fetch", answer(s, s.fetch)},
		{"GET /api/v1/openapi.json", describe},
	}
}
