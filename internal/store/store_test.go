package store_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestFactsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	work := store.Work{
		Execution: common.HexToHash("0x0a"), Seat: 2, Root: common.HexToHash("0x0b"), Fuel: 7, Published: []byte{1, 2},
		Leaves:  []protocol.Leaf{{Index: 3, Rx: big.NewInt(99), Fuel: 7}},
		Scalars: []common.Hash{common.HexToHash("0x0c")},
	}
	if err := s.PutWork(work); err != nil {
		t.Fatal(err)
	}
	job := store.Job{ID: common.HexToHash("0x01"), VerifierBid: big.NewInt(5), Cancelled: true}
	if err := s.PutJob(job); err != nil {
		t.Fatal(err)
	}
	first, err := s.NextNonce()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = open(t, dir)
	second, err := s.NextNonce()
	if err != nil || second != first+1 {
		t.Errorf("nonce after reopening: %d, %v; want %d", second, err, first+1)
	}
	var works []store.Work
	if err := s.Works(func(w store.Work) error { works = append(works, w); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(works) != 1 || works[0].Root != work.Root || works[0].Leaves[0].Rx.Int64() != 99 || works[0].Scalars[0] != work.Scalars[0] {
		t.Errorf("work read back: %+v", works)
	}
	var jobs []store.Job
	if err := s.Jobs(func(j store.Job) error { jobs = append(jobs, j); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 1 || jobs[0].ID != job.ID || !jobs[0].Cancelled || jobs[0].VerifierBid.Int64() != 5 {
		t.Errorf("jobs read back: %+v", jobs)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if second, err := store.Open(dir); err == nil {
		second.Close()
		t.Error("a second opening of the same folder went through")
	}
}

func TestLogsInChainOrderAndRollback(t *testing.T) {
	s := open(t, t.TempDir())
	at := func(n uint64) store.Point {
		return store.Point{Number: n, Hash: common.BigToHash(big.NewInt(int64(n)))}
	}
	logOf := func(n uint64, data byte) store.Log {
		return store.Log{Block: at(n), Name: "E", Event: json.RawMessage{'0' + data}}
	}
	steps := []struct {
		upTo store.Point
		logs []store.Log
	}{
		{at(3), []store.Log{logOf(1, 1), logOf(3, 2), logOf(3, 3)}},
		{at(300), nil}, // block numbers must sort as numbers
		{at(301), []store.Log{logOf(300, 4), logOf(301, 5)}},
	}
	for _, step := range steps {
		if err := s.AppendLogs(step.upTo, step.logs); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string, points ...uint64) {
		t.Helper()
		var got []byte
		if err := s.Logs(func(l store.Log) error { got = append(got, l.Event...); return nil }); err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("logs %s, want %s", got, want)
		}
		kept, err := s.Points()
		if err != nil || len(kept) != len(points) {
			t.Fatalf("points %v, %v; want %v", kept, err, points)
		}
		for i := range kept {
			if kept[i].Number != points[i] {
				t.Errorf("points %v, want %v", kept, points)
			}
		}
	}
	expect("12345", 301, 300, 3)
	if err := s.DropAbove(300); err != nil {
		t.Fatal(err)
	}
	expect("1234", 300, 3)
	if err := s.DropAbove(3); err != nil {
		t.Fatal(err)
	}
	expect("123", 3)
}

func TestCallerErrorsStopAListing(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.PutDelivered(common.HexToHash("0x01"), []store.Delivered{{Piece: 1}}); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if err := s.Deliveries(func(common.Hash, []store.Delivered) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the visitor's error", err)
	}
}

func TestBelongsToOneOwner(t *testing.T) {
	dir := t.TempDir()
	mine := store.Owner{ChainID: 1, Contract: common.Address{2}, Wallet: common.Address{3}}
	s := open(t, dir)
	for range 2 {
		if err := s.Bind(mine); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	for _, other := range []store.Owner{
		{ChainID: 9, Contract: mine.Contract, Wallet: mine.Wallet},
		{ChainID: mine.ChainID, Contract: common.Address{9}, Wallet: mine.Wallet},
		{ChainID: mine.ChainID, Contract: mine.Contract, Wallet: common.Address{9}},
	} {
		if err := s.Bind(other); err == nil {
			t.Errorf("the store of %+v was given to %+v", mine, other)
		}
	}
}
