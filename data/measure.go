package data

import (
	"context"
	"errors"
	"math"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
)

// Within is f with another bound on the bytes taken from one provider; 0 leaves it as it is.
func (f *Fetcher) Within(maxBytes int64) *Fetcher {
	bounded := *f
	if maxBytes > 0 {
		bounded.MaxBytes = maxBytes
	}
	return &bounded
}

// Measure tells how many bytes the blocks of the DAG under c have by what its root block claims, and whether all of them
// are here. It fetches the root block at most, from the providers in turn. The claim is not verified: fetch within it.
func (f *Fetcher) Measure(ctx context.Context, c cid.Cid, providers []string) (bytes uint64, here bool, err error) {
	if here, err = f.Store.Complete(ctx, c); err != nil {
		return 0, false, err
	}
	b, err := f.Store.block(ctx, c)
	if errors.Is(err, ErrNotLocal) {
		if err = f.fetchRoot(ctx, c, providers); err == nil {
			b, err = f.Store.block(ctx, c)
		}
	}
	if err != nil {
		return 0, false, err
	}
	bytes = uint64(len(b.RawData()))
	if c.Prefix().Codec == cid.Raw {
		return bytes, true, nil
	}
	pb, err := merkledag.DecodeProtobuf(b.RawData())
	if err != nil {
		return 0, false, err
	}
	for _, l := range pb.Links() {
		if bytes > math.MaxUint64-l.Size {
			return 0, false, errors.New("the sizes of the root's links overflow")
		}
		bytes += l.Size
	}
	return bytes, here, nil
}

// fetchRoot brings one block here, without what is below it.
func (f *Fetcher) fetchRoot(ctx context.Context, c cid.Cid, providers []string) error {
	missing := &NotFoundError{CID: c}
	ask := f.enquire(c, providers)
	for from, ok := ask.next(ctx); ok; from, ok = ask.next(ctx) {
		err := from.fault
		if err == nil {
			err = newProvider(f, from.client, from.source, &counter{}).batch(ctx, []cid.Cid{c})
		}
		var local *localError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &local):
			return err
		}
		missing.Tried = append(missing.Tried, Attempt{from.name, err})
	}
	return missing
}
