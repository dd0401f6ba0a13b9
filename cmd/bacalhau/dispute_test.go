package main

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

// Whoever looks at a job sees what is fought over, and how it ended.
func TestDisputesAreShown(t *testing.T) {
	execution := func(change func(*client.ExecutionReport)) client.ExecutionReport {
		e := client.ExecutionReport{ID: common.Hash{1}, Node: common.Address{2}, Count: 4}
		change(&e)
		return e
	}
	jurors := []client.JurorReport{
		{Number: 4, Node: common.Address{4}, Vote: protocol.VoteStatusRevealed}, {Number: 5, Node: common.Address{5}},
	}
	for want, e := range map[string]client.ExecutionReport{
		"seat 2 has to show its leaf of piece 3": execution(func(e *client.ExecutionReport) {
			e.Challenge = &client.ChallengeReport{Seat: 2, Piece: 3}
		}),
		"opened without the client by seat 1, 3": execution(func(e *client.ExecutionReport) { e.Opened = []int{1, 3} }),
		"seat 1 appealed  4:0x04000000 revealed, 5:0x05000000 no vote yet": execution(func(e *client.ExecutionReport) {
			e.Appeal = &client.AppealReport{Seat: 1, Jurors: jurors}
		}),
		"seat 1 appealed: right is seat 2, 3": execution(func(e *client.ExecutionReport) {
			e.Appeal = &client.AppealReport{Seat: 1, Decided: true, Right: []int{2, 3}}
		}),
		"seat 1 appealed: no seat was right": execution(func(e *client.ExecutionReport) {
			e.Appeal = &client.AppealReport{Seat: 1, Decided: true}
		}),
		"seat 1 appealed: no majority": execution(func(e *client.ExecutionReport) {
			e.Status, e.Appeal = protocol.StatusRefunded, &client.AppealReport{Seat: 1}
		}),
		"Returned (declined)": execution(func(e *client.ExecutionReport) {
			e.Status, e.Declined = protocol.StatusReturned, true
		}),
	} {
		var out strings.Builder
		printJob(&out, client.Job{Executions: []client.ExecutionReport{e}})
		if !strings.Contains(out.String(), want) {
			t.Errorf("shown is\n%s\nwithout %q", out.String(), want)
		}
	}
	var out strings.Builder
	printJob(&out, client.Job{Executions: []client.ExecutionReport{execution(func(*client.ExecutionReport) {})}})
	if strings.Contains(out.String(), "DISPUTES") {
		t.Errorf("shown is\n%s", out.String())
	}
}

func TestPausedNodesAreShown(t *testing.T) {
	var out strings.Builder
	printNodes(&out, []client.Node{{Address: common.Address{1}, Paused: true, AppealsWon: 7, Declined: 5}})
	for _, want := range []string{"paused", "7", "5"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("shown is\n%s\nwithout %q", out.String(), want)
		}
	}
}
