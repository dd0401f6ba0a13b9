package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// Log is one event of a contract.
type Log struct {
	Block  Point
	TxHash common.Hash
	Topics []common.Hash
	Data   []byte
}

// logs returns what addr logged in blocks from to end, in chain order. The node's
// answer is checked against the question.
func (c *Client) logs(ctx context.Context, addr common.Address, from uint64, end *block) ([]Log, error) {
	var raw []types.Log
	query := map[string]any{"address": addr, "fromBlock": hexutil.Uint64(from), "toBlock": end.Number}
	if err := c.call(ctx, &raw, "eth_getLogs", query); err != nil {
		return nil, err
	}
	out := make([]Log, len(raw))
	last := end.point() // the block whose time is known
	at := from
	for i, l := range raw {
		if l.Removed || l.Address != addr || l.BlockNumber < at || l.BlockNumber > uint64(end.Number) {
			return nil, fmt.Errorf("eth_getLogs: the node answered with a log of %s in block %d where one of %s in blocks %d to %d was due",
				l.Address, l.BlockNumber, addr, at, end.Number)
		}
		at = l.BlockNumber
		if last.Number != l.BlockNumber || last.Hash != l.BlockHash {
			var err error
			if last, err = c.pointOf(ctx, l); err != nil {
				return nil, err
			}
		}
		out[i] = Log{Block: last, TxHash: l.TxHash, Topics: l.Topics, Data: l.Data}
	}
	return out, nil
}

// pointOf is the block of a log; not every node says its time with the log.
func (c *Client) pointOf(ctx context.Context, l types.Log) (Point, error) {
	if l.BlockTimestamp != 0 {
		return Point{Number: l.BlockNumber, Hash: l.BlockHash, Time: l.BlockTimestamp}, nil
	}
	b, err := c.blockAt(ctx, l.BlockNumber)
	if err != nil {
		return Point{}, err
	}
	if b.Hash != l.BlockHash {
		return Point{}, fmt.Errorf("block %d changed while its logs were read", l.BlockNumber)
	}
	return b.point(), nil
}

// has reports whether p is on the node's chain.
func (c *Client) has(ctx context.Context, p Point) (bool, error) {
	b, err := c.blockAt(ctx, p.Number)
	if errors.Is(err, errNoBlock) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return b.Hash == p.Hash, nil
}

// blockAtOrBelow returns the newest block in [floor, number]; errNoBlock if all of them are null rounds.
func (c *Client) blockAtOrBelow(ctx context.Context, number, floor uint64) (*block, error) {
	for ; ; number-- {
		b, err := c.blockAt(ctx, number)
		if !errors.Is(err, errNoBlock) {
			return b, err
		}
		if number <= floor {
			return nil, errNoBlock
		}
	}
}
