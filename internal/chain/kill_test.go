package chain

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

const childDirVar = "CHAIN_TEST_CHILD_DIR"

// runChild is the process that the kill test kills: a chain with one-second blocks.
func runChild(dir string) {
	e, err := StartEmbedded(testConfig(dir, 1))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(e.URL())
	io.Copy(io.Discard, os.Stdin) // until killed, or the parent is gone
	os.Exit(0)
}

// startChild runs a chain in another process and returns its address and a way to kill it.
func startChild(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDirVar+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cmd.Wait()
		t.Fatalf("child: %v: %s", err, stderr.String())
	}
	return strings.TrimSpace(line), kill
}

// promises is everything that a killed chain has told anyone.
type promises struct {
	mu       sync.Mutex
	heads    []Point
	outcomes map[string]Outcome
	contract Outcome
	sink     memorySink
}

func (p *promises) done() map[string]Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.outcomes)
}

// check compares the promises with the chain.
func (p *promises) check(t *testing.T, c *Client) {
	t.Helper()
	for _, point := range append(p.heads, p.sink.Checkpoints()...) {
		if ok, err := c.has(t.Context(), point); err != nil || !ok {
			t.Fatalf("block %d that was told of is gone (%v)", point.Number, err)
		}
	}
	for key, out := range p.done() {
		var r *receipt
		if err := c.call(t.Context(), &r, "eth_getTransactionReceipt", out.Hash); err != nil || r == nil || uint64(r.Block) != out.Block {
			t.Fatalf("the outcome of %s is gone: %+v, %v", key, r, err)
		}
	}
}

// sendAll sends the intents with numbers below n, those done before included, and
// returns when the sender stops or all are done.
func (p *promises) sendAll(ctx context.Context, s *Sender, n int) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			key := fmt.Sprint(i)
			out, err := s.Send(ctx, Intent{Key: key, To: p.contract.Contract, Data: []byte{9}})
			if err != nil {
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.outcomes[key] = out
		})
	}
	wg.Wait()
}

// A chain that is killed at the very moment it tells of a block, and many times, still has
// every block, log and outcome that it told of, and every intent happens once.
func TestKillLosesNothingThatWasTold(t *testing.T) {
	const kills, perRound = 5, 20
	dir, intents := t.TempDir(), t.TempDir()
	told := promises{outcomes: map[string]Outcome{}}
	for round := range kills {
		url, kill := startChild(t, dir)
		c := dial(t, url)
		told.check(t, c)
		s, stop := startSender(t, c, testKey, intents, SenderConfig{MaxInFlight: 8})
		if round == 0 {
			var err error
			if told.contract, err = s.Deploy(t.Context(), "deploy", counterInit); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var others sync.WaitGroup
		f := &Follower{Client: c, Address: told.contract.Contract, Start: told.contract.Block, Sink: &told.sink}
		others.Go(func() { f.Run(ctx) })
		others.Go(func() { told.sendAll(ctx, s, (round+1)*perRound) })
		before := len(told.done())
		eventually(t, "a new outcome", func() bool { return len(told.done()) > before })
		told.heads = append(told.heads, nextHead(t, c))
		kill()
		cancel()
		stop()
		others.Wait()
	}
	url, _ := startChild(t, dir)
	c := dial(t, url)
	told.check(t, c)
	s, _ := startSender(t, c, testKey, intents, SenderConfig{})
	told.sendAll(t.Context(), s, kills*perRound)
	if n, done := count(t, c, told.contract.Contract), len(told.done()); n != kills*perRound || done != kills*perRound {
		t.Fatalf("the counter is %d after %d outcomes, want %d: an intent happened not once", n, done, kills*perRound)
	}
}

// nextHead watches as closely as it can and returns a block in its first moments.
func nextHead(t *testing.T, c *Client) Point {
	t.Helper()
	first, err := c.HeadPoint(t.Context())
	for p := first; ; {
		if p.Number != first.Number || err != nil {
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p, err = c.HeadPoint(t.Context())
	}
}
