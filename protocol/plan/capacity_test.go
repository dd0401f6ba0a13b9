package plan_test

import (
	"testing"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// TestWindowFollowsFuel: a slow node that uses the usual share of the limit has time for all it was given.
func TestWindowFollowsFuel(t *testing.T) {
	for _, c := range []struct {
		name   string
		pieces uint32
		fuel   uint64
		least  uint32 // of the market, seconds
		want   uint32
	}{
		{"little to run", 1, 1e9, 10, 300},
		{"the market asks for more", 1, 1e9, 1800, 1800},
		{"a minute of running", 1, 2.4e12, 10, 300},
		{"ten of them", 10, 2.4e12, 10, 800},
		{"a fuel limit beyond all time", 1000, 1 << 63, 10, 1<<32 - 1},
	} {
		if got := plan.Window(c.pieces, c.fuel, protocol.Parameters{MinExecuteWindow: c.least}); got != c.want {
			t.Errorf("%s: %d seconds, not %d", c.name, got, c.want)
		}
	}
}
