package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/api"
)

// server is an HTTP server with its open listener.
type server struct {
	http.Server
	listener net.Listener
}

// listen opens both servers. An address in use is an error that names it.
func (n *Node) listen() (err error) {
	handler := n.measures.counting(n.data.Handler())
	if n.cfg.Compute != nil {
		handler = n.cfg.Compute.BadActor.handler(handler)
	}
	if n.requester != nil {
		mux := http.NewServeMux()
		mux.Handle(client.OffersPath, api.Intake(n.takeOffer, n.cfg.Log))
		mux.Handle("/", handler)
		handler = mux
	}
	if n.public, err = n.newServer(n.cfg.Listen, handler); err != nil || n.cfg.API == "" {
		return err
	}
	n.owner, err = n.newServer(n.cfg.API, n.ownersHandler())
	return err
}

// ownersHandler serves the API and the diagnostics.
func (n *Node) ownersHandler() http.Handler {
	mux, diagnostics := http.NewServeMux(), api.Guard(n.Diagnostics(n.cfg.Profiling))
	mux.Handle("/", api.New(backend{n}, n.cfg.Log))
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/"} {
		mux.Handle(path, diagnostics)
	}
	return mux
}

func (n *Node) newServer(address string, handler http.Handler) (*server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return &server{listener: listener, Server: http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(n.cfg.Log.Handler(), slog.LevelDebug),
	}}, nil
}

func (s *server) url() string { return "http://" + s.listener.Addr().String() }

// URL is where others get the node's data.
func (n *Node) URL() string { return cmp.Or(n.cfg.Announce, n.public.url()) }

// API is the URL of the owner's server, "" if there is none.
func (n *Node) API() string {
	if n.owner == nil {
		return ""
	}
	return n.owner.url()
}

// serve answers requests until ctx ends.
func (n *Node) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range []*server{n.public, n.owner} {
		if s != nil {
			group.Go(func() error { return s.run(ctx) })
		}
	}
	return group.Wait()
}

func (s *server) run(ctx context.Context) error {
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		err := s.Shutdown(stop)
		if err != nil {
			err = s.Close()
		}
		stopped <- err
	})()
	if err := s.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
