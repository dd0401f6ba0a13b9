package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	mh "github.com/multiformats/go-multihash"
)

// The functions below write dag-pb and UnixFS by hand from their specifications,
// to check the importer against something that shares no code with it.

func field(number, wire int, content ...byte) []byte {
	return append([]byte{byte(number<<3 | wire)}, content...)
}

func varint(number int, v uint64) []byte {
	return field(number, 0, binary.AppendUvarint(nil, v)...)
}

func message(number int, content []byte) []byte {
	return field(number, 2, append(binary.AppendUvarint(nil, uint64(len(content))), content...)...)
}

func specCID(codec uint64, block []byte) cid.Cid {
	digest := sha256.Sum256(block)
	hash, err := mh.Encode(digest[:], mh.SHA2_256)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(codec, hash)
}

type specLink struct {
	cid  cid.Cid
	name string
	size uint64 // of the whole DAG below, in bytes
}

// specNode encodes links first, then data, as the profile has it.
func specNode(data []byte, links ...specLink) (block []byte) {
	for _, l := range links {
		block = append(block, message(2, bytes.Join([][]byte{message(1, l.cid.Bytes()), message(2, []byte(l.name)), varint(3, l.size)}, nil))...)
	}
	return append(block, message(1, data)...)
}

func specFile(size uint64, children ...uint64) []byte {
	data := append(varint(1, 2), varint(3, size)...)
	for _, c := range children {
		data = append(data, varint(4, c)...)
	}
	return data
}

func TestProfileMatchesTheSpecification(t *testing.T) {
	const mib = 1 << 20
	two := pattern(7, mib+1)
	leaves := []specLink{{cid: specCID(cid.Raw, two[:mib]), size: mib}, {cid: specCID(cid.Raw, two[mib:]), size: 1}}
	twoNode := specNode(specFile(mib+1, mib, 1), leaves...)
	twoCID, twoSize := specCID(cid.DagProtobuf, twoNode), uint64(len(twoNode)+mib+1)
	dirNode := specNode(varint(1, 1), specLink{specCID(cid.Raw, []byte("hi")), "a", 2}, specLink{twoCID, "b", twoSize})

	ctx, s := t.Context(), open(t)
	if got := must(s.AddFile(ctx, bytes.NewReader(two[:mib])))(t); got != leaves[0].cid {
		t.Errorf("file of 1 MiB: got %s, want one raw block %s", got, leaves[0].cid)
	}
	if got := must(s.AddFile(ctx, bytes.NewReader(two)))(t); got != twoCID {
		t.Errorf("file of 1 MiB and a byte: got %s, want %s", got, twoCID)
	}
	got := must(s.AddFiles(ctx, map[string]Source{"b": Bytes(two), "a": Bytes([]byte("hi"))}))(t)
	if want := specCID(cid.DagProtobuf, dirNode); got != want {
		t.Errorf("directory: got %s, want %s", got, want)
	}
}

// A file of more than 1024 blocks gets a second level. Its leaves repeat, and are
// kept in memory, so that the test is quick.
func TestProfileDAGWidth(t *testing.T) {
	const mib, width = 1 << 20, 1024
	leaf := specLink{cid: specCID(cid.Raw, make([]byte, mib)), size: mib}
	leaves, sizes := make([]specLink, width), make([]uint64, width)
	for i := range leaves {
		leaves[i], sizes[i] = leaf, mib
	}
	full := specNode(specFile(width*mib, sizes...), leaves...)
	rest := specNode(specFile(mib, mib), leaf)
	root := specNode(specFile((width+1)*mib, width*mib, mib),
		specLink{cid: specCID(cid.DagProtobuf, full), size: uint64(len(full)) + width*mib},
		specLink{cid: specCID(cid.DagProtobuf, rest), size: uint64(len(rest)) + mib})
	ctx, s := t.Context(), open(t)
	s.dag = newStore(s.engine, blockstore.NewBlockstore(dssync.MutexWrap(ds.NewMapDatastore()))).dag
	got := must(s.AddFile(ctx, io.LimitReader(zeros{}, (width+1)*mib)))(t)
	if want := specCID(cid.DagProtobuf, root); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestGoldenCIDs(t *testing.T) {
	ctx, s := t.Context(), open(t)
	if got := must(s.AddFile(ctx, strings.NewReader("")))(t); got.String() != emptyFileCID {
		t.Errorf("empty file: got %s, want %s", got, emptyFileCID)
	}
	if got := must(s.AddFiles(ctx, nil))(t); got.String() != emptyDirCID {
		t.Errorf("empty directory: got %s, want %s", got, emptyDirCID)
	}
	for name, c := range map[string]struct {
		files map[string]Source
		want  string
	}{
		"tree":    {map[string]Source{"a": Bytes([]byte("hello")), "d/e": Bytes(bytes.Repeat([]byte{'x'}, 3<<20))}, "bafybeigynntmam4xdmcp4e7nqblqyspitfvl2uoqnv7vgeqxuzn2ob6eqm"},
		"sharded": {many(6000), "bafybeieldrg67oy3g2ilhhvtd6xncoa3u5mcyqhw35meokmmeklodmlhdm"},
	} {
		if got := must(s.AddFiles(ctx, c.files))(t); got.String() != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// many is a directory too large for one block.
func many(n int) map[string]Source {
	files := map[string]Source{}
	for i := range n {
		files[fmt.Sprintf("file-%05d", i)] = Bytes([]byte{byte(i)})
	}
	return files
}
