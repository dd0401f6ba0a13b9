package data

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

func countBlocks(t *testing.T, s *Store) (count int) {
	t.Helper()
	all, err := s.blocks.AllKeysChan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range all {
		count++
	}
	return count
}

func addTree(t *testing.T, s *Store, files map[string]string) cid.Cid {
	t.Helper()
	sources := map[string]Source{}
	for path, content := range files {
		sources[path] = Reader(strings.NewReader(content))
	}
	c, err := s.AddFiles(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCollectOnAFullDisk: removing needs no room, and what Kubo is still to be given stays however old it is.
func TestCollectOnAFullDisk(t *testing.T) {
	disk := newTightDisk(1 << 40)
	s, err := openStore(t.TempDir(), disk)
	if err != nil {
		t.Fatal(err)
	}
	addTree(t, s, map[string]string{"a": "useless"})
	owed := addTree(t, s, map[string]string{"b": "owed"})
	if err := NewMirror(s, Kubo{}, nil).Add(t.Context(), owed); err != nil {
		t.Fatal(err)
	}
	disk.avail = reserveBytes / 2
	done, err := s.Collect(t.Context(), time.Now().Add(time.Hour), nil)
	if err != nil || done != (Collected{Pins: 1, Blocks: 2}) {
		t.Errorf("removed %+v, %v; want one pin and two blocks", done, err)
	}
	if err := s.Verify(t.Context(), owed); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestCollectKeepsWhatIsHeldOrYoung: an old DAG goes with its blocks, except those that others share.
func TestCollectKeepsWhatIsHeldOrYoung(t *testing.T) {
	s := open(t)
	held := addTree(t, s, map[string]string{"a": "held", "shared": "by both"})
	useless := addTree(t, s, map[string]string{"b": "useless", "shared": "by both"})
	part := addTree(t, s, map[string]string{"c": "part"})
	whole, err := s.AddFiles(t.Context(), map[string]Source{"part": Link(part), "d": Reader(strings.NewReader("rest"))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.build(t.Context(), nil, func(im *importer) (ipld.Node, error) { return im.file(strings.NewReader("cut off"), im.dag) }); err != nil {
		t.Fatal(err) // what a crash leaves behind
	}
	before := countBlocks(t, s)

	if done, err := s.Collect(t.Context(), time.Now().Add(-time.Hour), nil); err != nil || done != (Collected{Blocks: 1}) {
		t.Fatalf("nothing is old, and one block has no pin: removed %+v, %v", done, err)
	}
	later := time.Now().Add(time.Hour)
	done, err := s.Collect(t.Context(), later, []cid.Cid{held, part})
	if err != nil {
		t.Fatal(err)
	}
	// useless and whole lose their directories and one file each; part was not pinned for its own sake and is held.
	if want := (Collected{Pins: 2, Blocks: 4}); done != want {
		t.Errorf("removed %+v, want %+v", done, want)
	}
	if left := countBlocks(t, s); left != before-5 {
		t.Errorf("%d blocks left of %d", left, before)
	}
	for c, want := range map[cid.Cid]bool{held: true, part: true, useless: false, whole: false} {
		if complete, err := s.Complete(t.Context(), c); err != nil || complete != want {
			t.Errorf("%s complete: %v, %v; want %v", c, complete, err, want)
		}
	}
	if _, err := s.Collect(t.Context(), later, nil); err != nil {
		t.Fatal(err)
	}
	if left := countBlocks(t, s); left != 0 {
		t.Errorf("%d blocks left though nothing is held", left)
	}
}

// TestCollectWaitsForWriters: blocks that are not pinned yet are not taken from under the one who writes them.
func TestCollectWaitsForWriters(t *testing.T) {
	s := open(t)
	content, feed := io.Pipe()
	added := make(chan error, 1)
	go func() {
		_, err := s.AddFile(t.Context(), content)
		added <- err
	}()
	if _, err := feed.Write(pattern(1, 3<<20)); err != nil { // returns when all of it was read
		t.Fatal(err)
	}
	if s.writers.TryAcquire(math.MaxInt64) {
		t.Error("a collection could begin in the middle of an import")
	}
	feed.Close()
	if err := <-added; err != nil {
		t.Fatal(err)
	}
	if done, err := s.Collect(t.Context(), time.Now().Add(-time.Hour), nil); err != nil || done != (Collected{}) {
		t.Errorf("after the import: removed %+v, %v", done, err)
	}
}
