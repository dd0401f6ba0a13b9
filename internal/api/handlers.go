package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
)

// none is the answer of routes that only do something.
type none struct{}

func (s *server) status(_ http.ResponseWriter, r *http.Request) (client.Status, error) {
	return s.node.Status(r.Context())
}

func (s *server) wallet(_ http.ResponseWriter, r *http.Request) (client.Wallet, error) {
	return s.node.Wallet(r.Context())
}

func (s *server) deposit(w http.ResponseWriter, r *http.Request) (none, error) {
	amount, err := decodeTransfer(w, r)
	if err != nil {
		return none{}, err
	}
	return none{}, s.node.Deposit(r.Context(), amount)
}

func (s *server) withdraw(w http.ResponseWriter, r *http.Request) (none, error) {
	amount, err := decodeTransfer(w, r)
	if err != nil {
		return none{}, err
	}
	return none{}, s.node.Withdraw(r.Context(), amount)
}

func (s *server) pay(w http.ResponseWriter, r *http.Request) (none, error) {
	var p client.Payout
	if err := decode(w, r, maxJSONBytes, &p); err != nil {
		return none{}, err
	}
	switch {
	case p.To == common.Address{}:
		return none{}, badRequest("to: missing; give the address that gets the money")
	case p.Amount.Int == nil || p.Amount.Sign() <= 0:
		return none{}, badRequest("amountWei: give an amount above zero")
	}
	return none{}, s.node.Pay(r.Context(), p.To, p.Amount.Int)
}

// does makes a handler's function of something that needs nothing and tells nothing.
func (s *server) does(it func(Backend, context.Context) error) func(http.ResponseWriter, *http.Request) (none, error) {
	return func(_ http.ResponseWriter, r *http.Request) (none, error) { return none{}, it(s.node, r.Context()) }
}

func decodeTransfer(w http.ResponseWriter, r *http.Request) (*big.Int, error) {
	var t client.Transfer
	if err := decode(w, r, maxJSONBytes, &t); err != nil {
		return nil, err
	}
	if t.Amount.Int == nil || t.Amount.Sign() <= 0 {
		return nil, badRequest("amountWei: give an amount above zero")
	}
	return t.Amount.Int, nil
}

func (s *server) jobs(_ http.ResponseWriter, r *http.Request) ([]client.JobSummary, error) {
	jobs, err := s.node.Jobs(r.Context())
	if jobs == nil {
		jobs = []client.JobSummary{} // [] rather than null
	}
	slices.SortStableFunc(jobs, func(a, b client.JobSummary) int { return b.Created.Compare(a.Created) })
	return jobs, err
}

func (s *server) submit(w http.ResponseWriter, r *http.Request) (client.Submitted, error) {
	var job client.JobRequest
	if err := decode(w, r, maxJobBytes, &job); err != nil {
		return client.Submitted{}, err
	}
	if err := checkJob(job); err != nil {
		return client.Submitted{}, err
	}
	id, err := s.node.Submit(r.Context(), job)
	return client.Submitted{ID: id}, err
}

// checkJob refuses what no node could make sense of; limits, prices and inputs are the node's to judge.
func checkJob(job client.JobRequest) error {
	if job.Module == "" {
		return badRequest("module: missing; give the CID of a WASI program that the node has")
	}
	if job.CheckRate < 0 || job.CheckRate > 1 {
		return badRequest("checkRate: %v is not a share from 0 to 1", job.CheckRate)
	}
	if job.Flat && job.FuelPrice.Int != nil && job.FuelPrice.Sign() > 0 {
		return badRequest("flat: a job has either a flat price or a price for fuel")
	}
	names := make(map[string]bool, len(job.Pieces))
	for i, p := range job.Pieces {
		if names[p.Name] {
			return badRequest("pieces: %d has the name %q, which an earlier one has too", i, p.Name)
		}
		names[p.Name] = true
	}
	return nil
}

func (s *server) job(_ http.ResponseWriter, r *http.Request) (client.Job, error) {
	id, err := jobID(r)
	if err != nil {
		return client.Job{}, err
	}
	return s.node.Job(r.Context(), id)
}

func (s *server) cancel(_ http.ResponseWriter, r *http.Request) (none, error) {
	id, err := jobID(r)
	if err != nil {
		return none{}, err
	}
	return none{}, s.node.Cancel(r.Context(), id)
}

func jobID(r *http.Request) (common.Hash, error) { return parseJobID(r.PathValue("id")) }

func parseJobID(text string) (common.Hash, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(raw) != common.HashLength {
		return common.Hash{}, badRequest("%q is not a job's id: it has 0x and 64 hexadecimal digits", text)
	}
	return common.Hash(raw), nil
}

func (s *server) decisions(_ http.ResponseWriter, r *http.Request) ([]client.Decision, error) {
	var job common.Hash
	if text := r.URL.Query().Get("job"); text != "" {
		var err error
		if job, err = parseJobID(text); err != nil {
			return nil, err
		}
	}
	list, err := s.node.Decisions(r.Context(), job)
	if list == nil {
		list = []client.Decision{}
	}
	return list, err
}

func (s *server) drain(_ http.ResponseWriter, r *http.Request) (client.Draining, error) {
	return s.node.Drain(r.Context())
}

func (s *server) audit(_ http.ResponseWriter, r *http.Request) (client.Audit, error) {
	return s.node.Audit(r.Context())
}

func (s *server) nodes(_ http.ResponseWriter, r *http.Request) ([]client.Node, error) {
	nodes, err := s.node.Nodes(r.Context())
	if nodes == nil {
		nodes = []client.Node{}
	}
	return nodes, err
}

func (s *server) importCAR(w http.ResponseWriter, r *http.Request) (client.Imported, error) {
	root := r.URL.Query().Get("root")
	if root == "" {
		return client.Imported{}, badRequest("root: missing; give the CID that the CAR is complete under")
	}
	return s.node.Import(r.Context(), root, http.MaxBytesReader(w, r.Body, maxCARBytes))
}

func (s *server) importURL(w http.ResponseWriter, r *http.Request) (client.Imported, error) {
	var source client.URLRequest
	if err := decode(w, r, maxJSONBytes, &source); err != nil {
		return client.Imported{}, err
	}
	if source.URL == "" {
		return client.Imported{}, badRequest("url: missing")
	}
	return s.node.ImportURL(r.Context(), source.URL)
}

func (s *server) fetch(w http.ResponseWriter, r *http.Request) (client.Imported, error) {
	var wanted client.FetchRequest
	if err := decode(w, r, maxJSONBytes, &wanted); err != nil {
		return client.Imported{}, err
	}
	if wanted.CID == "" {
		return client.Imported{}, badRequest("cid: missing")
	}
	return s.node.Fetch(r.Context(), wanted)
}

func badRequest(format string, args ...any) error {
	return BadRequest{fmt.Errorf(format, args...)}
}
