package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"golang.org/x/sync/errgroup"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/internal/node"
	"github.com/filecoin-project/bacalhau/protocol"
)

// owners have three nodes: one runs the chain and is a client, one is compute node and requester node, one is a compute
// node only. The first and the last were set up by answering what init asks.
type owners struct {
	*testing.T
	rpc               string
	chain, both, node *daemon
}

// TestOwner has the owners of nodes set them up, put up stakes, pause, drain, stop and leave.
func TestOwner(t *testing.T) {
	t.Parallel()
	o := &owners{T: t, rpc: freeAddress(t)}
	o.part("nothing is made without answers", (*owners).answersNothing)
	o.chain = o.initialise("chain", []string{"--requester", "--chain-listen", o.rpc},
		exchange{"Chain (", "filecon" + enter}, exchange{`"filecon" is no chain`, ""},
		exchange{"Chain (", "embedded" + enter},
		exchange{"Password", password + enter}, exchange{"The same again", "passwort" + enter}, exchange{"these differ", ""},
		exchange{"Password", password + enter}, exchange{"The same again", password + enter})
	o.chain.start()
	o.chain.awaitReady()
	status, err := o.chain.api.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	contract := status.Contract.Hex()
	o.node = o.initialise("node", nil,
		exchange{"Chain (", enter}, exchange{"name the chain", ""},
		exchange{"Chain (", "ws://" + o.rpc + enter},
		exchange{"[compute]", "miner" + enter}, exchange{"none of compute, requester, both", ""},
		exchange{"[compute]", enter}, // which takes what is proposed
		exchange{"contract", enter}, exchange{"give the address", ""},
		exchange{"contract", contract[:10] + enter}, exchange{"is not an address", ""},
		exchange{"contract", contract + enter},
		exchange{"Password", enter}) // which keeps one in the folder
	o.both = newDaemon(t, "both", loopback{t}, "--chain", "ws://"+o.rpc, "--contract", contract, "--allow-private", "--compute", "--requester")
	o.node.start()
	var joining errgroup.Group
	joining.Go(func() error { return o.chain.api.Deposit(t.Context(), ether(100)) })
	joining.Go(func() error { return o.chain.api.Pay(t.Context(), o.node.wallet, ether(100)) })
	joining.Go(func() error {
		return errors.Join(o.chain.api.Pay(t.Context(), o.both.wallet, ether(1000)), o.both.join(true))
	})
	if err := joining.Wait(); err != nil {
		t.Fatal(err)
	}
	o.node.awaitReady()
	o.part("stake and register", (*owners).stakes)
	o.part("pause and resume", (*owners).pauses)
	o.part("drain, stop and exit", (*owners).leaves)
	o.part("deploy is killed", (*owners).deploys)
	audit, err := o.chain.api.Audit(t.Context())
	if err != nil || !audit.Conserved {
		t.Errorf("the books do not add up: %+v, %v", audit, err)
	}
}

// part is a test for which those before it must have passed.
func (o *owners) part(name string, test func(*owners)) {
	o.Helper()
	passed := o.Run(name, func(t *testing.T) {
		part := *o
		part.T = t
		test(&part)
	})
	if !passed {
		o.FailNow()
	}
}

func (o *owners) answersNothing() {
	for key, want := range map[string]struct {
		code int
		says string
	}{ctrlC: {exitInterrupted, "interrupted"}, ctrlD: {exitError, "nothing was made"}} {
		dir := filepath.Join(o.TempDir(), "node")
		shown, code := converse(o.T, program("init", "--data-dir", dir), exchange{"Chain (", key}, exchange{want.says, ""})
		if code != want.code {
			o.Errorf("exit code %d, want %d:\n%s", code, want.code, shown)
		}
		if _, err := os.Stat(dir); err == nil {
			o.Errorf("%s was made", dir)
		}
	}
}

// initialise sets up a node by answers on a terminal. It can be served as it is.
func (o *owners) initialise(name string, flags []string, talk ...exchange) *daemon {
	o.Helper()
	d := &daemon{TB: o, name: name, place: loopback{o}, dir: filepath.Join(o.TempDir(), name)}
	api := freeAddress(o)
	args := append([]string{"init", "--data-dir", d.dir, "--api", api, "--listen", freeAddress(o)}, flags...)
	shown, code := converse(o.T, program(args...), append(talk, exchange{"Next:", ""})...)
	if code != exitOK {
		o.Fatalf("init: exit code %d\n%s", code, shown)
	}
	keys := d.order("wallet", "list")
	d.wallet = common.HexToAddress(strings.TrimSpace(keys.stdout))
	d.watch(api)
	return d
}

// does has an owner's command succeed, and checks a line of what it prints.
func (o *owners) does(d *daemon, line string, args ...string) {
	o.Helper()
	got := d.order(args...)
	if got.code != exitOK || !strings.Contains(got.stdout, line+"\n") {
		o.Errorf("%s: %v: %+v; want a line %q", d.name, args, got, line)
	}
}

// refuses has an owner's command fail for a reason.
func (o *owners) refuses(d *daemon, reason string, args ...string) {
	o.Helper()
	if got := d.order(args...); got.code != exitError || got.stdout != "" || !strings.Contains(got.stderr, reason) {
		o.Errorf("%s: %v: %+v; want a refusal that says %q", d.name, args, got, reason)
	}
}

// wallet is what an owner's command prints as JSON.
func (o *owners) wallet(d *daemon, args ...string) (w client.Wallet) {
	o.Helper()
	got := d.order(append(args, "--output", "json")...)
	if got.code != exitOK {
		o.Fatalf("%s: %v: %+v", d.name, args, got)
	}
	decodeInto(o.T, got.stdout, &w)
	return w
}

// listed is what another node says of one, once it is as wanted.
func (o *owners) listed(by, d *daemon, wanted func(n client.Node, registered bool) bool) {
	o.Helper()
	await(o, func() error {
		nodes, err := by.api.Nodes(o.Context())
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Address == d.wallet && wanted(n, true) {
				return nil
			}
		}
		if wanted(client.Node{}, false) {
			return nil
		}
		return errors.New("not yet")
	})
}

func (o *owners) stakes() {
	o.refuses(o.node, "bacalhau node stake", "node", "register")
	o.refuses(o.node, "`bacalhau node register` enters the registry", "node", "pause")
	o.does(o.node, "free     1 eth", "node", "stake") // the least
	o.does(o.node, "free     1 eth", "node", "stake") // which is there
	o.does(o.node, "node     registered", "node", "register")
	o.refuses(o.node, "registered already", "node", "register")
	if w := o.wallet(o.node, "node", "stake", "2eth"); w.Free.Cmp(ether(3)) != 0 || w.Locked.Sign() != 0 || !w.Registered || w.Paused {
		o.Errorf("the wallet is %+v", w)
	}
	o.refuses(o.node, "not enough funds", "node", "stake", "1000eth")
	o.refuses(o.node, "insufficient stake", "wallet", "withdraw", "2.5eth")
	o.listed(o.both, o.node, func(n client.Node, registered bool) bool {
		return registered && !n.Paused && n.Free.Int != nil && n.Free.Cmp(ether(3)) == 0
	})
}

func (o *owners) pauses() {
	o.does(o.node, "node     registered, paused", "node", "pause")
	o.refuses(o.node, "paused already", "node", "pause")
	o.listed(o.both, o.node, func(n client.Node, _ bool) bool { return n.Paused })
	job := o.submit(o.both, "--input", books(o, 1), wordcount(o))
	o.decides(o.node, job, "paused")
	if w := o.wallet(o.node, "node", "resume"); !w.Registered || w.Paused {
		o.Errorf("the wallet is %+v", w)
	}
	o.refuses(o.node, "not paused", "node", "resume")
	o.done(o.both, job, o.node)
}

// leaves drains a node while it works, and has it leave the registry with money locked. The client of this work, which is
// a compute node too, is stopped meanwhile, so that nobody settles, and starts again.
func (o *owners) leaves() {
	o.refuses(o.chain, "not a compute node", "node", "drain")

	loop := write(o.T, loopModule, o.TempDir(), "loop.wasm")
	long := o.submit(o.both, "--fuel", "80G", loop)
	await(o, func() error { return o.metric(o.node, "bacalhau_runs_running 1") })
	o.does(o.node, "the node takes no more work until it is started again; left: 1 piece to finish", "node", "drain")
	other := o.submit(o.chain, "--input", books(o, 1), wordcount(o))
	o.decides(o.node, other, "this node finishes its work and takes no more")

	o.stop(o.both)
	left := o.wallet(o.node, "node", "exit")
	if left.Registered || left.Locked.Sign() <= 0 {
		o.Errorf("the node that left has %+v", left)
	}
	o.refuses(o.node, "takes no more work since `bacalhau node drain`", "node", "register")
	o.refuses(o.node, "insufficient free", "wallet", "withdraw", "3eth")
	o.does(o.node, "free     0", "wallet", "withdraw", left.Free.String())
	o.does(o.node, "the node takes no more work until it is started again; left: nothing", "node", "drain", "--wait")
	var drained client.Draining
	decodeInto(o.T, o.node.order("node", "drain", "--output", "json").stdout, &drained)
	if drained != (client.Draining{}) {
		o.Errorf("left after the drain: %+v", drained)
	}

	o.both.start()
	o.both.awaitReady()
	o.done(o.chain, other, o.both)
	o.done(o.both, long, o.node)
	var back client.Wallet
	await(o, func() (err error) {
		if back, err = o.node.api.Wallet(o.Context()); err == nil && back.Locked.Sign() != 0 {
			err = errors.New("money is locked")
		}
		return err
	})
	if back.Free.Cmp(left.Locked.Int) <= 0 { // the fine, and the pay
		o.Errorf("%s wei was locked, and %s came back", left.Locked, back.Free)
	}
	o.does(o.node, "free     0", "wallet", "withdraw", back.Free.String())
	o.listed(o.both, o.node, func(_ client.Node, registered bool) bool { return !registered })
}

// stop ends a node in good order.
func (o *owners) stop(d *daemon) {
	o.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		o.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		o.Errorf("%s ended with %v when told to stop", d.name, err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, apiFile)); err == nil {
		o.Errorf("%s left its address behind", d.name)
	}
}

func (o *owners) submit(d *daemon, args ...string) common.Hash {
	o.Helper()
	id, err := d.run(append([]string{"--check-rate", "1%"}, args...)...) // nearly never, for there is nobody to check
	if err != nil {
		o.Fatal(err)
	}
	return id
}

// done waits for a job to end, with all of its outputs, and all of it was a node's work.
func (o *owners) done(of *daemon, id common.Hash, by *daemon) {
	o.Helper()
	var job client.Job
	await(o, func() (err error) {
		if job, err = of.api.Job(o.Context(), id); err == nil && !job.Status.Ended() {
			err = errors.New("the job goes on")
		}
		return err
	})
	if job.Status != client.JobDone {
		o.Errorf("the job of %s ended %s", of.name, job.Status)
	}
	for _, e := range job.Executions {
		if e.Node != by.wallet || e.Status != protocol.StatusSettled {
			o.Errorf("an execution of %s is %+v; want one of %s that is settled", of.name, e, by.name)
		}
	}
}

// decides waits until a node has said something about a job.
func (o *owners) decides(d *daemon, id common.Hash, says string) {
	o.Helper()
	await(o, func() error {
		if got := d.order("node", "decisions", id.Hex()); !strings.Contains(got.stdout, says) {
			return errors.New(got.stdout + got.stderr)
		}
		return nil
	})
}

func (o *owners) metric(d *daemon, line string) error {
	answer, err := http.Get(d.api.URL() + "/metrics")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(text), "\n"+line+"\n") {
		err = errors.New("no line " + line)
	}
	return err
}

// deploys kills a deployment twice when the chain has a transaction of it that is not mined yet.
func (o *owners) deploys() {
	chain, err := ethclient.DialContext(o.Context(), "http://"+o.rpc)
	if err != nil {
		o.Fatal(err)
	}
	defer chain.Close()
	dir := filepath.Join(o.TempDir(), "deployer")
	args := []string{"--data-dir", dir, "--output", "json", "deploy", "--chain", "http://" + o.rpc, "--parameters", "development"}
	var made walletReport
	deployer := &daemon{TB: o, dir: dir}
	decodeInto(o.T, deployer.order("wallet", "new", "--output", "json").stdout, &made)
	if err := o.chain.api.Pay(o.Context(), made.Address, ether(1)); err != nil {
		o.Fatal(err)
	}
	counts := func(ctx context.Context) (sent, mined uint64) {
		mined, err := chain.NonceAt(ctx, made.Address, nil)
		if err != nil {
			o.Fatal(err)
		}
		if sent, err = chain.PendingNonceAt(ctx, made.Address); err != nil {
			o.Fatal(err)
		}
		return sent, mined
	}
	for _, most := range []uint64{1, 3} {
		cmd := program(args...)
		if err := cmd.Start(); err != nil {
			o.Fatal(err)
		}
		for {
			if sent, mined := counts(o.Context()); sent >= most && mined < sent {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	var first, again node.Deployment
	for _, d := range []*node.Deployment{&first, &again} {
		out, err := program(args...).Output()
		if err != nil {
			o.Fatal(err)
		}
		if err := json.Unmarshal(out, d); err != nil {
			o.Fatal(err)
		}
	}
	if first.Contract != again.Contract {
		o.Errorf("deployed to %s and again to %s", first.Contract, again.Contract)
	}
	if code, err := chain.CodeAt(o.Context(), first.Contract, nil); err != nil || len(code) == 0 {
		o.Errorf("there is no contract at %s: %v", first.Contract, err)
	}
	if sent, mined := counts(o.Context()); sent != 5 || mined != 5 {
		o.Errorf("%d transactions were sent and %d mined, want one for each of five parts", sent, mined)
	}
	if left, err := chain.BalanceAt(o.Context(), made.Address, nil); err != nil || left.Cmp(new(big.Int)) <= 0 {
		o.Errorf("%s wei is left, %v", left, err)
	}
}
