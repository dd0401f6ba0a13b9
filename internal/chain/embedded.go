package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	gethlog "github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/rpc"
)

// EmbeddedConfig describes a chain that runs inside this process.
type EmbeddedConfig struct {
	Dir           string                      // all of the chain's files; made if missing
	ChainID       uint64                      // ≥ 1
	PeriodSeconds uint64                      // seconds between blocks, ≥ 1: timestamps have whole seconds
	HTTPAddr      string                      // host:port for HTTP and WebSocket; empty is 127.0.0.1:0, a free port
	Alloc         map[common.Address]*big.Int // wei at genesis; ignored when Dir already holds a chain
	GasLimit      uint64                      // gas per block; 0 is 60,000,000
	LogHandler    slog.Handler                // go-ethereum's own messages from Warn up; nil keeps only why it ends the process
}

// Check returns the first thing wrong with the configuration and fills the defaults.
func (c *EmbeddedConfig) Check() error {
	switch {
	case c.Dir == "":
		return errors.New("embedded chain: name a directory")
	case c.ChainID == 0:
		return errors.New("embedded chain: the chain id must be at least 1")
	case c.PeriodSeconds == 0 || c.PeriodSeconds > 1<<32:
		return errors.New("embedded chain: the block period must be at least 1 second, and no longer than a century")
	}
	for addr, wei := range c.Alloc {
		if wei == nil || wei.Sign() < 0 || wei.BitLen() > 256 {
			return fmt.Errorf("embedded chain: the genesis balance of %s must be between 0 and 2^256-1 wei", addr)
		}
	}
	if c.HTTPAddr == "" {
		c.HTTPAddr = "127.0.0.1:0"
	}
	if c.GasLimit == 0 {
		c.GasLimit = 60_000_000
	}
	return nil
}

// Embedded is a persistent chain with one producer of blocks, inside this process,
// without peers. Whatever it has told anyone survives a kill -9: see gate.
type Embedded struct {
	stack  *node.Node
	eth    *eth.Ethereum
	beacon *catalyst.SimulatedBeacon
	api    *rpc.Server
	http   *http.Server
	addr   string
	gate   gate

	sealMu sync.Mutex // one block at a time
	stop   chan struct{}
	wg     sync.WaitGroup
	once   sync.Once
	failed chan struct{} // closed when the chain has stopped because of err
	err    error
}

// StartEmbedded starts the chain in cfg.Dir, continuing where it was if there is one.
// It is an error if another process has it open or if it has another chain id.
func StartEmbedded(cfg EmbeddedConfig) (*Embedded, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded chain: %w", err)
	}
	routeGethLog(cfg.LogHandler)
	e := &Embedded{stop: make(chan struct{}), failed: make(chan struct{})}
	if err := e.open(cfg); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.serve(cfg.HTTPAddr); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.wg.Go(func() { e.produce(time.Duration(cfg.PeriodSeconds) * time.Second) })
	return e, nil
}

// open takes the directory's lock and loads or creates the chain in it.
func (e *Embedded) open(cfg EmbeddedConfig) (err error) {
	e.stack, err = node.New(&node.Config{
		Name:    "chain",
		DataDir: cfg.Dir,
		P2P:     p2p.Config{NoDiscovery: true, NoDial: true},
	})
	if errors.Is(err, node.ErrDatadirUsed) {
		return fmt.Errorf("embedded chain: %s is in use by another process: stop it or use another directory", cfg.Dir)
	}
	if err != nil {
		return fmt.Errorf("embedded chain: %w", err)
	}
	genesis, err := loadGenesis(cfg)
	if err != nil {
		return fmt.Errorf("embedded chain: %w", err)
	}
	ec := ethconfig.Defaults
	ec.Genesis, ec.NetworkId, ec.SyncMode = genesis, cfg.ChainID, ethconfig.FullSync
	// Only this scheme with every state kept survives a kill: the others hold
	// recent states in memory and rewind the chain when it was not closed.
	ec.StateScheme, ec.NoPruning = rawdb.HashScheme, true
	ec.DatabaseCache, ec.TrieCleanCache, ec.TrieDirtyCache, ec.SnapshotCache = 32, 16, 32, 0
	ec.TxPool.Journal, ec.BlobPool.Datadir = "", "" // senders keep and resend their own
	ec.TxPool.NoLocals = true
	ec.TxPool.PriceLimit = 1
	ec.TxPool.AccountSlots, ec.TxPool.GlobalSlots = 4096, 16384
	ec.Miner.GasPrice, ec.Miner.GasCeil = big.NewInt(1), cfg.GasLimit
	ec.RPCTxFeeCap = 0
	if e.eth, err = eth.New(e.stack, &ec); err != nil {
		return fmt.Errorf("embedded chain: open %s: %w", cfg.Dir, err)
	}
	if err := e.stack.Start(); err != nil {
		return fmt.Errorf("embedded chain: start: %w", err)
	}
	// The period here is zero because produce below calls for every block; the
	// beacon's own clock would not wait for the disk.
	if e.beacon, err = catalyst.NewSimulatedBeacon(0, common.Address{}, e.eth); err != nil {
		return fmt.Errorf("embedded chain: block producer: %w", err)
	}
	if err := e.eth.ChainDb().SyncKeyValue(); err != nil {
		return fmt.Errorf("embedded chain: write to %s: %w", cfg.Dir, err)
	}
	return nil
}

// serve offers the public APIs, and only them, over HTTP and WebSocket on one port.
func (e *Embedded) serve(addr string) error {
	e.api = rpc.NewServer()
	fs := filters.NewFilterSystem(relayed{e.eth.APIBackend}, filters.Config{})
	apis := append(e.eth.APIs(), rpc.API{Namespace: "eth", Service: filters.NewFilterAPI(fs)})
	for _, api := range apis {
		if api.Namespace != "eth" && api.Namespace != "net" {
			continue
		}
		if err := e.api.RegisterName(api.Namespace, api.Service); err != nil {
			return fmt.Errorf("embedded chain: %w", err)
		}
	}
	// A browser that was lured to a page must not reach the chain, whatever name that page gave to this address.
	plain := node.NewHTTPHandlerStack(e.api, nil, []string{"localhost"}, nil, false)
	ws := e.api.WebsocketHandler(nil)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("embedded chain: %w: choose another address", err)
	}
	e.addr = l.Addr().String()
	e.http = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
				ws.ServeHTTP(w, r)
				return
			}
			plain.ServeHTTP(w, r)
		}),
	}
	e.wg.Go(func() { e.http.Serve(gatedListener{l, &e.gate}) })
	return nil
}

// produce makes a block every period until Close, or until a block cannot be made durable.
func (e *Embedded) produce(period time.Duration) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
		}
		if err := e.seal(0); err != nil {
			e.err = err
			close(e.failed)
			return
		}
	}
}

// seal makes one block, some time after the last one or now; it is durable before anyone can see it.
func (e *Embedded) seal(after time.Duration) error {
	e.sealMu.Lock()
	defer e.sealMu.Unlock()
	return e.gate.during(func() error {
		if after == 0 || e.beacon.AdjustTime(after) != nil { // which is an error when transactions wait
			e.beacon.Commit()
		}
		if err := e.eth.ChainDb().SyncKeyValue(); err != nil {
			return fmt.Errorf("embedded chain: a block could not be written to disk, free some space and restart: %w", err)
		}
		return nil
	})
}

// Advance makes a block now. Its time is some seconds after the last one's, or as little as possible if transactions wait
// to be mined: a network of one's own can leave months behind it in minutes.
func (e *Embedded) Advance(seconds uint64) error { return e.seal(time.Duration(seconds) * time.Second) }

// URL is the address of the JSON-RPC API over HTTP.
func (e *Embedded) URL() string { return "http://" + e.addr }

// WSURL is the address of the JSON-RPC API over WebSocket.
func (e *Embedded) WSURL() string { return "ws://" + e.addr }

// Dial connects a client to this chain.
func (e *Embedded) Dial(ctx context.Context) (*Client, error) { return Dial(ctx, e.WSURL()) }

// Failed is closed if the chain has to stop by itself; Err then says why.
func (e *Embedded) Failed() <-chan struct{} { return e.failed }

// Err is the reason of Failed, nil before it is closed.
func (e *Embedded) Err() error {
	select {
	case <-e.failed:
		return e.err
	default:
		return nil
	}
}

// Close stops the chain and releases its directory. It may be called twice.
func (e *Embedded) Close() (err error) {
	e.once.Do(func() {
		close(e.stop)
		if e.http != nil {
			err = e.http.Close()
			e.api.Stop()
		}
		e.wg.Wait()
		if e.stack != nil {
			err = errors.Join(err, e.stack.Close())
		}
	})
	return err
}

// routeGethLog sends go-ethereum's process-wide log to h from Warn up. Without h only its last
// words are kept: it ends the process itself when its database fails.
func routeGethLog(h slog.Handler) {
	from := slog.LevelWarn
	if h == nil {
		h, from = slog.Default().Handler(), gethlog.LevelCrit
	}
	gethlog.SetDefault(ownLogger{gethlog.NewLogger(levelHandler{h, from})})
}

// ownLogger hides go-ethereum's own logger type, which it would also install as the default
// of log/slog and so swallow this program's messages.
type ownLogger struct{ gethlog.Logger }

// levelHandler drops what is below a level.
type levelHandler struct {
	slog.Handler
	from slog.Level
}

func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.from && h.Handler.Enabled(ctx, l)
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs), h.from}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.from}
}
