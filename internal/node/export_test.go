package node

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
)

// Held are nodes of a network that do not run with the others.
type Held struct{ nodes []*Node }

// Hold keeps count nodes from the one at first on from running with the others. It is called before Run.
func (n *Network) Hold(first, count int) *Held {
	h := &Held{slices.Clone(n.nodes[first : first+count])}
	n.nodes = slices.Delete(n.nodes, first, first+count)
	return h
}

// Run runs the nodes until ctx ends, and closes them.
func (h *Held) Run(ctx context.Context) error {
	var group errgroup.Group
	for _, member := range h.nodes {
		group.Go(func() error {
			defer member.Close()
			return member.Run(ctx)
		})
	}
	return group.Wait()
}

// Leash makes the client's agent stop for good when the function is called, while its node goes on to follow the chain.
// It is called before Run.
func (n *Network) Leash() (vanish func()) {
	act, gone := n.requester.run[0], make(chan struct{})
	n.requester.run[0] = func(ctx context.Context) error {
		acting, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			select {
			case <-gone:
			case <-ctx.Done():
			}
			stop()
		}()
		err := act(acting)
		<-ctx.Done()
		return err
	}
	return func() { close(gone) }
}

// Maroon makes a node unable to fetch anything. It is called before Run.
func (n *Network) Maroon(index int) {
	n.nodes[index].fetcher.HTTP = data.NewClient(data.ClientOptions{}) // not from a loopback address
}

// Look calls f with what the requester node knows of the chain.
func (n *Network) Look(f func(*protocol.View)) { n.requester.feed.Read(f) }

// Advance makes blocks, some seconds after one another, and waits until every node has read them.
func (n *Network) Advance(ctx context.Context, blocks int, seconds uint64) error {
	for range blocks {
		if err := n.chain.Advance(seconds); err != nil {
			return err
		}
	}
	head, err := n.requester.chain.HeadPoint(ctx)
	if err != nil {
		return err
	}
	for _, m := range n.members() {
		for {
			changed := m.feed.Changed()
			if m.head().Number >= head.Number {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			}
		}
	}
	return nil
}

func (n *Network) members() []*Node { return append([]*Node{n.requester}, n.nodes...) }

// Tally counts what the nodes have kept, all together, by what it is.
func (n *Network) Tally(ctx context.Context) (map[string]int, error) {
	tally := map[string]int{}
	for _, m := range n.members() {
		m.feed.Read(func(v *protocol.View) {
			tally["jobs in views"] += len(v.Jobs)
			tally["executions in views"] += len(v.Runs)
		})
		if err := m.feed.Transactions(func(protocol.Event, common.Hash) error { tally["events"]++; return nil }); err != nil {
			return nil, err
		}
		if err := m.store.Works(func(store.Work) error { tally["works"]++; return nil }); err != nil {
			return nil, err
		}
		if err := m.store.Jobs(func(store.Job) error { tally["jobs stored"]++; return nil }); err != nil {
			return nil, err
		}
		pins, err := m.data.Pins(ctx)
		if err != nil {
			return nil, err
		}
		tally["pins"] += len(pins)
	}
	return tally, nil
}

// MetricsTable is METRICS.md as the code would have it.
func MetricsTable() string {
	var b strings.Builder
	b.WriteString("# What a node counts\n\nServed on `/metrics` to the node's owner, in Prometheus' format, beside the usual figures of a Go process.\n\n")
	b.WriteString("| metric | type | labels | what |\n|---|---|---|---|\n")
	for _, m := range catalogue {
		kind := map[prometheus.ValueType]string{prometheus.CounterValue: "counter", prometheus.GaugeValue: "gauge"}[m.kind]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, kind, strings.Join(m.labels, ", "), m.help)
	}
	fmt.Fprintf(&b, "| `%s` | histogram | | %s |\n", runSeconds.Name, runSeconds.Help)
	return b.String()
}

// MetricNames lists all metrics.
func MetricNames() []string {
	names := []string{runSeconds.Name}
	for _, m := range catalogue {
		names = append(names, m.name)
	}
	return names
}

// ServeDiagnostics serves those of each node until the test ends.
func ServeDiagnostics(t *testing.T, n *Network) (urls []string) {
	for _, m := range n.members() {
		s := httptest.NewServer(m.Diagnostics(false))
		t.Cleanup(s.Close)
		urls = append(urls, s.URL)
	}
	return urls
}

// Contract is the market's address.
func (n *Network) Contract() common.Address { return n.state.Contract }

// Unopenable lists the commitments on the chain that their nodes lack what it takes to open, as far as they are among
// these nodes.
func Unopenable(v *protocol.View, n *Network, held *Held) (found []string) {
	for _, m := range append(slices.Clone(n.nodes), held.nodes...) {
		for id, r := range v.Runs {
			roots := map[uint8]common.Hash{}
			if r.Node == m.self && r.Record.Root != (common.Hash{}) {
				roots[1] = r.Record.Root
			}
			for number, seat := range r.Seats {
				if seat.Record.Node == m.self && seat.Record.Root != (common.Hash{}) {
					roots[number] = seat.Record.Root
				}
			}
			for number, root := range roots {
				work, err := m.store.Work(id, number, root)
				if err != nil || len(work.Scalars) != len(work.Leaves) {
					found = append(found, fmt.Sprintf("node %s, execution %s, seat %d: %v", m.self, id, number, err))
				}
			}
		}
	}
	return found
}
