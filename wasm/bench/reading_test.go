//go:build unix

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/filecoin-project/bacalhau/wasm"
	"github.com/filecoin-project/bacalhau/wasm/confine"
)

func TestMain(m *testing.M) {
	if confine.Started() {
		os.Exit(confine.Serve())
	}
	os.Exit(m.Run())
}

// rounds is how often the file is read: 2 GiB, beside which the start of a
// process is little.
const rounds = 128

// BenchmarkReading reads a file that the system has in memory 4 KiB at a time,
// in native code and in executions as a node runs them, each in a process that
// the node feeds. MB/cpu-s counts the processor time of both processes, their
// starts included: the target is 1500.
func BenchmarkReading(b *testing.B) {
	data := filepath.Join(b.TempDir(), "data.csv")
	if err := WriteData(data); err != nil {
		b.Fatal(err)
	}
	s := built(b, Reading, data)
	f, err := os.Open(data)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B, once func() error) {
		before := childrenTime() + cpuTime()
		n := 0
		for b.Loop() {
			if err := once(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		used := childrenTime() + cpuTime() - before
		b.SetBytes(rounds * info.Size())
		b.ReportMetric(float64(n)*rounds*float64(info.Size())/1e6/used.Seconds(), "MB/cpu-s")
	}
	b.Run("native", func(b *testing.B) {
		read(b, func() error { return exec.Command(s.native, data, strconv.Itoa(rounds)).Run() })
	})
	for _, engine := range wasm.Engines() {
		b.Run(engine, func(b *testing.B) {
			task := wasm.Task{
				Module: s.module, Args: append(s.args(), strconv.Itoa(rounds)),
				Inputs: map[string]wasm.File{filepath.Base(data): input{f, info.Size()}},
				Limits: wasm.Limits{MemoryBytes: 16 << 20, Fuel: wasm.MaxFuel, OutputBytes: 1 << 20},
			}
			images := b.TempDir()
			read(b, func() error {
				runner, err := confine.NewRunner(b.Context(), engine, "")
				if err != nil {
					return err
				}
				if err := runner.KeepImages(images, 1<<30); err != nil {
					return err
				}
				res, err := runner.Run(b.Context(), task)
				if err != nil {
					return err
				}
				if out, err := wasm.ReadAll(res.Stdout); err != nil || string(out) != strconv.FormatInt(rounds*info.Size(), 10)+"\n" {
					b.Fatalf("it read %q, %v", out, err)
				}
				return runner.Close() // after which all children's time is known
			})
		})
	}
}

// childrenTime is what processes have used that have ended and were waited for.
func childrenTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		panic(err) // only for an unknown argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
