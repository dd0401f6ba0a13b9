//go:build unix

package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/filecoin-project/bacalhau/wasm"
)

// BenchmarkPrograms runs every program in every way, turn by turn, so that a
// change of the machine's speed meets all alike, and prints a table of the best
// CPU times. All must print the same.
func BenchmarkPrograms(b *testing.B) {
	data := filepath.Join(b.TempDir(), "data.csv")
	if err := WriteData(data); err != nil {
		b.Fatal(err)
	}
	table := newTable()
	for _, p := range Programs {
		b.Run(p.Name, func(b *testing.B) {
			s := built(b, p, data)
			var ways []func() (run, error)
			for _, v := range variants() {
				way, err := v.prepare(s)
				if err != nil {
					b.Fatalf("%s: %v", v.name, err)
				}
				ways = append(ways, way)
			}
			var result string
			for b.Loop() {
				for i, v := range variants() {
					r, err := ways[i]()
					if err != nil {
						b.Fatalf("%s: %v", v.name, err)
					}
					if result == "" {
						result = r.stdout
					}
					if r.stdout != result {
						b.Fatalf("%s printed %q, and others %q", v.name, r.stdout, result)
					}
					table.add(p, v.name, r)
				}
			}
		})
	}
	if info, err := os.Stat(data); err == nil {
		table.readBytes = 8 * info.Size()
	}
	table.write(os.Stdout)
}

// BenchmarkStart compiles a Go program, and starts it once it is compiled: the
// target on wasmtime is 5 ms. cpu-ms are the best of all turns.
func BenchmarkStart(b *testing.B) {
	s := built(b, Hello, "")
	task := wasm.Task{Module: s.module, Limits: wasm.Limits{MemoryBytes: 1 << 30, Fuel: 1, OutputBytes: 1 << 20}}
	b.Logf("%s has %d bytes", Hello.Name, len(s.module))
	for _, engine := range wasm.Engines() {
		runner, err := wasm.NewRunner(engine)
		if err != nil {
			b.Fatal(err)
		}
		var best time.Duration
		once := func(b *testing.B, fuel uint64) {
			task.Limits.Fuel = fuel
			before := cpuTime()
			if _, err := runner.Run(context.Background(), task); err != nil {
				b.Fatal(err)
			}
			best = min(best, cpuTime()-before)
		}
		report := func(b *testing.B) {
			b.ReportMetric(best.Seconds()*1e3, "cpu-ms")
			best = math.MaxInt64
		}
		best = math.MaxInt64
		b.Run("compile/"+engine, func(b *testing.B) {
			for b.Loop() {
				// Another memory limit makes another module, which no cache has.
				task.Limits.MemoryBytes += 64 << 10
				once(b, 1)
			}
			report(b)
		})
		once(b, 1)
		best = math.MaxInt64
		b.Run("start/"+engine, func(b *testing.B) {
			for b.Loop() {
				once(b, 1) // instantiates, and stops before the program does anything
			}
			report(b)
		})
		b.Run("hello/"+engine, func(b *testing.B) {
			for b.Loop() {
				once(b, wasm.MaxFuel)
			}
			report(b)
		})
		if err := runner.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func built(b *testing.B, p Program, data string) subject {
	b.Helper()
	s := subject{Program: p, data: data}
	var err error
	if s.native, err = p.BuildNative(); err != nil {
		b.Fatal(err)
	}
	file, err := p.BuildWASM()
	if err != nil {
		b.Fatalf("%v (make bench-wasm installs the compiler)", err)
	}
	if s.module, err = os.ReadFile(file); err != nil {
		b.Fatal(err)
	}
	return s
}

// table has the best run of every program in every way.
type table struct {
	programs  []Program
	best      map[string]map[string]run // by program and variant
	readBytes int64                     // that the reading program reads
}

// reading names the program that does nothing but read; it has lines of its own
// and no part in the means.
const reading = "read"

func newTable() *table { return &table{best: map[string]map[string]run{}} }

// add keeps a run if it is the best of its program and variant.
func (t *table) add(p Program, variant string, r run) {
	if t.best[p.Name] == nil {
		t.programs = append(t.programs, p)
		t.best[p.Name] = map[string]run{}
	}
	if best, ok := t.best[p.Name][variant]; !ok || r.cpu < best.cpu {
		t.best[p.Name][variant] = r
	}
}

// column is a ratio of CPU times, and what it should be at most.
type column struct{ name, of, to, target string }

var columns = []column{
	{"wasmtime/native", "plain wasmtime", "native", "-"},
	{"ours/native", "ours on wasmtime", "native", "1.90"},
	{"ours/wasmtime", "ours on wasmtime", "plain wasmtime", "1.25"},
	{"wazero/native", "plain wazero", "native", "-"},
	{"ours/native", "ours on wazero", "native", "-"},
	{"ours/wazero", "ours on wazero", "plain wazero", "1.40"},
}

// write prints CPU seconds as ratios, the cost of a unit of fuel, and the speed
// of reading.
func (t *table) write(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	header := []string{"program", "native ms"}
	for _, c := range columns {
		header = append(header, c.name)
	}
	for _, e := range wasm.Engines() {
		header = append(header, "ns/fuel "+e)
	}
	fmt.Fprintln(w, strings.Join(header, "\t")+"\t")
	ratios := make([][]float64, len(columns))
	perFuel := map[string][]float64{}
	for _, p := range t.programs {
		best := t.best[p.Name]
		fmt.Fprintf(w, "%s\t%.0f\t", p.Name, best["native"].cpu.Seconds()*1e3)
		for i, c := range columns {
			of, to := best[c.of].cpu, best[c.to].cpu
			if of == 0 || to == 0 {
				fmt.Fprint(w, "-\t")
				continue
			}
			ratio := float64(of) / float64(to)
			fmt.Fprintf(w, "%.2f\t", ratio)
			if p.IsC() && p.Name != reading {
				ratios[i] = append(ratios[i], ratio)
			}
		}
		for _, e := range wasm.Engines() {
			r := best["ours on "+e]
			ns := float64(r.cpu) / float64(r.fuel)
			perFuel[e] = append(perFuel[e], ns)
			fmt.Fprintf(w, "%.3f\t", ns)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "geometric mean of C\t\t")
	for i := range columns {
		fmt.Fprintf(w, "%.2f\t", geometricMean(ratios[i]))
	}
	for _, e := range wasm.Engines() {
		fmt.Fprintf(w, "%.1f× apart\t", slices.Max(perFuel[e])/slices.Min(perFuel[e]))
	}
	fmt.Fprint(w, "\ntarget: at most\t\t")
	for _, c := range columns {
		fmt.Fprintf(w, "%s\t", c.target)
	}
	for range perFuel {
		fmt.Fprint(w, "2× apart\t")
	}
	fmt.Fprintln(w)
	w.Flush()
	fmt.Fprintf(out, "engines differ by program so much that no price that is the same on all can be better than %.1f× apart\n", t.bound())
	for _, v := range variants() {
		if r := t.best[reading][v.name]; r.cpu > 0 {
			fmt.Fprintf(out, "reading 4 KiB at a time, %s: %.0f MB/s of CPU time; the target is 1500\n", v.name, float64(t.readBytes)/1e6/max(r.cpu, time.Millisecond).Seconds())
		}
	}
}

// bound is the least spread that any price per run can reach on the worse of
// the engines: where one program takes a times as long on an engine as on
// another and a second program b times, their prices can only share the
// disagreement, each engine the root of a/b.
func (t *table) bound() float64 {
	worst := 1.0
	for _, x := range wasm.Engines() {
		for _, y := range wasm.Engines() {
			var ratios []float64
			for _, p := range t.programs {
				best := t.best[p.Name]
				ratios = append(ratios, float64(best["ours on "+x].cpu)/float64(best["ours on "+y].cpu))
			}
			worst = max(worst, math.Sqrt(slices.Max(ratios)/slices.Min(ratios)))
		}
	}
	return worst
}

func geometricMean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(list)))
}
