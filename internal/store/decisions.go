package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ethereum/go-ethereum/common"
)

// keptDecisions bounds the record of decisions.
const keptDecisions = 10_000

// Decision is what a compute node made of a job at a time, for its owner.
type Decision struct {
	// Time is that of the chain, timestamp in seconds.
	Time uint64
	Job  common.Hash
	// Execution that was declined; zero for a decision about offering.
	Execution common.Hash
	Verdict   string
	Reason    string
	// Have and Want are the reason's numbers, if it has any.
	Have, Want *big.Int `json:",omitempty"`
	// Text is the reason in a sentence.
	Text   string
	Pieces uint32
}

// AppendDecisions records decisions and forgets the oldest beyond 10,000. It is not synced: a crash loses a few lines of
// what is only read by people.
func (s *Store) AppendDecisions(list []Decision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := s.nextDecision()
	if err != nil {
		return err
	}
	batch := s.db.NewBatch()
	defer batch.Close()
	for i, d := range list {
		raw, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode decision: %w", err)
		}
		if err := batch.Set(key(spaceDecision, be64(next+uint64(i))), raw, nil); err != nil {
			return fmt.Errorf("record decision: %w", err)
		}
	}
	if end := next + uint64(len(list)); end > keptDecisions {
		for old := max(next, keptDecisions) - keptDecisions; old < end-keptDecisions; old++ { // one by one: see dropPoints
			if err := batch.Delete(key(spaceDecision, be64(old)), nil); err != nil {
				return fmt.Errorf("forget decisions: %w", err)
			}
		}
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("record decisions: %w", err)
	}
	return nil
}

// nextDecision is the number after the last one.
func (s *Store) nextDecision() (uint64, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceDecision}, UpperBound: []byte{spaceDecision + 1}})
	if err != nil {
		return 0, fmt.Errorf("read decisions: %w", err)
	}
	defer it.Close()
	if !it.Last() {
		return 0, it.Error()
	}
	return binary.BigEndian.Uint64(it.Key()[1:]) + 1, nil
}

// Decisions calls visit with every recorded decision, the oldest first.
func (s *Store) Decisions(visit func(Decision) error) error {
	return list(s, spaceDecision, func(_ []byte, d Decision) error { return visit(d) })
}
