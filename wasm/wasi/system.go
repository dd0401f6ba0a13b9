package wasi

// clockStep is how far the virtual clock moves at every look at it, and its
// resolution, in nanoseconds.
const clockStep = 1_000_000

func (c *call) putStrings(list []string) error {
	index, at := c.args[0], c.args[1]
	for i, s := range list {
		if err := c.chargeBytes(uint64(len(s))); err != nil {
			return err
		}
		p, err := c.bytes(index+4*uint64(i), 4)
		if err != nil {
			return err
		}
		b, err := c.bytes(at, uint64(len(s))+1)
		if err != nil {
			return err
		}
		le.PutUint32(p, uint32(at))
		b[copy(b, s)] = 0
		at += uint64(len(s)) + 1
	}
	return nil
}

func (c *call) putSizes(list []string) error {
	total := len(list)
	for _, s := range list {
		total += len(s)
	}
	n, err := c.bytes(c.args[0], 4)
	if err != nil {
		return err
	}
	size, err := c.bytes(c.args[1], 4)
	if err != nil {
		return err
	}
	le.PutUint32(n, uint32(len(list)))
	le.PutUint32(size, uint32(total))
	return nil
}

func argsGet(c *call) error         { return c.putStrings(c.Host.args) }
func argsSizesGet(c *call) error    { return c.putSizes(c.Host.args) }
func environGet(c *call) error      { return c.putStrings(c.env) }
func environSizesGet(c *call) error { return c.putSizes(c.env) }

// Clocks: 0 is the wall clock, 1 monotonic, 2 and 3 processor time. All run
// together.
func (c *call) now(clock uint64) (uint64, error) {
	switch clock {
	case 0:
		return startNanos + c.clock, nil
	case 1, 2, 3:
		return c.clock, nil
	}
	return 0, Inval
}

func clockResGet(c *call) error {
	if _, err := c.now(c.args[0]); err != nil {
		return err
	}
	b, err := c.bytes(c.args[1], 8)
	if err != nil {
		return err
	}
	le.PutUint64(b, clockStep)
	return nil
}

func clockTimeGet(c *call) error {
	b, err := c.bytes(c.args[2], 8)
	if err != nil {
		return err
	}
	c.clock += clockStep
	t, err := c.now(c.args[0])
	if err != nil {
		return err
	}
	le.PutUint64(b, t)
	return nil
}

func randomGet(c *call) error {
	b, err := c.bytes(c.args[0], c.args[1])
	if err != nil {
		return err
	}
	if err := c.meter.Charge(uint64(len(b)) * priceRandom); err != nil {
		return err
	}
	c.random.Read(b) // never fails
	return nil
}

func schedYield(*call) error { return nil }
func procRaise(*call) error  { return Nosys }

func procExit(c *call) error {
	c.exit = uint32(c.args[0])
	return ErrExit
}

// sock answers all socket functions: no descriptor is one.
func sock(c *call) error {
	if _, err := c.descriptor(c.args[0]); err != nil {
		return err
	}
	return Notsock
}
