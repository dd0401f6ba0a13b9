//go:build unix

package bench

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
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
	table.write(os.Stdout)
}

// BenchmarkStart compiles a Go program to an image, as a node does once, and
// starts it from there, as each of a node's processes does: the target on
// wasmtime is 5 ms. cpu-ms are the best of all turns.
func BenchmarkStart(b *testing.B) {
	s := built(b, Hello, "")
	limits := wasm.Limits{MemoryBytes: 1 << 30, OutputBytes: 1 << 20}
	for _, engine := range wasm.Engines() {
		runner, err := wasm.NewRunner(engine)
		if err != nil {
			b.Fatal(err)
		}
		var image []byte
		bench := func(name string, once func() error) {
			b.Run(name+"/"+engine, func(b *testing.B) {
				best := time.Duration(math.MaxInt64)
				for b.Loop() {
					b.StopTimer()
					runtime.GC() // of what compiling left
					b.StartTimer()
					before := cpuTime()
					if err := once(); err != nil {
						b.Fatal(err)
					}
					best = min(best, cpuTime()-before)
				}
				b.ReportMetric(best.Seconds()*1e3, "cpu-ms")
			})
		}
		limits.Fuel = 1
		bench("compile", func() (err error) {
			image, err = runner.Image(b.Context(), s.module, limits)
			return err
		})
		file := fileOf(b, image)
		run := func() error {
			p, err := runner.Load(b.Context(), file)
			if err != nil {
				return err
			}
			defer p.Close()
			_, err = p.Run(b.Context(), wasm.Task{Limits: limits})
			return err
		}
		bench("start", run) // and stop before the program does anything
		limits.Fuel = wasm.MaxFuel
		bench("hello", run)
		b.Logf("%s: %d bytes, image %d", Hello.Name, len(s.module), len(image))
		if err := runner.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// fileOf is a file with the content.
func fileOf(b *testing.B, content []byte) *os.File {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if _, err := f.Write(content); err != nil {
		b.Fatal(err)
	}
	return f
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
	programs []Program
	best     map[string]map[string]run // by program and variant
}

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

// write prints CPU seconds as ratios, and the cost of a unit of fuel.
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
			if p.IsC() && p.Name != Reading.Name { // which BenchmarkReading is for
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
