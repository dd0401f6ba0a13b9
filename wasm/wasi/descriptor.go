package wasi

import "encoding/binary"

var le = binary.LittleEndian

type stream byte

const (
	noStream stream = iota
	stdin
	stdout
	stderr
)

// Rights of WASI that make a difference here.
const (
	rightRead    = 1 << 1
	rightSeek    = 1 << 2
	rightWrite   = 1 << 6
	rightReaddir = 1 << 14
	allRights    = 1<<30 - 1
)

const (
	flagAppend   = 1 << 0
	flagNonblock = 1 << 2
)

// File types of WASI.
const (
	typeCharacter = 2
	typeDirectory = 3
	typeRegular   = 4
)

// descriptor is an open file, directory or standard stream.
type descriptor struct {
	node       *node
	stream     stream
	preopen    string
	pos        int64 // bytes, never negative
	flags      uint16
	rights     uint64
	inheriting uint64
}

func (d *descriptor) kind() byte {
	switch {
	case d.node == nil:
		return typeCharacter
	case d.node.dir:
		return typeDirectory
	}
	return typeRegular
}

func (c *call) descriptor(i uint64) (*descriptor, error) {
	if i >= uint64(len(c.fds)) || c.fds[i] == nil {
		return nil, Badf
	}
	return c.fds[i], nil
}

// file is a descriptor of a regular file.
func (c *call) file(i uint64) (*descriptor, error) {
	d, err := c.descriptor(i)
	switch {
	case err != nil:
		return nil, err
	case d.node == nil:
		return nil, Spipe
	case d.node.dir:
		return nil, Isdir
	}
	return d, nil
}

// writable is a descriptor of an output file that may be changed.
func (c *call) writable(i uint64) (*descriptor, error) {
	d, err := c.file(i)
	switch {
	case err == Spipe:
		return nil, Inval
	case err != nil:
		return nil, err
	case !d.node.writable:
		return nil, Rofs
	case d.rights&rightWrite == 0:
		return nil, Badf
	}
	return d, nil
}

// install puts a descriptor into the lowest free place.
func (c *call) install(d *descriptor) (uint32, error) {
	for i, have := range c.fds {
		if have == nil {
			c.fds[i] = d
			d.node.open++
			return uint32(i), nil
		}
	}
	if len(c.fds) >= maxDescriptors {
		return 0, Mfile
	}
	c.fds = append(c.fds, d)
	d.node.open++
	return uint32(len(c.fds) - 1), nil
}

func (c *call) closeAt(i uint64) {
	d := c.fds[i]
	c.fds[i] = nil
	if d.node != nil && d.preopen == "" {
		d.node.open--
		c.release(d.node)
	}
}

func fdClose(c *call) error {
	if _, err := c.descriptor(c.args[0]); err != nil {
		return err
	}
	c.closeAt(c.args[0])
	return nil
}

func fdRenumber(c *call) error {
	from, to := c.args[0], c.args[1]
	d, err := c.descriptor(from)
	if err != nil {
		return err
	}
	if _, err := c.descriptor(to); err != nil || from == to {
		return err
	}
	c.closeAt(to)
	c.fds[to], c.fds[from] = d, nil
	return nil
}

func fdStatGet(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	b, err := c.bytes(c.args[1], 24)
	if err != nil {
		return err
	}
	clear(b)
	b[0] = d.kind()
	le.PutUint16(b[2:], d.flags)
	le.PutUint64(b[8:], d.rights)
	le.PutUint64(b[16:], d.inheriting)
	return nil
}

func fdStatSetFlags(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	flags := uint16(c.args[1])
	if flags&^(flagAppend|flagNonblock) != 0 {
		return Notsup
	}
	d.flags = flags
	return nil
}

func fdStatSetRights(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	if c.args[1]&^d.rights != 0 || c.args[2]&^d.inheriting != 0 {
		return Notcapable // rights can only be given up
	}
	d.rights, d.inheriting = c.args[1], c.args[2]
	return nil
}

func fdPrestatGet(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	if d.preopen == "" {
		return Badf
	}
	b, err := c.bytes(c.args[1], 8)
	if err != nil {
		return err
	}
	clear(b)
	le.PutUint32(b[4:], uint32(len(d.preopen)))
	return nil
}

func fdPrestatDirName(c *call) error {
	d, err := c.descriptor(c.args[0])
	if err != nil {
		return err
	}
	if d.preopen == "" {
		return Badf
	}
	if c.args[2] < uint64(len(d.preopen)) {
		return Nametoolong
	}
	b, err := c.bytes(c.args[1], uint64(len(d.preopen)))
	if err != nil {
		return err
	}
	copy(b, d.preopen)
	return nil
}
