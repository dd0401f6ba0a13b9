package agent

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
)

// JobFile is what the requester knows of a job beside the chain.
type JobFile struct {
	Job       store.Job
	Document  *protocol.Document // nil until it is loaded
	Delivered []store.Delivered
	// Trouble is what failed and is being tried again, by action.
	Trouble map[string]error
}

// Files lists the client's jobs, the oldest first.
func (r *Requester) Files() []JobFile {
	r.mu.Lock()
	ids := slices.Collect(maps.Keys(r.jobs))
	r.mu.Unlock()
	files := make([]JobFile, 0, len(ids))
	for _, id := range ids {
		if f, err := r.File(id); err == nil {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b JobFile) int {
		return cmp.Or(cmp.Compare(a.Job.Created, b.Job.Created), cmp.Compare(a.Job.Terms.Nonce, b.Job.Terms.Nonce))
	})
	return files
}

// File gives one job, or ErrUnknownJob.
func (r *Requester) File(id common.Hash) (JobFile, error) {
	runs := map[string]bool{id.Hex(): true} // ids of the job and its executions, as actions name them
	r.Feed.Read(func(v *protocol.View) {
		if j := v.Jobs[id]; j != nil {
			for _, run := range j.Runs {
				runs[run.Hex()] = true
			}
		}
	})
	trouble := map[string]error{}
	for action, err := range r.perform.trouble() {
		for _, word := range strings.Split(action, ":") {
			if runs[word] {
				trouble[action] = err
			}
		}
	}
	doc, pieces := r.accepted(id)
	r.mu.Lock()
	defer r.mu.Unlock()
	job, ok := r.jobs[id]
	if !ok {
		return JobFile{}, fmt.Errorf("%w: %s", ErrUnknownJob, id)
	}
	f := JobFile{Job: job, Document: doc, Trouble: trouble}
	for _, index := range slices.Sorted(maps.Keys(pieces)) {
		f.Delivered = append(f.Delivered, pieces[index])
	}
	return f, nil
}
