package store

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ethereum/go-ethereum/common"
)

// keptPoints is how many checkpoints are kept; no reorganisation may be deeper. Filecoin's finality takes 900 blocks
// at worst.
const keptPoints = 1000

// Point is a block on the chain; Time is its timestamp, seconds.
type Point struct {
	Number uint64
	Hash   common.Hash
	Time   uint64
}

// Log is one event of the contract and where it happened.
type Log struct {
	Block Point
	Tx    common.Hash
	// Name and Event are the event's type and fields.
	Name  string
	Event json.RawMessage
}

// AppendLogs records logs, in chain order, and that everything up to upTo is known, in one step.
func (s *Store) AppendLogs(upTo Point, logs []Log) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	for i, l := range logs {
		if err := setJSON(batch, key(spaceLog, append(be64(l.Block.Number), be64(uint64(i))...)), l); err != nil {
			return err
		}
	}
	if err := setJSON(batch, key(spacePoint, be64(upTo.Number)), upTo); err != nil {
		return err
	}
	if upTo.Number > keptPoints {
		if err := s.dropPoints(batch, upTo.Number-keptPoints); err != nil {
			return fmt.Errorf("drop old checkpoints: %w", err)
		}
	}
	// Not synced: what a crash loses is read from the chain again, and the batch is lost as a whole.
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("record events: %w", err)
	}
	return nil
}

// dropPoints drops the checkpoints below a block number, one by one: what many overlapping ranges take in the database's
// memory grows with the square of their number.
func (s *Store) dropPoints(batch *pebble.Batch, below uint64) error {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: key(spacePoint, be64(s.oldest.Load())), UpperBound: key(spacePoint, be64(below)),
	})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		if err := batch.Delete(it.Key(), nil); err != nil {
			return err
		}
	}
	s.oldest.Store(below)
	return it.Error()
}

// DropAbove forgets every log and checkpoint above block number.
func (s *Store) DropAbove(number uint64) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	for _, space := range []byte{spaceLog, spacePoint} {
		if err := batch.DeleteRange(key(space, be64(number+1)), []byte{space + 1}, nil); err != nil {
			return fmt.Errorf("roll back events: %w", err)
		}
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("roll back events: %w", err)
	}
	return nil
}

// Logs calls visit with every recorded log in chain order.
func (s *Store) Logs(visit func(Log) error) error {
	return list(s, spaceLog, func(_ []byte, l Log) error { return visit(l) })
}

// Points lists the checkpoints, newest first.
func (s *Store) Points() ([]Point, error) {
	var points []Point
	err := list(s, spacePoint, func(_ []byte, p Point) error {
		points = append(points, p)
		return nil
	})
	slices.Reverse(points)
	return points, err
}

func setJSON(batch *pebble.Batch, id []byte, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return batch.Set(id, raw, nil)
}
