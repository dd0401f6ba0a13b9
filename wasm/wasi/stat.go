package wasi

// startNanos is the guest's wall clock when it starts, in nanoseconds since
// 1970: 2020-01-01 00:00 UTC. Every file has that time.
const startNanos = 1_577_836_800_000_000_000

// putStat writes the 64 bytes of a filestat.
func putStat(b []byte, kind byte, n *node) {
	clear(b)
	b[16] = kind
	le.PutUint64(b[24:], 1) // links
	for _, at := range []int{40, 48, 56} {
		le.PutUint64(b[at:], startNanos)
	}
	if n != nil {
		le.PutUint64(b[0:], 1) // device
		le.PutUint64(b[8:], n.ino)
		le.PutUint64(b[32:], uint64(n.size()))
	}
}

func fdFilestatGet(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	b, err := c.bytes(c.args[1], 64)
	if err != nil {
		return err
	}
	putStat(b, d.kind(), d.node)
	return nil
}

func pathFilestatGet(c *call) error {
	at, err := c.existing(c.args[0], c.args[2], c.args[3])
	if err != nil {
		return err
	}
	b, err := c.bytes(c.args[4], 64)
	if err != nil {
		return err
	}
	putStat(b, (&descriptor{node: at.node}).kind(), at.node)
	return nil
}

// Times are fixed. Setting them succeeds where files can be changed, since
// copying programs insist, and has no effect.
func fdFilestatSetTimes(c *call) error {
	_, err := c.writable(c.args[0])
	if err == Isdir {
		err = nil
	}
	return err
}

func pathFilestatSetTimes(c *call) error {
	at, err := c.existing(c.args[0], c.args[2], c.args[3])
	if err == nil && !at.node.writable {
		err = Rofs
	}
	return err
}

// fdReaddir lists "." and ".." under cookies 0 and 1, and then the entries,
// each under its sequence number plus one: a cookie stays good whatever is
// added or removed.
func fdReaddir(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	if d.node == nil || !d.node.dir {
		return Notdir
	}
	out, err := c.bytes(c.args[4], 4)
	if err != nil {
		return err
	}
	b, err := c.bytes(c.args[1], c.args[2])
	if err != nil {
		return err
	}
	w := direntWriter{c: c, left: b}
	err = w.list(d.node, c.args[3])
	if err != nil {
		return err
	}
	le.PutUint32(out, uint32(len(b)-len(w.left)))
	return nil
}

// direntWriter fills a buffer; the last record may be cut, which tells the
// guest that there is more.
type direntWriter struct {
	c    *call
	left []byte
}

func (w *direntWriter) list(n *node, cookie uint64) error {
	if cookie == 0 {
		if err := w.put(1, ".", n); err != nil {
			return err
		}
	}
	if cookie <= 1 {
		if err := w.put(2, "..", n); err != nil {
			return err
		}
	}
	for _, e := range n.after(cookie) {
		if len(w.left) == 0 {
			return nil
		}
		if err := w.put(e.seq+2, e.name, e.node); err != nil {
			return err
		}
	}
	return nil
}

func (w *direntWriter) put(next uint64, name string, n *node) error {
	if err := w.c.meter.Charge(priceEntry + uint64(len(name))*priceByte); err != nil {
		return err
	}
	var head [24]byte
	le.PutUint64(head[0:], next)
	le.PutUint64(head[8:], n.ino)
	le.PutUint32(head[16:], uint32(len(name)))
	head[20] = (&descriptor{node: n}).kind()
	w.left = w.left[copy(w.left, head[:]):]
	w.left = w.left[copy(w.left, name):]
	return nil
}
