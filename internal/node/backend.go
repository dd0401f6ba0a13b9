package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

// backend is api.Backend: what a node does for its owner. Jobs are a requester node's.
type backend struct{ *Node }

var _ api.Backend = backend{}

func (b backend) Status(context.Context) (client.Status, error) {
	s := client.Status{
		Version: Version, ChainID: b.chain.ChainID().Uint64(), Contract: b.cfg.Contract, Wallet: b.self,
		Parameters: b.market.Deployed(), Ready: b.feed.Ready(),
	}
	b.feed.Read(func(v *protocol.View) { s.Head = v.Head })
	return s, nil
}

func (b backend) Wallet(ctx context.Context) (client.Wallet, error) {
	w, err := b.market.Wallet(ctx, b.self)
	if err != nil {
		return client.Wallet{}, err
	}
	account, err := b.chain.Balance(ctx, b.self)
	if err != nil {
		return client.Wallet{}, err
	}
	return client.Wallet{
		Address: b.self, Free: client.Wei{Int: w.Free}, Locked: client.Wei{Int: w.Locked}, Account: client.Wei{Int: account},
		Registered: w.Registered, Paused: w.Paused,
	}, nil
}

// errNoRequester is the answer to who wants work done of a node that only works.
var errNoRequester = api.BadRequest{Err: errors.New("this is not a requester node: give jobs to one, or serve this one with --requester")}

func (b backend) Submit(ctx context.Context, r client.JobRequest) (common.Hash, error) {
	if b.requester == nil {
		return common.Hash{}, errNoRequester
	}
	if !b.feed.Ready() {
		return common.Hash{}, errors.New("the node is still reading the chain; try again in a moment")
	}
	s, err := submission(r)
	if err != nil {
		return common.Hash{}, api.BadRequest{Err: err}
	}
	if err := b.checkWork(ctx, s); err != nil {
		return common.Hash{}, api.BadRequest{Err: err}
	}
	id, err := b.requester.Submit(ctx, s)
	var short *agent.FundsError
	var fine *agent.FineError
	switch {
	case errors.As(err, &short):
		err = api.InsufficientFunds{Err: err}
	case errors.As(err, &fine):
		err = api.BadRequest{Err: err}
	}
	return id, err
}

// checkWork makes sure, before any money moves, that a job's module fits, and that its inputs are to be had and agree.
func (b backend) checkWork(ctx context.Context, s agent.Submission) error {
	e := executor{store: b.data, fetcher: b.fetcher, runner: b.runner}
	doc := &protocol.Document{Spec: s.Spec, Pieces: s.Pieces}
	if err := e.Check(ctx, doc, b.providers()); err != nil {
		return err
	}
	seen, err := b.outlineInputs(ctx, s)
	if err != nil {
		return err
	}
	for _, p := range s.Pieces {
		files, err := inputFiles(allInputs(s.Spec, p), func(c cid.Cid, add addFile) error {
			if !seen.Has(c) {
				return add(".", unread(0))
			}
			return b.data.Walk(ctx, c, func(below string, entry data.Entry) error { return add(below, unread(entry.Size)) })
		})
		if err == nil {
			t := task(e.module, s.Spec, p)
			t.Inputs = files
			err = t.Check()
		}
		if err != nil {
			return fmt.Errorf("piece %s: %w", p.Name, err)
		}
	}
	return nil
}

// unread is an input's file, of which only the size in bytes is known.
type unread int64

func (u unread) Size() int64 { return int64(u) }

func (u unread) ReadAt([]byte, int64) (int, error) { return 0, data.ErrNotLocal }

// providers are the endpoints of all nodes that announced one.
func (b backend) providers() []string {
	var urls []string
	b.feed.Read(func(v *protocol.View) {
		for wallet, url := range v.Endpoints {
			if wallet != b.self {
				urls = append(urls, url)
			}
		}
	})
	slices.Sort(urls)
	return urls
}

// submission fills in the defaults of a request.
func submission(r client.JobRequest) (agent.Submission, error) {
	s := agent.Submission{
		Spec: protocol.Spec{
			Version: 1, Profile: wasm.Version, Module: r.Module, Args: r.Args, Env: r.Env, Inputs: r.Inputs,
			Providers: r.Providers,
			Limits: protocol.Limits{
				MemoryBytes: orDefault(r.Limits.MemoryBytes, defaultMemoryBytes),
				Fuel:        orDefault(r.Limits.Fuel, defaultFuel),
				OutputBytes: orDefault(r.Limits.OutputBytes, defaultOutputBytes),
			},
		},
		Seats: 2, ExecuteSeconds: r.ExecuteSeconds, ExpirySeconds: r.ExpirySeconds,
		PiecesPerExecution: r.PiecesPerExecution, ColludingShare: defaultColluding,
	}
	if r.Eager {
		s.Seats = 3
	}
	for _, p := range r.Pieces {
		s.Pieces = append(s.Pieces, protocol.Piece{Name: p.Name, Args: p.Args, Inputs: p.Inputs})
	}
	if len(s.Pieces) == 0 {
		s.Pieces = []protocol.Piece{{Name: "piece"}}
	}
	if !r.Flat {
		s.FuelPrice = r.FuelPrice.Int
		if s.FuelPrice == nil || s.FuelPrice.Sign() == 0 {
			s.FuelPrice = big.NewInt(defaultFuelPrice)
		}
	}
	s.Bid = r.Bid.Int
	if s.Bid == nil || s.Bid.Sign() == 0 {
		if r.Flat {
			return s, errors.New("a flat price needs a bid")
		}
		s.Bid = new(big.Int).Mul(s.FuelPrice, new(big.Int).SetUint64(s.Spec.Limits.Fuel))
	}
	if s.Bid.BitLen() > 96 || (s.FuelPrice != nil && s.FuelPrice.BitLen() > 96) {
		return s, errors.New("the bid exceeds 2^96 wei; lower the fuel limit or the price")
	}
	if uint64(len(s.Pieces)) > math.MaxUint32 {
		return s, errors.New("too many pieces")
	}
	rate := r.CheckRate
	if rate == 0 {
		rate = defaultCheckRate
	}
	var err error
	s.CheckRate, err = protocol.CheckRate(rate)
	return s, err
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func (b backend) Jobs(context.Context) ([]client.JobSummary, error) {
	if b.requester == nil {
		return nil, errNoRequester
	}
	files := b.requester.Files()
	list := make([]client.JobSummary, 0, len(files))
	b.feed.Read(func(v *protocol.View) {
		for _, f := range files {
			list = append(list, summary(v, f))
		}
	})
	return list, nil
}

func (b backend) Job(ctx context.Context, id common.Hash) (job client.Job, err error) {
	if b.requester == nil {
		return job, errNoRequester
	}
	f, err := b.requester.File(id)
	if err != nil {
		return job, notFound(err)
	}
	b.feed.Read(func(v *protocol.View) { job = report(v, f, b.market.Deployed().SettleWindow) })
	job.Offers = offerReports(b.requester.Choices(id))
	return job, b.withGas(ctx, &job)
}

func (b backend) Cancel(_ context.Context, id common.Hash) error {
	if b.requester == nil {
		return errNoRequester
	}
	f, err := b.requester.File(id)
	if err != nil {
		return notFound(err)
	}
	if f.Job.Done || f.Job.Rejected != "" {
		return api.BadRequest{Err: fmt.Errorf("job %s has ended already", id)}
	}
	return b.requester.Cancel(id)
}

func (b backend) Nodes(ctx context.Context) ([]client.Node, error) {
	var nodes []client.Node
	b.feed.Read(func(v *protocol.View) { nodes = reputations(v) })
	for i := range nodes {
		w, err := b.market.Wallet(ctx, nodes[i].Address)
		if err != nil {
			return nil, err
		}
		nodes[i].Free, nodes[i].Locked = client.Wei{Int: w.Free}, client.Wei{Int: w.Locked}
	}
	return nodes, nil
}

func (b backend) Import(ctx context.Context, root string, car io.Reader) (client.Imported, error) {
	c, err := data.ParseCID(root)
	if err != nil {
		return client.Imported{}, api.BadRequest{Err: err}
	}
	missing, err := b.data.ImportCAR(ctx, car, c, data.Limits{})
	if err != nil {
		return client.Imported{}, api.BadRequest{Err: err}
	}
	if len(missing) > 0 {
		return client.Imported{}, api.BadRequest{Err: fmt.Errorf("the CAR lacks %d blocks below %s", len(missing), c)}
	}
	if err := b.data.Pin(ctx, c); err != nil {
		return client.Imported{}, err
	}
	return b.keep(ctx, c)
}

func (b backend) ImportURL(ctx context.Context, url string) (client.Imported, error) {
	c, err := b.download(ctx, url)
	if errors.Is(err, data.ErrDiskFull) {
		return client.Imported{}, err
	}
	if err != nil {
		return client.Imported{}, api.BadRequest{Err: err}
	}
	return b.keep(ctx, c)
}

func (b backend) download(ctx context.Context, url string) (cid.Cid, error) {
	if data.IsS3(url) {
		return b.data.AddS3(ctx, b.cfg.S3, url, maxURLBytes)
	}
	c, _, err := b.data.AddURL(ctx, b.fetcher.HTTP, url, maxURLBytes)
	return c, err
}

// keep gives what came from this node's user to Kubo too.
func (b backend) keep(ctx context.Context, c cid.Cid) (client.Imported, error) {
	if err := b.lib.mirror(ctx, c); err != nil {
		return client.Imported{}, err
	}
	return b.imported(ctx, c)
}

// maxURLBytes bounds what is taken from a URL, bytes.
const maxURLBytes = 64 << 30

func (b backend) Fetch(ctx context.Context, wanted client.FetchRequest) (client.Imported, error) {
	c, err := data.ParseCID(wanted.CID)
	if err != nil {
		return client.Imported{}, api.BadRequest{Err: err}
	}
	if err := protocol.CheckProviders(wanted.Providers); err != nil {
		return client.Imported{}, api.BadRequest{Err: fmt.Errorf("providers: %w", err)}
	}
	get := b.fetch
	if wanted.Outline {
		get = b.outline
	}
	var absent *data.NotFoundError
	if err := get(ctx, []cid.Cid{c}, wanted.Providers); errors.As(err, &absent) {
		return client.Imported{}, notFound(err)
	} else if err != nil {
		return client.Imported{}, err
	}
	return b.imported(ctx, c)
}

func (b backend) imported(ctx context.Context, c cid.Cid) (client.Imported, error) {
	size, err := b.data.Size(ctx, c)
	return client.Imported{CID: c.String(), Size: size}, err
}

func (b backend) Gateway() http.Handler { return b.measures.counting(b.data.Handler()) }

func notFound(err error) error { return fmt.Errorf("%w: %w", api.ErrNotFound, err) }
