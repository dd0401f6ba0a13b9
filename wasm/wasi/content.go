package wasi

import (
	"errors"
	"io"
	"iter"
)

// Content is what a guest wrote to a file or stream: a File made of pages, of which some may be on disk.
type Content struct {
	pages *pages
	size  int64
	table []uint32 // numbers of its pages, plus 1; 0 is a page of zeros, as are all behind the table's end
}

// Place says where an Extent is.
type Place byte

const (
	Nowhere Place = iota // zeros that take no room
	InMemory
	OnDisk
)

// Extent is a part of a Content that lies in one place.
type Extent struct {
	Place Place
	Bytes int64
	At    int64 // offset on disk, bytes
	data  *[]byte
}

// Size implements File.
func (c *Content) Size() int64 { return c.size }

// ReadAt implements File.
func (c *Content) ReadAt(p []byte, off int64) (done int, err error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	for done < len(p) && off < c.size {
		e := c.extent(off, min(int64(len(p)-done), c.size-off))
		if err := c.pages.read(p[done:done+int(e.Bytes)], e, off%pageBytes); err != nil {
			return done, err
		}
		done, off = done+int(e.Bytes), off+e.Bytes
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// Extents are the parts of the content in their order, each as long as it can be.
func (c *Content) Extents() iter.Seq[Extent] {
	return func(yield func(Extent) bool) {
		var last Extent
		for off := int64(0); off < c.size; {
			e := c.extent(off, c.size-off)
			off += e.Bytes
			if last.Place == InMemory && e.Place == InMemory {
				last.Bytes += e.Bytes
				continue
			}
			if last.Bytes > 0 && !yield(last) {
				return
			}
			last = e
		}
		if last.Bytes > 0 {
			yield(last)
		}
	}
}

// extent is the part from an offset on, of at most n bytes. In memory it is not more than a page.
func (c *Content) extent(off, n int64) Extent {
	first := off / pageBytes
	e := c.pages.locate(c.number(first))
	e.At += off % pageBytes
	e.Bytes = (first+1)*pageBytes - off
	for i := first + 1; e.Place != InMemory && e.Bytes < n; i++ {
		next := c.pages.locate(c.number(i))
		if next.Place != e.Place || e.Place == OnDisk && next.At != e.At+e.Bytes {
			break
		}
		e.Bytes += pageBytes
	}
	e.Bytes = min(e.Bytes, n)
	return e
}

func (c *Content) number(page int64) uint32 {
	if page >= int64(len(c.table)) {
		return 0
	}
	return c.table[page]
}

// write puts bytes at an offset, behind the end too. An error is the disk's.
func (c *Content) write(p []byte, off int64) error {
	if len(p) == 0 {
		return nil
	}
	end := off + int64(len(p))
	if pages := (end + pageBytes - 1) / pageBytes; pages > int64(len(c.table)) {
		c.table = append(c.table, make([]uint32, pages-int64(len(c.table)))...)
	}
	for i := off / pageBytes; i*pageBytes < end; i++ {
		if c.table[i] != 0 {
			continue
		}
		whole := off <= i*pageBytes && (i+1)*pageBytes <= end
		n, err := c.pages.take(whole)
		if err != nil {
			return err
		}
		c.table[i] = n
	}
	for len(p) > 0 {
		e := c.extent(off, int64(len(p)))
		if err := c.pages.write(p[:e.Bytes], e, off%pageBytes); err != nil {
			return err
		}
		p, off = p[e.Bytes:], off+e.Bytes
	}
	c.size = max(c.size, end)
	return nil
}

// resize cuts the content off, or lengthens it by zeros.
func (c *Content) resize(size int64) error {
	kept := (size + pageBytes - 1) / pageBytes
	for i := int64(len(c.table)) - 1; i >= kept; i-- {
		c.pages.release(c.table[i])
	}
	c.table = c.table[:min(kept, int64(len(c.table)))]
	if kept == 0 {
		c.table = nil
	}
	if rest := size % pageBytes; size < c.size && rest != 0 {
		if err := c.pages.cut(c.number(kept-1), rest); err != nil {
			return err
		}
	}
	c.size = size
	return nil
}
