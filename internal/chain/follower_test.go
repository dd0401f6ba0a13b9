package chain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// memorySink keeps everything in memory.
type memorySink struct {
	mu        sync.Mutex
	points    []Point // newest first
	logs      []Log
	rollbacks []Point
	refuse    error
}

func (m *memorySink) Apply(_ context.Context, upTo Point, logs []Log) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	m.points = slices.Insert(m.points, 0, upTo)
	m.logs = append(m.logs, logs...)
	return nil
}

func (m *memorySink) Rollback(_ context.Context, to Point) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rollbacks = append(m.rollbacks, to)
	m.points = slices.DeleteFunc(m.points, func(p Point) bool { return p.Number > to.Number })
	m.logs = slices.DeleteFunc(m.logs, func(l Log) bool { return l.Block.Number > to.Number })
	return nil
}

func (m *memorySink) Checkpoints() []Point {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.points)
}

// newest is the number of the newest checkpoint, 0 without one.
func (m *memorySink) newest() uint64 {
	if points := m.Checkpoints(); len(points) > 0 {
		return points[0].Number
	}
	return 0
}

// follow runs f until the test ends or stop is called, which returns Run's error.
func follow(t testing.TB, f *Follower) (stop func() error) {
	t.Helper()
	if f.Poll == 0 {
		f.Poll = 20 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { stop() })
	return stop
}

// equalsChain compares what the sink has with what the chain itself says, block by block.
func (m *memorySink) equalsChain(t *testing.T, c *Client, contract common.Address, start uint64) {
	t.Helper()
	end, err := c.blockAt(t.Context(), m.newest())
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.logs(t.Context(), contract, start, end)
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	same := func(a, b Log) bool {
		return a.Block == b.Block && a.TxHash == b.TxHash && slices.Equal(a.Topics, b.Topics) && slices.Equal(a.Data, b.Data)
	}
	if len(want) == 0 || !slices.EqualFunc(m.logs, want, same) {
		t.Fatalf("the sink has %d logs, the chain %d up to block %d, or they differ", len(m.logs), len(want), end.Number)
	}
	for _, l := range m.logs {
		b, err := c.blockAt(t.Context(), l.Block.Number)
		if err != nil || b.point() != l.Block {
			t.Fatalf("a log says block %+v, the chain %+v, %v", l.Block, b, err)
		}
	}
}

// emit has the counter log n times.
func emit(t testing.TB, e *Embedded, s *Sender, contract common.Address, from, n int) {
	t.Helper()
	errs := make([]error, n)
	during(t, e, func() {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				data := binary.BigEndian.AppendUint32([]byte{9}, uint32(from+i))
				_, errs[i] = s.Send(t.Context(), Intent{Key: fmt.Sprint("emit ", from+i), To: contract, Data: data})
			})
		}
		wg.Wait()
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestFollowerReadsRestartsAndSurvivesReorgs(t *testing.T) {
	e := startChain(t, t.TempDir())
	ws, http := dial(t, e.WSURL()), dial(t, e.URL())
	s, _ := startSender(t, ws, testKey, t.TempDir(), SenderConfig{})
	contract := deployCounter(t, e, s)
	sink := &memorySink{}
	heads := make(chan Point, 1000)
	newFollower := func(c *Client, maxRange uint64) *Follower {
		return &Follower{Client: c, Address: contract.Contract, Start: contract.Block, MaxRange: maxRange, Sink: sink, OnHead: func(p Point) { heads <- p }}
	}
	caughtUp := func() {
		t.Helper()
		head, err := http.HeadPoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "caught up", func() bool { return sink.newest() == head.Number })
		sink.equalsChain(t, http, contract.Contract, contract.Block)
	}

	stop := follow(t, newFollower(ws, 0))
	emit(t, e, s, contract.Contract, 0, 30)
	caughtUp()
	mine(t, e, 3) // only time passes
	caughtUp()
	if points := sink.Checkpoints(); points[0].Time <= points[1].Time {
		t.Fatalf("no time passed: %+v", points[:2])
	}
	if len(heads) == 0 {
		t.Fatal("OnHead was never called")
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Run ended with %v", err)
	}

	// Blocks, logs among them, are replaced while nobody looks; then go on from the sink, by
	// polling and in small ranges.
	rewind(t, e, sink.newest()-4)
	emit(t, e, s, contract.Contract, 30, 5)
	mine(t, e, 10)
	stop = follow(t, newFollower(http, 3))
	caughtUp()
	if len(sink.rollbacks) == 0 {
		t.Fatal("the reorganisation was not noticed")
	}

	// And while it looks: first only shorter, which may be a lagging node, then longer.
	seen := len(sink.rollbacks)
	rewind(t, e, sink.newest()-2)
	mine(t, e, 4)
	caughtUp()
	if len(sink.rollbacks) == seen {
		t.Fatal("the second reorganisation was not noticed")
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Run ended with %v", err)
	}
}

func TestFollowerStaysBehindConfirmations(t *testing.T) {
	e := startChain(t, t.TempDir())
	c := dial(t, e.URL())
	sink := &memorySink{}
	follow(t, &Follower{Client: c, Start: 1, Confirmations: 3, Sink: sink})
	mine(t, e, 10)
	head, err := c.HeadPoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "caught up", func() bool { return sink.newest() == head.Number-3 })
	rewind(t, e, head.Number-2)
	mine(t, e, 6)
	eventually(t, "caught up again", func() bool { return sink.newest() == head.Number-2+6-3 })
	if len(sink.rollbacks) != 0 {
		t.Fatal("a reorganisation above the confirmed blocks was felt")
	}
}

func TestFollowerStopsOnAnotherChain(t *testing.T) {
	ours, theirs := startChain(t, t.TempDir()), startChain(t, t.TempDir())
	sink := &memorySink{}
	mine(t, ours, 5)
	stop := follow(t, &Follower{Client: dial(t, ours.URL()), Start: 2, Sink: sink})
	eventually(t, "caught up", func() bool { return sink.newest() >= 5 })
	stop()
	mine(t, theirs, 10)
	err := (&Follower{Client: dial(t, theirs.URL()), Start: 2, Sink: sink}).Run(t.Context())
	if !errors.Is(err, ErrDeepReorg) || !strings.Contains(err.Error(), "right node") {
		t.Fatalf("Run on another chain: %v", err)
	}
}

func TestFollowerStopsWhenTheSinkFails(t *testing.T) {
	e := startChain(t, t.TempDir())
	mine(t, e, 2)
	full := errors.New("disk full")
	err := (&Follower{Client: dial(t, e.URL()), Start: 1, Sink: &memorySink{refuse: full}}).Run(t.Context())
	if !errors.Is(err, full) {
		t.Fatalf("Run = %v, want the sink's error", err)
	}
}

// With a poll of an hour only pushed heads can wake the follower; a chain that went away and
// came back is followed on.
func TestFollowerIsWokenAndReconnects(t *testing.T) {
	dir := t.TempDir()
	e := startChain(t, dir)
	sink := &memorySink{}
	follow(t, &Follower{Client: dial(t, e.WSURL()), Start: 1, Poll: time.Hour, Sink: sink})
	mine(t, e, 1)
	eventually(t, "the first block", func() bool { return sink.newest() >= 1 })
	before := sink.newest()
	mine(t, e, 3)
	eventually(t, "pushed blocks", func() bool { return sink.newest() >= before+3 })

	polled := &memorySink{}
	follow(t, &Follower{Client: dial(t, e.WSURL()), Start: 1, Poll: 20 * time.Millisecond, Sink: polled})
	eventually(t, "caught up", func() bool { return polled.newest() >= before+3 })
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(dir, byHand)
	cfg.HTTPAddr = e.addr
	again, err := StartEmbedded(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	mine(t, again, 3)
	eventually(t, "blocks after the restart", func() bool { return polled.newest() >= before+6 })
}
