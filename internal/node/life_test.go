package node_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

// Nodes live whole lives on chains that are not ours: on geth's, reached by an endpoint that fails in every way in turn, and
// on anvil's, which drops the first transaction of every kind in a reorganisation and whose clock is ten minutes behind
// the nodes'. Both run at once, for they wait most of the time.
func TestLifeOnForeignChains(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	group.Go(func() {
		t.Run("geth", func(t *testing.T) {
			geth := startGeth(t)
			endpoint := startMoody(t, geth.httpURL())
			l := openLife(t, node.ChainConfig{URL: endpoint.URL}, geth)
			l.frame()
			l.count(func() { geth.weather(endpoint, l.Contract(), time.Second) })
			l.vanish()
			l.judge()
		})
	})
	group.Go(func() {
		t.Run("anvil", func(t *testing.T) {
			anvil := startAnvil(t, -10*time.Minute)
			l := openLife(t, node.ChainConfig{URL: anvil.wsURL()}, anvil)
			ctx, stop := context.WithCancel(t.Context())
			undone := make(chan map[string]int, 1)
			go func() { undone <- anvil.undo(ctx, l.Contract()) }()
			l.frame()
			l.count(nil)
			l.vanish()
			l.judge()
			stop()
			kinds := <-undone
			t.Logf("undone by reorganisations: %v", kinds)
			for _, call := range []protocol.Call{
				protocol.Deposit{}, protocol.Register{}, protocol.Announce{}, protocol.CreateJob{}, protocol.AcceptOffer{},
				protocol.CommitResult{}, protocol.Verify{}, protocol.Draw{},
				protocol.CommitVerification{}, protocol.RevealKey{}, protocol.Appeal{},
				protocol.DrawJury{}, protocol.CommitVote{}, protocol.RevealVote{}, protocol.TimeoutAppealed{},
				protocol.OpenSelf{}, protocol.TimeoutSilent{},
			} {
				if kinds[call.Method()] == 0 {
					t.Errorf("no %s was undone", call.Method())
				}
			}
		})
	})
	group.Wait()
}

// TestChainAhead: nodes whose clocks are ten minutes slow do a job in time.
func TestChainAhead(t *testing.T) {
	t.Parallel()
	anvil := startAnvil(t, 10*time.Minute)
	cfg := config(t, 3, 0)
	cfg.Chain, cfg.Funder = node.ChainConfig{URL: anvil.wsURL()}, anvil.funder
	net, _ := start(t, cfg)
	waitForNodes(t, net.Backend(), 3)
	r := counting(t, net, 2)
	r.CheckRate = 0.999
	if job := waitForEnd(t, net.Backend(), submit(t, net, r)); job.Status != client.JobDone {
		t.Errorf("job ended %s: %+v", job.Status, job)
	}
	net.Look(func(v *protocol.View) {
		if ahead := time.Until(time.Unix(int64(v.Head.Time), 0)); ahead < 9*time.Minute {
			t.Errorf("the chain is ahead by %v only", ahead)
		}
		for id, r := range v.Runs {
			if len(r.Penalties) != 0 {
				t.Errorf("execution %s: %+v", id, r.Penalties)
			}
		}
	})
	balanced(t, net)
}

// life is a network of six honest nodes and two that collude, and its jobs.
type life struct {
	*testing.T
	*node.Network
	jurors         *node.Held
	leash          func()
	framed, silent common.Hash
}

func openLife(t *testing.T, where node.ChainConfig, on *foreign) *life {
	t.Helper()
	cfg := config(t, 8, 2)
	cfg.Chain, cfg.Funder = where, on.funder
	p := &cfg.Parameters
	p.SettleWindow, p.DrawWindow, p.SilentWindow, p.AppealWindow, p.JurySize = 25, 40, 20, 25, 3
	l := &life{T: t}
	l.Network, _ = start(t, cfg, func(n *node.Network) { l.jurors, l.leash = n.Hold(1, 5), n.Leash() })
	waitForNodes(t, l.Backend(), 3)
	return l
}

// frame has the colluders outvote an honest node, which appeals. The other nodes come after the draw.
func (l *life) frame() {
	r := counting(l.T, l.Network, 1)
	r.Eager = true
	l.framed = submit(l.T, l.Network, r)
	until(l.T, l.Network, l.framed, func(r *protocol.Run, t protocol.Terms) bool {
		panel := r.Panel(t)
		return len(panel) == 2 && panel[0].Node != (common.Address{}) && panel[1].Node != (common.Address{})
	})
	ctx, stop := context.WithCancel(l.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.jurors.Run(ctx) }()
	l.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			l.Errorf("the jurors ended with %v", err)
		}
	})
	waitForNodes(l.T, l.Backend(), 8)
}

// count has a job with several executions done while something happens. Some of them may fall to the colluders.
func (l *life) count(meanwhile func()) {
	r := counting(l.T, l.Network, 6)
	r.PiecesPerExecution = 2
	id := submit(l.T, l.Network, r)
	if meanwhile != nil {
		meanwhile()
	}
	if job := waitForEnd(l.T, l.Backend(), id); job.Status != client.JobDone {
		l.Errorf("job ended %s: %+v", job.Status, job)
	}
}

// vanish has the client ask for a check and be gone. Its job ends without it.
func (l *life) vanish() {
	r := counting(l.T, l.Network, 1)
	r.Eager = true
	l.silent = submit(l.T, l.Network, r)
	until(l.T, l.Network, l.silent, func(r *protocol.Run, _ protocol.Terms) bool { return r.Verification != nil })
	l.leash()
	until(l.T, l.Network, l.silent, func(r *protocol.Run, _ protocol.Terms) bool { return r.Done() })
}

// judge checks what everything came to.
func (l *life) judge() {
	until(l.T, l.Network, l.framed, func(r *protocol.Run, _ protocol.Terms) bool { return r.Done() })
	cheats := l.BadActors()
	l.Look(func(v *protocol.View) {
		fined := map[common.Address]bool{}
		for id, r := range v.Runs {
			for _, p := range r.Penalties {
				if p.Kind != protocol.PenaltySlash {
					continue
				}
				if !slices.Contains(cheats, p.Wallet) {
					l.Errorf("honest node %s was slashed in execution %s", p.Wallet, id)
				}
				if r.Record.Job == l.framed {
					fined[p.Wallet] = true
				}
			}
		}
		if len(fined) != 2 {
			l.Errorf("of those who framed the node these were fined: %v", slices.Collect(maps.Keys(fined)))
		}
		r := v.Runs[v.Jobs[l.framed].Runs[0]]
		if r.Appeal == nil || r.Appeal.Decision == nil || r.Appeal.Decision.Result == (common.Hash{}) {
			l.Errorf("appeal %+v", r.Appeal)
		}
		r = v.Runs[v.Jobs[l.silent].Runs[0]]
		bond := slices.ContainsFunc(r.Penalties, func(p protocol.Penalty) bool { return p.Kind == protocol.PenaltyBond })
		if len(r.Openings) == 0 || !bond {
			l.Errorf("openings %v, penalties %+v", r.Openings, r.Penalties)
		}
		for _, what := range node.Unopenable(v, l.Network, l.jurors) {
			l.Errorf("cannot be opened: %s", what)
		}
	})
	balanced(l.T, l.Network)
}
