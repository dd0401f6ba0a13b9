package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ipfs/go-cid"
)

// span is a range of a file's bytes, as the parameter entity-bytes of a trustless
// gateway names it: a negative position counts from the file's end, and last is
// part of the span.
type span struct{ first, last int64 }

// parseSpan reads "first:last"; the last of "*" is the end of the file.
func parseSpan(s string) (span, error) {
	first, last, found := strings.Cut(s, ":")
	r := span{last: -1}
	var err error
	if r.first, err = strconv.ParseInt(first, 10, 64); err == nil && last != "*" {
		r.last, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil || !found {
		return r, fmt.Errorf("entity-bytes %q is not of the form first:last, such as 0:1023 or -1024:*", s)
	}
	return r, nil
}

// within gives the span's positions in a file of so many bytes.
func (r span) within(size int64) span {
	if r.first < 0 {
		r.first = max(0, size+r.first)
	}
	if r.last < 0 {
		r.last += size
	}
	return r
}

// exportSpan writes to w, as a CARv1, the blocks that a reader of these bytes of
// the file c needs. For what is not a file it is as with the scope entity.
func (s *Store) exportSpan(ctx context.Context, c cid.Cid, w io.Writer, r span) error {
	n, err := s.node(ctx, c)
	if err != nil {
		return fmt.Errorf("export CAR: %w", err)
	}
	if n.kind != fileNode {
		return s.exportCAR(ctx, c, w, scopeEntity)
	}
	out, err := s.newCAR(ctx, c, w)
	if err == nil {
		err = out.span(n, 0, r.within(n.size), maxFileDepth)
	}
	if err != nil {
		return fmt.Errorf("export CAR: %w", err)
	}
	return nil
}

// span writes the node n of a file, which begins at start, and what below it has
// bytes of r. Only the two edges of r lead into nodes that it does not cover, so
// this ends soon, however a hostile file is built.
func (w *carWriter) span(n *node, start int64, r span, depth int) error {
	if depth == 0 {
		return errors.New("file DAG is too deep")
	}
	if _, err := w.block(n.cid); err != nil {
		return err
	}
	from := start + int64(len(n.data))
	for i, l := range n.links {
		end := start + n.ends[i]
		var err error
		switch {
		case end <= r.first || from > r.last:
		case from >= r.first && end-1 <= r.last:
			err = w.dag(l.Cid, scopeAll)
		default:
			var child *node
			child, err = w.store.node(w.ctx, l.Cid)
			if err == nil && (child.kind != fileNode || child.size != end-from) {
				err = fmt.Errorf("%s is not valid UnixFS: child %s has another size than is claimed", n.cid, l.Cid)
			}
			if err == nil {
				err = w.span(child, from, r, depth-1)
			}
		}
		if err != nil {
			return err
		}
		from = end
	}
	return nil
}
