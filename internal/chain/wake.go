package chain

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// defaultPoll suits a chain on the same machine.
const defaultPoll = 250 * time.Millisecond

// pushedPoll is the longest wait where heads are pushed: looking as often as without would
// be most of what many nodes ask of a chain.
const pushedPoll = 5 * time.Second

// wake returns a channel that receives when there may be a new block: on every
// new head where the connection can push them (WebSocket), every poll where it cannot,
// and every pushedPoll in any case, because a push may be lost. Pushed heads are never
// read as data. The goroutine behind it ends with ctx.
func (c *Client) wake(ctx context.Context, poll time.Duration) <-chan struct{} {
	out := make(chan struct{}, 1)
	out <- struct{}{}
	go func() {
		tick := time.NewTicker(poll)
		defer tick.Stop()
		heads := make(chan json.RawMessage, 16)
		sub, lost := c.subscribe(ctx, heads)
		woken := time.Now()
		for {
			select {
			case <-ctx.Done():
				if sub != nil {
					sub.Unsubscribe()
				}
				return
			case <-heads:
			case <-lost:
				sub, lost = nil, nil
			case <-tick.C:
				if sub != nil && time.Since(woken) < pushedPoll {
					continue
				}
				if sub == nil && c.rpc.SupportsSubscriptions() {
					sub, lost = c.subscribe(ctx, heads)
				}
			}
			woken = time.Now()
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out
}

func (c *Client) subscribe(ctx context.Context, heads chan json.RawMessage) (*rpc.ClientSubscription, <-chan error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sub, err := c.rpc.EthSubscribe(ctx, heads, "newHeads")
	if err != nil { // polling goes on; the next tick tries again
		return nil, nil
	}
	return sub, sub.Err()
}
