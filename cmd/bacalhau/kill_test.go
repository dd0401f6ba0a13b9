package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

var (
	kills    = flag.Int("kills", 6, "how many times TestKillAnything kills processes")
	killSeed = flag.Uint64("kill-seed", 1, "chooses which compute node it kills and how long it waits before")
)

// TestKillAnything kills nodes, the requester, the chain, or all of them at once, at random moments of jobs of which
// every piece is checked, and starts them again. Every job ends with all outputs, nobody is proved wrong, no lock stays
// behind, and the contract's money is all somebody's. That the checks agree, and that every output is delivered, says
// that no node had committed to what it could not open afterwards. It prints the table of what was killed when.
func TestKillAnything(t *testing.T) {
	t.Parallel()
	k := newTrial(newSwarm(t, 4))
	for i := range *kills {
		k.disturb(k.kill(i), 500*time.Millisecond)
	}
	k.finish("kills")
}

// trial disturbs a swarm that always has a job to do.
type trial struct {
	*swarm
	random        *rand.Rand
	module, input string
	jobs          map[common.Hash]client.Job // as seen last
	current       common.Hash
	table         map[[2]string]int // disturbances by victim and the job's stage
}

// disturbance is something that begins and ends.
type disturbance struct {
	victim     string
	begin, end func()
}

func newTrial(s *swarm) *trial {
	return &trial{
		swarm: s, random: rand.New(rand.NewPCG(*killSeed, 0)), module: wordcount(s), input: books(s, 6),
		jobs: map[common.Hash]client.Job{}, table: map[[2]string]int{},
	}
}

// disturb lets the work go on for a while, and then something happen for at most a time.
func (k *trial) disturb(d disturbance, most time.Duration) {
	k.Helper()
	if k.jobs[k.current].Status.Ended() || k.current == (common.Hash{}) {
		k.submit()
	}
	time.Sleep(time.Duration(k.random.IntN(2500)) * time.Millisecond)
	k.look(k.current)
	k.table[[2]string{d.victim, stage(k.jobs[k.current])}]++
	d.begin()
	time.Sleep(time.Duration(k.random.Int64N(int64(most))))
	d.end()
}

// finish waits for all jobs to end, checks what they came to and prints the table.
func (k *trial) finish(disturbances string) {
	k.Helper()
	for id := range k.jobs {
		k.awaitEnd(id)
	}
	k.check()
	k.Log(k.report(disturbances))
}

// kill is the death of those whose turn it is, until they are started again.
func (k *trial) kill(turn int) disturbance {
	name, victims := k.victims(turn)
	return disturbance{name, func() {
		for _, v := range victims {
			v.kill()
		}
	}, func() {
		for _, v := range victims {
			v.start()
		}
		for _, v := range victims {
			v.awaitReady()
		}
	}}
}

// victims are in turn one of the compute nodes, the requester, the chain, and all processes.
func (k *trial) victims(turn int) (string, []*daemon) {
	switch turn % 4 {
	case 0:
		return "compute node", []*daemon{k.nodes[k.random.IntN(len(k.nodes))]}
	case 1:
		return "requester", []*daemon{k.requester}
	case 2:
		return "chain", []*daemon{k.chain}
	default:
		return "all at once", k.all()
	}
}

func (k *trial) submit() {
	k.Helper()
	await(k, func() (err error) {
		k.current, err = k.requester.run(
			"--input", k.input, "--each-file", "--pieces-per-execution", "2", "--check-rate", "0.999", k.module)
		return err
	})
	k.look(k.current)
}

// look asks the requester how a job stands.
func (k *trial) look(id common.Hash) {
	k.Helper()
	await(k, func() error {
		job, err := k.requester.api.Job(k.Context(), id)
		if err == nil {
			k.jobs[id] = job
		}
		return err
	})
}

func (k *trial) awaitEnd(id common.Hash) {
	k.Helper()
	await(k, func() error {
		if k.look(id); k.jobs[id].Status.Ended() {
			return nil
		}
		return errors.New("the job goes on")
	})
}

// stage is the status of the job's first execution that is not over, or what the job itself is at.
func stage(j client.Job) string {
	if j.Status.Ended() {
		return "ended"
	}
	for _, e := range j.Executions {
		if !slices.Contains([]protocol.Status{protocol.StatusSettled, protocol.StatusReturned, protocol.StatusRefunded}, e.Status) {
			return e.Status.String()
		}
	}
	if len(j.Executions) > 0 {
		return "delivering"
	}
	return string(j.Status)
}

// check holds the outcome against what must be.
func (k *trial) check() {
	k.Helper()
	for id, job := range k.jobs {
		if job.Status != client.JobDone || job.Delivered != job.Pieces {
			k.Errorf("job %s ended %s with %d of %d outputs", id, job.Status, job.Delivered, job.Pieces)
		}
		for _, e := range job.Executions {
			for _, p := range e.Penalties {
				if p.Kind == protocol.PenaltySlash {
					k.Errorf("execution %s: seat %d was proved wrong: %+v", e.ID, p.Seat, p)
				}
			}
		}
	}
	for _, d := range k.all() {
		await(d, func() error {
			wallet, err := d.api.Wallet(d.Context())
			if err == nil && wallet.Locked.Sign() != 0 {
				err = fmt.Errorf("%s has %s wei locked", d.name, wallet.Locked)
			}
			return err
		})
	}
	if a := k.audit(); !a.Conserved {
		k.Errorf("the books do not add up: %+v", a)
	}
}

func (k *trial) audit() (a client.Audit) {
	k.Helper()
	await(k, func() (err error) { a, err = k.requester.api.Audit(k.Context()); return err })
	return a
}

// report is the kill table, with a column for each stage, and what became of the jobs.
func (k *trial) report(disturbances string) string {
	var victims, stages []string
	for at := range k.table {
		victims, stages = append(victims, at[0]), append(stages, at[1])
	}
	slices.Sort(victims)
	slices.Sort(stages)
	victims, stages = slices.Compact(victims), slices.Compact(stages)
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s\t%s\n", disturbances, strings.Join(stages, "\t"))
	for _, v := range victims {
		fmt.Fprint(w, v)
		for _, s := range stages {
			fmt.Fprintf(w, "\t%d", k.table[[2]string{v, s}])
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	penalties := map[protocol.PenaltyKind]int{}
	pieces := uint32(0)
	for _, job := range k.jobs {
		pieces += job.Delivered
		for _, e := range job.Executions {
			for _, p := range e.Penalties {
				penalties[p.Kind]++
			}
		}
	}
	a := k.audit()
	total := 0
	for _, n := range k.table {
		total += n
	}
	fmt.Fprintf(&out, "%d %s, %d jobs done, %d outputs delivered, penalties %v\nbalance %s = free %s + locked %s + burned %s wei",
		total, disturbances, len(k.jobs), pieces, penalties, a.Balance, a.Free, a.Locked, a.Burned)
	return out.String()
}
