package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/wasm"
)

// patience is how often in a row a node may fail to answer before the wait for a job ends.
const patience = 60

// sparing is how many times longer than an answer took the next question waits: a large job is work to describe.
const sparing = 10

// follow waits until a job has ended and shows how far it is. A node that restarts meanwhile is waited for.
func (a *app) follow(ctx context.Context, node *client.Client, p *progress, id common.Hash) (client.Job, error) {
	for unanswered := 0; ; {
		asked := time.Now()
		job, err := node.Job(ctx, id)
		pause := max(a.poll, sparing*time.Since(asked))
		switch {
		case err == nil:
			unanswered = 0
			p.step("%s", progressLine(job))
			if job.Status.Ended() {
				return job, nil
			}
		case errors.Is(err, client.ErrNoNode) && unanswered < patience:
			unanswered++
			pause = a.poll
			p.step("waiting for the node to answer")
		default:
			return client.Job{}, err
		}
		select {
		case <-ctx.Done():
			return client.Job{}, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// progressLine says in one line how far a job is.
func progressLine(job client.Job) string {
	assigned := 0
	for _, piece := range job.PieceList {
		if piece.Status != client.PieceOpen {
			assigned++
		}
	}
	running, verified, checked := 0, 0, 0
	for _, e := range job.Executions {
		if !ended(e.Status) {
			running++
		}
		checked += len(e.Checked)
		if ended(e.Status) {
			verified += len(e.Checked)
		}
	}
	line := fmt.Sprintf("%s: %s, %d assigned, %d committed, %d delivered; %s (%d running)", job.Status,
		plural(int(job.Pieces), "piece"), assigned, job.Committed, job.Delivered, plural(len(job.Executions), "execution"), running)
	if checked > 0 {
		line += fmt.Sprintf("; checks %d of %d", verified, checked)
	}
	if len(job.Trouble) > 0 {
		line += "; trying again: " + printable(job.Trouble[0])
	}
	return line
}

func ended(s protocol.Status) bool {
	switch s {
	case protocol.StatusSettled, protocol.StatusReturned, protocol.StatusRefunded:
		return true
	}
	return false
}

// verdict is the error that an ended job ends the command with.
func verdict(job client.Job) error {
	switch job.Status {
	case client.JobRejected:
		return workError{fmt.Errorf("the contract did not take the job: %s", job.Rejected)}
	case client.JobFailed:
		return workError{fmt.Errorf("the job failed: %d of %d pieces have no result", job.Pieces-job.Delivered, job.Pieces)}
	case client.JobCancelled:
		return workError{fmt.Errorf("the job was cancelled: %d of %d pieces have no result", job.Pieces-job.Delivered, job.Pieces)}
	}
	var failed []string
	for _, piece := range job.PieceList {
		if piece.ExitCode != 0 {
			failed = append(failed, fmt.Sprintf("%s (%s)", printable(piece.Name), exitReason(piece.ExitCode)))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	const shown = 5
	list := strings.Join(failed[:min(shown, len(failed))], ", ")
	if len(failed) > shown {
		list += fmt.Sprintf(" and %d more, see `bacalhau job describe %s`", len(failed)-shown, shortHash(job.ID))
	}
	return workError{fmt.Errorf("%d of %s failed: %s; their stderr is among the outputs",
		len(failed), plural(int(job.Pieces), "piece"), list)}
}

// exitReason says how a piece ended.
func exitReason(code uint32) string {
	switch code {
	case wasm.ExitTrap:
		return "trapped"
	case wasm.ExitOutOfFuel:
		return "out of fuel, raise --fuel"
	}
	return fmt.Sprintf("exit code %d", code)
}
