package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/seal"
	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// deliver decrypts the accepted outputs of an execution, checks them against the commitment and keeps them.
func (r *Requester) deliver(ctx context.Context, a plan.Deliver) error {
	p, err := r.publishedBy(a.Execution, a.Seat)
	if err != nil {
		return err
	}
	pieces, err := r.openAll(ctx, a, p)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		key := plan.SeatKey{Execution: a.Execution, Seat: a.Seat}
		opened := r.opened[key]
		opened.Incomplete = true // to be collected again, or had from another seat
		r.opened[key] = opened
		return err
	}
	if err := r.Store.PutDelivered(a.Execution, pieces); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliveredBy(a.Execution, pieces)
	return nil
}

// openAll decrypts the outputs that are to be delivered.
func (r *Requester) openAll(ctx context.Context, a plan.Deliver, p published) ([]store.Delivered, error) {
	r.mu.Lock()
	opened := r.opened[plan.SeatKey{Execution: a.Execution, Seat: a.Seat}]
	doc := r.documents[p.job]
	r.mu.Unlock()
	if doc == nil {
		return nil, fmt.Errorf("the spec of job %s is not loaded yet", p.job)
	}
	if opened.Root != p.root {
		return nil, errors.New("a reorganisation of the chain has changed what is to be opened")
	}
	pieces := make([]store.Delivered, 0, len(a.Pieces))
	for _, index := range a.Pieces {
		piece, ok := opened.Pieces[index]
		if !ok {
			return nil, fmt.Errorf("piece %d is not opened", index)
		}
		if piece.Leaf.Index != index {
			return nil, fmt.Errorf("node %s gave piece %d in the place of piece %d", p.node, piece.Leaf.Index, index)
		}
		d, err := r.open(ctx, piece, p, doc.Spec)
		if err != nil {
			return nil, fmt.Errorf("output of piece %d from node %s: %w", index, p.node, err)
		}
		d.Disputed = slices.Contains(a.Disputed, index)
		pieces = append(pieces, d)
	}
	return pieces, nil
}

// open decrypts one output into the library.
func (r *Requester) open(
	ctx context.Context, piece plan.OpenedPiece, p published, spec protocol.Spec,
) (store.Delivered, error) {
	// Of many small files most is the CAR's.
	limit := 2*int64(spec.Limits.OutputBytes) + 1<<20
	sealed, err := r.Library.Open(ctx, piece.Leaf.Output, sealedFile)
	if err != nil {
		return store.Delivered{}, err
	}
	if sealed.Size() > limit {
		return store.Delivered{}, fmt.Errorf("it has %d bytes, which is more than the %d allowed", sealed.Size(), limit)
	}
	plain, err := seal.Decrypt(piece.Shared[:], sealed)
	if err != nil {
		return store.Delivered{}, err
	}
	var root common.Hash
	if _, err := io.ReadFull(plain, root[:]); err != nil {
		return store.Delivered{}, fmt.Errorf("truncated output: %w", err)
	}
	if err := r.Library.Import(ctx, root, plain); err != nil {
		return store.Delivered{}, err
	}
	raw, err := r.Library.ReadFile(ctx, root, ResultFile, 4096)
	if err != nil {
		return store.Delivered{}, err
	}
	var result protocol.Result
	if err := json.Unmarshal(raw, &result); err != nil {
		return store.Delivered{}, fmt.Errorf("malformed result: %w", err)
	}
	outputs, err := r.Library.Resolve(ctx, root, OutputsDir)
	if err != nil {
		return store.Delivered{}, err
	}
	digest := result.Digest(p.terms.Salt, piece.Leaf.Index, spec.Profile)
	if outputs != result.Outputs || digest != piece.Digest || result.Fuel != piece.Leaf.Fuel {
		return store.Delivered{}, fmt.Errorf("it is not the output that the node committed to")
	}
	return store.Delivered{Job: p.job, Piece: piece.Leaf.Index, Output: outputs, Result: result, Node: p.node}, nil
}

// finishJobs has the jobs ended that have nothing left to do.
func (r *Requester) finishJobs(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Feed.Read(func(v *protocol.View) {
		for id, facts := range r.unfinished() {
			j := v.Jobs[id]
			switch {
			case j != nil && r.over(v, j, facts.Cancelled):
				r.perform.do(ctx, "finish:"+id.Hex(), func(ctx context.Context) error { return r.finishJob(ctx, id) })
			case j == nil && facts.Cancelled && v.Head.Time > facts.Terms.Expiry: // the contract would not take it any more
				r.perform.do(ctx, "finish:"+id.Hex(), func(context.Context) error { return r.reject(facts.Terms, errCancelled) })
			}
		}
	})
}

var errCancelled = errors.New("cancelled before it was on the chain")

// finishJob merges a job's outputs into one directory and remembers that the job has ended.
func (r *Requester) finishJob(ctx context.Context, id common.Hash) error {
	if err := r.salvage(ctx, id); err != nil {
		return fmt.Errorf("take what there is of the outputs: %w", err)
	}
	result, err := r.merge(ctx, id)
	if err != nil {
		return fmt.Errorf("merge the outputs: %w", err)
	}
	if err := r.update(id, func(j *store.Job) { j.Done, j.Result = true, result }); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.documents[id] = summarized(r.documents[id])
	return nil
}

// over says that no piece of a job is open or running and that all accepted outputs are here, or waited for long enough;
// the caller holds r.mu.
func (r *Requester) over(v *protocol.View, j *protocol.Job, cancelled bool) bool {
	if len(j.Open()) > 0 || (j.Frontier < j.Terms.Pieces && !j.Closed) {
		return false
	}
	for _, id := range j.Runs {
		run := v.Runs[id]
		if !run.Done() || (r.owes(run) && patient(v, j, run, cancelled)) {
			return false
		}
	}
	return true
}

// owes says whether an ended execution has outputs that the client accepted and does not have yet; the caller holds
// r.mu.
func (r *Requester) owes(run *protocol.Run) bool {
	_, kept := run.Kept()
	accepted := run.Record.Status == protocol.StatusSettled || len(kept) > 0
	return accepted && r.delivered[run.Record.Job][run.Record.ID] == nil
}

// merge makes the directory that the user gets: the outputs of a job of one piece as they are, else a directory for
// each piece under "pieces" by its name, and "stdout", which is all pieces' standard output in their order.
func (r *Requester) merge(ctx context.Context, id common.Hash) (common.Hash, error) {
	doc, pieces := r.accepted(id)
	if len(pieces) == 0 {
		return common.Hash{}, nil
	}
	if len(doc.Pieces) == 1 {
		return pieces[0].Output, nil
	}
	links := make(map[string]common.Hash, len(pieces))
	stdout := &stdouts{ctx: ctx, lib: r.Library}
	for index := range uint32(len(doc.Pieces)) {
		d, ok := pieces[index]
		if !ok {
			continue
		}
		links["pieces/"+doc.Pieces[index].Name] = d.Output
		stdout.left = append(stdout.left, d.Output)
	}
	return r.Library.Publish(ctx, map[string]io.Reader{"stdout": stdout}, links)
}

// stdouts reads the standard output of one piece after the other. Only one is open at a time.
type stdouts struct {
	ctx  context.Context
	lib  Library
	now  File
	left []common.Hash // the pieces' outputs
}

func (s *stdouts) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if s.now == nil {
			if len(s.left) == 0 {
				return 0, io.EOF
			}
			if s.now, err = s.lib.Open(s.ctx, s.left[0], "stdout"); err != nil {
				return 0, err
			}
			s.left = s.left[1:]
		}
		if n, err = s.now.Read(p); err == io.EOF {
			s.now, err = nil, nil
		}
	}
	return n, err
}

// accepted gives a job's document and its accepted outputs by piece.
func (r *Requester) accepted(id common.Hash) (*protocol.Document, map[uint32]store.Delivered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pieces := map[uint32]store.Delivered{}
	for _, list := range r.delivered[id] {
		for _, d := range list {
			pieces[d.Piece] = d
		}
	}
	return r.documents[id], pieces
}
