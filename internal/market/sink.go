package market

import (
	"context"
	"fmt"

	"github.com/filecoin-project/bacalhau/internal/chain"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

// sink decodes what the follower reads and hands it to the subscriber.
type sink struct{ subscriber transport.Subscriber }

// Apply fails if the contract logged something outside its vocabulary: then it is another contract, and a view folded
// from its events would be wrong.
func (s sink) Apply(ctx context.Context, upTo chain.Point, logs []chain.Log) error {
	records := make([]transport.Record, len(logs))
	for i, l := range logs {
		e, err := DecodeLog(l.Topics, l.Data)
		if err != nil {
			return fmt.Errorf("block %d, transaction %s: %w", l.Block.Number, l.TxHash, err)
		}
		records[i] = transport.Record{Event: e, Meta: transport.Meta{Block: fromChain(l.Block), Tx: l.TxHash}}
	}
	return s.subscriber.Apply(ctx, fromChain(upTo), records)
}

func (s sink) Rollback(ctx context.Context, to chain.Point) error {
	return s.subscriber.Rollback(ctx, fromChain(to))
}

func (s sink) Checkpoints() []chain.Point {
	checkpoints := s.subscriber.Checkpoints()
	points := make([]chain.Point, len(checkpoints))
	for i, p := range checkpoints {
		points[i] = chain.Point{Number: p.Number, Hash: p.Hash, Time: p.Time}
	}
	return points
}

func fromChain(p chain.Point) transport.Point {
	return transport.Point{Block: protocol.Block{Number: p.Number, Time: p.Time}, Hash: p.Hash}
}
