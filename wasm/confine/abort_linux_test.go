package confine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/bacalhau/wasm"
)

// Whatever a child does, the attempt fails and says how, and the node goes on.
func TestMisdeeds(t *testing.T) {
	reasons := map[string]string{
		"panic":       "exit status 2: panic: the engine is broken",
		"exit":        "exit status 0",
		"exit midway": "exit status 0",
		"allocate":    "exit status 2", // as Go dies of it, in more than one way
		"text":        "it broke the protocol",
	}
	for _, call := range []string{
		"open", "create", "socket", "exec", "ptrace", "kill", "signal", "mount", "fork", "limits", "pwrite",
	} {
		reasons[call] = "it made a system call that it may not make"
	}
	for _, engine := range wasm.Engines() {
		r := open(t, engine, misdeedVariable+"=any")
		r.spill.After = 0 // so that there is more that a child may do
		for how := range misdeeds {
			if slices.Contains([]string{"hang", "read all", "peek"}, how) {
				continue // TestCancel, BenchmarkInput, TestOwnFiles
			}
			t.Run(engine+"/"+how, func(t *testing.T) {
				task := reader(t, strings.NewReader("HAL"))
				task.Args = []string{how}
				res, err := r.Run(t.Context(), task)
				want := reasons[how]
				if want == "" {
					want = errGarbage.Error()
				}
				if res != nil || !errors.Is(err, ErrAborted) || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, %v, want an abort: %s", res, err, want)
				}
			})
		}
	}
}

// Compiled code goes through files: wasmtime's is mapped, and for wazero's its children have a folder. There is nothing
// else for them.
func TestOwnFiles(t *testing.T) {
	for _, engine := range wasm.Engines() {
		task := reader(t, strings.NewReader("HAL"))
		task.Args = []string{"peek"}
		res, err := open(t, engine, misdeedVariable+"=any").Run(t.Context(), task)
		if res != nil || err == nil || err.Error() != "kept to its own files" {
			t.Errorf("%s: %v, %v", engine, res, err)
		}
	}
}

// What children map cannot be changed under them.
func TestImagesAreFixed(t *testing.T) {
	f, err := fixedFile([]byte("native code"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := f.WriteAt([]byte("planted"), 0); n != 0 || !errors.Is(err, os.ErrPermission) {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	for _, size := range []int64{0, 1 << 20} {
		if err := f.Truncate(size); !errors.Is(err, os.ErrPermission) {
			t.Errorf("truncate to %d: %v", size, err)
		}
	}
	if have, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20)); err != nil || string(have) != "native code" {
		t.Errorf("%q, %v", have, err)
	}
}

func TestProcessorTime(t *testing.T) {
	r := open(t, "")
	task := wasm.Task{Module: load(t, "run/loop_forever.wasm"), Limits: limits}
	task.Limits.Fuel = wasm.MaxFuel
	image, err := r.images.get(t.Context(), task.Module, task.Limits)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.nursery.take()
	if err != nil {
		t.Fatal(err)
	}
	defer r.nursery.bury(c)
	j := job{Task: taskRun, Limits: task.Limits, DataBytes: 1 << 30, CPUSeconds: 1, Scratch: c.scratch}
	a := &attempt{child: c, job: j, image: image}
	if err := a.converse(); !errors.Is(err, ErrAborted) || !strings.Contains(err.Error(), "used up its 1 seconds") {
		t.Error(err)
	}
}

func TestCancel(t *testing.T) {
	for how, env := range map[string][]string{"a loop": nil, "a silent child": {misdeedVariable + "=any"}} {
		t.Run(how, func(t *testing.T) {
			r := open(t, "", env...)
			task := wasm.Task{Module: load(t, "run/loop_forever.wasm"), Args: []string{"hang"}, Limits: limits}
			task.Limits.Fuel = wasm.MaxFuel
			if _, err := r.images.get(t.Context(), task.Module, task.Limits); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
			if res, err := r.Run(ctx, task); res != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("%v, %v", res, err)
			}
			if _, err := r.Run(ctx, task); !errors.Is(err, context.Canceled) {
				t.Errorf("started in spite of its context: %v", err)
			}
		})
	}
}

type brokenFile struct{}

var errDisk = errors.New("disk on fire")

func (brokenFile) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
func (brokenFile) Size() int64                       { return 5 }

// An input that cannot be read is this machine's failure and keeps its cause.
func TestBrokenInput(t *testing.T) {
	for _, engine := range wasm.Engines() {
		if _, err := open(t, engine).Run(t.Context(), reader(t, brokenFile{})); !errors.Is(err, errDisk) || errors.Is(err, ErrAborted) {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// A node that is killed leaves no process behind, neither an idle one nor one that computes.
func TestNoOrphans(t *testing.T) {
	node := exec.Command(os.Args[0])
	node.Env = append(os.Environ(), misdeedVariable+"=node")
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	defer node.Wait()
	defer node.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "running\n" {
		t.Fatalf("%q, %v", line, err)
	}
	var children []process
	for busy := false; len(children) < 2 || !busy; time.Sleep(time.Millisecond) {
		children = childrenOf(t, node.Process.Pid)
		busy = slices.ContainsFunc(children, func(p process) bool { return p.ticks > 100 })
	}
	if err := node.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, p := range children {
		for {
			now, err := readProcess(p.pid)
			if err != nil || now.state == "Z" {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// process is a line of /proc.
type process struct {
	pid, parent int
	state       string
	ticks       int // of processor time
}

func childrenOf(t *testing.T, parent int) []process {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := readProcess(pid); err == nil && p.parent == parent {
			found = append(found, p)
		}
	}
	return found
}

func readProcess(pid int) (process, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	p := process{pid: pid, state: fields[0]}
	p.parent, _ = strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	p.ticks = user + system
	return p, nil
}
