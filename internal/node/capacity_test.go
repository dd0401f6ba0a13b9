package node

import (
	"testing"

	"github.com/filecoin-project/bacalhau/wasm/confine"
)

func TestCapacityIsThisMachines(t *testing.T) {
	runner, err := confine.NewRunner(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close()
	c, err := (&ComputeConfig{}).capacity(t.Context(), runner)
	if err != nil {
		t.Fatal(err)
	}
	// A slow machine uses 10⁹ units a second; a hundredth of that is no machine.
	if c.Pieces == 0 || c.FuelPerSecond < 10_000_000 {
		t.Errorf("capacity %+v", c)
	}
	t.Logf("%+v", c)
	c, err = (&ComputeConfig{Parallel: 3, MemoryBytes: 7}).capacity(t.Context(), runner)
	if err != nil || c.Pieces != 3 || c.MemoryBytes != 7 {
		t.Errorf("capacity %+v, %v", c, err)
	}
}
