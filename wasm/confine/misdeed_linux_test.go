package confine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/filecoin-project/bacalhau/wasm"
)

// misbehave is the main of a child that does wrong what its run's first argument says.
func misbehave(how string) int {
	if how == "node" {
		return beNode()
	}
	c, hand, spill := &conn{r: os.Stdin, w: os.Stdout}, inheritedHand(), inheritedSpill()
	runner, err := wasm.NewRunner(os.Getenv(marker))
	if err != nil {
		return 1
	}
	j, err := receiveJob(c)
	if err != nil {
		return 1
	}
	if j.Task == taskRun {
		err = misdeeds[string(j.Args[0])](c, j)
	} else {
		err = perform(c, runner, hand, spill, j)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// misdeeds are what a child that an attacker has taken over, or whose engine is broken, might do.
var misdeeds = map[string]func(*conn, *job) error{
	"panic": func(*conn, *job) error { panic("the engine is broken") },
	"exit":  func(*conn, *job) error { return nil },
	"exit midway": inside(func(c *conn, _ *job) error {
		return c.send(kindOutput, []byte{outputStdout})
	}),
	"allocate": inside(func(*conn, *job) error {
		for block := []byte{}; ; {
			block = append(block, make([]byte, 64<<20)...)
		}
	}),
	"hang": inside(func(c *conn, _ *job) error {
		for {
			if _, _, err := c.receive(); err != nil {
				return err
			}
		}
	}),
	// No misdeed: reads its first input in pieces of 4 KiB.
	"read all": readAll,

	// Speaking nonsense.
	"text":          says([]byte("Segmentation fault\nthis is not a frame\n")),
	"endless frame": says([]byte{byte(kindResult), 0xff, 0xff, 0xff, 0xff}),
	"long frame":    says([]byte{byte(kindConfined), 1, 0, 0x10, 0}),
	"job frame":     inside(func(c *conn, _ *job) error { return c.sendJSON(kindJob, job{}) }),
	"short result":  inside(func(c *conn, _ *job) error { return c.send(kindResult, []byte{1, 2, 3}) }),
	"bare result":   inside(func(c *conn, _ *job) error { return c.sendFixed(kindResult, ending{}) }),
	"unasked image": inside(func(c *conn, _ *job) error { return c.sendLong(kindImage, []byte("native code")) }),
	"mute failure":  inside(func(c *conn, _ *job) error { return c.send(kindFailure, []byte("{")) }),
	"read past end": inside(func(c *conn, _ *job) error {
		return c.sendFixed(kindRead, readRequest{Input: 0, Offset: 1 << 63, Length: 1})
	}),
	"read across end": inside(func(c *conn, _ *job) error {
		return c.sendFixed(kindRead, readRequest{Input: 0, Offset: 2, Length: 2})
	}),
	"read unknown": inside(func(c *conn, _ *job) error {
		return c.sendFixed(kindRead, readRequest{Input: 7, Length: 1})
	}),
	"read beyond memory": inside(func(c *conn, _ *job) error {
		return c.sendFixed(kindRead, readRequest{Window: windows, Length: 1})
	}),
	"read too much": inside(func(c *conn, _ *job) error {
		return c.sendFixed(kindRead, readRequest{Input: 0, Length: 1 << 31})
	}),
	"stderr first": inside(func(c *conn, _ *job) error { return sendOutput(c, []byte{outputStderr}, nil) }),
	"stdout twice": inside(func(c *conn, _ *job) error {
		return firstError(sendOutput(c, []byte{outputStdout}, nil), sendOutput(c, []byte{outputStdout}, nil))
	}),
	"flood": inside(func(c *conn, _ *job) error {
		err := sendExtents(c, []byte{outputStdout}, extent{wasm.InMemory, 1 << 20, 0})
		for block := make([]byte, maxPayload); err == nil; {
			err = c.send(kindBytes, block)
		}
		return err
	}),
	"half an extent": inside(func(c *conn, _ *job) error {
		return firstError(c.send(kindOutput, []byte{outputStdout}), c.sendLong(kindExtents, make([]byte, extentBytes+1)))
	}),
	"many extents": inside(func(c *conn, _ *job) error {
		err := c.send(kindOutput, []byte{outputStdout})
		for block := make([]byte, maxPayload); err == nil; {
			err = c.send(kindExtents, block)
		}
		return err
	}),
	"much content":   at(extent{wasm.Nowhere, 1 << 40, 0}),
	"no content":     at(extent{wasm.Nowhere, 1 << 19, 0}, extent{wasm.InMemory, 1 << 19, 0}),
	"strange place":  at(extent{wasm.OnDisk + 1, 1, 0}),
	"past the spill": at(extent{wasm.OnDisk, 1, 1 << 40}),
	"upward path":    outputs("../../etc/passwd"),
	"same path":      outputs("a", "a"),
	"paths":          outputs("b", "a"),
	"too much fuel":  result(func(e *ending) { e.Fuel = 1 << 60 }),
	"much memory":    result(func(e *ending) { e.PeakMemory = 1 << 60 }),
	"strange trap":   result(func(e *ending) { e.Trap = 9 }),
	"trap, exit 0":   result(func(e *ending) { e.Trap = 3 }),
	"exit, no trap":  result(func(e *ending) { e.ExitCode = wasm.ExitTrap }),
	"no end of fuel": result(func(e *ending) { e.Trap = 1; e.ExitCode = wasm.ExitTrap }),

	// Reaching out of the confinement.
	"open":   calls(func() error { _, err := os.Open("/etc/passwd"); return err }),
	"create": calls(func() error { _, err := os.Create("/tmp/confine-test"); return err }),
	"socket": calls(func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); return err }),
	"exec":   calls(func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }),
	"ptrace": calls(func() error { return unix.PtraceAttach(os.Getppid()) }),
	"kill":   calls(func() error { return unix.Kill(os.Getppid(), 0) }),
	"signal": calls(func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) }),
	"mount":  calls(func() error { return unix.Mount("none", "/", "tmpfs", 0, "") }),
	"fork": calls(func() error {
		_, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		return errno
	}),
	// While an engine may use its image and its scratch files, no thread may use any others.
	"peek": inside(func(c *conn, j *job) error {
		var threads sync.WaitGroup
		for range 8 {
			threads.Go(func() {
				runtime.LockOSThread()
				if f, err := os.Open("/etc/passwd"); !errors.Is(err, unix.EACCES) {
					_ = c.sendJSON(kindFailure, failure{What: fmt.Sprintf("opened %v, %v", f, err)})
				}
			})
		}
		threads.Wait()
		if j.Scratch != "" {
			if err := os.WriteFile(filepath.Join(j.Scratch, "file"), []byte("x"), 0o600); err != nil {
				return err
			}
		}
		return c.sendJSON(kindFailure, failure{What: "kept to its own files"})
	}),
	"pwrite": calls(func() error { _, err := unix.Pwrite(1, []byte("x"), 0); return err }),
	"limits": calls(func() error {
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{})
	}),
}

func readAll(c *conn, j *job) error {
	w := &worker{conn: c, job: j, answers: make(chan struct{})}
	if err := w.equip(inheritedHand()); err != nil {
		return err
	}
	return inside(func(c *conn, j *job) error {
		go func() {
			f := &remoteFile{cache: &readAhead{fetch: w.fetch}, size: j.Inputs[0].Size}
			_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{io.NewSectionReader(f, 0, f.size)}, make([]byte, 4096))
			if err == nil {
				err = c.sendJSON(kindFailure, failure{What: "read all"})
			}
			if err != nil {
				panic(err)
			}
		}()
		return w.listen()
	})(c, j)
}

// inside confines the child like an honest one first.
func inside(then func(*conn, *job) error) func(*conn, *job) error {
	return func(c *conn, j *job) error {
		layers, err := confine(j)
		if err != nil {
			return err
		}
		if err := c.sendJSON(kindConfined, layers); err != nil {
			return err
		}
		return then(c, j)
	}
}

func says(bytes []byte) func(*conn, *job) error {
	return func(c *conn, _ *job) error {
		_, err := c.w.Write(bytes)
		return err
	}
}

// calls confines the child and seals it, and reports a call that was merely refused.
func calls(do func() error) func(*conn, *job) error {
	return inside(func(c *conn, j *job) error {
		if err := seal(j); err != nil {
			return err
		}
		return c.sendJSON(kindFailure, failure{What: fmt.Sprintf("still here: %v", do())})
	})
}

// sendExtents says where the content of an output is, without what is empty.
func sendExtents(c *conn, which []byte, list ...extent) error {
	var table []byte
	for _, e := range list {
		if e.Bytes > 0 {
			table, _ = binary.Append(table, binary.LittleEndian, e) // it has a fixed size
		}
	}
	return firstError(c.send(kindOutput, which), c.sendLong(kindExtents, table))
}

func sendOutput(c *conn, which, content []byte) error {
	return firstError(sendExtents(c, which, extent{wasm.InMemory, uint64(len(content)), 0}), c.sendLong(kindBytes, content))
}

// at claims a stdout that lies in the extents, with nothing of it in memory.
func at(list ...extent) func(*conn, *job) error {
	return inside(func(c *conn, _ *job) error {
		err := sendExtents(c, []byte{outputStdout}, list...)
		return firstError(err, c.sendLong(kindBytes, nil), sendOutput(c, []byte{outputStderr}, nil), c.sendFixed(kindResult, ending{}))
	})
}

func outputs(paths ...string) func(*conn, *job) error {
	return inside(func(c *conn, _ *job) error {
		err := firstError(sendOutput(c, []byte{outputStdout}, nil), sendOutput(c, []byte{outputStderr}, nil))
		for _, path := range paths {
			err = firstError(err, sendOutput(c, append([]byte{outputFile}, path...), nil))
		}
		return firstError(err, c.sendFixed(kindResult, ending{}))
	})
}

func result(spoil func(*ending)) func(*conn, *job) error {
	return inside(func(c *conn, _ *job) error {
		var e ending
		spoil(&e)
		return firstError(sendOutput(c, []byte{outputStdout}, nil), sendOutput(c, []byte{outputStderr}, nil), c.sendFixed(kindResult, e))
	})
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// beNode runs a program that never ends until this process is killed.
func beNode() int {
	ctx := context.Background()
	r, err := NewRunner(ctx, "", os.TempDir())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	module, err := os.ReadFile("../testdata/run/loop_forever.wasm")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	task := wasm.Task{Module: module, Limits: limits}
	task.Limits.Fuel = wasm.MaxFuel
	fmt.Println("running")
	_, err = r.Run(ctx, task)
	fmt.Println(err)
	return 1
}
