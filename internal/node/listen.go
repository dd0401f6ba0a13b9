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
	"github.com/filecoin-project/bacalhau/data"
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
	if n.public, err = newPublicServer(n.cfg.Listen, handler, n.cfg.Log); err != nil || n.cfg.API == "" {
		return err
	}
	n.owner, err = newServer(n.cfg.API, n.ownersHandler(), n.cfg.Log)
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

func newServer(address string, handler http.Handler, log *slog.Logger) (*server, error) {
	listener, err := data.Listen(context.Background(), address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return &server{listener: listener, Server: http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// bodyTimeout is how long a stranger's request may take to send its body.
const bodyTimeout = 10 * time.Second

// newPublicServer makes a server for strangers.
func newPublicServer(address string, handler http.Handler, log *slog.Logger) (*server, error) {
	s, err := newServer(address, hurried(handler, bodyTimeout), log)
	if err == nil {
		s.ConnState = newCrowd(maxConnections).watch
	}
	return s, err
}

// hurried bounds the time for a request's body. A ReadTimeout of the server would end long downloads too.
func hurried(handler http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout)) // a connection has deadlines
		}
		handler.ServeHTTP(w, r)
	})
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
