package store_test

import (
	"math/big"
	"testing"

	"github.com/filecoin-project/bacalhau/internal/store"
)

func TestNewestDecisionsAreKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	at := uint64(0)
	for range 6 {
		var batch []store.Decision
		for range 2000 {
			at++
			batch = append(batch, store.Decision{Time: at, Verdict: "passed over", Have: big.NewInt(int64(at))})
		}
		if err := s.AppendDecisions(batch); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	s = open(t, dir)
	if err := s.AppendDecisions([]store.Decision{{Time: at + 1}}); err != nil {
		t.Fatal(err)
	}
	next := uint64(2002)
	err := s.Decisions(func(d store.Decision) error {
		if d.Time != next {
			t.Fatalf("the decision of %d comes where that of %d belongs", d.Time, next)
		}
		next++
		return nil
	})
	if err != nil || next != at+2 {
		t.Errorf("decisions up to %d, %v", next, err)
	}
}
