package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/examples"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

// beProgram makes the test binary be the program itself, so that the tests run, kill and restart real processes.
const beProgram = "BACALHAU_TEST_BE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" || confine.Started() {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a command line of the real program.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), beProgram+"=1", envAPI+"=")
	return cmd
}

// stack is a devstack in a process of its own.
type stack struct {
	t    *testing.T
	dir  string
	addr string
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func newStack(t *testing.T, args ...string) *stack {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := &stack{t: t, dir: t.TempDir(), addr: addr, args: args}
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("devstack's log:\n%s", s.log.String())
		}
	})
	return s
}

func (s *stack) start() {
	s.t.Helper()
	s.cmd = program(append([]string{"devstack", "--dir", s.dir, "--listen", s.addr}, s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the process as a power cut would.
func (s *stack) kill() {
	if s.cmd.ProcessState == nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	}
}

// try runs the program against the stack.
func (s *stack) try(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	cmd := program(append([]string{"--api", "http://" + s.addr}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// json runs the program with --output json and decodes what it prints. It reports whether the program succeeded.
func (s *stack) json(into any, args ...string) bool {
	s.t.Helper()
	stdout, _, code := s.try(append([]string{"--output", "json"}, args...)...)
	if code != exitOK {
		return false
	}
	if err := json.Unmarshal([]byte(stdout), into); err != nil {
		s.t.Fatalf("%v prints no JSON: %v\n%s", args, err, stdout)
	}
	return true
}

// await waits until the stack reaches a state; in vain it ends with the test binary's own deadline.
func (s *stack) await(reached func() bool) {
	s.t.Helper()
	for !reached() {
		select {
		case <-s.t.Context().Done():
			s.t.Fatal("the test was ended while it waited")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (s *stack) awaitNodes(count int) {
	s.t.Helper()
	s.await(func() bool {
		var nodes []client.Node
		return s.json(&nodes, "node", "list") && len(nodes) == count
	})
}

// books writes some of the example's files to a folder.
func books(t testing.TB, count int) string {
	t.Helper()
	dir := t.TempDir()
	names, err := fs.Glob(examples.KJV(), "*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names[len(names)-count:] { // the short ones
		text, err := fs.ReadFile(examples.KJV(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func wordcount(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wordcount.wasm")
	if err := os.WriteFile(path, examples.Wordcount, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestKilledDevstackLosesNothing kills the whole network at several stages of a job. The job ends with the right
// outputs every time, and all money is accounted for. All nodes are honest: a client that comes back after its window has
// checked nothing, and a cheat is paid then.
func TestKilledDevstackLosesNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t, "--nodes", "3")
	s.awaitNodes(3)
	var submitted client.Submitted
	if !s.json(&submitted, "run", "--detach", "--input", books(t, 6), "--each-file", "--check-rate", "0.999", "--expiry", "1h", wordcount(t)) {
		t.Fatal("the job was not taken")
	}
	job := func() (j client.Job) {
		s.json(&j, "job", "describe", submitted.ID.Hex())
		return j
	}
	for _, stage := range []struct {
		name    string
		reached func(client.Job) bool
	}{
		{"assigned", func(j client.Job) bool { return len(j.Executions) > 0 }},
		{"committed", func(j client.Job) bool { return j.Committed > 0 }},
		{"a piece is delivered", func(j client.Job) bool { return j.Delivered > 0 }},
	} {
		s.await(func() bool { return stage.reached(job()) })
		s.kill()
		t.Logf("killed once %s", stage.name)
		s.start()
	}
	s.await(func() bool { return job().Status.Ended() })
	ended := job()
	if ended.Status != client.JobDone {
		t.Errorf("the job ended %s: %+v", ended.Status, ended)
	}
	s.audit()
	out := filepath.Join(t.TempDir(), "out")
	if _, stderr, code := s.try("get", submitted.ID.Hex(), "--out", out); code != exitOK {
		t.Fatalf("get: %s", stderr)
	}
	for _, p := range ended.PieceList {
		text, err := os.ReadFile(filepath.Join(out, "pieces", p.Name, "stdout"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "words") {
			t.Errorf("%s: %q", p.Name, text)
		}
	}
}

// audit prints the contract's books and fails if money appeared or disappeared.
func (s *stack) audit() {
	s.t.Helper()
	var a client.Audit
	s.await(func() bool { return s.json(&a, "audit") })
	s.t.Logf("audit at block %d: balance %s = free %s + locked %s + burned %s wei", a.Block, a.Balance, a.Free, a.Locked, a.Burned)
	if !a.Conserved {
		s.t.Errorf("the books do not add up: %+v", a)
	}
}

// TestUseOfOneNode gives a network of one node bad input, which moves no money, and then work.
func TestUseOfOneNode(t *testing.T) {
	t.Parallel()
	s := newStack(t, "--nodes", "1")
	s.awaitNodes(1)
	var before, after client.Wallet
	if !s.json(&before, "wallet", "show") {
		t.Fatal("no wallet")
	}
	module := wordcount(t)
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "module.wasm")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const nobodyHasIt = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
	for _, c := range []struct {
		name string
		args []string
		want string // in the one line that it ends with
	}{
		{"missing module", []string{"run", "/does/not/exist.wasm"}, "neither a file here, nor a CID, nor a URL"},
		{"not WebAssembly", []string{"run", file("#!/bin/sh")}, "not a core WebAssembly module"},
		{"truncated module", []string{"run", file(string(examples.Wordcount[:2000]))}, "module refused"},
		{"module nobody has", []string{"run", nobodyHasIt}, "nobody on the network has"},
		{"input nobody has", []string{"run", "--input", nobodyHasIt, module}, "nobody on the network has"},
		{"missing input", []string{"run", "--input", "/does/not/exist", module}, "neither a file or folder here"},
		{"100 GiB of memory", []string{"run", "--memory", "100GiB", module}, "more than a piece can have"},
		{"memory from the start", []string{"run", file(memoryModule(65536)), "--memory", "64MiB"}, "raise the memory limit"},
		{"fine beyond all stakes", []string{"run", "--flat", "--bid", "5000eth", module}, "lower the bid"},
		{"check rate", []string{"run", "--check-rate", "110%", module}, "check-rate"},
		{"unknown job", []string{"job", "describe", "0x1234567890"}, "no job"},
		{"withdraw too much", []string{"wallet", "withdraw", "100000eth"}, "insufficient free"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, stderr, code := s.try(c.args...)
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			if last := lines[len(lines)-1]; code == exitOK || !strings.Contains(last, c.want) {
				t.Errorf("exit code %d, last line %q; want one that says %q", code, last, c.want)
			}
		})
	}
	if !s.json(&after, "wallet", "show") || after.Free.Cmp(before.Free.Int) != 0 || after.Locked.Sign() != 0 {
		t.Errorf("wallet before %+v, after %+v", before, after)
	}

	t.Run("too little balance", func(t *testing.T) {
		const most = "999eth" // of the thousand that the client has in the contract
		if _, stderr, code := s.try("wallet", "withdraw", most); code != exitOK {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		_, stderr, code := s.try("run", "--flat", "--bid", "0.1eth", "--check-rate", "99%", "--input", books(t, 40), "--each-file", module)
		if code == exitOK || !strings.Contains(stderr, "too little balance") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
		if _, stderr, code := s.try("wallet", "deposit", most); code != exitOK {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("endless loop", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out")
		_, stderr, code := s.try("run", "--fuel", "1G", "--out", out, file(loopModule))
		if code != exitWork || !strings.Contains(stderr, "out of fuel") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("input by URL", func(t *testing.T) {
		server := httptest.NewServer(http.FileServer(http.Dir(books(t, 1))))
		defer server.Close()
		out := filepath.Join(t.TempDir(), "out")
		if _, stderr, code := s.try("run", "--input", server.URL+"/66-revelation.txt", "--out", out, module); code != exitOK {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		text, err := os.ReadFile(filepath.Join(out, "stdout"))
		if err != nil || !strings.Contains(string(text), "66-revelation.txt") {
			t.Errorf("%q, %v", text, err)
		}
	})
	t.Run("cancelled job", func(t *testing.T) {
		var submitted client.Submitted
		if !s.json(&submitted, "run", "--detach", "--input", books(t, 40), "--each-file", "--pieces-per-execution", "1", module) {
			t.Fatal("the job was not taken")
		}
		if _, stderr, code := s.try("job", "cancel", submitted.ID.Hex()); code != exitOK {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		var job client.Job
		s.await(func() bool { return s.json(&job, "job", "describe", submitted.ID.Hex()) && job.Status.Ended() })
		if job.Status != client.JobCancelled || job.Delivered == job.Pieces {
			t.Errorf("the job ended %s with %d of %d pieces", job.Status, job.Delivered, job.Pieces)
		}
	})
	s.await(func() bool { return s.json(&after, "wallet", "show") && after.Locked.Sign() == 0 })
	s.audit()

	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("devstack ended with %v after an interruption", err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, apiFile)); err == nil {
		t.Error("the stopped devstack left its address behind")
	}
}

// loopModule is (module (memory (export "memory") 1) (func (export "_start") (loop (br 0)))).
const loopModule = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x05\x03\x01\x00\x01" +
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b"

// memoryModule is a program with so many pages of initial memory that does nothing.
func memoryModule(pages uint32) string {
	size := string([]byte{byte(pages | 0x80), byte(pages>>7 | 0x80), byte(pages >> 14)})
	return "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x05\x05\x01\x00" + size +
		"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00\x0a\x04\x01\x02\x00\x0b"
}

func TestDemo(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	cmd := program("demo", "--output", "json", "--out", out)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr.String(), stdout.String())
	}
	var r demoReport
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Matches || len(r.Slashed) != 1 || fmt.Sprint(r.Slashed) != fmt.Sprint(r.Cheats) || r.Fined.Sign() <= 0 {
		t.Errorf("matches %v, cheats %v, slashed %v, fined %s", r.Matches, r.Cheats, r.Slashed, r.Fined)
	}
	if len(r.PieceList) != 66 || r.Cost.GasPerPiece == 0 || r.Cost.FuelExecuted < r.Cost.FuelClean {
		t.Errorf("%d pieces, cost %+v", len(r.PieceList), r.Cost)
	}
}
