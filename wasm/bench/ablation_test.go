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
			if !p.IsC() || p.Name == Reading.Name {
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
	var rewrites []rewriting
	for _, a := range ablations {
		rewrites = append(rewrites, func(m *rewrite.Module, pages uint32) ([]byte, error) { return m.RewriteWithout(a.left, pages) })
	}
	programs, task := rewritten(b, engineName, s, rewrites)
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

// rewriting is a way to rewrite a module, for so many pages of memory.
type rewriting func(m *rewrite.Module, pages uint32) ([]byte, error)

// rewritten loads a program in several ways, and makes the task that runs it.
func rewritten(b *testing.B, engineName string, s subject, ways []rewriting) (programs []*wasm.Program, task wasm.Task) {
	b.Helper()
	task, err := s.task()
	if err != nil {
		b.Fatal(err)
	}
	task.Limits.Fuel = wasm.MaxFuel
	runner, err := wasm.NewRunner(engineName)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { runner.Close() })
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
	for _, way := range ways {
		module, err := way(m, uint32(task.Limits.MemoryBytes/rewrite.PageBytes))
		if err != nil {
			b.Fatal(err)
		}
		image, err := compiler.Image(b.Context(), module)
		if err != nil {
			b.Fatal(err)
		}
		p, err := runner.Load(b.Context(), fileOf(b, image))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { p.Close() })
		programs = append(programs, p)
	}
	return programs, task
}
