package wasi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
)

// guest calls the host as a program would, with paths and buffers in a memory.
type guest struct {
	t      *testing.T
	host   *Host
	memory []byte
	fuel   uint64 // charged so far
	limit  uint64
}

var errSpent = errors.New("spent")

func (g *guest) Charge(n uint64) error {
	g.fuel += n
	if g.fuel > g.limit {
		return errSpent
	}
	return nil
}

func newGuest(t *testing.T, c Config) *guest {
	t.Helper()
	if c.OutputBytes == 0 {
		c.OutputBytes = 1 << 20
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &guest{t: t, host: h, memory: make([]byte, 1<<17), limit: math.MaxUint64 / 2}
}

func (g *guest) call(name string, args ...uint64) Errno {
	g.t.Helper()
	e, err := g.raw(name, args...)
	if err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
	return e
}

func (g *guest) raw(name string, args ...uint64) (Errno, error) {
	g.t.Helper()
	i := slices.IndexFunc(Funcs, func(f Func) bool { return f.Name == name })
	if i < 0 || len(args) != len(Funcs[i].Params) {
		g.t.Fatalf("bad call of %s", name)
	}
	return g.host.Call(i, g.memory, args, g)
}

func (g *guest) ok(name string, args ...uint64) {
	g.t.Helper()
	if e := g.call(name, args...); e != Success {
		g.t.Fatalf("%s%v: %v", name, args, e)
	}
}

const (
	dirInputs  = 3
	dirOutputs = 4
)

// Places in the guest's memory.
const (
	atPath   = 0
	atPath2  = 8 << 10
	atResult = 16 << 10
	atVector = 17 << 10
	atData   = 32 << 10
)

func (g *guest) path(at int, s string) (address, length uint64) {
	return uint64(at), uint64(copy(g.memory[at:], s))
}

func (g *guest) open(dir uint64, path string, flags, rights uint64) (fd uint64, e Errno) {
	g.t.Helper()
	p, n := g.path(atPath, path)
	e = g.call("path_open", dir, 0, p, n, flags, rights, rights, 0, atResult)
	return uint64(le.Uint32(g.memory[atResult:])), e
}

func (g *guest) vector(n int) {
	le.PutUint32(g.memory[atVector:], atData)
	le.PutUint32(g.memory[atVector+4:], uint32(n))
}

func (g *guest) write(fd uint64, data string) (n int, e Errno) {
	g.t.Helper()
	g.vector(copy(g.memory[atData:], data))
	e = g.call("fd_write", fd, atVector, 1, atResult)
	return int(le.Uint32(g.memory[atResult:])), e
}

func (g *guest) onPath(name string, dir uint64, path string) Errno {
	g.t.Helper()
	p, n := g.path(atPath, path)
	return g.call(name, dir, p, n)
}

func (g *guest) rename(from, to string) Errno {
	g.t.Helper()
	p, n := g.path(atPath, from)
	q, m := g.path(atPath2, to)
	return g.call("path_rename", dirOutputs, p, n, dirOutputs, q, m)
}

func bytesOf(t testing.TB, f File) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (g *guest) outputs() string {
	var b bytes.Buffer
	g.host.Outputs(func(path string, c *Content) { fmt.Fprintf(&b, "%s=%s;", path, bytesOf(g.t, c)) })
	return b.String()
}

// sparse is a large input of which every read is recorded.
type sparse struct{ read int }

func (s *sparse) Size() int64 { return 1 << 40 }
func (s *sparse) ReadAt(b []byte, off int64) (int, error) {
	s.read += len(b)
	clear(b)
	return len(b), nil
}

func TestInputsAreReadLazily(t *testing.T) {
	f := &sparse{}
	g := newGuest(t, Config{Inputs: map[string]File{"huge": f}})
	fd, e := g.open(dirInputs, "huge", 0, rightRead|rightSeek)
	if e != Success {
		t.Fatal(e)
	}
	g.vector(4096)
	g.ok("fd_pread", fd, atVector, 1, 1<<39, atResult)
	if f.read != 4096 || le.Uint32(g.memory[atResult:]) != 4096 {
		t.Errorf("read %d bytes of the input", f.read)
	}
}

func TestPaths(t *testing.T) {
	g := newGuest(t, Config{Inputs: map[string]File{"a/b.txt": bytes.NewReader([]byte("b"))}})
	for path, want := range map[string]Errno{
		"a/b.txt": Success, "./a/../a//b.txt": Success, "a/": Success, ".": Success,
		"": Noent, "x": Noent, "x/y": Noent, "a/b.txt/": Notdir, "a/b.txt/x": Notdir, "a/b.txt/..": Notdir,
		"..": Perm, "a/../..": Perm, "/a": Perm, "a\x00": Inval, "\xff": Ilseq,
	} {
		p, n := g.path(atPath, path)
		if have := g.call("path_filestat_get", dirInputs, 0, p, n, atResult); have != want {
			t.Errorf("%q: %v, want %v", path, have, want)
		}
	}
}

func TestInputsCannotChange(t *testing.T) {
	g := newGuest(t, Config{Inputs: map[string]File{"f": bytes.NewReader([]byte("x")), "d/f": bytes.NewReader(nil)}})
	if _, e := g.open(dirInputs, "new", openCreate, rightWrite); e != Rofs {
		t.Error("create:", e)
	}
	if _, e := g.open(dirInputs, "f", 0, rightWrite); e != Rofs {
		t.Error("open for writing:", e)
	}
	if _, e := g.open(dirInputs, "f", openTruncate, rightRead); e != Rofs {
		t.Error("truncate:", e)
	}
	for _, name := range []string{"path_unlink_file", "path_remove_directory"} {
		if e := g.onPath(name, dirInputs, "f"); e != Rofs {
			t.Error(name, e)
		}
	}
	if e := g.onPath("path_create_directory", dirInputs, "x"); e != Rofs {
		t.Error("mkdir:", e)
	}
}

func TestQuotaComesBack(t *testing.T) {
	g := newGuest(t, Config{OutputBytes: 1000})
	for range 50 { // far more than the quota in total
		fd, e := g.open(dirOutputs, "f", openCreate, rightWrite|rightRead)
		if e != Success {
			t.Fatal(e)
		}
		if n, e := g.write(fd, string(make([]byte, 500))); n != 500 || e != Success {
			t.Fatal(n, e)
		}
		if e := g.onPath("path_unlink_file", dirOutputs, "f"); e != Success {
			t.Fatal(e)
		}
		if g.host.quota != 1000-500-nameOverhead-1 {
			t.Fatalf("an open file without a name gave its quota back: %d", g.host.quota)
		}
		g.ok("fd_close", fd)
	}
	if g.host.quota != 1000 {
		t.Errorf("%d bytes of quota left of 1000", g.host.quota)
	}
}

func TestQuotaEnds(t *testing.T) {
	g := newGuest(t, Config{OutputBytes: 100})
	if n, e := g.write(1, string(make([]byte, 70))); n != 70 || e != Success {
		t.Fatal(n, e)
	}
	if n, e := g.write(2, string(make([]byte, 70))); n != 30 || e != Success {
		t.Fatal("want a short write:", n, e)
	}
	if _, e := g.write(1, "x"); e != Nospc {
		t.Error(e)
	}
	if _, e := g.open(dirOutputs, "f", openCreate, rightWrite); e != Nospc {
		t.Error(e)
	}
	if fd := len(g.host.fds); fd != 6 || g.host.fds[5] != nil {
		t.Error("a failed open left a descriptor")
	}
}

func TestRename(t *testing.T) {
	g := newGuest(t, Config{OutputBytes: 10_000})
	for _, d := range []string{"a", "a/b", "c"} {
		if e := g.onPath("path_create_directory", dirOutputs, d); e != Success {
			t.Fatal(e)
		}
	}
	for _, f := range []string{"a/f", "c/longer-name"} {
		fd, _ := g.open(dirOutputs, f, openCreate, rightWrite)
		g.write(fd, f)
		g.ok("fd_close", fd)
	}
	before := g.host.quota
	for _, c := range []struct {
		from, to string
		want     Errno
	}{
		{"a", "a/b/x", Inval}, {"a", "c", Notempty}, {"a/f", "a/b", Isdir}, {"a/b", "a/f", Notdir}, {"no", "x", Noent},
		{"a/f", "no/f", Noent}, {".", "x", Busy}, {"a/f", "a/f", Success}, {"a/f", "z", Success}, {"z", "c/longer-name", Success},
		{"a/b", "c/b", Success}, {"c", "a/c", Success},
	} {
		if have := g.rename(c.from, c.to); have != c.want {
			t.Errorf("rename %s to %s: %v, want %v", c.from, c.to, have, c.want)
		}
	}
	if have := g.outputs(); have != "a/c/longer-name=a/f;" {
		t.Error(have)
	}
	// The file that was replaced gave back its bytes and one name.
	if have := g.host.quota - before; have != uint64(len("c/longer-name")+len("f")+nameOverhead) {
		t.Errorf("quota grew by %d", have)
	}
}

func TestDepthAndDescriptorsAreBounded(t *testing.T) {
	g := newGuest(t, Config{OutputBytes: 1 << 20})
	path, levels := "d", 0
	for ; g.onPath("path_create_directory", dirOutputs, path) == Success; levels++ {
		path += "/d"
	}
	if levels != maxDepth {
		t.Errorf("%d levels", levels)
	}
	open := 0
	for e := Success; ; open++ {
		if _, e = g.open(dirOutputs, "f", openCreate, rightWrite); e != Success {
			if e != Mfile {
				t.Error(e)
			}
			break
		}
	}
	if open != maxDescriptors-5 {
		t.Errorf("%d descriptors", open)
	}
}

// A listing goes on where it was although entries come and go.
func TestReaddirWhileRemoving(t *testing.T) {
	g := newGuest(t, Config{OutputBytes: 1 << 20})
	for i := range 100 {
		fd, _ := g.open(dirOutputs, fmt.Sprintf("%03d", i), openCreate, rightWrite)
		g.ok("fd_close", fd)
	}
	var names []string
	cookie := uint64(0)
	for {
		const room = 100 // a few entries at a time
		g.ok("fd_readdir", dirOutputs, atData, room, cookie, atResult)
		used := int(le.Uint32(g.memory[atResult:]))
		b := g.memory[atData : atData+used]
		for len(b) >= 24 {
			n := int(le.Uint32(b[16:]))
			if len(b) < 24+n {
				break
			}
			name := string(b[24 : 24+n])
			cookie = le.Uint64(b)
			b = b[24+n:]
			if name != "." && name != ".." {
				names = append(names, name)
				if e := g.onPath("path_unlink_file", dirOutputs, name); e != Success {
					t.Fatal(e)
				}
			}
		}
		if used < room {
			break
		}
	}
	if len(names) != 100 || !slices.IsSorted(names) || g.outputs() != "" {
		t.Errorf("listed %d names: %v", len(names), names)
	}
}

func TestWorkIsPaidBeforeItIsDone(t *testing.T) {
	f := &sparse{}
	g := newGuest(t, Config{Inputs: map[string]File{"huge": f}, OutputBytes: 1 << 30})
	in, _ := g.open(dirInputs, "huge", 0, rightRead)
	out, _ := g.open(dirOutputs, "f", openCreate, rightWrite)
	g.limit = g.fuel + priceCall + 1000
	g.vector(100_000)
	for _, c := range []struct {
		name string
		args []uint64
	}{
		{"fd_read", []uint64{in, atVector, 1, atResult}},
		{"fd_write", []uint64{1, atVector, 1, atResult}},
		{"fd_write", []uint64{out, atVector, 1, atResult}},
		{"fd_filestat_set_size", []uint64{out, 1 << 29}},
		{"random_get", []uint64{atData, 90_000}},
	} {
		if c.name == "fd_write" || c.name == "fd_read" {
			le.PutUint32(g.memory[atVector+4:], 90_000)
		}
		g.fuel = g.limit - priceCall - 1000
		if _, err := g.raw(c.name, c.args...); err != errSpent {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if f.read != 0 || g.host.stdout.Size() != 0 || g.outputs() != "f=;" {
		t.Error("work was done that was not paid for")
	}
}

func TestPoll(t *testing.T) {
	g := newGuest(t, Config{})
	clock := func(at int, user, deadline uint64) {
		b := g.memory[at : at+subscriptionBytes]
		clear(b)
		le.PutUint64(b, user)
		le.PutUint32(b[16:], 1)
		le.PutUint64(b[24:], deadline)
	}
	clock(atData, 7, 5_000)
	clock(atData+subscriptionBytes, 8, 9_000)
	g.ok("poll_oneoff", atData, atPath2, 2, atResult)
	if n, user := le.Uint32(g.memory[atResult:]), le.Uint64(g.memory[atPath2:]); n != 1 || user != 7 || g.host.clock != 5_000 {
		t.Errorf("%d events, first %d, clock %d", n, user, g.host.clock)
	}
	g.memory[atData+8] = waitRead // of descriptor 1
	g.ok("poll_oneoff", atData, atPath2, 2, atResult)
	if n := le.Uint32(g.memory[atResult:]); n != 1 || g.host.clock != 5_000 {
		t.Errorf("%d events, clock %d: a ready file must not let time pass", n, g.host.clock)
	}
}

func TestStandardStreams(t *testing.T) {
	g := newGuest(t, Config{})
	g.vector(10)
	g.ok("fd_read", 0, atVector, 1, atResult)
	if n := le.Uint32(g.memory[atResult:]); n != 0 {
		t.Errorf("stdin has %d bytes", n)
	}
	if e := g.call("fd_seek", 1, 0, 0, atResult); e != Spipe {
		t.Error(e)
	}
	g.ok("fd_renumber", 2, 1)
	if _, e := g.write(2, "x"); e != Badf {
		t.Error(e)
	}
	if _, e := g.write(1, "to stderr"); e != Success || string(bytesOf(t, g.host.Stderr())) != "to stderr" {
		t.Error(e, g.host.Stderr())
	}
	if e := g.call("sock_shutdown", 1, 0); e != Notsock {
		t.Error(e)
	}
	if _, err := g.raw("proc_exit", 5); err != ErrExit || g.host.ExitCode() != 5 {
		t.Error(err)
	}
}

func TestBadInputPaths(t *testing.T) {
	f := bytes.NewReader(nil)
	for _, inputs := range []map[string]File{
		{"/a": f}, {"../a": f}, {"a//b": f}, {"": f}, {".": f}, {"a": f, "a/b": f}, {"a": nil}, {string(make([]byte, 300)): f},
	} {
		if _, err := New(Config{Inputs: inputs}); err == nil {
			t.Errorf("%v passes", inputs)
		}
	}
}

// FuzzCalls makes any call with any arguments: never a panic, never more kept
// than the quota allows.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("any calls at all"))
	f.Fuzz(func(t *testing.T, script []byte) {
		g := newGuest(t, Config{OutputBytes: 4096, Inputs: map[string]File{"a/b": bytes.NewReader([]byte("b"))}})
		g.limit = 1 << 24
		copy(g.memory[256:], script)
		copy(g.memory, "a\x00b\x00a/b\x00../\x00")
		next := func() uint64 {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			if b >= 0xf0 {
				return uint64(int64(int8(b))) // huge, or negative
			}
			return uint64(b)
		}
		for len(script) > 0 {
			fn := Funcs[next()%uint64(len(Funcs))]
			var args []uint64
			for _, kind := range fn.Params {
				if a := next(); kind == 'i' {
					args = append(args, uint64(uint32(a)))
				} else {
					args = append(args, a)
				}
			}
			if _, err := g.raw(fn.Name, args...); err != nil && err != ErrExit && err != errSpent {
				t.Fatal(fn.Name, args, err)
			}
			kept := uint64(g.host.stdout.Size() + g.host.stderr.Size())
			g.host.Outputs(func(_ string, c *Content) { kept += uint64(c.Size()) })
			if kept+g.host.quota > 4096 {
				t.Fatalf("%s%v: %d bytes kept and %d left of 4096", fn.Name, args, kept, g.host.quota)
			}
		}
	})
}
