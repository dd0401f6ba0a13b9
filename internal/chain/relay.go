package chain

import (
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/event"
)

// relayed is what go-ethereum's subscriptions listen to. A block sends its events while the
// gate is closed, and who takes them in waits for every client, each behind the gate: so that
// no block waits for a client, a queue is between.
type relayed struct{ filters.Backend }

func (r relayed) SubscribeChainEvent(to chan<- core.ChainEvent) event.Subscription {
	return relay(r.Backend.SubscribeChainEvent, to)
}

func (r relayed) SubscribeLogsEvent(to chan<- []*types.Log) event.Subscription {
	return relay(r.Backend.SubscribeLogsEvent, to)
}

func (r relayed) SubscribeRemovedLogsEvent(to chan<- core.RemovedLogsEvent) event.Subscription {
	return relay(r.Backend.SubscribeRemovedLogsEvent, to)
}

func (r relayed) SubscribeNewTxsEvent(to chan<- core.NewTxsEvent) event.Subscription {
	return relay(r.Backend.SubscribeNewTxsEvent, to)
}

// maxRelayed bounds the events that wait. A client that does not read is cut off after seconds;
// what does not fit until then is not pushed to anyone.
const maxRelayed = 10_000

// relay passes events on without making their sender wait.
func relay[T any](subscribe func(chan<- T) event.Subscription, to chan<- T) event.Subscription {
	from := make(chan T)
	source := subscribe(from)
	return event.NewSubscription(func(quit <-chan struct{}) error {
		defer source.Unsubscribe()
		var queue []T
		for {
			var out chan<- T
			var first T
			if len(queue) > 0 {
				out, first = to, queue[0]
			}
			select {
			case e := <-from:
				if len(queue) < maxRelayed {
					queue = append(queue, e)
				}
			case out <- first:
				queue = queue[1:]
			case err := <-source.Err():
				return err
			case <-quit:
				return nil
			}
		}
	})
}
