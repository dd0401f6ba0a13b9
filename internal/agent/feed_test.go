package agent

import (
	"encoding"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

func openFeed(t *testing.T, dir string) (*Feed, *store.Store) {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f, err := NewFeed(s)
	if err != nil {
		t.Fatal(err)
	}
	return f, s
}

// spelled is a view in a canonical form.
func spelled(t *testing.T, f *Feed) (text string) {
	t.Helper()
	f.Read(func(v *protocol.View) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	})
	return text
}

func point(number uint64) transport.Point {
	return transport.Point{
		Block: protocol.Block{Number: number, Time: 1000 + number},
		Hash:  crypto.Keccak256Hash(new(big.Int).SetUint64(number).Bytes()),
	}
}

// fill gives every field below v a value of its own, as large as the contract may make it.
func fill(v reflect.Value, r *rand.Rand) {
	if _, enum := v.Interface().(encoding.TextMarshaler); enum && v.Kind() == reflect.Uint8 {
		v.SetUint(1) // every enum of the contract has that one
		return
	}
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("https://exämple.org/?a=<b>&c")
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.Pointer: // *big.Int
		word := make([]byte, 32)
		for i := range word {
			word[i] = byte(r.Uint32())
		}
		v.Set(reflect.ValueOf(new(big.Int).SetBytes(word)))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), r)
		}
	default:
		panic("no value for a " + v.Type().String())
	}
}

// Every event comes back from the disk as it went there, whatever is in it.
func TestEventsSurviveTheDisk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, kind := range protocol.Events() {
		event := reflect.New(reflect.TypeOf(kind)).Elem()
		for _, empty := range []bool{true, false} {
			if !empty {
				fill(event, r)
			}
			want := event.Interface().(protocol.Event)
			raw, err := json.Marshal(want)
			if err != nil {
				t.Fatalf("%s: %v", kind.Name(), err)
			}
			got, err := decode(store.Log{Name: kind.Name(), Event: raw})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, %v, want %+v", kind.Name(), got, err, want)
			}
		}
	}
}

// history is what happened to a job of two executions, one of them checked: an event a block.
func history(t *testing.T) []protocol.Event {
	t.Helper()
	w, run := committed(t, 5, honest)
	id, check := run.Record.ID, protocol.Verification{
		Bid: big.NewInt(12), Hits: 2, Listed: protocol.List([]uint32{1, 2}, 5), Target: 9, Deadline: 5000,
	}
	verifier := common.Address{7}
	w.ledger.emit(
		protocol.VerificationRequested{
			Execution: id, Bid: check.Bid, Listed: check.Listed, Target: check.Target, Deadline: check.Deadline,
		},
		protocol.SeatDrawn{Execution: id, Number: 2, Node: verifier, Deadline: 5500},
		protocol.SeatCommitted{Execution: id, Number: 2, Root: common.Hash{8}, Fuel: 9, Leaves: []byte{1, 2}},
		protocol.KeyRevealed{Execution: id, Piece: 1, Digests: [3]common.Hash{{1}, {}, {3}}},
		protocol.VerdictReached{Execution: id, Results: [3]common.Hash{{4}, {}, {6}}, Verification: check, Deadline: 6000},
		protocol.Slashed{Execution: id, Seat: 1, Node: run.Node, Amount: big.NewInt(60)},
		protocol.SeatPaid{Execution: id, Seat: 2, Node: verifier, Pay: new(big.Int)},
		protocol.ExecutionReturned{Execution: id, Returned: id, From: 2, Count: 3},
	)
	var events []protocol.Event
	for _, r := range w.ledger.records {
		events = append(events, r.Event)
	}
	return events
}

func apply(t *testing.T, f *Feed, events []protocol.Event, from int) {
	t.Helper()
	for i := from; i < len(events); i++ {
		at := point(uint64(i + 1))
		record := transport.Record{Event: events[i], Meta: transport.Meta{Block: at, Tx: at.Hash}}
		if err := f.Apply(t.Context(), at, []transport.Record{record}); err != nil {
			t.Fatal(err)
		}
	}
}

// The view that a restart reads from the disk is the one that grew with the chain.
func TestReloadedViewIsTheLiveOne(t *testing.T) {
	events, dir := history(t), t.TempDir()
	live, s := openFeed(t, dir)
	apply(t, live, events, 0)
	if err := live.Apply(t.Context(), point(500), nil); err != nil { // nothing but time
		t.Fatal(err)
	}
	want, points := spelled(t, live), live.Checkpoints()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := openFeed(t, dir)
	if got := spelled(t, again); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !slices.Equal(again.Checkpoints(), points) {
		t.Errorf("checkpoints %v, want %v", again.Checkpoints(), points)
	}
	if live.Ready() || again.Ready() {
		t.Error("a feed is ready before it is up with the chain")
	}
	var told []protocol.Event
	err := again.Transactions(func(e protocol.Event, tx common.Hash) error {
		if tx != point(uint64(len(told)+1)).Hash {
			t.Errorf("event %d: transaction %s", len(told), tx)
		}
		told = append(told, e)
		return nil
	})
	if err != nil || len(told) != len(events) {
		t.Errorf("%d events are told, %v; want %d", len(told), err, len(events))
	}
}

// After a reorganisation the view is the one of the remaining blocks, and goes on from there.
func TestRollbackForgetsWhatWasAbove(t *testing.T) {
	events := history(t)
	whole, _ := openFeed(t, t.TempDir())
	apply(t, whole, events, 0)
	want := spelled(t, whole)
	for keep := 1; keep < len(events); keep++ {
		part, _ := openFeed(t, t.TempDir())
		apply(t, part, events[:keep], 0)
		if keep > 1 {
			if err := whole.Rollback(t.Context(), point(uint64(keep))); err != nil {
				t.Fatal(err)
			}
			if got, want := spelled(t, whole), spelled(t, part); got != want {
				t.Fatalf("rolled back to %d:\n%s\nwant\n%s", keep, got, want)
			}
			apply(t, whole, events, keep)
		}
		if got := spelled(t, whole); got != want {
			t.Fatalf("rolled back to %d and forward:\n%s\nwant\n%s", keep, got, want)
		}
	}
}

func TestContradictoryEventsAreAnError(t *testing.T) {
	f, _ := openFeed(t, t.TempDir())
	event := protocol.JobClosed{Job: common.Hash{1}}
	if err := f.Apply(t.Context(), point(1), []transport.Record{{Event: event, Meta: transport.Meta{Block: point(1)}}}); err == nil {
		t.Error("an unknown job was closed")
	}
}

func TestDamagedStoreIsAnError(t *testing.T) {
	for _, l := range []store.Log{
		{Name: "Nonsense", Event: json.RawMessage(`{}`)},
		{Name: "JobClosed", Event: json.RawMessage(`{"job": 7}`)},
		{Name: "JobClosed", Event: json.RawMessage(`{}`)}, // of no known job
	} {
		_, s := openFeed(t, t.TempDir())
		if err := s.AppendLogs(store.Point{Number: 1}, []store.Log{l}); err != nil {
			t.Fatal(err)
		}
		if _, err := NewFeed(s); err == nil {
			t.Errorf("%s %s: no error", l.Name, l.Event)
		}
	}
}

func TestChangedTellsOfEveryHead(t *testing.T) {
	f, _ := openFeed(t, t.TempDir())
	changed := f.Changed()
	if err := f.Apply(t.Context(), point(1), nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
		t.Error("a view that is behind the chain is no news")
	default:
	}
	f.CaughtUp(point(1))
	<-changed
	if !f.Ready() || f.Changed() == changed {
		t.Error("the next change would not be told")
	}
}
