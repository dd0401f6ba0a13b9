package node

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// gasBook remembers what transactions cost.
type gasBook struct {
	mu   sync.Mutex
	used map[common.Hash]uint64
}

func (g *gasBook) of(tx common.Hash, ask func() (uint64, error)) (uint64, error) {
	g.mu.Lock()
	used, known := g.used[tx]
	g.mu.Unlock()
	if known {
		return used, nil
	}
	used, err := ask()
	if err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used == nil {
		g.used = map[common.Hash]uint64{}
	}
	g.used[tx] = used
	return used, nil
}

// transactions adds up the gas of all parties' transactions for a job, by the first event that each emitted. A
// transaction that touches two jobs does not exist.
func (n *Node) transactions(ctx context.Context, job common.Hash) ([]client.TransactionCost, error) {
	runs := map[common.Hash]bool{}
	n.feed.Read(func(v *protocol.View) {
		if j := v.Jobs[job]; j != nil {
			for _, id := range j.Runs {
				runs[id] = true
			}
		}
	})
	kinds := map[common.Hash]string{}
	var order []common.Hash
	err := n.feed.Transactions(func(event protocol.Event, tx common.Hash) error {
		if about := subject(event); about != job && !runs[about] {
			return nil
		}
		if kinds[tx] == "" {
			kinds[tx] = event.Name()
			order = append(order, tx)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var costs []client.TransactionCost
	at := map[string]int{}
	for _, tx := range order {
		used, err := n.gas.of(tx, func() (uint64, error) { return n.chain.GasUsed(ctx, tx) })
		if err != nil {
			return nil, err
		}
		kind := kinds[tx]
		i, known := at[kind]
		if !known {
			i = len(costs)
			at[kind] = i
			costs = append(costs, client.TransactionCost{Event: kind})
		}
		costs[i].Count++
		costs[i].Gas += used
	}
	return costs, nil
}

// subject is the job or execution that an event is about, or zero.
func subject(event protocol.Event) common.Hash {
	switch e := event.(type) {
	case protocol.JobCreated:
		return e.Job
	case protocol.JobClosed:
		return e.Job
	case protocol.OfferPosted:
		return e.Job
	case protocol.ExecutionAssigned:
		return e.Job
	case protocol.ReturnedClosed:
		return e.Execution
	case protocol.ResultCommitted:
		return e.Execution
	case protocol.ExecutionReturned:
		return e.Execution
	case protocol.ExecutionSettled:
		return e.Execution
	case protocol.ExecutionRefunded:
		return e.Execution
	case protocol.VerificationRequested:
		return e.Execution
	case protocol.VerificationEscalated:
		return e.Execution
	case protocol.SeatChanged:
		return e.Execution
	case protocol.SeatCommitted:
		return e.Execution
	case protocol.KeyRevealed:
		return e.Execution
	case protocol.SeatPaid:
		return e.Execution
	case protocol.Slashed:
		return e.Execution
	case protocol.NoShowBurned:
		return e.Execution
	case protocol.BondBurned:
		return e.Execution
	}
	return common.Hash{}
}
