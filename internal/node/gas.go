package node

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/protocol"
)

// gasBook remembers what transactions did and cost.
type gasBook struct {
	mu   sync.Mutex
	used map[common.Hash]entry
}

type entry struct {
	call string // the contract's function
	gas  uint64
}

// byOtherContract names transactions that reached the contract through another one.
const byOtherContract = "other"

func (g *gasBook) of(ctx context.Context, c *chain.Client, tx common.Hash) (entry, error) {
	g.mu.Lock()
	e, known := g.used[tx]
	g.mu.Unlock()
	if known {
		return e, nil
	}
	mined, err := c.Mined(ctx, tx)
	if err != nil {
		return entry{}, err
	}
	e = entry{call: byOtherContract, gas: mined.GasUsed}
	if call, err := market.DecodeCall(mined.Input); err == nil {
		e.call = call.Method()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used == nil {
		g.used = map[common.Hash]entry{}
	}
	g.used[tx] = e
	return e, nil
}

// forget drops everything: what is asked for again is looked up again.
func (g *gasBook) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used = nil
}

// transactions adds up the gas of all parties' transactions for a job, by function. A transaction that touches two
// jobs does not exist.
func (n *Node) transactions(ctx context.Context, job common.Hash) ([]client.TransactionCost, error) {
	runs := map[common.Hash]bool{}
	n.feed.Read(func(v *protocol.View) {
		if j := v.Jobs[job]; j != nil {
			for _, id := range j.Runs {
				runs[id] = true
			}
		}
	})
	seen := map[common.Hash]bool{}
	var order []common.Hash
	err := n.feed.Transactions(func(event protocol.Event, tx common.Hash) error {
		if about := subject(event); (about == job || runs[about]) && !seen[tx] {
			seen[tx] = true
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
		e, err := n.gas.of(ctx, n.chain, tx)
		if errors.Is(err, chain.ErrNotMined) {
			continue // a reorganisation took it, as the feed will tell
		}
		if err != nil {
			return nil, err
		}
		i, known := at[e.call]
		if !known {
			i = len(costs)
			at[e.call] = i
			costs = append(costs, client.TransactionCost{Call: e.call})
		}
		costs[i].Count++
		costs[i].Gas += e.gas
	}
	return costs, nil
}

// subject is the execution or job that an event is about, or zero.
func subject(event protocol.Event) common.Hash {
	fields := reflect.ValueOf(event)
	for _, name := range []string{"Execution", "Job"} {
		if id := fields.FieldByName(name); id.IsValid() {
			return id.Interface().(common.Hash)
		}
	}
	return common.Hash{}
}
