//go:build unix

package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/engine"
	"github.com/filecoin-project/bacalhau/wasm/rewrite"
	"github.com/filecoin-project/bacalhau/wasm/wasi"
)

// ablations leave out parts of the rewriting, one at a time and then all.
var ablations = []struct {
	name string
	left rewrite.Parts
}{
	{"complete", 0},
	{"no charges", rewrite.Charges},
	{"no checks", rewrite.Checks},
	{"no saves", rewrite.Saves},
	{"no depth", rewrite.Depth},
	{"no NaNs", rewrite.NaNs},
	{"no unfusing", rewrite.Unfusing},
	{"nothing", ^rewrite.Parts(0)},
}

// BenchmarkAblation prints what the rewriting costs without each of its parts,
// as ratios to the CPU time without any.
func BenchmarkAblation(b *testing.B) {
	data := filepath.Join(b.TempDir(), "data.csv")
	if err := WriteData(data); err != nil {
		b.Fatal(err)
	}
	for _, engineName := range wasm.Engines() {
		var report strings.Builder
		w := tabwriter.NewWriter(&report, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(w, "ours on %s\t", engineName)
		for _, a := range ablations {
			fmt.Fprintf(w, "%s\t", a.name)
		}
		fmt.Fprintln(w)
		ratios := make([][]float64, len(ablations))
		for _, p := range Programs {
			if !p.IsC() || p.Name == reading {
				continue
			}
			b.Run(engineName+"/"+p.Name, func(b *testing.B) {
				best := ablate(b, engineName, built(b, p, data))
				fmt.Fprintf(w, "%s\t", p.Name)
				for i, cpu := range best {
					ratio := float64(cpu) / float64(best[len(best)-1])
					ratios[i] = append(ratios[i], ratio)
					fmt.Fprintf(w, "%.2f\t", ratio)
				}
				fmt.Fprintln(w)
			})
		}
		fmt.Fprint(w, "geometric mean\t")
		for _, r := range ratios {
			fmt.Fprintf(w, "%.2f\t", geometricMean(r))
		}
		fmt.Fprintln(w)
		w.Flush()
		fmt.Print(report.String())
	}
}

// ablate gives the best CPU time of a program for each ablation.
func ablate(b *testing.B, engineName string, s subject) []time.Duration {
	task, err := s.task()
	if err != nil {
		b.Fatal(err)
	}
	task.Limits.Fuel = wasm.MaxFuel
	runner, err := wasm.NewRunner(engineName)
	if err != nil {
		b.Fatal(err)
	}
	defer runner.Close()
	signatures := map[string]rewrite.Signature{}
	imports := []engine.Func{{Module: rewrite.MeterModule, Name: rewrite.MeterName, Params: "i"}}
	for _, f := range wasi.Funcs {
		signatures[f.Name] = rewrite.Signature{Params: f.Params, Results: f.Results}
		imports = append(imports, engine.Func{Module: wasi.Module, Name: f.Name, Params: f.Params, Results: f.Results})
	}
	compiler, err := engine.New(engineName, imports, rewrite.FuelExport)
	if err != nil {
		b.Fatal(err)
	}
	defer compiler.Close()
	m, err := rewrite.Inspect(s.module, signatures)
	if err != nil {
		b.Fatal(err)
	}
	m.Paused = compiler.Pauses()
	var programs []*wasm.Program
	for _, a := range ablations {
		rewritten, err := m.RewriteWithout(a.left, uint32(task.Limits.MemoryBytes/rewrite.PageBytes))
		if err != nil {
			b.Fatal(err)
		}
		image, err := compiler.Image(b.Context(), rewritten)
		if err != nil {
			b.Fatal(err)
		}
		p, err := runner.Load(b.Context(), image)
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		programs = append(programs, p)
	}
	best := make([]time.Duration, len(ablations))
	for b.Loop() {
		for i, p := range programs {
			before := cpuTime()
			res, err := p.Run(context.Background(), task)
			used := cpuTime() - before
			if err != nil || res.ExitCode != 0 {
				b.Fatalf("%s: %v, %+v", ablations[i].name, err, res)
			}
			if best[i] == 0 || used < best[i] {
				best[i] = used
			}
		}
	}
	return best
}
