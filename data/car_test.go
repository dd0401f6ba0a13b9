package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

func exported(t testing.TB, s *Store, c cid.Cid) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := s.ExportCAR(t.Context(), c, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// section is one block in a CAR: length, CID, bytes.
func section(c cid.Cid, block []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(c.ByteLen()+len(block)))
	return append(append(out, c.Bytes()...), block...)
}

func headerBytes(car []byte) int {
	n, k := binary.Uvarint(car)
	return k + int(n)
}

func TestCARRoundTrip(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	car := exported(t, src, root)
	missing, err := dst.ImportCAR(ctx, bytes.NewReader(car), root, Limits{})
	if err != nil || len(missing) > 0 {
		t.Fatalf("missing %v, error %v", missing, err)
	}
	if err := dst.Verify(ctx, root); err != nil {
		t.Error(err)
	}
	if pinned := must(dst.Pinned(ctx, root))(t); !pinned {
		t.Error("a complete import is not pinned")
	}
	if again := exported(t, dst, root); !bytes.Equal(again, car) {
		t.Error("exported again it differs")
	}
}

func TestHostileCAR(t *testing.T) {
	ctx, src := t.Context(), open(t)
	root := sample(t, src)
	good := exported(t, src, root)
	other := must(src.AddFiles(ctx, map[string]Source{"x": Bytes([]byte("other"))}))(t)
	h := headerBytes(good)
	junk := section(specCID(cid.Raw, []byte("junk")), []byte("junk"))
	splice := func(at int, b ...byte) []byte { return append(append(bytes.Clone(good[:at]), b...), good[at:]...) }
	flip := bytes.Clone(good)
	flip[len(flip)/2] ^= 1
	flipLast := bytes.Clone(good)
	flipLast[len(flipLast)-1] ^= 1
	v2 := append([]byte{0x0a, 0xa1, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 2}, make([]byte, 40)...)
	for name, c := range map[string]struct {
		car    []byte
		untrue bool // else: cut off, which may be nobody's fault
	}{
		"flipped":              {flip, true},
		"flipped at the end":   {flipLast, true},
		"stuffed at the end":   {append(bytes.Clone(good), junk...), true},
		"stuffed at the front": {splice(h, junk...), true},
		"wrong root":           {exported(t, src, other), true},
		"other blocks":         {append(bytes.Clone(good[:h]), exported(t, src, other)[h:]...), true},
		"not a CAR":            {[]byte("<html>" + strings.Repeat("not found ", 50) + "</html>"), true},
		"zero length section":  {append(bytes.Clone(good), 0, 0, 0), true},
		"huge section":         {append(bytes.Clone(good), 0xff, 0xff, 0xff, 0xff, 0x7f), true},
		"huge header":          {[]byte{0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3}, true},
		"version 2":            {v2, true},
		"weak hash":            {append(bytes.Clone(good), section(weakCID(t, []byte("abc")), []byte("abc"))...), true},
		"empty":                {nil, false},
		"cut in the header":    {good[:h/2], false},
		"cut in a block":       {good[:len(good)-700_000], false},
	} {
		dst := open(t)
		missing, err := dst.ImportCAR(ctx, bytes.NewReader(c.car), root, Limits{})
		if err == nil || errors.Is(err, ErrUntrue) != c.untrue || missing != nil {
			t.Errorf("%s: missing %v, error %v; want ErrUntrue: %t", name, missing, err, c.untrue)
		}
		if pins := must(dst.Pins(ctx))(t); len(pins) > 0 {
			t.Errorf("%s: pinned", name)
		}
		for _, foreign := range [][]byte{[]byte("junk"), []byte("other")} {
			if has := must(dst.blocks.Has(ctx, specCID(cid.Raw, foreign)))(t); has {
				t.Errorf("%s: %q was stored", name, foreign)
			}
		}
	}
}

// weakCID names bytes by a hash that is easy to forge.
func weakCID(t *testing.T, b []byte) cid.Cid {
	return must(cid.V1Builder{Codec: cid.Raw, MhType: 0x11}.Sum(b))(t) // sha1
}

// A CAR that ends between two blocks is not wrong, only not all.
func TestPartialCAR(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	car := exported(t, src, root)
	last := section(specCID(cid.Raw, []byte("c")), []byte("c"))
	if !bytes.HasSuffix(car, last) {
		t.Fatal("the CAR does not end with the last leaf")
	}
	missing, err := dst.ImportCAR(ctx, bytes.NewReader(car[:len(car)-len(last)]), root, Limits{})
	if err != nil || len(missing) != 1 || missing[0] != specCID(cid.Raw, []byte("c")) {
		t.Errorf("missing %v, error %v; want the last leaf", missing, err)
	}
	if pinned := must(dst.Pinned(ctx, root))(t); pinned {
		t.Error("an incomplete DAG is pinned")
	}
	missing, err = dst.ImportCAR(ctx, bytes.NewReader(car[:headerBytes(car)]), root, Limits{})
	if err != nil || len(missing) != 1 {
		t.Errorf("only a header, with the rest here: missing %v, error %v; want the last leaf", missing, err)
	}
}

func TestCARLimits(t *testing.T) {
	ctx, src, dst := t.Context(), open(t), open(t)
	root := sample(t, src)
	car := exported(t, src, root)
	if _, err := dst.ImportCAR(ctx, bytes.NewReader(car), root, Limits{MaxBytes: 1 << 20}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	// The same block again and again, without end.
	repeat := section(root, must(src.block(ctx, root))(t).RawData())
	endless := io.MultiReader(bytes.NewReader(car[:headerBytes(car)]), &loop{b: repeat})
	if _, err := dst.ImportCAR(ctx, endless, root, Limits{MaxBytes: 1 << 20}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("endless: got %v, want ErrTooLarge", err)
	}
	broken := errors.New("cable cut")
	if _, err := dst.ImportCAR(ctx, io.MultiReader(bytes.NewReader(car[:1<<20]), iotest.ErrReader(broken)), root, Limits{}); !errors.Is(err, broken) || errors.Is(err, ErrUntrue) {
		t.Errorf("broken stream: got %v, want the stream's error", err)
	}
}

type loop struct {
	b  []byte
	at int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.b[l.at:])
	l.at = (l.at + n) % len(l.b)
	return n, nil
}

func TestExportCARNeedsEveryBlock(t *testing.T) {
	ctx, s := t.Context(), open(t)
	root := craftDir(t, s, &ipld.Link{Name: "a", Cid: specCID(cid.Raw, []byte("absent"))})
	if err := s.ExportCAR(ctx, root, io.Discard); !errors.Is(err, ErrNotLocal) {
		t.Errorf("got %v, want ErrNotLocal", err)
	}
	var out bytes.Buffer
	if err := s.ExportCAR(ctx, specCID(cid.Raw, []byte("absent")), &out); !errors.Is(err, ErrNotLocal) || out.Len() > 0 {
		t.Errorf("got %v and %d bytes, want ErrNotLocal and none", err, out.Len())
	}
}

// Whatever the bytes are, an import ends, and stores nothing that was not asked
// for.
func FuzzImportCAR(f *testing.F) {
	ctx, src, dst := f.Context(), open(f), open(f)
	root := must(src.AddFiles(ctx, map[string]Source{"a": Bytes([]byte("hello")), "b/c": Bytes([]byte("x"))}))(f)
	wanted := map[string]bool{}
	all := must(src.blocks.AllKeysChan(ctx))(f)
	for c := range all {
		wanted[string(c.Hash())] = true
	}
	f.Add(exported(f, src, root))
	f.Add([]byte(strings.Repeat("x", 100)))
	f.Fuzz(func(t *testing.T, car []byte) {
		missing, err := dst.ImportCAR(t.Context(), bytes.NewReader(car), root, Limits{MaxBytes: 1 << 20})
		if err == nil && len(missing) == 0 {
			if err := dst.Verify(t.Context(), root); err != nil {
				t.Error(err)
			}
		}
		for c := range must(dst.blocks.AllKeysChan(t.Context()))(t) {
			if !wanted[string(c.Hash())] {
				t.Errorf("stored %s", c)
			}
			if err := dst.blocks.DeleteBlock(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
	})
}
