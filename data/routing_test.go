package data

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	routing "github.com/ipfs/boxo/routing/http/server"
	"github.com/ipfs/boxo/routing/http/types"
	"github.com/ipfs/boxo/routing/http/types/iter"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multiaddr"
)

// index answers a routing service's requests: each CID has providers. It has none of the methods that are not asked for.
type index struct {
	routing.DelegatedRouter
	known map[cid.Cid][]types.Record
}

func (x index) FindProviders(_ context.Context, c cid.Cid, _ int) (iter.ResultIter[types.Record], error) {
	return iter.ToResultIter(iter.FromSlice(x.known[c])), nil
}

// peer is a provider's record, as IPNI gives it.
func peer(t *testing.T, protocol string, addrs ...string) types.Record {
	r := &types.PeerRecord{Schema: types.SchemaPeer, Protocols: []string{protocol}}
	for _, a := range addrs {
		r.Addrs = append(r.Addrs, types.Multiaddr{Multiaddr: must(multiaddr.NewMultiaddr(a))(t)})
	}
	return r
}

// at is the multiaddr of a test server.
func at(t *testing.T, p *serving) string {
	u := must(url.Parse(p.URL))(t)
	return "/ip4/" + u.Hostname() + "/tcp/" + u.Port() + "/http"
}

// What no provider has comes from the gateways that a routing service knows, which is asked last, and is verified.
func TestDelegatedRouting(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	indexed, liar, empty := serve(t, src.Handler()), serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("junk"))
	})), serve(t, open(t).Handler())
	asked := 0
	known := index{known: map[cid.Cid][]types.Record{root: {
		peer(t, "transport-bitswap", "/ip4/192.0.2.1/tcp/4001"),
		peer(t, gatewayProtocol, "/ip4/192.0.2.1/udp/4001/quic-v1"), // of no use
		peer(t, gatewayProtocol, at(t, liar)),
		peer(t, gatewayProtocol, at(t, indexed)),
	}}}
	handler := routing.Handler(known)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(service.Close)

	f := &Fetcher{Store: dst, HTTP: local, Own: Sources{Routing: service.URL}}
	if size, here, err := f.Measure(ctx, root, nil); err != nil || size == 0 || here {
		t.Errorf("measured %d bytes, here %v, %v", size, here, err)
	}
	if err := f.Fetch(ctx, root, []string{empty.URL}); err != nil {
		t.Fatal(err)
	}
	fetched(t, dst, root)
	if asked != 2 || len(liar.requests) == 0 || len(empty.requests) == 0 {
		t.Errorf("the service was asked %d times, the liar %d, the provider %d", asked, len(liar.requests), len(empty.requests))
	}
	f.Store = open(t)
	if err := f.Fetch(ctx, root, []string{indexed.URL}); err != nil || asked != 2 {
		t.Errorf("what a provider has: %v, and the service was asked %d times", err, asked-2)
	}
	var absent *NotFoundError
	unknown := specCID(cid.Raw, []byte("unknown"))
	if err := f.Fetch(ctx, unknown, nil); !errors.As(err, &absent) || len(absent.Tried) != 0 || asked != 3 {
		t.Errorf("what nobody has: %v", err)
	}
	guarded := &Fetcher{Store: open(t), Own: f.Own}
	if err := guarded.Fetch(ctx, root, nil); !errors.Is(err, ErrPrivateAddress) {
		t.Errorf("a private address that a service names: %v", err)
	}
}

// A routing service that fails or never ends leads to no provider, and to no more than that.
func TestRoutingServiceFails(t *testing.T) {
	c := specCID(cid.Raw, []byte("x"))
	endless := strings.Repeat(`{"Schema":"unknown"}`+"\n", 1<<10)
	for name, x := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"500":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, "500"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "content type"},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("["))
		}, ""},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-ndjson")
			for err := error(nil); err == nil; _, err = w.Write([]byte(endless)) {
			}
		}, ""},
	} {
		s := serve(t, x.handler)
		var absent *NotFoundError
		err := (&Fetcher{Store: open(t), HTTP: local, Own: Sources{Routing: s.URL}}).Fetch(t.Context(), c, nil)
		if !errors.As(err, &absent) || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGatewayURL(t *testing.T) {
	for addr, want := range map[string]string{
		"/dns4/example.org/tcp/443/https":                  "https://example.org:443",
		"/dns/example.org/https":                           "https://example.org:443",
		"/dns/example.org/tcp/8443/tls/http":               "https://example.org:8443",
		"/ip4/192.0.2.1/tcp/80/http/http-path/a%2Fb":       "http://192.0.2.1:80/a/b",
		"/ip6/2001:db8::1/tcp/3000/http":                   "http://[2001:db8::1]:3000",
		"/dns4/example.org/tcp/443/tls/sni/example.org/ws": "",
		"/ip4/192.0.2.1/tcp/4001":                          "",
		"/ip4/192.0.2.1/udp/443/quic-v1":                   "",
	} {
		got, ok := gatewayURL(must(multiaddr.NewMultiaddr(addr))(t))
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v; want %q", addr, got, ok, want)
		}
	}
}
