package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
)

// library is agent.Library over a data store.
type library struct {
	store   *data.Store
	fetcher *data.Fetcher
	kubo    *data.Mirror // nil without a Kubo
}

// mirror lets Kubo have, sooner or later, what this node has published.
func (l *library) mirror(ctx context.Context, c cid.Cid) error {
	if l.kubo == nil {
		return nil
	}
	return l.kubo.Add(ctx, c)
}

func (l *library) Fetch(ctx context.Context, dir common.Hash, endpoints []string) error {
	return l.fetcher.Fetch(ctx, data.FromDigest(dir), endpoints)
}

func (l *library) FetchWithin(ctx context.Context, dir common.Hash, endpoints []string, maxBytes int64) error {
	return l.fetcher.Within(maxBytes).Fetch(ctx, data.FromDigest(dir), endpoints)
}

func (l *library) ReadFile(ctx context.Context, dir common.Hash, path string, limit int64) ([]byte, error) {
	c, err := l.store.Resolve(ctx, data.FromDigest(dir), path)
	if err != nil {
		return nil, err
	}
	return readFile(ctx, l.store, c, limit)
}

func (l *library) Open(ctx context.Context, dir common.Hash, path string) (agent.File, error) {
	c, err := l.store.Resolve(ctx, data.FromDigest(dir), path)
	if err != nil {
		return nil, err
	}
	return l.store.Open(ctx, c)
}

// readFile reads a local file whole; more than limit bytes are an error.
func readFile(ctx context.Context, store *data.Store, c cid.Cid, limit int64) ([]byte, error) {
	f, err := store.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	if f.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, which is more than the %d allowed", c, f.Size(), limit)
	}
	return io.ReadAll(f)
}

func (l *library) Resolve(ctx context.Context, dir common.Hash, path string) (common.Hash, error) {
	c, err := l.store.Resolve(ctx, data.FromDigest(dir), path)
	if err != nil {
		return common.Hash{}, err
	}
	return data.DigestOf(c)
}

func (l *library) Publish(
	ctx context.Context, files map[string]io.Reader, links map[string]common.Hash,
) (common.Hash, error) {
	sources := make(map[string]data.Source, len(files)+len(links))
	for path, content := range files {
		sources[path] = data.Reader(content)
	}
	for path, dir := range links {
		sources[path] = data.Link(data.FromDigest(dir))
	}
	c, err := l.store.AddFiles(ctx, sources)
	if err != nil {
		return common.Hash{}, err
	}
	if err := l.mirror(ctx, c); err != nil {
		return common.Hash{}, err
	}
	return data.DigestOf(c)
}

func (l *library) Import(ctx context.Context, dir common.Hash, car io.Reader) error {
	c := data.FromDigest(dir)
	missing, err := l.store.ImportCAR(ctx, car, c, data.Limits{})
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return errors.New("the CAR lacks blocks of its own root")
	}
	if err := l.store.Pin(ctx, c); err != nil {
		return err
	}
	return l.mirror(ctx, c)
}
