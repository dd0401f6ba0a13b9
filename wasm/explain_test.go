package wasm_test

import (
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// What Explain says of code without branches is what running it costs.
func TestExplainIsWhatItCosts(t *testing.T) {
	for name, host := range map[string]uint64{"exit": 30_000, "nan_views": 0} {
		module := load(t, "run/"+name+".wasm")
		list, err := wasm.Explain(module)
		if err != nil || len(list) == 0 {
			t.Fatal(name, list, err)
		}
		main := list[len(list)-1]
		callees := uint64(0)
		if main.Calls > 0 && len(list) > 1 {
			callees = uint64(main.Calls) * list[0].Straight
		}
		res := onEngines(t, wasm.Task{Module: module, Limits: limits})
		if want := main.Straight + callees + host; res.Fuel != want || main.Loops > 0 {
			t.Errorf("%s: used %d, and the functions cost %d and %d calls of them and %d of the host: %d", name, res.Fuel, main.Straight, callees, host, want)
		}
	}
}
