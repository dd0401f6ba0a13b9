package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/filecoin-project/bacalhau/client"
)

// Guard keeps web pages from driving the API through the browser of whoever runs the node. A browser names the page's
// origin; requests from elsewhere than the node's own pages are refused. A page may also have its own name resolve to
// this machine (DNS rebinding): requests that arrive on a loopback address must therefore be meant for one.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := foreign(r); reason != "" {
			write(w, http.StatusForbidden, client.Failure{Error: reason, Code: client.CodeForbidden})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says why a request is not one of the node's own users', or "".
func foreign(r *http.Request) string {
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		origin, err := url.Parse(origins[0])
		if err != nil || len(origins) > 1 || origin.Host == "" || !strings.EqualFold(origin.Host, r.Host) {
			return "requests from other web pages are refused"
		}
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return "requests from other web pages are refused"
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local != nil && isLoopback(local.String()) && !isLocalName(r.Host) {
		return "requests to this machine must be addressed to it, as 127.0.0.1 or localhost"
	}
	return ""
}

func isLoopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// isLocalName accepts what no foreign name server has a say in: localhost and literal addresses.
func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
