package wasi

import (
	"strings"
	"unicode/utf8"
)

// place is where a path leads: node is nil if nothing has that name yet, dir
// is nil if the path is the directory that it starts from.
type place struct {
	dir  *node
	name string
	node *node
}

// resolve walks the path in guest memory below descriptor fd. A path cannot
// leave the directory that it starts from. Only a missing last component is
// not an error.
func (c *call) resolve(fd, address, length uint64) (at place, err error) {
	d, err := c.descriptor(fd)
	if err != nil {
		return at, err
	}
	if d.node == nil || !d.node.dir {
		return at, Notdir
	}
	if length > maxPathBytes {
		return at, Nametoolong
	}
	b, err := c.bytes(address, length)
	if err != nil {
		return at, err
	}
	if err := c.meter.Charge(length*pricePathByte + priceEntry); err != nil {
		return at, err
	}
	path := string(b)
	switch {
	case path == "":
		return at, Noent
	case path[0] == '/':
		return at, Perm
	case strings.IndexByte(path, 0) >= 0:
		return at, Inval
	case !utf8.ValidString(path):
		return at, Ilseq
	}
	return walk(d.node, path)
}

func walk(from *node, path string) (place, error) {
	trail := []place{{node: from}}
	for part := range strings.SplitSeq(path, "/") {
		here := trail[len(trail)-1]
		switch {
		case here.node == nil:
			if part != "" { // only slashes may follow a name that does not exist
				return place{}, Noent
			}
		case !here.node.dir:
			return place{}, Notdir
		case part == "" || part == ".":
		case part == "..":
			if len(trail) == 1 {
				return place{}, Perm
			}
			trail = trail[:len(trail)-1]
		default:
			trail = append(trail, place{here.node, part, here.node.child(part)})
		}
	}
	return trail[len(trail)-1], nil
}

// existing resolves a path to something that is there.
func (c *call) existing(fd, address, length uint64) (place, error) {
	at, err := c.resolve(fd, address, length)
	if err == nil && at.node == nil {
		err = Noent
	}
	return at, err
}

// Flags of path_open.
const (
	openCreate    = 1 << 0
	openDirectory = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3
)

func pathOpen(c *call) error {
	flags, rights, inheriting, fdFlags := c.args[4], c.args[5], c.args[6], uint16(c.args[7])
	out, err := c.bytes(c.args[8], 4)
	if err != nil {
		return err
	}
	at, err := c.resolve(c.args[0], c.args[2], c.args[3])
	if err != nil {
		return err
	}
	parent := c.fds[c.args[0]]
	d := &descriptor{flags: fdFlags & (flagAppend | flagNonblock), rights: rights & parent.inheriting, inheriting: inheriting & parent.inheriting}
	write := d.rights&rightWrite != 0
	n := at.node
	switch {
	case n == nil && flags&openCreate == 0:
		return Noent
	case n == nil && flags&openDirectory != 0:
		return Inval
	case n == nil && !at.dir.writable:
		return Rofs
	case n == nil:
		n = c.newNode()
		n.writable = true
	case flags&openCreate != 0 && flags&openExclusive != 0:
		return Exist
	case flags&openDirectory != 0 && !n.dir:
		return Notdir
	case n.dir:
		// Toolchains ask for every right when they open a directory, but none
		// asks to write only.
		if flags&openTruncate != 0 || write && d.rights&rightRead == 0 {
			return Isdir
		}
	case !n.writable && (write || flags&openTruncate != 0):
		return Rofs
	case flags&openTruncate != 0:
		if err := c.resize(n, 0); err != nil {
			return err
		}
	}
	d.node = n
	i, err := c.install(d)
	if err != nil {
		return err
	}
	if at.node == nil {
		if err := c.create(at.dir, at.name, n); err != nil {
			c.fds[i] = nil
			return err
		}
	}
	le.PutUint32(out, i)
	return nil
}

func pathCreateDirectory(c *call) error {
	at, err := c.resolve(c.args[0], c.args[1], c.args[2])
	switch {
	case err != nil:
		return err
	case at.node != nil:
		return Exist
	case !at.dir.writable:
		return Rofs
	}
	return c.create(at.dir, at.name, c.newDir(true))
}

// removable resolves a path to something that may be unlinked, and pays for
// closing the gap in the directory.
func (c *call) removable(fd, address, length uint64) (place, error) {
	at, err := c.existing(fd, address, length)
	switch {
	case err != nil:
		return at, err
	case at.dir == nil:
		return at, Busy
	case !at.dir.writable:
		return at, Rofs
	}
	return at, c.meter.Charge(uint64(len(at.dir.order)) * priceByte)
}

func pathUnlinkFile(c *call) error {
	at, err := c.removable(c.args[0], c.args[1], c.args[2])
	switch {
	case err != nil:
		return err
	case at.node.dir:
		return Isdir
	}
	c.unlink(at.dir, at.name)
	return nil
}

func pathRemoveDirectory(c *call) error {
	at, err := c.removable(c.args[0], c.args[1], c.args[2])
	switch {
	case err != nil:
		return err
	case !at.node.dir:
		return Notdir
	case len(at.node.children) > 0:
		return Notempty
	}
	c.unlink(at.dir, at.name)
	return nil
}

func pathLink(*call) error    { return Perm }
func pathSymlink(*call) error { return Perm }

// pathReadlink finds no link, as there are none.
func pathReadlink(c *call) error {
	if _, err := c.existing(c.args[0], c.args[1], c.args[2]); err != nil {
		return err
	}
	return Inval
}
