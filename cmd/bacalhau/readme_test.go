package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filecoin-project/bacalhau/client"
)

// tour is a network of separate processes, made by the commands of the README.
type tour struct {
	*stack
	root string
	pids []int // of the chain, the client, and the compute nodes
}

var (
	readmeScript = regexp.MustCompile("(?s)<!-- run by TestReadmeNetwork -->\n```sh\n(.*?)```")
	loopbackPort = regexp.MustCompile(`127\.0\.0\.1:[0-9]+[$0-9]*`)
)

// follow runs the README's script in a folder of its own, with other ports.
func follow(t *testing.T) *tour {
	t.Helper()
	script := readmeScript.FindStringSubmatch(read(t, "../../README.md"))
	if script == nil {
		t.Fatal("the README has lost its script")
	}
	text := strings.Replace(script[1], "go build ./cmd/bacalhau && ", "", 1)
	text = loopbackPort.ReplaceAllStringFunc(text, elsewhere(t))
	w := &tour{stack: &stack{t: t}, root: t.TempDir()}
	w.dir = filepath.Join(w.root, "net", "client")
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"bacalhau": os.Args[0], "examples": examples} {
		if err := os.Symlink(target, filepath.Join(w.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.end)
	sh := exec.Command("sh", "-eu", "-c", "trap 'jobs -p > pids' EXIT\n"+text)
	sh.Dir, sh.Env = w.root, program().Env
	output, err := sh.CombinedOutput()
	for _, pid := range strings.Fields(read(t, w.root, "pids")) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		w.pids = append(w.pids, n)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return w
}

// elsewhere moves addresses to free ports, the same ones to the same.
func elsewhere(t *testing.T) func(string) string {
	t.Helper()
	moved := map[string]string{}
	return func(address string) string {
		if stem, numbered := strings.CutSuffix(address, "$2"); numbered { // ports 123$2 and 424$2, told apart by the node's number
			return stem[:len("127.0.0.1:")] + "0"
		}
		if moved[address] == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			moved[address] = l.Addr().String()
			l.Close()
		}
		return moved[address]
	}
}

// end kills what is left and tells what it logged if the test failed.
func (w *tour) end() {
	for _, pid := range w.pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	if !w.t.Failed() {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(w.root, "net", "*.log"))
	for _, log := range logs {
		w.t.Logf("%s:\n%s", log, read(w.t, log))
	}
}

// try runs the program against a node of the network.
func (w *tour) try(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	return w.at("client", args...)
}

func (w *tour) at(node string, args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	cmd := program(append([]string{"--data-dir", filepath.Join(w.root, "net", node)}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (w *tour) ask(into any, args ...string) bool {
	w.t.Helper()
	stdout, _, code := w.try(append([]string{"--output", "json"}, args...)...)
	if code != exitOK {
		return false
	}
	if err := json.Unmarshal([]byte(stdout), into); err != nil {
		w.t.Fatalf("%v prints no JSON: %v\n%s", args, err, stdout)
	}
	return true
}

// TestReadmeNetwork does what the README says, kills a compute node in the middle of a job and starts it again, and
// stops it in good order.
func TestReadmeNetwork(t *testing.T) {
	t.Parallel()
	w := follow(t)
	if words := read(t, w.root, "net", "words", "stdout"); !strings.Contains(words, "words") {
		t.Errorf("the README's job printed %q", words)
	}
	var nodes []client.Node
	if !w.ask(&nodes, "node", "list") || len(nodes) != 3 {
		t.Errorf("the nodes are %+v", nodes)
	}

	t.Run("a second process on one folder", func(t *testing.T) {
		_, stderr, code := w.at("node1", "serve")
		if want := filepath.Join(w.root, "net", "node1"); code != exitError || !strings.Contains(stderr, "another process uses the folder "+want) {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("no market at the address", func(t *testing.T) {
		chain := regexp.MustCompile(`chain: (\S+)`).FindStringSubmatch(read(t, w.root, "net", "client", configFile))[1]
		other := "0x00000000000000000000000000000000000000ff"
		if _, stderr, code := w.at("lost", "init", "--chain", chain, "--contract", other, "--requester"); code != exitOK {
			t.Fatalf("init: %s", stderr)
		}
		if _, stderr, code := w.at("lost", "serve", "--api", "127.0.0.1:0", "--listen", "127.0.0.1:0"); code != exitError || !strings.Contains(stderr, "there is no contract at") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("a job for a compute node", func(t *testing.T) {
		_, stderr, code := w.at("node1", "job", "list")
		if code != exitError || !strings.Contains(stderr, "this is not a requester node") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})

	var submitted client.Submitted
	if !w.ask(&submitted, "run", "--detach", "--fuel", "10G", "--input", books(t, 6), "--each-file",
		"--pieces-per-execution", "2", "--check-rate", "50%", "--execute-window", "1m", wordcount(t)) {
		t.Fatal("the job was not taken")
	}
	var job client.Job
	w.await(func() bool {
		return w.ask(&job, "job", "describe", submitted.ID.Hex()) && len(job.Executions) > 0
	})
	victim := w.pids[2]
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.await(func() bool { return gone(victim) })
	again := program("serve", "--data-dir", filepath.Join(w.root, "net", "node1"))
	var log bytes.Buffer
	again.Stdout, again.Stderr = &log, &log
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Process.Kill() })
	w.await(func() bool { return w.ask(&job, "job", "describe", submitted.ID.Hex()) && job.Status.Ended() })
	if job.Status != client.JobDone {
		t.Errorf("the job ended %s: %+v", job.Status, job)
	}
	var a client.Audit
	w.await(func() bool { return w.ask(&a, "audit") })
	if !a.Conserved {
		t.Errorf("the books do not add up: %+v", a)
	}

	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := again.Wait(); err != nil {
		t.Errorf("the node ended with %v when told to stop\n%s", err, log.String())
	}
	if _, err := os.Stat(filepath.Join(w.root, "net", "node1", apiFile)); err == nil {
		t.Error("the stopped node left its address behind")
	}
	if _, stderr, code := w.at("node1", "wallet", "show"); code != exitError || !strings.Contains(stderr, "no node runs on") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// gone says whether a process has ended; its shell has, so that nobody but the system waits for it.
func gone(pid int) bool {
	time.Sleep(10 * time.Millisecond)
	state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || bytes.Contains(state, []byte(") Z "))
}
