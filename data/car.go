package data

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	carv2 "github.com/ipld/go-car/v2"
	carstorage "github.com/ipld/go-car/v2/storage"
	mh "github.com/multiformats/go-multihash"
)

const (
	// maxBlockBytes is twice what other implementations make or transfer.
	maxBlockBytes     = 4 << 20
	maxCARHeaderBytes = 64 << 10
	batchBytes        = 8 << 20
	batchBlocks       = 1024
)

// ExportCAR writes the DAG under c to w as a CARv1, depth first and each block
// once.
func (s *Store) ExportCAR(ctx context.Context, c cid.Cid, w io.Writer) error {
	return s.exportCAR(ctx, c, w, scopeAll)
}

func (s *Store) exportCAR(ctx context.Context, root cid.Cid, w io.Writer, scope scope) error {
	out, err := s.newCAR(ctx, root, w)
	if err == nil {
		err = out.dag(root, scope)
	}
	if err != nil {
		return fmt.Errorf("export CAR: %w", err)
	}
	return nil
}

// carWriter writes parts of the DAG under one root.
type carWriter struct {
	ctx   context.Context
	store *Store
	car   carstorage.WritableCar // writes each block once
	seen  *cid.Set               // walked by dag
}

func (s *Store) newCAR(ctx context.Context, root cid.Cid, w io.Writer) (*carWriter, error) {
	if _, err := s.block(ctx, root); err != nil {
		return nil, err // before the header is out
	}
	car, err := carstorage.NewWritable(w, []cid.Cid{root}, carv2.WriteAsCarV1(true))
	return &carWriter{ctx, s, car, cid.NewSet()}, err
}

// block writes one block and returns its bytes.
func (w *carWriter) block(c cid.Cid) ([]byte, error) {
	b, err := w.store.block(w.ctx, c)
	if err != nil {
		return nil, err
	}
	if c.Prefix().MhType == mh.IDENTITY { // is in the CID already
		return b.RawData(), nil
	}
	return b.RawData(), w.car.Put(w.ctx, c.KeyString(), b.RawData())
}

// dag writes what of the DAG under root is within the scope.
func (w *carWriter) dag(root cid.Cid, scope scope) error {
	stack := []cid.Cid{root}
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !w.seen.Visit(c) {
			continue
		}
		raw, err := w.block(c)
		if err != nil {
			return err
		}
		links, err := scope.links(c, raw)
		if err != nil {
			return err
		}
		slices.Reverse(links)
		stack = append(stack, links...)
	}
	return nil
}

// Limits bounds what is read from a source that is not trusted.
type Limits struct {
	MaxBytes int64 // bytes of blocks; 0 is no limit
}

// ErrUntrue means that a source sent something else than was asked for: a block
// that does not match its CID, one that nobody asked for, or no CAR at all.
var ErrUntrue = errors.New("untrue data")

// ImportCAR stores from a CARv1 the blocks that belong to the DAG under root.
// Each block must match its CID and be referred to by an earlier one; anything
// else ends the import with ErrUntrue. The true blocks before an error are kept,
// unpinned. Without an error it returns the CIDs to fetch next; when there are
// none, the DAG is complete and pinned.
func (s *Store) ImportCAR(ctx context.Context, r io.Reader, root cid.Cid, limits Limits) (missing []cid.Cid, err error) {
	if err := s.writers.enter(ctx); err != nil {
		return nil, fmt.Errorf("import CAR of %s: %w", root, err)
	}
	defer s.writers.leave()
	if missing, err = s.importCAR(ctx, r, root, limits); err != nil {
		return nil, fmt.Errorf("import CAR of %s: %w", root, err)
	}
	if len(missing) > 0 {
		return missing, nil
	}
	return nil, s.pin(ctx, root)
}

func (s *Store) importCAR(ctx context.Context, r io.Reader, root cid.Cid, limits Limits) ([]cid.Cid, error) {
	if err := checkCID(root); err != nil {
		return nil, err
	}
	car, err := openCAR(r, root)
	if err != nil {
		return nil, err
	}
	// Blocks are wanted by their hash: a source may write a CID of version 0
	// as version 1.
	wanted := map[string]cid.Cid{string(root.Hash()): root}
	seen := map[string]bool{}
	out := &blockWriter{store: s}
	var total int64
	for {
		b, err := car.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			total += int64(len(b.RawData()))
			if limits.MaxBytes > 0 && total > limits.MaxBytes {
				err = fmt.Errorf("%w: more than the %d bytes allowed", ErrTooLarge, limits.MaxBytes)
			}
		}
		if err == nil {
			err = take(ctx, b, wanted, seen, out)
		}
		if err != nil {
			return nil, errors.Join(carError(err), out.flush(ctx))
		}
	}
	if err := out.flush(ctx); err != nil {
		return nil, err
	}
	left := make([]cid.Cid, 0, len(wanted))
	for _, c := range wanted {
		left = append(left, c)
	}
	return s.missing(ctx, left, true)
}

func openCAR(r io.Reader, root cid.Cid) (*carv2.BlockReader, error) {
	car, err := carv2.NewBlockReader(&bufferedStream{bufio.NewReaderSize(r, 256<<10)},
		carv2.MaxAllowedHeaderSize(maxCARHeaderBytes), carv2.MaxAllowedSectionSize(maxBlockBytes+maxIdentityBytes))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("not a CAR: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return nil, fmt.Errorf("%w: not a CAR: %w", ErrUntrue, err)
	case car.Version != 1:
		return nil, fmt.Errorf("%w: CAR version %d, only 1 is asked for", ErrUntrue, car.Version)
	case !slices.Contains(car.Roots, root):
		return nil, fmt.Errorf("%w: CAR is for other roots %v", ErrUntrue, car.Roots)
	}
	return car, nil
}

// take accepts one block of the stream if it is wanted, and wants what it refers
// to. A block that comes again is passed over.
func take(ctx context.Context, b blocks.Block, wanted map[string]cid.Cid, seen map[string]bool, out *blockWriter) error {
	hash := string(b.Cid().Hash())
	c, ok := wanted[hash]
	if !ok {
		if seen[hash] {
			return nil
		}
		return fmt.Errorf("%w: block %s is not part of what was asked for", ErrUntrue, b.Cid())
	}
	links, err := linksOf(c, b.RawData())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntrue, err)
	}
	delete(wanted, hash)
	seen[hash] = true
	for _, l := range links {
		if !seen[string(l.Hash())] {
			wanted[string(l.Hash())] = l
		}
	}
	return out.put(ctx, b)
}

// carError tells a stream that broke off, which is nobody's lie, from one that
// makes no sense.
func carError(err error) error {
	var broken *streamError
	var local *localError
	switch {
	case errors.As(err, &broken), errors.As(err, &local), errors.Is(err, ErrUntrue), errors.Is(err, ErrTooLarge),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("CAR is cut off: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrUntrue, err)
}

// streamError is an error of the underlying stream, not of what it said.
type streamError struct{ error }

func (e *streamError) Unwrap() error { return e.error }

// bufferedStream marks read errors of the stream as such.
type bufferedStream struct{ *bufio.Reader }

func (b *bufferedStream) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	return n, mark(err)
}

func (b *bufferedStream) ReadByte() (byte, error) {
	c, err := b.Reader.ReadByte()
	return c, mark(err)
}

func mark(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &streamError{err}
}

// localError is a failure of this store, for which no source is to blame.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

// blockWriter stores verified blocks in batches.
type blockWriter struct {
	store *Store
	batch []blocks.Block
	bytes int
}

func (w *blockWriter) put(ctx context.Context, b blocks.Block) error {
	w.batch = append(w.batch, b)
	w.bytes += len(b.RawData())
	if w.bytes < batchBytes && len(w.batch) < batchBlocks {
		return nil
	}
	return w.flush(ctx)
}

func (w *blockWriter) flush(ctx context.Context) error {
	if len(w.batch) == 0 {
		return nil
	}
	// What is verified is worth keeping even if the caller has just given up.
	if err := w.store.blocks.PutMany(context.WithoutCancel(ctx), w.batch); err != nil {
		return &localError{fmt.Errorf("store blocks: %w", err)}
	}
	w.batch, w.bytes = nil, 0
	return nil
}
