package apitest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/big"
	"path"

	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

// local parses the CID of something that the node has.
func (n *Node) local(ctx context.Context, text string) (cid.Cid, error) {
	c, err := data.ParseCID(text)
	if err != nil {
		return cid.Undef, api.BadRequest{Err: err}
	}
	complete, err := n.store.Complete(ctx, c)
	if err == nil && !complete {
		err = fmt.Errorf("nobody has %s: %w", c, api.ErrNotFound)
	}
	return c, err
}

// run runs a job's pieces one after the other and pays the worker for each.
func (n *Node) run(job *client.Job, module cid.Cid, r client.JobRequest, hold <-chan struct{}) {
	select {
	case <-hold:
	case <-n.ctx.Done():
		return
	}
	parts := map[string]data.Source{}
	var stdout bytes.Buffer
	for i, p := range r.Pieces {
		if n.ended(job) {
			return
		}
		result, output, err := n.piece(module, r, p)
		if err != nil {
			n.fail(job, err)
			return
		}
		n.deliver(job, i, result, output)
		parts["pieces/"+p.Name] = data.Link(output)
		part, err := wasm.ReadAll(result.Stdout)
		if err != nil {
			n.fail(job, err)
			return
		}
		stdout.Write(part)
	}
	root := parts["pieces/"+r.Pieces[0].Name]
	result, err := n.store.AddFiles(n.ctx, map[string]data.Source{"only": root})
	if err == nil && len(r.Pieces) == 1 {
		result, err = n.store.Resolve(n.ctx, result, "only")
	} else if err == nil {
		parts["stdout"] = data.Bytes(stdout.Bytes())
		result, err = n.store.AddFiles(n.ctx, parts)
	}
	if err != nil {
		n.fail(job, err)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	job.Status, job.Result = client.JobDone, result.String()
}

func (n *Node) ended(job *client.Job) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if job.Status.Ended() {
		return true
	}
	job.Status = client.JobRunning
	return false
}

func (n *Node) fail(job *client.Job, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	job.Status, job.Trouble = client.JobFailed, append(job.Trouble, err.Error())
}

func (n *Node) deliver(job *client.Job, index int, r *wasm.Result, output cid.Cid) {
	n.mu.Lock()
	defer n.mu.Unlock()
	bid := job.Terms.Bid
	execution := protocol.ExecutionID(job.ID, uint32(index))
	p := &job.PieceList[index]
	p.Status, p.Node, p.Execution = client.PieceDelivered, Worker, execution
	p.ExitCode, p.Fuel, p.Output = r.ExitCode, r.Fuel, output.String()
	job.Committed++
	job.Delivered++
	job.Executions = append(job.Executions, client.ExecutionReport{
		ID: execution, Node: Worker, From: uint32(index), Count: 1, Status: protocol.StatusSettled, Fuel: r.Fuel,
		Payments: []client.Payment{{Seat: 1, Node: Worker, Wei: client.Wei{Int: bid}}},
	})
	paid := job.Cost.Paid.Int
	if paid == nil {
		paid = new(big.Int)
	}
	job.Cost.Paid.Int = new(big.Int).Add(paid, bid)
	job.Cost.FuelClean += r.Fuel
	job.Cost.FuelExecuted += r.Fuel
	n.wallet.Locked.Int = new(big.Int).Sub(n.wallet.Locked.Int, bid)
}

// piece runs one piece and stores its output directory.
func (n *Node) piece(module cid.Cid, r client.JobRequest, p client.PieceRequest) (*wasm.Result, cid.Cid, error) {
	code, err := n.read(module)
	if err != nil {
		return nil, cid.Undef, err
	}
	inputs := map[string]wasm.File{}
	for _, in := range append(append([]protocol.Input{}, r.Inputs...), p.Inputs...) {
		if err := n.show(in, inputs); err != nil {
			return nil, cid.Undef, err
		}
	}
	result, err := n.runner.Run(n.ctx, wasm.Task{
		Module: code, Args: append(append([]string{}, r.Args...), p.Args...), Env: r.Env, Inputs: inputs,
		Limits: wasm.Limits{MemoryBytes: r.Limits.MemoryBytes, Fuel: r.Limits.Fuel, OutputBytes: r.Limits.OutputBytes},
	})
	if err != nil {
		return nil, cid.Undef, err
	}
	files := map[string]data.Source{"stdout": data.At(result.Stdout), "stderr": data.At(result.Stderr)}
	for _, o := range result.Outputs {
		files["outputs/"+o.Path] = data.At(o)
	}
	output, err := n.store.AddFiles(n.ctx, files)
	return result, output, err
}

func (n *Node) read(file cid.Cid) ([]byte, error) {
	f, err := n.store.Open(n.ctx, file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// show adds the files of an input below its path.
func (n *Node) show(in protocol.Input, into map[string]wasm.File) error {
	c, err := n.local(n.ctx, in.CID)
	if err != nil {
		return err
	}
	return n.store.Walk(n.ctx, c, func(below string, e data.Entry) error {
		f, err := n.store.Open(n.ctx, e.CID)
		into[path.Join(in.Path, below)] = f
		return err
	})
}
