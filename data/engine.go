package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	pebbleds "github.com/ipfs/go-ds-pebble"
)

var (
	// ErrInUse means that another process has the store open.
	ErrInUse = errors.New("data store is in use by another process")
	// ErrClosed means that the store was used after Close.
	ErrClosed = errors.New("data store is closed")
	// ErrDiskFull means that a write was refused to keep some of the disk free.
	// Nothing was written; it is safe to try again once there is room.
	ErrDiskFull = errors.New("disk is full")
)

const (
	memTableBytes = 16 << 20
	// reserveBytes stay free on disk: a refused write costs nothing, while the
	// database cannot continue after a failed write to its log and ends the
	// process when it cannot even begin a new one.
	reserveBytes = 64 << 20
)

// engine is the durable key-value database under a Store. Every write is on disk
// when it returns. It turns the database's fatal conditions into errors.
type engine struct {
	db    *pebbleds.Datastore
	dir   string
	fs    vfs.FS
	lock  *pebble.Lock
	fatal *fatal

	mu     sync.RWMutex // shared: an operation is running; exclusive: closing
	closed bool
}

func openEngine(dir string, fsys vfs.FS) (*engine, error) {
	dir = filepath.Join(dir, "blocks")
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data store: %w", err)
	}
	lock, err := pebble.LockDirectory(dir, fsys)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("open data store: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: stop that process or choose another folder (%v)", ErrInUse, dir, err)
	}
	e := &engine{dir: dir, fs: fsys, lock: lock, fatal: &fatal{happened: make(chan struct{})}}
	err = e.fatal.guard(func() (err error) {
		e.db, err = pebbleds.NewDatastore(dir, pebbleds.WithPebbleWriteOptions(pebble.Sync), pebbleds.WithPebbleOpts(e.options()))
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open data store %s: %w", dir, err), lock.Close())
	}
	return e, nil
}

func (e *engine) options() *pebble.Options {
	return &pebble.Options{
		FS: e.fs, Lock: e.lock, Logger: e.fatal,
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       memTableBytes,
		// The default listener treats a damaged file as fatal; the read that met
		// it reports it anyway.
		EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
	}
}

// fatal is the database's logger. The database calls Fatalf when it cannot go on
// and expects the process to end. Here the calling goroutine stops for ever
// instead, and the operation it worked for, like every later one, returns the
// reason.
type fatal struct {
	once     sync.Once
	happened chan struct{}
	err      error // set before happened is closed
}

func (f *fatal) Infof(string, ...any)  {}
func (f *fatal) Errorf(string, ...any) {}
func (f *fatal) Fatalf(format string, args ...any) {
	f.once.Do(func() {
		f.err = fmt.Errorf("data store failed, restart once the disk is healthy: "+format, args...)
		close(f.happened)
	})
	select {}
}

// guard runs one operation of the database in a goroutine that may be stopped.
func (f *fatal) guard(operation func() error) error {
	select {
	case <-f.happened:
		return f.err
	default:
	}
	done := make(chan error, 1)
	go func() { done <- operation() }()
	select {
	case err := <-done:
		return err
	case <-f.happened:
		return f.err
	}
}

// use runs one operation while the database is open.
func (e *engine) use(operation func() error) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return ErrClosed
	}
	return e.fatal.guard(operation)
}

// write runs one durable write of about n bytes. One of none only deletes, and is
// not refused: what is kept free is kept for that.
func (e *engine) write(n int, operation func() error) error {
	if n == 0 {
		return e.use(operation)
	}
	usage, err := e.fs.GetDiskUsage(e.dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", e.dir, err)
	}
	if usage.AvailBytes < reserveBytes+uint64(n) {
		return fmt.Errorf("%w: %s has %d MiB left and %d are kept free", ErrDiskFull, e.dir, usage.AvailBytes>>20, reserveBytes>>20)
	}
	return e.use(operation)
}

func (e *engine) Get(ctx context.Context, k ds.Key) ([]byte, error) {
	return get(e, func() ([]byte, error) { return e.db.Get(ctx, k) })
}

func (e *engine) Has(ctx context.Context, k ds.Key) (bool, error) {
	return get(e, func() (bool, error) { return e.db.Has(ctx, k) })
}

func (e *engine) GetSize(ctx context.Context, k ds.Key) (int, error) {
	return get(e, func() (int, error) { return e.db.GetSize(ctx, k) })
}

func (e *engine) Query(ctx context.Context, q query.Query) (query.Results, error) {
	return get(e, func() (query.Results, error) { return e.db.Query(ctx, q) })
}

// get runs an operation with a result, which is left alone if the operation
// never ends.
func get[T any](e *engine, operation func() (T, error)) (T, error) {
	var result T
	done := make(chan T, 1)
	err := e.use(func() error {
		r, err := operation()
		done <- r
		return err
	})
	select {
	case result = <-done:
	default:
	}
	return result, err
}

func (e *engine) Put(ctx context.Context, k ds.Key, value []byte) error {
	return e.write(len(k.Bytes())+len(value), func() error { return e.db.Put(ctx, k, value) })
}

func (e *engine) Delete(ctx context.Context, k ds.Key) error {
	return e.write(0, func() error { return e.db.Delete(ctx, k) })
}

func (e *engine) Batch(ctx context.Context) (ds.Batch, error) {
	b, err := get(e, func() (ds.Batch, error) { return e.db.Batch(ctx) })
	return &batch{Batch: b, engine: e}, err
}

// reclaim gives the space of what was deleted below prefix back to the disk.
func (e *engine) reclaim(ctx context.Context, prefix ds.Key) error {
	from := prefix.Bytes()
	to := append(prefix.Bytes(), 0xff)
	return e.use(func() error { return e.db.DB.Compact(ctx, from, to, false) })
}

// Sync has nothing to do: every write is on disk when it returns.
func (e *engine) Sync(context.Context, ds.Key) error { return nil }

// Close waits for running operations. After a fatal error the database is left
// as it is, locked, until the process ends: it may still have a write in flight.
func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	if err := e.fatal.guard(e.db.Close); err != nil {
		return fmt.Errorf("close data store: %w", err)
	}
	return e.lock.Close()
}

// batch is a set of writes that reach the disk together.
type batch struct {
	ds.Batch
	engine *engine
	bytes  int
}

func (b *batch) Put(ctx context.Context, k ds.Key, value []byte) error {
	b.bytes += len(k.Bytes()) + len(value)
	return b.Batch.Put(ctx, k, value)
}

func (b *batch) Commit(ctx context.Context) error {
	return b.engine.write(b.bytes, func() error { return b.Batch.Commit(ctx) })
}
