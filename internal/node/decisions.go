package node

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/api"
	"github.com/filecoin-project/bacalhau/internal/store"
)

func (b backend) Decisions(_ context.Context, job common.Hash) ([]client.Decision, error) {
	if b.compute == nil {
		return nil, notComputing()
	}
	all, err := b.compute.Decisions()
	if err != nil {
		return nil, err
	}
	var list []client.Decision
	for _, d := range all {
		if job == (common.Hash{}) || d.Job == job {
			list = append(list, decision(d))
		}
	}
	return list, nil
}

func decision(d store.Decision) client.Decision {
	return client.Decision{
		Time: time.Unix(int64(d.Time), 0).UTC(), Job: d.Job, Execution: d.Execution, Verdict: d.Verdict, Reason: d.Reason,
		Text: d.Text, Have: quantity(d.Have), Want: quantity(d.Want), Pieces: d.Pieces,
	}
}

func quantity(n *big.Int) *client.Wei {
	if n == nil {
		return nil
	}
	return &client.Wei{Int: n}
}

func (b backend) Drain(context.Context) (client.Draining, error) {
	if b.compute == nil {
		return client.Draining{}, notComputing()
	}
	b.compute.Retire()
	var left client.Draining
	left.Pieces, left.Offers = b.compute.Left()
	return left, nil
}

func notComputing() error {
	return fmt.Errorf("%w: this is not a compute node, and only those take work", api.ErrNotFound)
}
