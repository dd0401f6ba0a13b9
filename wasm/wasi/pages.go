package wasi

import (
	"fmt"
	"io"
)

// pageBytes is the unit in which outputs are kept.
const pageBytes = 4096

// Spill is where outputs go that are too large for memory. It does not show in a result.
type Spill struct {
	// Disk is empty at first. What was never written there reads as zeros or as the end. Nil keeps all in memory.
	Disk interface {
		io.ReaderAt
		io.WriterAt
	}
	// After is how many bytes of all outputs together, in pages of 4 KiB, stay in memory.
	After uint64
}

// SpillBytes is how long Spill.Disk becomes at most for a quota of so many bytes: pages are whole on disk, though the
// last one of a file is not full. Once it is that long, as after very many small files, the rest stays in memory.
func SpillBytes(quota uint64) uint64 { return (2*quota/pageBytes + 1) * pageBytes }

// pages are those of all outputs of a run. The first ones are in memory, the next ones on disk, and should there ever be
// more, they are in memory again.
type pages struct {
	spill    Spill
	resident uint32 // pages before those on disk
	onDisk   uint32 // pages there at most
	memory   [][]byte
	taken    uint32   // numbers below it were taken at some time
	free     []uint32 // taken and released
}

func newPages(s Spill, quota uint64) *pages {
	p := &pages{spill: s}
	if s.Disk != nil {
		p.resident, p.onDisk = uint32(s.After/pageBytes), uint32(SpillBytes(quota)/pageBytes)
	}
	return p
}

// locate says where the whole page with a number plus 1 is.
func (p *pages) locate(number uint32) Extent {
	if number == 0 {
		return Extent{Place: Nowhere}
	}
	switch n := number - 1; {
	case n < p.resident:
		return Extent{Place: InMemory, data: &p.memory[n]}
	case n-p.resident < p.onDisk:
		return Extent{Place: OnDisk, At: int64(n-p.resident) * pageBytes}
	default:
		return Extent{Place: InMemory, data: &p.memory[n-p.onDisk]}
	}
}

// take gives a page of zeros, or of anything if the caller is going to write the whole of it. It returns its number
// plus 1.
func (p *pages) take(anything bool) (uint32, error) {
	if last := len(p.free) - 1; last >= 0 {
		number := p.free[last]
		p.free = p.free[:last]
		if anything {
			return number, nil
		}
		return number, p.cut(number, 0)
	}
	p.taken++
	if n := p.taken - 1; n < p.resident || n-p.resident >= p.onDisk {
		p.memory = append(p.memory, nil)
	}
	return p.taken, nil
}

func (p *pages) release(number uint32) {
	if number == 0 {
		return
	}
	if e := p.locate(number); e.Place == InMemory {
		*e.data = nil
	}
	p.free = append(p.free, number)
}

// read reads a part of an extent, which begins at an offset within its page.
func (p *pages) read(b []byte, e Extent, within int64) error {
	n := 0
	switch e.Place {
	case InMemory:
		if page := *e.data; within < int64(len(page)) {
			n = copy(b, page[within:])
		}
	case OnDisk:
		var err error
		if n, err = p.spill.Disk.ReadAt(b, e.At); err != nil && err != io.EOF {
			return fmt.Errorf("read outputs from disk: %w", err)
		}
	}
	clear(b[n:])
	return nil
}

// write is read's counterpart; the extent has its pages.
func (p *pages) write(b []byte, e Extent, within int64) error {
	if e.Place == InMemory {
		copy(lengthen(e.data, within+int64(len(b)))[within:], b)
		return nil
	}
	if _, err := p.spill.Disk.WriteAt(b, e.At); err != nil {
		return fmt.Errorf("write outputs to disk: %w", err)
	}
	return nil
}

// cut makes zeros of what a page has from an offset on.
func (p *pages) cut(number uint32, from int64) error {
	e := p.locate(number)
	switch {
	case e.Place == InMemory:
		*e.data = (*e.data)[:min(from, int64(len(*e.data)))]
	case e.Place == OnDisk:
		e.At += from
		return p.write(make([]byte, pageBytes-from), e, from)
	}
	return nil
}

// lengthen gives a page in memory n bytes or more. Small files take little more than they have.
func lengthen(page *[]byte, n int64) []byte {
	have := int64(len(*page))
	if n <= have {
		return *page
	}
	if n > int64(cap(*page)) {
		*page = append(make([]byte, 0, min(pageBytes, max(n, 2*have))), *page...)
	}
	*page = (*page)[:n]
	clear((*page)[have:])
	return *page
}
