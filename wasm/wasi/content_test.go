package wasi

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// disk is a file in memory that notes how long it became.
type disk struct{ bytes []byte }

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(d.bytes).ReadAt(p, off)
}

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	if end := off + int64(len(p)); end > int64(len(d.bytes)) {
		d.bytes = append(d.bytes, make([]byte, end-int64(len(d.bytes)))...)
	}
	return copy(d.bytes[off:], p), nil
}

// inMemory counts the bytes that pages hold.
func (p *pages) inMemory() (n uint64) {
	for _, page := range p.memory {
		n += uint64(cap(page))
	}
	return n
}

// Three files that are written, cut and lengthened at random are what plain slices would be, wherever their pages are.
func TestContent(t *testing.T) {
	const quota = 256 << 10
	for _, after := range []uint64{0, pageBytes, 5 * pageBytes, 10 * quota} {
		random := rand.New(rand.NewPCG(after, 1))
		d := &disk{}
		p := newPages(Spill{Disk: d, After: after}, quota)
		have, want := make([]Content, 3), make([][]byte, 3)
		left := int64(quota)
		for i := range have {
			have[i].pages = p
		}
		for range 3000 {
			i := random.IntN(len(have))
			c, w := &have[i], want[i]
			var err error
			switch off := random.Int64N(c.size + 3*pageBytes); random.IntN(3) {
			case 0: // cut or lengthen
				if off-c.size > left {
					continue
				}
				left -= off - c.size
				err = c.resize(off)
				w = append(w, make([]byte, max(0, off-int64(len(w))))...)[:off]
			default:
				b := make([]byte, random.IntN(3*pageBytes))
				for j := range b {
					b[j] = byte(random.Uint32())
				}
				end := off + int64(len(b))
				if len(b) == 0 || end-c.size > left {
					continue
				}
				left -= max(0, end-c.size)
				err = c.write(b, off)
				w = append(w, make([]byte, max(0, end-int64(len(w))))...)
				copy(w[off:], b)
			}
			if err != nil {
				t.Fatal(err)
			}
			want[i] = w
			if got := bytesOf(t, c); !bytes.Equal(got, w) {
				t.Fatalf("after %d: file %d is not what was written", after, i)
			}
			if n := p.inMemory(); n > after {
				t.Fatalf("%d bytes in memory, more than %d", n, after)
			}
			if most := SpillBytes(quota); uint64(len(d.bytes)) > most {
				t.Fatalf("%d bytes on disk, more than %d", len(d.bytes), most)
			}
		}
		if spilled := len(d.bytes) > 0; spilled != (after < quota) {
			t.Errorf("after %d: %d bytes on disk", after, len(d.bytes))
		}
		var total int64
		for e := range have[0].Extents() {
			total += e.Bytes
		}
		if total != have[0].size {
			t.Errorf("extents have %d bytes of %d", total, have[0].size)
		}
	}
}

// So many small files that the disk may hold no more go on in memory, where they take little more than they have.
func TestManySmallFiles(t *testing.T) {
	const quota = 64 << 10
	p := newPages(Spill{Disk: &disk{}, After: pageBytes}, quota)
	files := make([]Content, 200)
	for i := range files {
		files[i].pages = p
		if err := files[i].write([]byte{byte(i)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range files {
		if b := bytesOf(t, &files[i]); len(b) != 1 || b[0] != byte(i) {
			t.Errorf("file %d is %v", i, b)
		}
	}
	if n := p.inMemory(); n > 200 {
		t.Errorf("%d bytes in memory", n)
	}
}

var errFull = errors.New("full")

// fullDisk takes nothing.
type fullDisk struct{ io.ReaderAt }

func (fullDisk) WriteAt([]byte, int64) (int, error) { return 0, errFull }

// A full disk ends the run. It is no answer to the guest.
func TestFullDisk(t *testing.T) {
	g := newGuest(t, Config{Spill: Spill{Disk: fullDisk{}}})
	g.memory[atData] = 'x'
	p := g.memory[atVector:]
	le.PutUint32(p, atData)
	le.PutUint32(p[4:], 1)
	if _, err := g.raw("fd_write", 1, atVector, 1, atResult); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
