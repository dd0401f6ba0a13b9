package agent

import (
	"sync"
	"time"
)

// recentRuns is how many runs an estimate of the speed looks back on.
const recentRuns = 16

// shortestRun is what says something of the speed: of a shorter one most is starting.
const shortestRun = 100 * time.Millisecond

// speed is how much fuel a piece uses in a second at least: the slowest of the last runs, and at most what was assumed
// before the first. Programs differ by a factor of three, and so do hours of the day.
type speed struct {
	mu      sync.Mutex
	assumed uint64 // fuel per second; 0 if nothing was
	recent  []uint64
}

func (s *speed) ran(fuel uint64, took time.Duration) {
	if took < shortestRun || fuel == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent = append(s.recent, max(1, uint64(float64(fuel)/took.Seconds())))
	if len(s.recent) > recentRuns {
		s.recent = s.recent[1:]
	}
}

// perSecond is the estimate, fuel per second; 0 if nothing is known.
func (s *speed) perSecond() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	least := s.assumed
	for _, r := range s.recent {
		if least == 0 || r < least {
			least = r
		}
	}
	return least
}
