//go:build unix

package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"

	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/rewrite"
)

// class is a group of common instructions that have about one price.
type class struct {
	name  string
	price float64 // at present, of most of them; calls with the entry of a function
	spans [][2]byte
}

var classes = []class{
	{"locals", 1, [][2]byte{{0x20, 0x22}}},
	{"constants", 1, [][2]byte{{0x41, 0x44}}},
	{"globals", 12, [][2]byte{{0x23, 0x24}}},
	{"loads", 2, [][2]byte{{0x28, 0x35}}},
	{"stores", 3, [][2]byte{{0x36, 0x3e}}},
	{"comparisons", 2, [][2]byte{{0x45, 0x66}}},
	{"integers", 3, [][2]byte{{0x67, 0x6b}, {0x71, 0x7d}, {0x83, 0x8a}}},
	{"mul", 3, [][2]byte{{0x6c, 0x6c}, {0x7e, 0x7e}}},
	{"div, rem", 26, [][2]byte{{0x6d, 0x70}, {0x7f, 0x82}}},
	{"floats", 2, [][2]byte{{0x8b, 0x90}, {0x92, 0x94}, {0x96, 0x9e}, {0xa0, 0xa2}, {0xa4, 0xa6}}},
	{"float div, sqrt", 26, [][2]byte{{0x91, 0x91}, {0x95, 0x95}, {0x9f, 0x9f}, {0xa3, 0xa3}}},
	{"conversions", 2, [][2]byte{{0xa7, 0xc4}}},
	{"select", 8, [][2]byte{{0x1b, 0x1c}}},
	{"if, br_if", 8, [][2]byte{{0x04, 0x04}, {0x0d, 0x0d}}},
	{"br, return", 4, [][2]byte{{0x0c, 0x0c}, {0x0f, 0x0f}}},
	{"br_table", 96, [][2]byte{{0x0e, 0x0e}}},
	{"loop turns", 16, [][2]byte{{0x03, 0x03}}},
	{"calls", 66, [][2]byte{{0x10, 0x11}}},
	{"vectors", 6, [][2]byte{{0xfd, 0xfd}}},
}

func (c *class) has(op byte) bool {
	for _, s := range c.spans {
		if s[0] <= op && op <= s[1] {
			return true
		}
	}
	return false
}

// sample is a program: how often it executes the instructions of each class,
// its fuel for work by size and calls of the host, and its times.
type sample struct {
	name   string
	counts []float64
	sized  float64
	ns     map[string]float64 // by engine
}

// BenchmarkCounts counts how often each program executes instructions of each
// class, and prints with it what prices would bring the programs' times per
// fuel closest together, near the present ones, on the worse of the engines.
// The counts are exact, and come out alike everywhere.
func BenchmarkCounts(b *testing.B) {
	data := filepath.Join(b.TempDir(), "data.csv")
	if err := WriteData(data); err != nil {
		b.Fatal(err)
	}
	var samples []sample
	for _, p := range Programs {
		if p.Name == Reading.Name {
			continue // the host's work, not the program's
		}
		b.Run(p.Name, func(b *testing.B) {
			s := sample{name: p.Name, ns: map[string]float64{}}
			for b.Loop() {
				s.count(b, built(b, p, data))
			}
			samples = append(samples, s)
		})
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "millions executed\t")
	for _, s := range samples {
		fmt.Fprintf(w, "%s\t", s.name)
	}
	fmt.Fprintln(w, "price\tfitted\t")
	fitted := fitPrices(samples)
	for i, c := range classes {
		fmt.Fprintf(w, "%s\t", c.name)
		for _, s := range samples {
			fmt.Fprintf(w, "%.1f\t", s.counts[i]/1e6)
		}
		fmt.Fprintf(w, "%.0f\t%.1f\t\n", c.price, fitted[i])
	}
	for _, e := range wasm.Engines() {
		fmt.Fprintf(w, "ms on %s\t", e)
		for _, s := range samples {
			fmt.Fprintf(w, "%.0f\t", s.ns[e]/1e6)
		}
		fmt.Fprintln(w, "\t\t")
	}
	w.Flush()
	fmt.Printf("times per fuel are %.1f× apart at these prices, and %.1f× at the fitted ones\n",
		math.Exp(spread(samples, presentPrices())), math.Exp(spread(samples, fitted)))
}

// count runs the program once for each class, with a price of one for its
// instructions and none for others, and takes its time on each engine.
func (s *sample) count(b *testing.B, program subject) {
	ways := []rewriting{
		(*rewrite.Module).Rewrite,
		func(m *rewrite.Module, pages uint32) ([]byte, error) {
			return m.RewriteCounting(func(byte, uint32) uint64 { return 0 }, pages)
		},
	}
	for i := range classes {
		ways = append(ways, func(m *rewrite.Module, pages uint32) ([]byte, error) {
			return m.RewriteCounting(func(op byte, _ uint32) uint64 {
				if classes[i].has(op) {
					return 1
				}
				return 0
			}, pages)
		})
	}
	for _, engineName := range wasm.Engines() {
		if s.counts != nil {
			ways = ways[:1] // the counts are the same
		}
		programs, task := rewritten(b, engineName, program, ways)
		var fuel []float64
		for _, p := range programs {
			before := cpuTime()
			res, err := p.Run(context.Background(), task)
			used := cpuTime() - before
			if err != nil || res.ExitCode != 0 {
				b.Fatalf("%v, %+v", err, res)
			}
			if fuel == nil {
				s.ns[engineName] = float64(used)
			}
			fuel = append(fuel, float64(res.Fuel))
		}
		if len(fuel) > 1 {
			s.sized = fuel[1]
			for _, f := range fuel[2:] {
				s.counts = append(s.counts, f-s.sized)
			}
		}
	}
}

func presentPrices() (prices []float64) {
	for _, c := range classes {
		prices = append(prices, c.price)
	}
	return prices
}

// spread is the logarithm of how far apart programs are in time per fuel, on
// the engine where they are further apart.
func spread(samples []sample, prices []float64) (worst float64) {
	for _, e := range wasm.Engines() {
		least, most := math.Inf(1), math.Inf(-1)
		for _, s := range samples {
			fuel := s.sized
			for i, n := range s.counts {
				fuel += n * prices[i]
			}
			perFuel := math.Log(s.ns[e] / fuel)
			least, most = min(least, perFuel), max(most, perFuel)
		}
		worst = max(worst, most-least)
	}
	return worst
}

// fitPrices looks for prices with a small spread by changing one at a time, and
// holds each near what it was: a fit to fifteen programs knows little of what a
// sixteenth does.
func fitPrices(samples []sample) []float64 {
	const hold = 0.02 // of a spread's logarithm for a price that is e times another
	prices := presentPrices()
	cost := func() float64 {
		sum := spread(samples, prices)
		for i, c := range classes {
			d := math.Log(prices[i] / c.price)
			sum += hold * d * d
		}
		return sum
	}
	best := cost()
	for step := 0.5; step > 0.01; {
		better := false
		for i := range prices {
			for _, change := range []float64{math.Exp(step), math.Exp(-step)} {
				before := prices[i]
				prices[i] *= change
				if c := cost(); c < best-1e-9 {
					best, better = c, true
				} else {
					prices[i] = before
				}
			}
		}
		if !better {
			step /= 2
		}
	}
	return prices
}
