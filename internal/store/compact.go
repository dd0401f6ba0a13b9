package store

import (
	"encoding/json"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ethereum/go-ethereum/common"
)

// Compaction drops what no node needs again. What it says is decided by whoever folds the events.
type Compaction struct {
	// UpTo is the last block whose logs may go; it must be final.
	UpTo uint64
	// Useless says of each log up to there, in chain order, whether it goes.
	Useless func(Log) (bool, error)
	// Base gives, after that, the state which the remaining logs begin from.
	Base func() any
	// Jobs and Executions whose facts go.
	Jobs, Executions []common.Hash
}

// Compact drops logs and facts and replaces the base, in one step.
func (s *Store) Compact(c Compaction) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	end := key(spaceLog, be64(c.UpTo+1))
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceLog}, UpperBound: end})
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		var l Log
		if err := json.Unmarshal(it.Value(), &l); err != nil {
			return fmt.Errorf("node store is damaged at %x: %w", it.Key(), err)
		}
		useless, err := c.Useless(l)
		if err != nil {
			return err
		}
		if !useless {
			continue
		}
		if err := batch.Delete(it.Key(), nil); err != nil {
			return fmt.Errorf("compact: %w", err)
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	if err := setJSON(batch, []byte{spaceBase}, c.Base()); err != nil {
		return err
	}
	for _, id := range c.Jobs {
		if err := batch.Delete(key(spaceJob, id.Bytes()), nil); err != nil {
			return fmt.Errorf("compact: %w", err)
		}
	}
	for _, id := range c.Executions {
		for _, space := range []byte{spaceWork, spaceBallot} { // one for each seat
			if err := batch.DeleteRange(key(space, id.Bytes()), append(key(space, id.Bytes()), 0xff), nil); err != nil {
				return fmt.Errorf("compact: %w", err)
			}
		}
		if err := batch.Delete(key(spaceDelivered, id.Bytes()), nil); err != nil {
			return fmt.Errorf("compact: %w", err)
		}
	}
	if err := batch.Commit(pebble.NoSync); err != nil { // lost as a whole, and done again
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

// Base reads the state that the logs begin from into a value; without one it leaves it as it is.
func (s *Store) Base(into any) error {
	if err := s.get(spaceBase, nil, into); err != nil && err != ErrNotFound {
		return fmt.Errorf("read the archive of past events: %w", err)
	}
	return nil
}
