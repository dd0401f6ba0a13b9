package data

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// ErrPrivateAddress means that a URL led to an address that is not on the public
// internet.
var ErrPrivateAddress = errors.New("address is not public")

const maxRedirects = 5

// ClientOptions is what NewClient leaves to choose.
type ClientOptions struct {
	// AllowPrivate permits loopback, private and link-local addresses: for a
	// network of one's own. Off, a stranger's URL cannot reach what only this
	// machine can reach, whatever its name resolves to or redirects to; proxies
	// from the environment are then not used either, since they would connect in
	// our place.
	AllowPrivate bool
}

// NewClient returns an HTTP client fit for URLs and servers that are not trusted.
// It bounds the times to connect and to answer, the headers and the redirects. It
// does not bound the body: its readers here do that.
func NewClient(o ClientOptions) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    rawFetchers,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // bytes as they are, and no decompression bombs
	}
	if o.AllowPrivate {
		transport.Proxy = http.ProxyFromEnvironment
	} else {
		dialer.Control = publicOnly
	}
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

// publicClient is what is used when the caller brings no client.
var publicClient = sync.OnceValue(func() *http.Client { return NewClient(ClientOptions{}) })

func checkRedirect(to *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && to.URL.Scheme != "https" {
		return errors.New("redirect from https to http")
	}
	return checkURL(to.URL)
}

// checkURL accepts http and https URLs that hold no password.
func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("URL %q: scheme must be http or https", u.Redacted())
	case u.Hostname() == "":
		return fmt.Errorf("URL %q has no host", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("URL %q holds a user name or password, which would be published: use a URL without", u.Redacted())
	}
	return nil
}

// publicOnly runs after name resolution, on the address about to be connected.
func publicOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrPrivateAddress, address)
	}
	if !isPublic(to.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivateAddress, to.Addr())
	}
	return nil
}

// special lists the ranges outside the public internet that netip has no
// predicate for, among them those that embed IPv4 addresses in IPv6.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
