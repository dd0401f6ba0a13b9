package wasi

import "math"

// Sizes of a subscription and an event, in bytes.
const (
	subscriptionBytes = 48
	eventBytes        = 32
)

// Kinds of subscription.
const (
	waitClock = 0
	waitRead  = 1
	waitWrite = 2
)

const absoluteTime = 1 << 0

// pollOneoff never waits. Files are always ready; if there are none among the
// subscriptions, the virtual clock jumps to the earliest deadline.
func pollOneoff(c *call) error {
	n := c.args[2]
	if n == 0 || n > maxPolls {
		return Inval
	}
	if err := c.meter.Charge(n * priceEntry); err != nil {
		return err
	}
	in, err := c.bytes(c.args[0], n*subscriptionBytes)
	if err != nil {
		return err
	}
	out, err := c.bytes(c.args[1], n*eventBytes)
	if err != nil {
		return err
	}
	count, err := c.bytes(c.args[3], 4)
	if err != nil {
		return err
	}
	// The guest may overlap the two lists, so take the subscriptions first.
	subs := append([]byte(nil), in...)
	earliest, files, err := c.deadlines(subs)
	if err != nil {
		return err
	}
	if !files {
		c.clock = max(c.clock, earliest)
	}
	var events uint32
	for ; len(subs) > 0; subs = subs[subscriptionBytes:] {
		if c.event(subs[:subscriptionBytes], out[:eventBytes]) {
			events++
			out = out[eventBytes:]
		}
	}
	le.PutUint32(count, events)
	return nil
}

// deadlines gives the earliest deadline in virtual nanoseconds and whether any
// subscription is for a descriptor.
func (c *call) deadlines(subs []byte) (earliest uint64, files bool, err error) {
	earliest = math.MaxUint64
	for ; len(subs) > 0; subs = subs[subscriptionBytes:] {
		switch subs[8] {
		case waitClock:
			if _, err := c.now(uint64(le.Uint32(subs[16:]))); err != nil {
				return 0, false, err
			}
			earliest = min(earliest, c.deadline(subs))
		case waitRead, waitWrite:
			files = true
		default:
			return 0, false, Inval
		}
	}
	return earliest, files, nil
}

// deadline is when a clock subscription is due, in virtual nanoseconds. It
// rewrites a relative time to an absolute one, so that it can be asked again
// after the clock has moved.
func (c *call) deadline(sub []byte) uint64 {
	t := le.Uint64(sub[24:])
	const wall = 0
	if le.Uint16(sub[40:])&absoluteTime == 0 {
		due := c.clock + t
		if due < c.clock {
			due = math.MaxUint64
		}
		le.PutUint64(sub[24:], due)
		le.PutUint32(sub[16:], 1) // absolute on the monotonic clock
		le.PutUint16(sub[40:], absoluteTime)
		return due
	}
	if le.Uint32(sub[16:]) == wall {
		return t - min(t, startNanos)
	}
	return t
}

// event writes what a subscription reports; false if it is a clock not due.
func (c *call) event(sub, out []byte) bool {
	kind := sub[8]
	if kind == waitClock && c.deadline(sub) > c.clock {
		return false
	}
	clear(out)
	copy(out, sub[:8]) // user data
	out[10] = kind
	if kind == waitClock {
		return true
	}
	d, err := c.descriptor(uint64(le.Uint32(sub[16:])))
	switch {
	case err != nil:
		le.PutUint16(out[8:], uint16(Badf))
	case kind == waitRead && d.node != nil && !d.node.dir:
		le.PutUint64(out[16:], uint64(max(0, d.node.size()-d.pos)))
	case kind == waitWrite:
		le.PutUint64(out[16:], c.quota)
	}
	return true
}
