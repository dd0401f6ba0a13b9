package wasi

func pathRename(c *call) error {
	from, err := c.removable(c.args[0], c.args[1], c.args[2])
	if err != nil {
		return err
	}
	to, err := c.resolve(c.args[3], c.args[4], c.args[5])
	switch {
	case err != nil:
		return err
	case to.dir == nil:
		return Busy
	case !to.dir.writable:
		return Rofs
	case to.node == from.node:
		return nil
	}
	if err := c.checkRename(from, to); err != nil {
		return err
	}
	if to.node != nil {
		if err := c.meter.Charge(uint64(len(to.dir.order)) * priceByte); err != nil {
			return err
		}
		c.unlink(to.dir, to.name)
	}
	return c.move(from, to)
}

// checkRename refuses what would lose a directory or make one contain itself.
func (c *call) checkRename(from, to place) error {
	for n := to.dir; n != nil; n = n.parent {
		if n == from.node {
			return Inval
		}
	}
	if to.dir.parent == nil && to.dir != c.outputs {
		return Noent
	}
	if err := checkName(to.name); err != nil {
		return err
	}
	switch {
	case to.node == nil:
	case from.node.dir && !to.node.dir:
		return Notdir
	case !from.node.dir && to.node.dir:
		return Isdir
	case to.node.dir && len(to.node.children) > 0:
		return Notempty
	}
	below, err := c.levels(from.node)
	if err == nil && to.dir.depth()+below >= maxDepth+1 {
		err = Nametoolong
	}
	if err == nil && uint64(len(to.name)) > uint64(len(from.name))+c.quota {
		err = Nospc
	}
	return err
}

// levels counts the directories below n, n included; it pays for every entry
// that it looks at.
func (c *call) levels(n *node) (deepest int, err error) {
	if !n.dir {
		return 0, nil
	}
	if err := c.meter.Charge(uint64(len(n.order)) * priceEntry); err != nil {
		return 0, err
	}
	for _, e := range n.order {
		d, err := c.levels(e.node)
		if err != nil {
			return 0, err
		}
		deepest = max(deepest, d)
	}
	return deepest + 1, nil
}

// move gives a node its new name. The descriptor count keeps it alive while it
// has none.
func (c *call) move(from, to place) error {
	n := from.node
	n.open++
	c.unlink(from.dir, from.name)
	n.open--
	longer := uint64(len(to.name)) + nameOverhead - n.cost // wraps when the name gets shorter, as the quota does
	c.quota -= longer
	n.cost += longer
	c.link(to.dir, to.name, n)
	return nil
}
