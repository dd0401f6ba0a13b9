package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

var (
	scaleNodes  = flag.Int("nodes", 50, "compute nodes of BenchmarkScale, each a process of its own")
	scalePieces = flag.Int("pieces", 10_000, "pieces of its job")
)

// scaleRest is how many blocks its processes are watched while there is nothing to do.
const scaleRest = 20

// BenchmarkScale has a job of tiny pieces done by many nodes, each a process of its own, so that what is measured is the
// network and not the program. It prints what every kind of process needs and what everybody asks of the chain, and
// fails unless all outputs are delivered, nobody is punished and all money is somebody's.
func BenchmarkScale(b *testing.B) {
	for b.Loop() {
		s := scale{swarm: newSwarm(b, *scaleNodes, "--parallel", "1")}
		begin := s.readAll()
		s.rest(scaleRest)
		s.idle = s.readAll().since(begin)
		before := s.readAll()
		s.work()
		s.after = s.readAll()
		s.busy = s.after.since(before)
		s.describe()
		s.check()
		fmt.Fprint(os.Stderr, s.report())
		b.ReportMetric(float64(*scalePieces)/s.took.Seconds(), "pieces/s")
		b.ReportMetric(s.job.Cost.GasPerPiece, "gas/piece")
	}
}

// scale is one run.
type scale struct {
	*swarm
	id                common.Hash
	job               client.Job
	submitted, took   time.Duration // until the job was on the chain, and until all outputs were there
	described         time.Duration // what one look at the whole job takes
	idle, busy, after readings
}

// work submits a job of which every piece has a small file of its own, with a client's defaults, and waits for its end.
func (s *scale) work() {
	s.Helper()
	dir := s.TempDir()
	for i := range *scalePieces {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.txt", i)), fmt.Appendf(nil, "in the beginning was %d", i), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	module := wordcount(s)
	begin := time.Now()
	// All nodes share this machine, so a piece takes as many times longer as there are nodes.
	id, err := s.requester.run("--input", dir, "--each-file", "--fuel", "10G", "--execute-window", "1h", "--expiry", "3h", module)
	if err != nil {
		s.Fatal(err)
	}
	s.submitted = time.Since(begin)
	for last := uint32(0); ; time.Sleep(time.Second) {
		job := s.summary(id)
		if job.Status.Ended() {
			break
		}
		if job.Delivered != last {
			last = job.Delivered
			fmt.Fprintf(os.Stderr, "%.0f s: %d committed, %d delivered\n", time.Since(begin).Seconds(), job.Committed, job.Delivered)
		}
	}
	s.took = time.Since(begin)
	s.id = id
}

// describe looks at the whole job, which costs more the more there was to do.
func (s *scale) describe() {
	s.Helper()
	await(s, func() (err error) { s.job, err = s.requester.api.Job(s.Context(), s.id); return err })
	begin := time.Now()
	await(s, func() (err error) { s.job, err = s.requester.api.Job(s.Context(), s.id); return err })
	s.described = time.Since(begin)
}

// summary is cheaper than the whole job.
func (s *scale) summary(id common.Hash) (job client.JobSummary) {
	s.Helper()
	await(s, func() error {
		jobs, err := s.requester.api.Jobs(s.Context())
		for _, j := range jobs {
			if j.ID == id {
				job = j
				return nil
			}
		}
		return cmp.Or(err, errors.New("the requester does not list the job"))
	})
	return job
}

// rest waits for so many blocks.
func (s *scale) rest(blocks uint64) {
	s.Helper()
	head := func() uint64 {
		status, err := s.chain.api.Status(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		return status.Head.Number
	}
	for until := head() + blocks; head() < until; {
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *scale) check() {
	s.Helper()
	if s.job.Status != client.JobDone || int(s.job.Delivered) != *scalePieces {
		s.Errorf("the job ended %s with %d outputs of %d", s.job.Status, s.job.Delivered, *scalePieces)
	}
	for _, e := range s.job.Executions {
		if len(e.Penalties) > 0 {
			s.Errorf("execution %s: penalties %+v", e.ID, e.Penalties)
		}
	}
	var books client.Audit
	await(s, func() (err error) { books, err = s.requester.api.Audit(s.Context()); return err })
	if !books.Conserved {
		s.Errorf("the books do not add up: %+v", books)
	}
}

// kinds of processes, in the order of the tables.
var kinds = []string{"chain", "requester", "compute node"}

func (s *scale) kind(d *daemon) string {
	switch d {
	case s.chain, s.requester:
		return d.name
	}
	return kinds[2]
}

// readings are what all processes tell of themselves, by kind.
type readings map[string][]reading

// reading is one process's metrics, by name and labels' values with slashes between, and what they do not have.
type reading map[string]float64

const (
	resident   = "process_resident_memory_bytes"
	processor  = "process_cpu_seconds_total"
	headBlock  = "bacalhau_chain_head_block"
	rpcCalls   = "bacalhau_chain_rpc_calls_total/"
	storeBytes = "bacalhau_store_bytes"
	disk       = "disk"  // bytes of all stores, not of the chain's own
	peak       = "VmHWM" // most resident memory so far, bytes
	mib        = 1024 * 1024
)

func (s *scale) readAll() readings {
	s.Helper()
	all := readings{}
	for _, d := range s.all() {
		all[s.kind(d)] = append(all[s.kind(d)], d.read())
	}
	return all
}

func (d *daemon) read() reading {
	d.Helper()
	resp, err := http.Get(d.api.URL() + "/metrics")
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		d.Fatal(err)
	}
	r := reading{peak: d.peak()}
	for name, family := range families {
		for _, m := range family.Metric {
			key := []string{name}
			for _, label := range m.Label {
				key = append(key, label.GetValue())
			}
			value := cmp.Or(m.GetCounter().GetValue(), m.GetGauge().GetValue())
			r[strings.Join(key, "/")] = value
			if name == storeBytes {
				r[disk] += value
			}
		}
	}
	return r
}

// peak is read from where Linux tells it; elsewhere it is 0.
func (d *daemon) peak() (bytes float64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if n, _ := fmt.Sscanf(line, peak+": %f kB", &bytes); n == 1 {
			return bytes * 1024
		}
	}
	return 0
}

// since subtracts earlier readings.
func (r readings) since(before readings) readings {
	grown := readings{}
	for kind, list := range r {
		for i, now := range list {
			g := reading{}
			for key, value := range now {
				g[key] = value - before[kind][i][key]
			}
			grown[kind] = append(grown[kind], g)
		}
	}
	return grown
}

// of lists one figure of all processes of a kind.
func (r readings) of(kind, key string) []float64 {
	var list []float64
	for _, one := range r[kind] {
		list = append(list, one[key])
	}
	return list
}

func sum(list []float64) (total float64) {
	for _, v := range list {
		total += v
	}
	return total
}

func mean(list []float64) float64 { return sum(list) / float64(len(list)) }

// blocks is how many blocks the chain's process followed.
func (r readings) blocks() float64 { return r["chain"][0][headBlock] }

// report is all tables.
func (s *scale) report() string {
	var out strings.Builder
	hits, statuses := 0, map[protocol.Status]int{}
	for _, e := range s.job.Executions {
		hits += len(e.Checked)
		statuses[e.Status]++
	}
	fmt.Fprintf(&out, "\n%d nodes, %d pieces in %d executions %v, %d pieces checked\nsubmitted after %.1f s, all outputs delivered after %.1f s: %.1f pieces/s; %.0f blocks; a look at the whole job takes %.2f s\n",
		*scaleNodes, *scalePieces, len(s.job.Executions), statuses, hits, s.submitted.Seconds(), s.took.Seconds(), float64(*scalePieces)/s.took.Seconds(), s.busy.blocks(), s.described.Seconds())
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	s.reportProcesses(w)
	s.reportCalls(w)
	s.reportGas(w)
	w.Flush()
	return out.String()
}

func (s *scale) reportProcesses(w io.Writer) {
	fmt.Fprintf(w, "\neach process, mean (most)\tMiB resident\tgrown by\tpeak\tMiB of disk\tgrown by\tms CPU/block at rest\tat work\t\n")
	for _, kind := range kinds {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", kind,
			meanAndMost(s.after.of(kind, resident), mib), meanAndMost(s.busy.of(kind, resident), mib), meanAndMost(s.after.of(kind, peak), mib),
			meanAndMost(s.after.of(kind, disk), mib), meanAndMost(s.busy.of(kind, disk), mib),
			meanAndMost(s.idle.of(kind, processor), s.idle.blocks()/1000), meanAndMost(s.busy.of(kind, processor), s.busy.blocks()/1000))
	}
}

func meanAndMost(list []float64, unit float64) string {
	return fmt.Sprintf("%.1f (%.1f)", mean(list)/unit, slices.Max(list)/unit)
}

// reportCalls tells the JSON-RPC calls by method: at rest and at work for each process and block, and of everybody for
// each piece.
func (s *scale) reportCalls(w io.Writer) {
	fmt.Fprintf(w, "\ncalls to the chain\tall\tper piece")
	for _, kind := range kinds {
		fmt.Fprintf(w, "\t%s: per block at rest\tat work", kind)
	}
	fmt.Fprintln(w, "\t")
	methods := map[string]bool{}
	for _, list := range s.after {
		for _, r := range list {
			for key := range r {
				if method, ok := strings.CutPrefix(key, rpcCalls); ok {
					methods[method] = true
				}
			}
		}
	}
	totals := map[string]float64{}
	for _, method := range append(slices.Sorted(maps.Keys(methods)), "together") {
		var cells []string
		everybody := 0.0
		for _, kind := range kinds {
			idle, busy := mean(s.idle.of(kind, rpcCalls+method))/s.idle.blocks(), mean(s.busy.of(kind, rpcCalls+method))/s.busy.blocks()
			calls := sum(s.busy.of(kind, rpcCalls+method))
			if method == "together" {
				idle, busy, calls = totals[kind+"/idle"], totals[kind+"/busy"], totals[kind]
			}
			totals[kind+"/idle"] += idle
			totals[kind+"/busy"] += busy
			totals[kind] += calls
			everybody += calls
			cells = append(cells, fmt.Sprintf("%.2f\t%.2f", idle, busy))
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%s\t\n", method, everybody, everybody/float64(*scalePieces), strings.Join(cells, "\t"))
	}
}

// reportGas tells what all parties' transactions for the job used.
func (s *scale) reportGas(w io.Writer) {
	fmt.Fprintf(w, "\ntransactions\tcount\tgas\tgas per piece\t\n")
	count := 0
	for _, t := range s.job.Cost.Transactions {
		count += int(t.Count)
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t\n", t.Call, t.Count, t.Gas, float64(t.Gas)/float64(*scalePieces))
	}
	fmt.Fprintf(w, "together\t%d\t%d\t%.0f\t\n", count, s.job.Cost.Gas, s.job.Cost.GasPerPiece)
}
