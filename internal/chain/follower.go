package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// ErrDeepReorg says that none of the sink's checkpoints is on the node's chain any
// more: the node serves another chain, or the chain was replaced.
var ErrDeepReorg = errors.New("the node's chain has none of the blocks recorded here")

// Sink stores what a Follower reads. The Follower calls it from one goroutine.
type Sink interface {
	// Apply records logs and that everything up to upTo is known, in one atomic
	// step. Logs are in chain order and may be none: then only time has passed.
	Apply(ctx context.Context, upTo Point, logs []Log) error
	// Rollback forgets every log and checkpoint above to, which is one of Checkpoints.
	Rollback(ctx context.Context, to Point) error
	// Checkpoints are the points of past Apply calls, newest first, as far back as a
	// reorganisation may reach. The first is where the Follower continues.
	Checkpoints() []Point
}

// Follower turns one contract's logs into an ordered stream that survives restarts,
// lost connections and reorganisations. Set the fields, then Run.
type Follower struct {
	Client  *Client
	Address common.Address
	// Start is the first block to read when the sink is empty: the one that made the contract.
	Start uint64
	// Confirmations is how many blocks must be on top of a block before it is read.
	// Filecoin needs at least 1: its nodes refuse log queries that end at the head.
	Confirmations uint64
	MaxRange      uint64        // blocks per log query; 0 is 2,000 (Filecoin allows 2,880)
	Poll          time.Duration // longest wait before looking for a block; 0 is 250 ms
	Sink          Sink
	OnHead        func(Point) // optional: called after each Apply that caught up with the chain

	span uint64 // blocks that the next log query asks for, owned by Run
	full int    // log queries of that many blocks since one failed, owned by Run
}

const (
	defaultMaxRange = 2000
	widenAfter      = 8 // full ranges without an error
	firstBackoff    = 100 * time.Millisecond
	lastBackoff     = 5 * time.Second
)

// permanent marks an error that trying again cannot mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Run follows until ctx ends and returns its error, or returns ErrDeepReorg or an
// error of the sink. Trouble with the node is logged and tried again.
func (f *Follower) Run(ctx context.Context) error {
	if f.MaxRange == 0 {
		f.MaxRange = defaultMaxRange
	}
	if f.Poll == 0 {
		f.Poll = defaultPoll
	}
	f.span = f.MaxRange
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wake := f.Client.wake(ctx, f.Poll)
	backoff := firstBackoff
	for {
		err := f.catchUp(ctx)
		var fatal permanent
		switch {
		case err == nil:
			backoff = firstBackoff
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-wake:
			}
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &fatal):
			return fatal.error
		}
		slog.Warn("cannot follow the chain, trying again", "err", err, "in", backoff)
		if !sleep(ctx, backoff) {
			return ctx.Err()
		}
		backoff = min(backoff*2, lastBackoff)
	}
}

// catchUp reads until there is nothing more to read now.
func (f *Follower) catchUp(ctx context.Context) error {
	for {
		more, err := f.step(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// step reads one range of blocks, or rolls back, or finds nothing to do.
func (f *Follower) step(ctx context.Context) (more bool, err error) {
	newest, err := f.Client.newest(ctx)
	if err != nil {
		return false, err
	}
	head := uint64(newest.Number)
	from, points := f.Start, f.Sink.Checkpoints()
	if len(points) > 0 {
		from = points[0].Number + 1
		if head < points[0].Number {
			return f.behind(ctx, head, points)
		}
	}
	if head < f.Confirmations || from > head-f.Confirmations {
		return false, nil
	}
	limit := head - f.Confirmations
	if len(points) == 0 && f.Start > 0 {
		return true, f.anchor(ctx)
	}
	to := min(limit, from+f.span-1)
	end := newest
	if to < head {
		end, err = f.Client.blockAtOrBelow(ctx, to, from)
	}
	if errors.Is(err, errNoBlock) {
		return f.reach(to < limit)
	}
	if err != nil {
		return false, err
	}
	logs, err := f.Client.logs(ctx, f.Address, from, end)
	if err != nil {
		return f.narrow(err)
	}
	if more, err := f.settled(ctx, points, end); more || err != nil {
		return more, err
	}
	if err := f.Sink.Apply(ctx, end.point(), logs); err != nil {
		return false, permanent{fmt.Errorf("store blocks %d to %d: %w", from, end.Number, err)}
	}
	if to-from+1 == f.span {
		f.relax()
	}
	if uint64(end.Number) < limit {
		return to < limit, nil
	}
	if f.OnHead != nil {
		f.OnHead(end.point())
	}
	return false, nil
}

// anchor gives an empty sink the block before Start as its first checkpoint, so that a
// reorganisation of the very first range has something to return to.
func (f *Follower) anchor(ctx context.Context) error {
	b, err := f.Client.blockAtOrBelow(ctx, f.Start-1, 0)
	if err != nil {
		return err
	}
	if err := f.Sink.Apply(ctx, b.point(), nil); err != nil {
		return permanent{fmt.Errorf("store block %d: %w", b.Number, err)}
	}
	return nil
}

// settled checks, after the logs were read, that they belong to a chain that
// continues our last checkpoint: a reorganisation may have happened between any two
// calls. It reports again when the range must be read anew. A block that names the
// checkpoint as its parent continues it.
func (f *Follower) settled(ctx context.Context, points []Point, end *block) (again bool, err error) {
	if len(points) > 0 && end.Parent != points[0].Hash {
		ok, err := f.Client.has(ctx, points[0])
		if err != nil {
			return false, err
		}
		if !ok {
			return true, f.rollback(ctx, points[1:])
		}
	}
	ok, err := f.Client.has(ctx, end.point())
	return !ok, err
}

// behind handles a node whose head is below our newest checkpoint. It may merely lag
// (a restart, another replica); only a checkpoint that is surely not on its chain counts as a reorganisation.
func (f *Follower) behind(ctx context.Context, head uint64, points []Point) (more bool, err error) {
	for i, p := range points {
		if p.Number > head {
			continue
		}
		ok, err := f.Client.has(ctx, p)
		if err != nil || ok {
			return false, err
		}
		return true, f.rollback(ctx, points[i+1:])
	}
	return false, nil
}

// rollback returns the sink to the newest of points that the node's chain has.
func (f *Follower) rollback(ctx context.Context, points []Point) error {
	for _, p := range points {
		ok, err := f.Client.has(ctx, p)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := f.Sink.Rollback(ctx, p); err != nil {
			return permanent{fmt.Errorf("roll back to block %d: %w", p.Number, err)}
		}
		return nil
	}
	return permanent{fmt.Errorf("%w: check that it is the right node; if the chain was replaced, start with an empty directory", ErrDeepReorg)}
}

// narrow halves the next range after a failed query: the usual reasons are too many
// logs and too many blocks. A node that said so is asked again at once.
func (f *Follower) narrow(failed error) (more bool, err error) {
	if f.span == 1 {
		return false, failed
	}
	f.span, f.full = max(1, f.span/2), 0
	var said rpc.Error
	if errors.As(failed, &said) {
		return true, nil
	}
	return false, failed
}

// reach handles a range of null rounds only: at the end of the chain it waits, and the
// range that the node was found to take stays as it is; before the end it asks for more blocks.
func (f *Follower) reach(blocksBeyond bool) (more bool, err error) {
	if !blocksBeyond {
		return false, nil
	}
	if f.span == f.MaxRange {
		return false, fmt.Errorf("the node has no block at all in a range of %d: it may still be loading its history", f.span)
	}
	f.widen()
	return true, nil
}

// relax tries a larger range after a number of good ones; a node with a fixed limit is then
// asked too much only rarely.
func (f *Follower) relax() {
	if f.full++; f.full >= widenAfter {
		f.widen()
		f.full = 0
	}
}

func (f *Follower) widen() { f.span = min(f.span*2, f.MaxRange) }

// sleep waits for d and reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
