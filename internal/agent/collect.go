package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// published is what the view says of a seat's commitment.
type published struct {
	job       common.Hash
	terms     protocol.Terms
	node      common.Address
	root      common.Hash
	fuel      uint64
	leaves    []byte
	pieces    []uint32
	endpoints []string
}

// collect fetches what a seat published and opens it with the client's keys.
func (r *Requester) collect(ctx context.Context, a plan.Collect) error {
	p, err := r.publishedBy(a.Execution, a.Seat)
	if err != nil {
		return err
	}
	leaves, err := r.leaves(ctx, p)
	if err != nil {
		return fmt.Errorf("results of node %s: %w", p.node, err)
	}
	tree, err := protocol.LeavesTree(leaves)
	if err != nil || tree.Root() != (protocol.Sum{Hash: p.root, Sum: p.fuel}) {
		return fmt.Errorf("node %s published leaves that are not the ones it committed to", p.node)
	}
	opened := plan.Opened{Pieces: make(map[uint32]plan.OpenedPiece, len(leaves))}
	for i, leaf := range leaves {
		if leaf.Index != p.pieces[i] {
			return fmt.Errorf("node %s committed to piece %d in the place of piece %d", p.node, leaf.Index, p.pieces[i])
		}
		binding := protocol.Binding{
			ChainID: r.ChainID, Contract: r.Contract, Execution: a.Execution, Index: leaf.Index, Node: p.node,
		}
		sealed := protocol.Sealed{Rx: leaf.Rx, Parity: leaf.Parity, C: leaf.C}
		digest, shared, err := protocol.Unseal(sealed, r.Secret.PieceKey(p.terms.Salt, leaf.Index), binding)
		if err != nil && !errors.Is(err, protocol.ErrUnreadable) {
			return err
		}
		opened.Pieces[leaf.Index] = plan.OpenedPiece{Leaf: leaf, Proof: tree.Proof(i), Digest: digest, Shared: shared}
	}
	r.mu.Lock()
	r.opened[plan.SeatKey{Execution: a.Execution, Seat: a.Seat}] = opened
	r.mu.Unlock()
	return nil
}

// publishedBy looks up a seat's commitment in the view.
func (r *Requester) publishedBy(execution common.Hash, seat uint8) (p published, err error) {
	r.Feed.Read(func(v *protocol.View) {
		run := v.Runs[execution]
		if run == nil {
			err = fmt.Errorf("unknown execution %s", execution)
			return
		}
		p.job, p.terms = run.Record.Job, v.Jobs[run.Record.Job].Terms
		p.node, p.root, p.fuel, p.leaves = run.Node, run.Record.Root, run.Record.Fuel, run.Leaves
		for i := range run.Count {
			p.pieces = append(p.pieces, run.From+i)
		}
		if seat != 1 {
			s := run.Seats[seat]
			if s == nil {
				err = fmt.Errorf("execution %s has no seat %d", execution, seat)
				return
			}
			p.node, p.root, p.fuel, p.leaves = s.Record.Node, s.Record.Root, s.Record.Fuel, s.Leaves
			p.pieces = run.Checked(p.terms, seat)
		}
		p.endpoints = endpointsFor(v, p.node, r.Self)
	})
	return p, err
}

// leaves gets a seat's leaves: the one that came with the commitment, or those of the published bundle. Either way the
// encrypted outputs are here afterwards.
func (r *Requester) leaves(ctx context.Context, p published) ([]protocol.Leaf, error) {
	if len(p.pieces) == 1 {
		leaf, err := protocol.DecodeLeaf(p.leaves)
		if err != nil {
			return nil, err
		}
		return []protocol.Leaf{leaf}, r.Library.Fetch(ctx, leaf.Output, p.endpoints)
	}
	if len(p.leaves) != common.HashLength {
		return nil, errors.New("the commitment names no bundle")
	}
	bundle := common.BytesToHash(p.leaves)
	if err := r.Library.Fetch(ctx, bundle, p.endpoints); err != nil {
		return nil, err
	}
	raw, err := r.Library.ReadFile(ctx, bundle, leavesFile, int64(len(p.pieces))*protocol.LeafBytes)
	if err != nil {
		return nil, err
	}
	leaves, err := protocol.DecodeLeaves(raw)
	if err != nil {
		return nil, err
	}
	if len(leaves) != len(p.pieces) {
		return nil, fmt.Errorf("%d leaves for %d pieces", len(leaves), len(p.pieces))
	}
	outputs, err := r.Library.Resolve(ctx, bundle, OutputsDir)
	if err != nil {
		return nil, err
	}
	for _, leaf := range leaves {
		dir, err := r.Library.Resolve(ctx, outputs, outputPath(leaf.Index))
		if err != nil || dir != leaf.Output {
			return nil, fmt.Errorf("the bundle lacks the output of piece %d", leaf.Index)
		}
	}
	return slices.Clip(leaves), nil
}
