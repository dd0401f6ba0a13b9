package node

import (
	"context"
	"errors"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
)

// maxOutlineBytes of directories and first blocks are taken from a provider that a client names.
const maxOutlineBytes = 1 << 30

// outline makes sure that those who work for a job can have its inputs, and that their files are known here. What a provider
// that the client has named has is there for everybody: of it only the outline comes. The rest only this node may be able to
// find, so it fetches it whole, and others get it from here.
func (b backend) outline(ctx context.Context, inputs []cid.Cid, named []string) error {
	if len(named) == 0 {
		return b.fetch(ctx, inputs, nil)
	}
	bounded := b.fetcher.Within(maxOutlineBytes)
	err := bounded.Outline(ctx, inputs, named)
	var absent *data.NotFoundError
	if !errors.As(err, &absent) {
		return err
	}
	for _, c := range inputs {
		if err = bounded.Outline(ctx, []cid.Cid{c}, named); errors.As(err, &absent) {
			err = b.fetch(ctx, []cid.Cid{c}, named)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch brings whole DAGs.
func (b backend) fetch(ctx context.Context, dags []cid.Cid, named []string) error {
	endpoints := slices.Concat(named, b.providers())
	for _, c := range dags {
		if err := b.fetcher.Fetch(ctx, c, endpoints); err != nil {
			return err
		}
	}
	return nil
}

// outlineInputs outlines the inputs of all pieces, each once, and returns those of which it has seen the outline. A file of
// one block is as large as its outline: with providers named, its CID tells enough.
func (b backend) outlineInputs(ctx context.Context, s agent.Submission) (*cid.Set, error) {
	seen := cid.NewSet()
	var inputs []cid.Cid
	for _, p := range s.Pieces {
		for _, in := range allInputs(s.Spec, p) {
			c, err := data.ParseCID(in.CID)
			if err != nil {
				return nil, err
			}
			if (len(s.Spec.Providers) == 0 || c.Prefix().Codec != cid.Raw) && seen.Visit(c) {
				inputs = append(inputs, c)
			}
		}
	}
	return seen, b.outline(ctx, inputs, s.Spec.Providers)
}
