package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

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
	// shown are leaves that the seat proved on chain, by piece.
	shown map[uint32]protocol.Proven
}

// collect fetches what a seat published and opens it with the client's keys. What it gets it keeps, though it may not be
// all: the leaves are enough to convict a seat that spoiled or withholds its outputs.
func (r *Requester) collect(ctx context.Context, a plan.Collect) error {
	p, err := r.publishedBy(a.Execution, a.Seat)
	if err != nil {
		return err
	}
	opened, err := r.openSeat(ctx, p, a.Execution)
	if err != nil {
		err = fmt.Errorf("results of node %s: %w", p.node, err)
	}
	key := plan.SeatKey(a)
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, known := r.opened[key]; !known || before.Root != opened.Root || !opened.Failed || before.Failed {
		r.opened[key] = opened
	}
	return err
}

// openSeat decrypts a seat's leaves, or if they cannot be had those that it proved on chain. An error comes with as much
// as could be had.
func (r *Requester) openSeat(ctx context.Context, p published, execution common.Hash) (plan.Opened, error) {
	leaves, missing, err := r.leaves(ctx, p)
	var tree *protocol.SumTree
	if err == nil {
		tree, err = protocol.LeavesTree(leaves)
		if err != nil || tree.Root() != (protocol.Sum{Hash: p.root, Sum: p.fuel}) {
			err = errors.New("the published leaves are not the ones committed to")
		}
	}
	opened := plan.Opened{Root: p.root, Failed: err != nil, Incomplete: missing != nil, Pieces: map[uint32]plan.OpenedPiece{}}
	if err != nil {
		for index, shown := range p.shown {
			opened.Pieces[index] = r.openLeaf(p, execution, index, shown)
		}
		return opened, err
	}
	for i, leaf := range leaves {
		index := p.pieces[i]
		opened.Pieces[index] = r.openLeaf(p, execution, index, protocol.Proven{Leaf: leaf, Proof: tree.Proof(i)})
	}
	return opened, missing
}

// openLeaf decrypts the leaf that stands in the place of a piece. Another piece's leaf is a result of nothing here, to
// the contract too, like one that nobody can read.
func (r *Requester) openLeaf(p published, execution common.Hash, index uint32, at protocol.Proven) plan.OpenedPiece {
	piece := plan.OpenedPiece{Leaf: at.Leaf, Proof: at.Proof}
	if at.Leaf.Index != index {
		return piece
	}
	binding := protocol.Binding{
		ChainID: r.ChainID, Contract: r.Contract, Execution: execution, Index: index, Node: p.node,
	}
	sealed := protocol.Sealed{Rx: at.Leaf.Rx, Parity: at.Leaf.Parity, C: at.Leaf.C}
	digest, shared, err := protocol.Unseal(sealed, r.Secret.PieceKey(p.terms.Salt, index), binding)
	if err == nil {
		piece.Digest, piece.Shared = digest, shared
	}
	return piece
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
		p.endpoints, p.shown = endpointsFor(v, p.node, r.Self), maps.Clone(run.Answers[seat])
	})
	return p, err
}

// leaves gets a seat's leaves: the one that came with the commitment, or those of the published bundle. What is missing
// says why not all encrypted outputs are here too.
func (r *Requester) leaves(ctx context.Context, p published) (leaves []protocol.Leaf, missing, err error) {
	if len(p.pieces) == 1 {
		leaf, err := protocol.DecodeLeaf(p.leaves)
		if err != nil {
			return nil, nil, err
		}
		return []protocol.Leaf{leaf}, r.Library.Fetch(ctx, leaf.Output, p.endpoints), nil
	}
	if len(p.leaves) != common.HashLength {
		return nil, nil, errors.New("the commitment names no bundle")
	}
	bundle := common.BytesToHash(p.leaves)
	missing = r.Library.Fetch(ctx, bundle, p.endpoints)
	raw, err := r.Library.ReadFile(ctx, bundle, leavesFile, int64(len(p.pieces))*protocol.LeafBytes)
	if err != nil {
		return nil, nil, cmp.Or(missing, err) // a directory that is not here cannot be read either
	}
	if leaves, err = protocol.DecodeLeaves(raw); err != nil {
		return nil, nil, err
	}
	if len(leaves) != len(p.pieces) {
		return nil, nil, fmt.Errorf("%d leaves for %d pieces", len(leaves), len(p.pieces))
	}
	if missing == nil {
		missing = r.findOutputs(ctx, bundle, leaves)
	}
	return leaves, missing, nil
}

// findOutputs says whether a complete bundle has the outputs that its leaves name.
func (r *Requester) findOutputs(ctx context.Context, bundle common.Hash, leaves []protocol.Leaf) error {
	outputs, err := r.Library.Resolve(ctx, bundle, OutputsDir)
	if err != nil {
		return err
	}
	for _, leaf := range leaves {
		dir, err := r.Library.Resolve(ctx, outputs, outputPath(leaf.Index))
		if err != nil || dir != leaf.Output {
			return fmt.Errorf("the bundle lacks the output of piece %d", leaf.Index)
		}
	}
	return nil
}
