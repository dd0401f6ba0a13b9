package api

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// How many offers an intake looks at, a second and at once: from everybody, and from one address (IPv4, or an IPv6
// network of /64). Each costs the check of a signature.
const (
	allOffers, allOffersBurst = 200, 1000
	oneOffers, oneOffersBurst = 20, 200
	// knownAddresses bounds the addresses that are told apart.
	knownAddresses = 10_000
	maxOfferBytes  = 2 << 10
)

// Unwanted marks an offer that is refused for good: the same again would be refused again.
type Unwanted struct{ Err error }

func (e Unwanted) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e Unwanted) Unwrap() error { return e.Err }

// Intake takes offers that nodes send directly. Anyone may: what take does not want is answered with 422, what comes too
// fast or finds no room with 429, and an offer that is kept with 202. A node that is turned away has the chain.
func Intake(take func(protocol.SignedOffer) error, log *slog.Logger) http.Handler {
	i := &intake{
		take: take, log: log, all: rate.NewLimiter(allOffers, allOffersBurst), one: map[netip.Prefix]*rate.Limiter{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+client.OffersPath, i.serve)
	return mux
}

type intake struct {
	take func(protocol.SignedOffer) error
	log  *slog.Logger
	all  *rate.Limiter

	mu  sync.Mutex
	one map[netip.Prefix]*rate.Limiter
}

func (i *intake) serve(w http.ResponseWriter, r *http.Request) {
	if !i.from(r.RemoteAddr).Allow() || !i.all.Allow() {
		tooMany(w, "too many offers: post this one on the chain")
		return
	}
	var o client.SignedOffer
	if err := decode(w, r, maxOfferBytes, &o); err != nil {
		status, code := classify(err)
		write(w, status, client.Failure{Error: err.Error(), Code: code})
		return
	}
	err := i.take(protocol.SignedOffer{Offer: o.Offer, Signature: o.Signature})
	var unwanted Unwanted
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.As(err, &unwanted):
		write(w, http.StatusUnprocessableEntity, client.Failure{Error: err.Error(), Code: client.CodeBadRequest})
	default:
		tooMany(w, err.Error())
	}
}

func tooMany(w http.ResponseWriter, reason string) {
	w.Header().Set("Retry-After", "10")
	write(w, http.StatusTooManyRequests, client.Failure{Error: reason, Code: client.CodeRefused})
}

// from is the limiter of an address. When there are too many to tell apart all are forgotten; the limit for everybody
// holds.
func (i *intake) from(remote string) *rate.Limiter {
	network := networkOf(remote)
	i.mu.Lock()
	defer i.mu.Unlock()
	l := i.one[network]
	if l == nil {
		if len(i.one) >= knownAddresses {
			clear(i.one)
		}
		l = rate.NewLimiter(oneOffers, oneOffersBurst)
		i.one[network] = l
	}
	return l
}

func networkOf(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	if a = a.Unmap().WithZone(""); a.Is6() {
		bits = 64
	}
	network, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
