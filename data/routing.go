package data

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	routing "github.com/ipfs/boxo/routing/http/client"
	"github.com/ipfs/boxo/routing/http/types"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multiaddr"
)

const (
	// maxRouted is how many of the gateways that a routing service names are asked.
	maxRouted       = 8
	maxRoutingBytes = 1 << 20 // of an answer
	routingTimeout  = 15 * time.Second
	// gatewayProtocol is what a provider speaks that is a trustless gateway.
	gatewayProtocol = "transport-ipfs-gateway-http"
)

// routingClient is for the owner's routing service.
var routingClient = sync.OnceValue(func() *http.Client {
	return &http.Client{
		Transport:     &routing.ResponseBodyLimitedTransport{RoundTripper: ownClient().Transport, LimitBytes: maxRoutingBytes},
		CheckRedirect: checkRedirect,
	}
})

// enquiry is whom to ask for a DAG, one after the other.
type enquiry struct {
	fetcher *Fetcher
	c       cid.Cid
	left    []candidate
	routed  bool
}

func (f *Fetcher) enquire(c cid.Cid, providers []string) *enquiry {
	return &enquiry{fetcher: f, c: c, left: f.candidates(providers), routed: f.Own.Routing == ""}
}

// next is the one to ask now: when all others were asked in vain, those that the routing service names.
func (e *enquiry) next(ctx context.Context) (from candidate, ok bool) {
	if len(e.left) == 0 && !e.routed {
		e.routed = true
		gateways, err := route(ctx, e.fetcher.Own.Routing, e.c)
		if err != nil {
			return candidate{name: redacted(e.fetcher.Own.Routing), fault: fmt.Errorf("delegated routing: %w", err)}, true
		}
		e.left = e.fetcher.named(gateways)
	}
	if len(e.left) == 0 {
		return candidate{}, false
	}
	from, e.left = e.left[0], e.left[1:]
	return from, true
}

// route asks a delegated routing service, such as an index of IPNI, for trustless gateways that have c.
func route(ctx context.Context, service string, c cid.Cid) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, routingTimeout)
	defer cancel()
	client, err := routing.New(service, routing.WithHTTPClient(routingClient()), routing.WithProtocolFilter([]string{gatewayProtocol}))
	if err != nil {
		return nil, err
	}
	found, err := client.FindProviders(ctx, c)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var gateways []string
	for len(gateways) < maxRouted && found.Next() {
		if err := found.Val().Err; err != nil {
			return nil, err
		}
		peer, ok := found.Val().Val.(*types.PeerRecord)
		if !ok {
			continue
		}
		for _, addr := range peer.Addrs {
			if base, ok := gatewayURL(addr.Multiaddr); ok {
				gateways = append(gateways, base)
				break
			}
		}
	}
	return gateways, nil
}

// gatewayURL is the base URL that a multiaddr such as /dns4/example.org/tcp/443/tls/http stands for, if it is one of HTTP
// over TCP.
func gatewayURL(addr multiaddr.Multiaddr) (base string, ok bool) {
	u := url.URL{Scheme: "http"}
	var host, port string
	for _, part := range addr {
		switch value := part.Value(); part.Protocol().Code {
		case multiaddr.P_DNS, multiaddr.P_DNS4, multiaddr.P_DNS6, multiaddr.P_IP4, multiaddr.P_IP6:
			host = value
		case multiaddr.P_TCP:
			port = value
		case multiaddr.P_TLS:
			u.Scheme = "https"
		case multiaddr.P_HTTPS:
			u.Scheme, ok = "https", true
		case multiaddr.P_HTTP:
			ok = true
		case multiaddr.P_HTTP_PATH:
			path, err := url.PathUnescape(value)
			if err != nil {
				return "", false
			}
			u.Path = "/" + path
		case multiaddr.P_SNI, multiaddr.P_P2P:
		default:
			return "", false
		}
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	u.Host = net.JoinHostPort(host, port)
	return u.String(), ok && host != ""
}
