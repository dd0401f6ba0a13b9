package wasi

import (
	"fmt"
	"io"
	"math"
)

// gather reads a list of buffers from guest memory, all checked before any is
// used, and returns their total length.
func (c *call) gather(address, count uint64) (total uint64, err error) {
	if count > maxVectors {
		return 0, Inval
	}
	if err := c.meter.Charge(count * priceEntry); err != nil {
		return 0, err
	}
	list, err := c.bytes(address, 8*count)
	if err != nil {
		return 0, err
	}
	c.vectors = c.vectors[:0]
	for ; len(list) > 0; list = list[8:] {
		b, err := c.bytes(uint64(le.Uint32(list)), uint64(le.Uint32(list[4:])))
		if err != nil {
			return 0, err
		}
		c.vectors = append(c.vectors, b)
		total += uint64(len(b))
	}
	return total, nil
}

// read fills the gathered buffers from a file's offset and returns the bytes
// read. A failing input ends the run.
func (c *call) read(n *node, off int64, want uint64) (uint64, error) {
	left := uint64(max(0, n.size()-off))
	left = min(left, want, math.MaxUint32)
	if err := c.chargeBytes(left); err != nil {
		return 0, err
	}
	var done uint64
	for _, b := range c.vectors {
		b = b[:min(uint64(len(b)), left-done)]
		if len(b) == 0 {
			continue
		}
		if n.input == nil {
			if _, err := n.content.ReadAt(b, off); err != nil {
				return 0, err
			}
		} else if k, err := n.input.ReadAt(b, off); k < len(b) {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, fmt.Errorf("read input at byte %d: %w", off+int64(k), err)
		}
		done += uint64(len(b))
		off += int64(len(b))
	}
	return done, nil
}

// write puts the gathered buffers at a file's offset, as much as the quota
// has room for, and returns the bytes written.
func (c *call) write(n *node, off int64, want uint64) (uint64, error) {
	want = min(want, math.MaxUint32)
	if want == 0 {
		return 0, nil
	}
	if uint64(off) > math.MaxInt64-want {
		return 0, Fbig
	}
	if room := uint64(n.content.size) + c.quota; uint64(off) >= room {
		return 0, Nospc
	} else {
		want = min(want, room-uint64(off))
	}
	if err := c.chargeBytes(want); err != nil {
		return 0, err
	}
	if end := uint64(off) + want; end > uint64(n.content.size) {
		if err := c.resize(n, end); err != nil {
			return 0, err
		}
	}
	return want, c.put(&n.content, off, want)
}

// put writes the first n gathered bytes to an offset.
func (c *call) put(to *Content, off int64, n uint64) error {
	for _, b := range c.vectors {
		b = b[:min(uint64(len(b)), n)]
		if err := to.write(b, off); err != nil {
			return err
		}
		off, n = off+int64(len(b)), n-uint64(len(b))
	}
	return nil
}

func (c *call) writeStream(to *Content, want uint64) (uint64, error) {
	if want > 0 && c.quota == 0 {
		return 0, Nospc
	}
	want = min(want, c.quota, math.MaxUint32)
	if err := c.chargeBytes(want); err != nil {
		return 0, err
	}
	c.quota -= want
	return want, c.put(to, to.size, want)
}

func fdRead(c *call) error  { return c.transfer(3, nil, (*call).readAny) }
func fdWrite(c *call) error { return c.transfer(3, nil, (*call).writeAny) }

func fdPread(c *call) error  { return c.transferAt((*call).readAny) }
func fdPwrite(c *call) error { return c.transferAt((*call).writeAny) }

func (c *call) transferAt(move func(*call, *descriptor, *int64, uint64) (uint64, error)) error {
	at := int64(c.args[3])
	if at < 0 {
		return Inval
	}
	if _, err := c.file(c.args[0]); err != nil {
		return err
	}
	return c.transfer(4, &at, move)
}

// transfer gathers the buffers, moves bytes at an offset or at the
// descriptor's position, and stores the count where argument result points.
func (c *call) transfer(result int, at *int64, move func(*call, *descriptor, *int64, uint64) (uint64, error)) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	out, err := c.bytes(c.args[result], 4)
	if err != nil {
		return err
	}
	total, err := c.gather(c.args[1], c.args[2])
	if err != nil {
		return err
	}
	n, err := move(c, d, at, total)
	if err != nil {
		return err
	}
	le.PutUint32(out, uint32(n))
	return nil
}

func (c *call) readAny(d *descriptor, at *int64, total uint64) (uint64, error) {
	switch {
	case d.stream == stdin:
		return 0, nil // always at its end
	case d.stream != noStream || d.rights&rightRead == 0:
		return 0, Badf
	case d.node.dir:
		return 0, Isdir
	case at != nil:
		return c.read(d.node, *at, total)
	}
	n, err := c.read(d.node, d.pos, total)
	d.pos += int64(n)
	return n, err
}

func (c *call) writeAny(d *descriptor, at *int64, total uint64) (uint64, error) {
	switch {
	case d.stream == stdout:
		return c.writeStream(&c.stdout, total)
	case d.stream == stderr:
		return c.writeStream(&c.stderr, total)
	case d.stream == stdin || d.rights&rightWrite == 0:
		return 0, Badf
	case d.node.dir:
		return 0, Isdir
	case at != nil:
		return c.write(d.node, *at, total)
	}
	if d.flags&flagAppend != 0 {
		d.pos = d.node.size()
	}
	n, err := c.write(d.node, d.pos, total)
	d.pos += int64(n)
	return n, err
}

func fdSeek(c *call) error {
	d, err := c.file(c.args[0])
	if err != nil {
		return err
	}
	var base int64
	switch c.args[2] {
	case 0:
	case 1:
		base = d.pos
	case 2:
		base = d.node.size()
	default:
		return Inval
	}
	off := int64(c.args[1])
	if off > math.MaxInt64-base {
		return Overflow
	}
	if base+off < 0 {
		return Inval
	}
	out, err := c.bytes(c.args[3], 8)
	if err != nil {
		return err
	}
	d.pos = base + off
	le.PutUint64(out, uint64(d.pos))
	return nil
}

func fdTell(c *call) error {
	d, err := c.file(c.args[0])
	if err != nil {
		return err
	}
	out, err := c.bytes(c.args[1], 8)
	if err != nil {
		return err
	}
	le.PutUint64(out, uint64(d.pos))
	return nil
}

func fdAllocate(c *call) error {
	d, err := c.writable(c.args[0])
	if err != nil {
		return err
	}
	off, n := c.args[1], c.args[2]
	if off > math.MaxInt64 || n > math.MaxInt64-off || n == 0 {
		return Inval
	}
	if off+n <= uint64(d.node.content.size) {
		return nil
	}
	return c.resize(d.node, off+n)
}

func fdFilestatSetSize(c *call) error {
	d, err := c.writable(c.args[0])
	if err == Badf && c.args[0] < uint64(len(c.fds)) && c.fds[c.args[0]] != nil {
		return Inval // a file that is not open for writing, in POSIX
	}
	if err != nil {
		return err
	}
	if c.args[1] > math.MaxInt64 {
		return Inval
	}
	return c.resize(d.node, c.args[1])
}

// fdAdvise and fdSync have nothing to do: what must outlast a run is its result.
func fdAdvise(c *call) error {
	_, err := c.descriptor(c.args[0])
	return err
}

func fdSync(c *call) error {
	_, err := c.descriptor(c.args[0])
	return err
}
