package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/seal"
)

// swarm is a network of nodes in processes of their own: one that runs the chain and has all of the money, a requester
// node and compute nodes.
type swarm struct {
	testing.TB
	chain, requester *daemon
	nodes            []*daemon
}

// daemon is a node in a process of its own, at the same addresses whenever it is started.
type daemon struct {
	testing.TB
	name   string
	place  place
	dir    string
	args   []string // of serve
	cmd    *exec.Cmd
	log    *os.File
	api    *client.Client
	wallet common.Address
}

// place is where a daemon runs and is reached.
type place interface {
	// address is one that nobody listens on yet.
	address() string
	program(args ...string) *exec.Cmd
}

// loopback is this machine.
type loopback struct{ testing.TB }

func (l loopback) address() string                { return freeAddress(l.TB) }
func (loopback) program(args ...string) *exec.Cmd { return program(args...) }

// newSwarm starts so many compute nodes, all registered, and a requester with a deposit. All but the chain's process are
// started with the flags.
func newSwarm(t testing.TB, nodes int, flags ...string) *swarm {
	t.Helper()
	return newSwarmAt(t, func() place { return loopback{t} }, nodes, flags...)
}

// newSwarmAt is newSwarm with each daemon at a place of its own.
func newSwarmAt(t testing.TB, next func() place, nodes int, flags ...string) *swarm {
	t.Helper()
	s := &swarm{TB: t}
	at := next()
	rpc := at.address()
	s.chain = newDaemon(t, "chain", at, "--chain", embeddedChain, "--chain-listen", rpc)
	s.chain.start()
	s.chain.awaitReady()
	status, err := s.chain.api.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	member := func(name, role string) *daemon {
		return newDaemon(t, name, next(), append([]string{"--chain", "ws://" + rpc, "--contract", status.Contract.Hex(), "--allow-private", role}, flags...)...)
	}
	s.requester = member("requester", "--requester")
	for i := range nodes {
		s.nodes = append(s.nodes, member(fmt.Sprintf("node-%d", i+1), "--compute"))
	}
	var joining errgroup.Group
	for _, d := range append([]*daemon{s.requester}, s.nodes...) {
		joining.Go(func() error {
			if err := s.chain.api.Pay(t.Context(), d.wallet, ether(1000)); err != nil {
				return fmt.Errorf("pay %s: %w", d.name, err)
			}
			return d.join(d != s.requester)
		})
	}
	if err := joining.Wait(); err != nil {
		t.Fatal(err)
	}
	return s
}

// join starts a node and brings its money into the market, and a compute node into the registry.
func (d *daemon) join(registers bool) error {
	if err := d.begin(); err != nil {
		return fmt.Errorf("start %s: %w", d.name, err)
	}
	ctx, cancel := context.WithTimeout(d.Context(), 5*time.Minute)
	defer cancel()
	if err := until(ctx, d.ready); err != nil {
		return fmt.Errorf("%s does not get ready: %w", d.name, err)
	}
	if err := d.api.Deposit(d.Context(), ether(100)); err != nil {
		return fmt.Errorf("deposit of %s: %w", d.name, err)
	}
	if !registers {
		return nil
	}
	if err := d.api.Register(d.Context()); err != nil {
		return fmt.Errorf("register %s: %w", d.name, err)
	}
	return nil
}

// all are the swarm's processes.
func (s *swarm) all() []*daemon { return append([]*daemon{s.chain, s.requester}, s.nodes...) }

// newDaemon makes a node's folder, wallet and addresses, and does not start it yet.
func newDaemon(t testing.TB, name string, at place, flags ...string) *daemon {
	t.Helper()
	d := &daemon{TB: t, name: name, place: at, dir: filepath.Join(t.TempDir(), name)}
	api := at.address()
	d.args = append([]string{"--listen", at.address(), "--api", api, "--drain", "1s"}, flags...)
	var err error
	if d.wallet, err = seal.NewKey(keystoreOf(d.dir), password, true); err != nil {
		t.Fatal(err)
	}
	d.watch(api)
	return d
}

// watch makes a daemon ready to be started whose folder there is.
func (d *daemon) watch(api string) {
	t := d.TB
	t.Helper()
	var err error
	if d.api, err = client.New("http://"+api, nil); err != nil {
		t.Fatal(err)
	}
	if d.log, err = os.Create(filepath.Join(d.dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.kill()
		d.log.Close()
		if t.Failed() {
			t.Logf("the end of %s's log:\n%s", d.name, tail(d.log.Name(), 4<<10))
		}
	})
}

// password of all wallets here. It protects nothing.
const password = "password"

func (d *daemon) start() {
	d.Helper()
	if err := d.begin(); err != nil {
		d.Fatal(err)
	}
}

func (d *daemon) begin() error {
	d.cmd = d.place.program(append([]string{"serve", "--data-dir", d.dir}, d.args...)...)
	if _, err := os.Stat(filepath.Join(d.dir, passwordFileName)); err != nil {
		d.cmd.Env = append(d.cmd.Env, envPassword+"="+password)
	}
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	return d.cmd.Start()
}

// order runs a command of the node's owner.
func (d *daemon) order(args ...string) ran {
	d.Helper()
	cmd := program(append([]string{"--data-dir", d.dir}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		d.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// kill ends the process as a power cut would.
func (d *daemon) kill() {
	if d.cmd != nil && d.cmd.ProcessState == nil {
		d.cmd.Process.Kill()
		d.cmd.Wait()
	}
}

// awaitReady waits until the node has read the chain up to its head.
func (d *daemon) awaitReady() {
	d.Helper()
	await(d, d.ready)
}

func (d *daemon) ready() error {
	status, err := d.api.Status(d.Context())
	if err == nil && !status.Ready {
		err = errors.New("still reading the chain")
	}
	return err
}

// run submits a job and returns without waiting for it.
func (d *daemon) run(args ...string) (common.Hash, error) {
	cmd := program(append([]string{"--api", d.api.URL(), "--output", "json", "run", "--detach"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return common.Hash{}, err
	}
	var submitted client.Submitted
	return submitted.ID, json.Unmarshal(out, &submitted)
}

// await waits until something succeeds; in vain it ends with the test binary's own deadline.
func await(t testing.TB, try func() error) {
	t.Helper()
	if err := until(t.Context(), try); err != nil {
		t.Fatal(err)
	}
}

// until waits until something succeeds, or gives its error when ctx ends.
func until(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// freeAddress is one on this machine that nobody listened on a moment ago, with a port that the system gives to nobody
// who does not ask for it.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
}

func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// tail is the last bytes of a file.
func tail(path string, bytes int) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-bytes):])
}
