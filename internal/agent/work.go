package agent

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/internal/seal"
	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// execute runs the pieces of a seat, encrypts and publishes their outputs and makes the commitment durable. Sending
// it is the next plan's business.
func (c *Compute) execute(ctx context.Context, a plan.Execute) error {
	doc, terms, endpoints, err := c.document(ctx, a.Job)
	if err != nil {
		return err
	}
	key := plan.SeatKey{Execution: a.Execution, Seat: a.Seat}
	sealed := make([]sealedPiece, len(a.Pieces))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, index := range a.Pieces {
		release, err := c.slots.take(groupCtx, doc.Spec.Limits.MemoryBytes)
		if err != nil {
			return cmp.Or(group.Wait(), err)
		}
		c.begun(key)
		group.Go(func() error {
			defer release()
			out, err := c.Executor.Run(groupCtx, c.task(doc, terms, index, endpoints))
			if err != nil {
				return fmt.Errorf("piece %d: %w", index, err)
			}
			c.speed.ran(out.Result.Fuel, out.Took)
			sealed[i], err = c.seal(out, doc, terms, index, a.Execution)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	work, err := publish(ctx, c.Library, sealed)
	if err != nil {
		return err
	}
	work.Execution, work.Seat = a.Execution, a.Seat
	if err := c.Store.PutWork(work); err != nil {
		return fmt.Errorf("store work: %w", err)
	}
	c.Log.Info("ran pieces", "job", a.Job, "execution", a.Execution, "seat", a.Seat, "pieces", len(a.Pieces), "fuel", work.Fuel)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work[key] = finished(work)
	// Its inputs are here now: offers for the rest of the job look at them again.
	if spec := c.specs[a.Job]; spec.MissingBytes > 0 {
		spec.Again = 0
		c.specs[a.Job] = spec
	}
	return nil
}

// task is a piece of a job as everyone runs it.
func (c *Compute) task(doc *protocol.Document, t protocol.Terms, index uint32, endpoints []string) Task {
	return Task{
		Spec: doc.Spec, Piece: doc.Pieces[index], Seed: protocol.RandomSeed(t.Salt, index), Endpoints: endpoints,
		MaxInputBytes: c.Policy.Limits.InputBytes,
	}
}

// begun notes that work has left the queue.
func (c *Compute) begun(key plan.SeatKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.work[key]; !w.Begun {
		w.Begun = true
		c.work[key] = w
	}
}

// sealedPiece is a piece's leaf, still without the digest of its published output.
type sealedPiece struct {
	leaf   protocol.Leaf
	scalar common.Hash
	output []byte
}

// seal encrypts a piece's digest and output to the piece's one-time key.
func (c *Compute) seal(
	out Output, doc *protocol.Document, t protocol.Terms, index uint32, execution common.Hash,
) (sealedPiece, error) {
	binding := protocol.Binding{
		ChainID: c.ChainID, Contract: c.Contract, Execution: execution, Index: index, Node: c.Self,
	}
	var scalar [32]byte
	rand.Read(scalar[:])
	digest := out.Result.Digest(t.Salt, index, doc.Spec.Profile)
	sealed, shared, err := protocol.Seal(digest, scalar, doc.PublicKey(index), binding)
	if err != nil {
		return sealedPiece{}, fmt.Errorf("piece %d: %w", index, err)
	}
	var encrypted bytes.Buffer
	plain := io.MultiReader(bytes.NewReader(out.Root[:]), bytes.NewReader(out.CAR))
	if err := seal.Encrypt(shared[:], plain, &encrypted); err != nil {
		return sealedPiece{}, fmt.Errorf("piece %d: encrypt output: %w", index, err)
	}
	return sealedPiece{
		leaf: protocol.Leaf{
			Index: index, Rx: sealed.Rx, Parity: sealed.Parity, C: sealed.C, Fuel: out.Result.Fuel,
		},
		scalar: scalar,
		output: encrypted.Bytes(),
	}, nil
}

// publish makes the encrypted outputs and the leaves durable and available.
func publish(ctx context.Context, lib Library, sealed []sealedPiece) (store.Work, error) {
	files := make(map[string][]byte, len(sealed))
	for _, s := range sealed {
		files[outputPath(s.leaf.Index)+"/"+sealedFile] = s.output
	}
	outputs, err := lib.Publish(ctx, files, nil)
	if err != nil {
		return store.Work{}, fmt.Errorf("publish outputs: %w", err)
	}
	var work store.Work
	var encoded []byte
	for _, s := range sealed {
		if s.leaf.Output, err = lib.Resolve(ctx, outputs, outputPath(s.leaf.Index)); err != nil {
			return store.Work{}, fmt.Errorf("publish outputs: %w", err)
		}
		work.Leaves, work.Scalars = append(work.Leaves, s.leaf), append(work.Scalars, s.scalar)
		encoded = append(encoded, s.leaf.Encode()...)
	}
	tree, err := protocol.LeavesTree(work.Leaves)
	if err != nil {
		return store.Work{}, err
	}
	work.Root, work.Fuel = tree.Root().Hash, tree.Root().Sum
	if len(sealed) == 1 {
		work.Bundle, work.Published = work.Leaves[0].Output, encoded
		return work, nil
	}
	work.Bundle, err = lib.Publish(ctx, map[string][]byte{leavesFile: encoded}, map[string]common.Hash{OutputsDir: outputs})
	if err != nil {
		return store.Work{}, fmt.Errorf("publish leaves: %w", err)
	}
	work.Published = work.Bundle[:]
	return work, nil
}

// outputPath is where a piece's encrypted output is within the outputs of a seat.
func outputPath(index uint32) string { return fmt.Sprintf("%010d", index) }
