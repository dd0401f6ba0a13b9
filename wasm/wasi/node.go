package wasi

import (
	"cmp"
	"slices"
)

// node is a file or directory.
type node struct {
	ino      uint64
	dir      bool
	writable bool
	input    File    // of a file below /inputs
	content  Content // of a file below /outputs

	open     int   // descriptors on it
	parent   *node // nil for a root and for what was removed
	cost     uint64
	children map[string]*entry
	order    []*entry // by seq
}

// entry is a name in a directory. seq only rises, so that a listing can go on
// after entries were added or removed.
type entry struct {
	name string
	seq  uint64
	node *node
}

func (h *Host) newNode() *node {
	h.lastNode++
	return &node{ino: h.lastNode, content: Content{pages: h.pages}}
}

func (h *Host) newDir(writable bool) *node {
	n := h.newNode()
	n.dir, n.writable, n.children = true, writable, map[string]*entry{}
	return n
}

func (n *node) child(name string) *node {
	if e := n.children[name]; e != nil {
		return e.node
	}
	return nil
}

func (n *node) size() int64 {
	if n.input != nil {
		return n.input.Size()
	}
	return n.content.size
}

// depth counts the directories between n and its root.
func (n *node) depth() (d int) {
	for ; n.parent != nil; n = n.parent {
		d++
	}
	return d
}

func (h *Host) link(dir *node, name string, n *node) {
	h.lastSeq++
	e := &entry{name, h.lastSeq, n}
	n.parent = dir
	dir.children[name] = e
	dir.order = append(dir.order, e)
}

func (h *Host) unlink(dir *node, name string) {
	e := dir.children[name]
	delete(dir.children, name)
	i, _ := slices.BinarySearchFunc(dir.order, e.seq, func(e *entry, seq uint64) int { return cmp.Compare(e.seq, seq) })
	dir.order = slices.Delete(dir.order, i, i+1)
	e.node.parent = nil
	h.release(e.node)
}

// release gives the quota of a node back once neither a name nor a descriptor
// keeps it.
func (h *Host) release(n *node) {
	if n.parent == nil && n.open == 0 && n != h.inputs && n != h.outputs {
		h.quota += n.cost + uint64(n.content.size)
		n.cost = 0
		_ = n.content.resize(0) // fails only where it cuts a page
	}
}

// create makes a file or directory, paying for its name from the quota.
func (c *call) create(dir *node, name string, n *node) error {
	if err := checkName(name); err != nil {
		return err
	}
	if dir.parent == nil && dir != c.outputs {
		return Noent // the directory itself was removed
	}
	if dir.depth() >= maxDepth {
		return Nametoolong
	}
	cost := uint64(len(name)) + nameOverhead
	if cost > c.quota {
		return Nospc
	}
	c.quota -= cost
	n.cost = cost
	c.link(dir, name, n)
	return nil
}

// resize sets the length of an output file. What it grows by is taken from the
// quota and charged before it is.
func (c *call) resize(n *node, size uint64) error {
	have := uint64(n.content.size)
	if size <= have {
		if err := c.chargeBytes(size); err != nil {
			return err
		}
		c.quota += have - size
		return n.content.resize(int64(size))
	}
	if size-have > c.quota {
		return Nospc
	}
	if err := c.chargeBytes(size - have); err != nil {
		return err
	}
	c.quota -= size - have
	return n.content.resize(int64(size))
}

// after gives the entries from a directory cookie on: those with seq+1 >= cookie.
func (n *node) after(cookie uint64) []*entry {
	i, _ := slices.BinarySearchFunc(n.order, cookie, func(e *entry, cookie uint64) int { return cmp.Compare(e.seq+1, cookie) })
	return n.order[i:]
}
