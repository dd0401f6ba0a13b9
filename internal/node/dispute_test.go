package node_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

// brisk is a network with windows as short as one-second blocks allow, and a jury of three.
func brisk(t *testing.T, nodes, bad int) node.NetworkConfig {
	t.Helper()
	cfg := config(t, nodes, bad)
	p := &cfg.Parameters
	p.SettleWindow, p.DrawWindow, p.SilentWindow, p.AppealWindow, p.JurySize = 8, 12, 8, 8, 3
	return cfg
}

// counting is a job that counts the words of some lines, all of which are checked.
func counting(t *testing.T, n *node.Network, pieces int) client.JobRequest {
	t.Helper()
	b := n.Backend()
	request := client.JobRequest{
		Module: upload(t, b, examples.Wordcount), CheckRate: 0.9999, ExecuteSeconds: 30, ExpirySeconds: 600,
		Limits: protocol.Limits{MemoryBytes: 16 << 20, Fuel: 1e9, OutputBytes: 1 << 20},
	}
	for i := range pieces {
		input := upload(t, b, fmt.Appendf(nil, "In the beginning was line %d\n", i))
		request.Pieces = append(request.Pieces, client.PieceRequest{
			Name: fmt.Sprint(i), Inputs: []protocol.Input{{CID: input, Path: "text"}},
		})
	}
	return request
}

func submit(t *testing.T, n *node.Network, r client.JobRequest) common.Hash {
	t.Helper()
	id, err := n.Backend().Submit(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// until waits for a state of a job's executions.
func until(t *testing.T, n *node.Network, job common.Hash, reached func(r *protocol.Run, terms protocol.Terms) bool) {
	t.Helper()
	eventually(t, func() (ok bool) {
		n.Look(func(v *protocol.View) {
			j := v.Jobs[job]
			if j == nil {
				return
			}
			for _, id := range j.Runs {
				ok = ok || reached(v.Runs[id], j.Terms)
			}
		})
		return ok
	})
}

func balanced(t *testing.T, n *node.Network) {
	t.Helper()
	audit, err := n.Backend().Audit(t.Context())
	if err != nil || !audit.Conserved {
		t.Errorf("audit %+v, %v", audit, err)
	}
}

// slashed lists the fines of a job by node.
func slashed(job client.Job) map[common.Address]int {
	fines := map[common.Address]int{}
	for _, x := range job.Executions {
		for _, p := range x.Penalties {
			if p.Kind == protocol.PenaltySlash {
				fines[p.Wallet]++
			}
		}
	}
	return fines
}

// A node that shows nobody what it committed to loses its stake, and the job is done by others.
func TestWithheldLeavesCostTheStake(t *testing.T) {
	t.Parallel() // it waits for the chain most of the time
	cfg := brisk(t, 4, 1)
	cfg.Misbehaviour = node.WithheldLeaves
	n, _ := start(t, cfg)
	waitForNodes(t, n.Backend(), 4)
	r := counting(t, n, 8)
	r.PiecesPerExecution = 2
	job := waitForEnd(t, n.Backend(), submit(t, n, r))
	if job.Status != client.JobDone {
		t.Fatalf("job ended %s: %+v", job.Status, job)
	}
	fines := slashed(job)
	if cheat := n.BadActors()[0]; fines[cheat] == 0 || len(fines) != 1 {
		t.Errorf("fines %v, the cheat is %s", fines, cheat)
	}
	balanced(t, n)
}

// A client that vanishes after it asked for checks loses its bond; the seats open their own results and are paid.
func TestSeatsOpenWhenTheClientVanishes(t *testing.T) {
	t.Parallel() // it waits for the chain most of the time
	var vanish func()
	n, _ := start(t, brisk(t, 3, 0), func(n *node.Network) { vanish = n.Leash() })
	waitForNodes(t, n.Backend(), 3)
	r := counting(t, n, 3)
	r.PiecesPerExecution, r.Eager = 3, true
	id := submit(t, n, r)
	until(t, n, id, func(r *protocol.Run, _ protocol.Terms) bool { return r.Verification != nil })
	vanish()
	until(t, n, id, func(r *protocol.Run, _ protocol.Terms) bool { return r.Done() })
	n.Look(func(v *protocol.View) {
		r := v.Runs[v.Jobs[id].Runs[0]]
		if !r.Silent || len(r.Openings) != 3 || len(r.Payments) != 3 {
			t.Errorf("silent %t, openings %v, payments %v", r.Silent, r.Openings, r.Payments)
		}
		if len(r.Penalties) != 1 || r.Penalties[0].Kind != protocol.PenaltyBond {
			t.Errorf("penalties %+v", r.Penalties)
		}
	})
	balanced(t, n)
}

// Two colluding verifiers frame an honest node. It appeals, and a jury finds for it: they lose their stakes.
func TestFramedNodeWinsItsAppeal(t *testing.T) {
	t.Parallel() // it waits for the chain most of the time
	var jurors *node.Held
	n, _ := start(t, brisk(t, 8, 2), func(n *node.Network) { jurors = n.Hold(1, 5) })
	waitForNodes(t, n.Backend(), 3)
	r := counting(t, n, 1)
	r.Eager = true
	id := submit(t, n, r)
	until(t, n, id, func(r *protocol.Run, t protocol.Terms) bool {
		panel := r.Panel(t)
		return len(panel) == 2 && panel[0].Node != (common.Address{}) && panel[1].Node != (common.Address{})
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- jurors.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the jurors ended with %v", err)
		}
	})
	job := waitForEnd(t, n.Backend(), id)
	if job.Status != client.JobDone || job.PieceList[0].ExitCode != 0 {
		t.Fatalf("job ended %s: %+v", job.Status, job)
	}
	fines := slashed(job)
	for _, cheat := range n.BadActors() {
		if fines[cheat] == 0 {
			t.Errorf("fines %v, cheat %s has none", fines, cheat)
		}
	}
	if len(fines) != 2 {
		t.Errorf("fines %v", fines)
	}
	until(t, n, id, func(r *protocol.Run, _ protocol.Terms) bool {
		return r.Appeal != nil && r.Appeal.Decision != nil && r.Appeal.Decision.Result != (common.Hash{})
	})
	balanced(t, n)
}

// A drawn node that cannot fetch what it should run gives its seat back, and keeps its fee.
func TestNodeThatCannotFetchDeclines(t *testing.T) {
	t.Parallel() // it waits for the chain most of the time
	n, _ := start(t, brisk(t, 2, 0), func(n *node.Network) { n.Maroon(1) })
	waitForNodes(t, n.Backend(), 2)
	r := counting(t, n, 1)
	r.ExecuteSeconds = 12
	job := waitForEnd(t, n.Backend(), submit(t, n, r))
	if job.Status != client.JobDone || len(job.Executions) != 1 {
		t.Fatalf("job ended %s: %+v", job.Status, job)
	}
	x := job.Executions[0]
	if len(x.Seats) != 1 || x.Seats[0].Status != protocol.SeatStatusVacant || len(x.Penalties) != 0 {
		t.Errorf("seats %+v, penalties %+v", x.Seats, x.Penalties)
	}
	declined := 0
	for _, c := range job.Cost.Transactions {
		if c.Call == (protocol.DeclineSeat{}).Method() {
			declined = c.Count
		}
	}
	if declined != 1 { // who has declined is not drawn again, and nobody else is left
		t.Errorf("%d declines, want 1", declined)
	}
	nodes, err := n.Backend().Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range nodes {
		if m.Locked.Sign() != 0 {
			t.Errorf("node %s still has %s wei locked", m.Address, m.Locked.Int)
		}
	}
	balanced(t, n)
}
