package agent

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// slots bound what runs at once, in pieces and in bytes of memory. Who comes first is served first.
type slots struct {
	pieces, memory *semaphore.Weighted
	most           int64 // bytes
	waiting        atomic.Int64
}

func newSlots(c plan.Capacity) *slots {
	most := int64(math.MaxInt64)
	if c.MemoryBytes != 0 && c.MemoryBytes < math.MaxInt64 {
		most = int64(c.MemoryBytes)
	}
	return &slots{
		pieces: semaphore.NewWeighted(int64(max(1, c.Pieces))), memory: semaphore.NewWeighted(most), most: most,
	}
}

// take waits for room for one piece with this memory limit. Call release once it has run.
func (s *slots) take(ctx context.Context, memoryBytes uint64) (release func(), err error) {
	if memoryBytes > uint64(s.most) {
		return nil, fmt.Errorf("a piece may use %d bytes of memory, and this node has %d for programs", memoryBytes, s.most)
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	if err := s.pieces.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := s.memory.Acquire(ctx, int64(memoryBytes)); err != nil {
		s.pieces.Release(1)
		return nil, err
	}
	return func() {
		s.memory.Release(int64(memoryBytes))
		s.pieces.Release(1)
	}, nil
}
