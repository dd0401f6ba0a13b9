package store_test

import (
	"testing"

	"github.com/filecoin-project/bacalhau/internal/store"
)

// TestOldPointsGo: of checkpoints with gaps only those of the last thousand blocks stay, also after a restart and after
// the chain went back.
func TestOldPointsGo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	appendTo := func(number uint64) {
		t.Helper()
		if err := s.AppendLogs(store.Point{Number: number}, nil); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(count int, newest, oldest uint64) {
		t.Helper()
		points, err := s.Points()
		if err != nil {
			t.Fatal(err)
		}
		if len(points) != count || points[0].Number != newest || points[count-1].Number != oldest {
			t.Errorf("%d checkpoints from %d to %d, want %d from %d to %d",
				len(points), points[0].Number, points[len(points)-1].Number, count, newest, oldest)
		}
	}
	for n := uint64(10); n <= 3000; n += 10 {
		appendTo(n)
	}
	expect(101, 3000, 2000)
	s.Close()
	s = open(t, dir)
	appendTo(3500)
	expect(52, 3500, 2500)
	if err := s.DropAbove(2990); err != nil {
		t.Fatal(err)
	}
	appendTo(2995)
	appendTo(3600)
	expect(42, 3600, 2600)
}
