package agent

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"

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
	c.mu.Lock()
	before := maps.Clone(c.sealed[key])
	c.mu.Unlock()
	sealed := make([]sealedPiece, len(a.Pieces))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, index := range a.Pieces {
		if done, ok := before[index]; ok {
			sealed[i] = done
			continue
		}
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
			defer out.Close() // what it frees is of no use any more
			c.speed.ran(out.Result.Fuel, out.Took)
			if sealed[i], err = c.seal(groupCtx, out, doc, terms, index, a.Execution); err != nil {
				return err
			}
			c.keep(key, sealed[i])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	work, err := publish(ctx, c.Library, sealed)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.sealed, key) // an output may not be here any more
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
	delete(c.sealed, key)
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

// keep remembers a piece for the next attempt, should this one fail.
func (c *Compute) keep(key plan.SeatKey, s sealedPiece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sealed[key] == nil {
		c.sealed[key] = map[uint32]sealedPiece{}
	}
	c.sealed[key][s.leaf.Index] = s
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

// sealedPiece is a piece's leaf, whose encrypted output is published.
type sealedPiece struct {
	leaf   protocol.Leaf
	scalar common.Hash
}

// seal encrypts a piece's digest and output to the piece's one-time key, and publishes the output.
func (c *Compute) seal(
	ctx context.Context, out Output, doc *protocol.Document, t protocol.Terms, index uint32, execution common.Hash,
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
	output, err := publishOutput(ctx, c.Library, out, shared[:])
	if err != nil {
		return sealedPiece{}, fmt.Errorf("piece %d: publish output: %w", index, err)
	}
	return sealedPiece{
		leaf: protocol.Leaf{
			Index: index, Rx: sealed.Rx, Parity: sealed.Parity, C: sealed.C, Fuel: out.Result.Fuel, Output: output,
		},
		scalar: scalar,
	}, nil
}

// publishOutput encrypts an output on its way into the library: it may be too large for memory, and its plaintext is
// nobody's but the client's.
func publishOutput(ctx context.Context, lib Library, out Output, secret []byte) (common.Hash, error) {
	r, w := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		w.CloseWithError(encrypt(ctx, out, secret, w)) // without an error, the end
	}()
	dir, err := lib.Publish(ctx, map[string]io.Reader{sealedFile: r}, nil)
	r.Close() // ends the writer if the library has not read all
	<-written
	return dir, err
}

func encrypt(ctx context.Context, out Output, secret []byte, w io.Writer) error {
	sealed, err := seal.Encrypt(secret, w)
	if err != nil {
		return err
	}
	if _, err := sealed.Write(out.Root[:]); err != nil {
		return err
	}
	if err := out.WriteCAR(ctx, sealed); err != nil {
		return err
	}
	return sealed.Close()
}

// publish makes the leaves durable and available, with the outputs.
func publish(ctx context.Context, lib Library, sealed []sealedPiece) (work store.Work, err error) {
	outputs := make(map[string]common.Hash, len(sealed))
	var encoded []byte
	for _, s := range sealed {
		outputs[outputPath(s.leaf.Index)] = s.leaf.Output
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
	dir, err := lib.Publish(ctx, nil, outputs)
	if err != nil {
		return store.Work{}, fmt.Errorf("publish outputs: %w", err)
	}
	work.Bundle, err = lib.Publish(ctx,
		map[string]io.Reader{leavesFile: bytes.NewReader(encoded)}, map[string]common.Hash{OutputsDir: dir})
	if err != nil {
		return store.Work{}, fmt.Errorf("publish leaves: %w", err)
	}
	work.Published = work.Bundle[:]
	return work, nil
}

// outputPath is where a piece's encrypted output is within the outputs of a seat.
func outputPath(index uint32) string { return fmt.Sprintf("%010d", index) }
