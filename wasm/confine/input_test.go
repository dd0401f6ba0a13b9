package confine

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/bacalhau/wasm"
)

// sparse is a large file of zeros that counts what is read of it.
type sparse struct {
	size int64
	read *atomic.Int64
}

func (f sparse) Size() int64 { return f.size }

func (f sparse) ReadAt(p []byte, _ int64) (int, error) {
	f.read.Add(int64(len(p)))
	clear(p)
	return len(p), nil
}

// A guest that copies what it is allowed to of 1 GiB must not have all of it brought along.
func TestInputsAreLazy(t *testing.T) {
	for _, engine := range wasm.Engines() {
		big := sparse{1 << 30, new(atomic.Int64)}
		res, err := open(t, engine).Run(t.Context(), reader(t, big))
		if err != nil {
			t.Fatal(err)
		}
		if n := big.read.Load(); n < 4096 || n > 16<<20 {
			t.Errorf("%s: %d bytes were read for exit %#x", engine, n, res.ExitCode)
		}
	}
}

// file is an input over bytes that notes what is asked for.
func file(content []byte, asked *[]string) *remoteFile {
	cache := &readAhead{fetch: func(_, input uint32, offset int64, n int) ([]byte, error) {
		*asked = append(*asked, fmt.Sprintf("%d+%d", offset>>10, n>>10))
		return content[offset : offset+int64(n)], nil
	}}
	return &remoteFile{cache: cache, size: int64(len(content))}
}

func TestReadAhead(t *testing.T) {
	content := make([]byte, 2<<20)
	for i := range content {
		content[i] = byte(i >> 10 * 7)
	}
	for _, c := range []struct {
		name    string
		offsets []int64 // of reads of 4 KiB
		want    []string
	}{
		{"one read", []int64{0}, []string{"0+16"}},
		{"at random", []int64{1 << 20, 4 << 10, 512 << 10}, []string{"1024+16", "4+16", "512+16"}},
		{"the same again", []int64{8 << 10, 8 << 10, 16 << 10}, []string{"8+16"}},
		{"at the end", []int64{2<<20 - 4096}, []string{"2044+4"}},
	} {
		var asked []string
		f := file(content, &asked)
		for _, offset := range c.offsets {
			p := make([]byte, 4096)
			if n, err := f.ReadAt(p, offset); n != len(p) || err != nil || !bytes.Equal(p, content[offset:offset+4096]) {
				t.Errorf("%s: %d bytes at %d, %v", c.name, n, offset, err)
			}
		}
		if !slices.Equal(asked, c.want) {
			t.Errorf("%s: asked for %v KiB, want %v", c.name, asked, c.want)
		}
	}

	var asked []string
	f := file(content, &asked)
	if all, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size())); err != nil || !bytes.Equal(all, content) {
		t.Errorf("reading all gives %d bytes, %v", len(all), err)
	}
	if want := []string{"0+16", "16+32", "48+64", "112+128", "240+256", "496+512", "1008+512", "1520+512", "2032+16"}; !slices.Equal(asked, want) {
		t.Errorf("reading all asked for %v KiB, want %v", asked, want)
	}
	if n, err := f.ReadAt(make([]byte, 10), f.Size()-4); n != 4 || err != io.EOF {
		t.Errorf("%d, %v across the end", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 10), f.Size()+4); n != 0 || err != io.EOF {
		t.Errorf("%d, %v behind the end", n, err)
	}
}

// Two places that are read in turn are both kept.
func TestReadAheadOfSeveralPlaces(t *testing.T) {
	var asked []string
	f := file(make([]byte, 1<<20), &asked)
	p := make([]byte, 1024)
	for i := range int64(16) {
		for _, start := range []int64{0, 256 << 10, 512 << 10} {
			if _, err := f.ReadAt(p, start+i<<10); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(asked) != 3 {
		t.Errorf("asked for %v KiB", asked)
	}
}
