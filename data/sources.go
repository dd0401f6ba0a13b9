package data

import (
	"fmt"
	"net/http"
	"sync"
)

// Sources are servers that the owner of a store chose. Unlike providers that
// others name they may have private addresses. What they send is verified all
// the same.
type Sources struct {
	// Gateways are base URLs of trustless gateways: Filecoin storage providers,
	// IPFS gateways, other nodes. They are asked after the providers of a fetch.
	Gateways []string
	// Kubo is a Kubo daemon. It is asked first for what it has, and last for what
	// it can find in its own network.
	Kubo Kubo
	// Routing is the base URL of a delegated routing service (/routing/v1), such as an index of IPNI; "" is none. It is
	// asked for gateways when nobody else has a DAG.
	Routing string
}

// Check reports the first setting that cannot work.
func (s Sources) Check() error {
	for _, base := range s.Gateways {
		if _, err := newTrustless(base); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	if s.Routing != "" {
		if _, err := newTrustless(s.Routing); err != nil {
			return fmt.Errorf("delegated routing: %w", err)
		}
	}
	return s.Kubo.Check()
}

// ownClient is for servers that the owner chose.
var ownClient = sync.OnceValue(func() *http.Client { return NewClient(ClientOptions{AllowPrivate: true}) })

// candidates lists whom to ask, in order.
func (f *Fetcher) candidates(providers []string) []candidate {
	var all []candidate
	if f.Own.Kubo.URL != "" {
		all = append(all, f.Own.Kubo.candidate(false))
	}
	all = append(all, f.named(providers)...)
	for _, base := range f.Own.Gateways {
		all = append(all, gatewayAt(base, ownClient()))
	}
	if f.Own.Kubo.URL != "" {
		all = append(all, f.Own.Kubo.candidate(true))
	}
	return all
}

// named lists the providers of a call.
func (f *Fetcher) named(providers []string) []candidate {
	others := f.HTTP
	if others == nil {
		others = publicClient()
	}
	all := make([]candidate, len(providers))
	for i, base := range providers {
		all[i] = gatewayAt(base, others)
	}
	return all
}
