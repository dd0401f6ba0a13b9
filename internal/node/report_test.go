package node

import (
	"math/big"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// appealed is an execution against whose verdict a seat appealed, with a jury that found some seats right.
func appealed(appellant, right uint8, result common.Hash) *protocol.Run {
	return &protocol.Run{
		Record: protocol.Execution{ID: common.Hash{1}, Status: protocol.StatusSettled}, Node: common.Address{1}, Count: 1,
		Seats: map[uint8]*protocol.SeatRun{2: {Record: protocol.Seat{Node: common.Address{2}}}},
		Appeal: &protocol.Appealed{
			Record:   protocol.Jury{Appellant: appellant, Jurors: []common.Address{{4}, {5}, {6}}},
			Votes:    map[uint8]protocol.VoteRun{4: {Status: protocol.VoteStatusRevealed}},
			Decision: &protocol.Decision{Result: result, Right: right},
		},
		Payments: []protocol.Payment{
			{Seat: 1, Node: common.Address{1}, Wei: big.NewInt(10)}, {Seat: 2, Node: common.Address{2}, Wei: big.NewInt(12)},
			{Seat: 4, Node: common.Address{4}, Wei: big.NewInt(3)},
		},
	}
}

func TestReportOfAnAppeal(t *testing.T) {
	jurors := []client.JurorReport{
		{Number: 4, Node: common.Address{4}, Vote: protocol.VoteStatusRevealed}, {Number: 5, Node: common.Address{5}},
		{Number: 6, Node: common.Address{6}},
	}
	for _, c := range []struct {
		run    *protocol.Run
		want   client.AppealReport
		winner common.Address
		checks int64 // what the client paid beside seat 1
	}{
		{appealed(1, 1<<1, common.Hash{9}), client.AppealReport{Seat: 1, Jurors: jurors, Decided: true, Right: []int{1}}, common.Address{1}, 15},
		{appealed(2, 1<<2, common.Hash{9}), client.AppealReport{Seat: 2, Jurors: jurors, Decided: true, Right: []int{2}}, common.Address{2}, 15},
		// The appellant was wrong, so the jurors' pay is its own.
		{appealed(1, 1<<2|1<<3, common.Hash{9}), client.AppealReport{Seat: 1, Jurors: jurors, Decided: true, Right: []int{2, 3}}, common.Address{}, 12},
		{appealed(1, 0, common.Hash{}), client.AppealReport{Seat: 1, Jurors: jurors}, common.Address{}, 12},
	} {
		job := client.Job{PieceList: make([]client.PieceReport, 1)}
		reportRun(&job, c.run, protocol.Terms{Seats: 2}, c.run.Record.Status)
		if got := job.Executions[0].Appeal; !reflect.DeepEqual(*got, c.want) {
			t.Errorf("got %+v, want %+v", *got, c.want)
		}
		v := protocol.NewView()
		v.Runs[common.Hash{}] = c.run
		for node, r := range v.Reputations() {
			if won := node == c.winner; won != (r.AppealsWon == 1) {
				t.Errorf("%+v: node %s has won %d appeals", c.want, node, r.AppealsWon)
			}
		}
		if got := cost(job, nil).PaidCheck; got.Int64() != c.checks {
			t.Errorf("%+v: checks cost %s, want %d", c.want, got, c.checks)
		}
	}
}

func TestReportOfDisputes(t *testing.T) {
	run := &protocol.Run{
		Count: 1, Declined: true, Challenge: &protocol.Challenge{Seat: 2, Piece: 3},
		Openings: map[uint8]protocol.SelfOpening{3: {}, 1: {}},
	}
	job := client.Job{PieceList: make([]client.PieceReport, 1)}
	reportRun(&job, run, protocol.Terms{Seats: 2}, protocol.StatusChallenged)
	got := job.Executions[0]
	if got.Status != protocol.StatusChallenged || !got.Declined || !reflect.DeepEqual(got.Opened, []int{1, 3}) ||
		*got.Challenge != (client.ChallengeReport{Seat: 2, Piece: 3}) || got.Appeal != nil {
		t.Errorf("got %+v", got)
	}
}

// Every event says what it is about, or it is not in a job's costs.
func TestEveryEventOfAJobHasASubject(t *testing.T) {
	for _, event := range protocol.Events() {
		typ := reflect.TypeOf(event)
		filled := reflect.New(typ).Elem()
		want := common.Hash{}
		for _, name := range []string{"Job", "Execution"} {
			if f := filled.FieldByName(name); f.IsValid() {
				want = common.Hash{byte(len(name))}
				f.Set(reflect.ValueOf(want))
			}
		}
		if got := subject(filled.Interface().(protocol.Event)); got != want {
			t.Errorf("%s is about %s, want %s", typ.Name(), got, want)
		}
	}
}
