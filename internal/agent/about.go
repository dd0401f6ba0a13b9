package agent

import (
	"context"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/filecoin-project/bacalhau/protocol"
)

// About is what an action is about.
type About struct {
	Kind string // of the action: a method of the contract, or execute, judge, collect, deliver, load, offer, finish
	Job  common.Hash
	// Execution is zero if the action is about the job.
	Execution common.Hash
	// Seat, or a juror's number; 0 if the action is about none.
	Seat uint8
}

// Observer sees what an agent does, action by action.
type Observer interface {
	// Begin is called before an action, which goes on in the context that it returns; ended is called with its error.
	Begin(ctx context.Context, a About) (_ context.Context, ended func(error))
}

// seated are the kinds of actions whose keys name a seat, or a juror's number, after the execution.
var seated = map[string]bool{"execute": true, "judge": true, "collect": true, "deliver": true}

// about reads the key of an action, which may be about no job.
func (f *Feed) about(key string) (a About, ok bool) {
	words := strings.Split(key, ":")
	if len(words) < 2 {
		return a, false
	}
	raw, err := hexutil.Decode(words[1])
	if err != nil || len(raw) != common.HashLength {
		return a, false
	}
	id := common.BytesToHash(raw)
	a = About{Kind: words[0], Job: id}
	f.Read(func(v *protocol.View) {
		if r := v.Runs[id]; r != nil {
			a.Job, a.Execution = r.Record.Job, id
		}
	})
	if len(words) > 2 && seated[words[0]] {
		if seat, err := strconv.ParseUint(words[2], 10, 8); err == nil {
			a.Seat = uint8(seat)
		}
	}
	return a, true
}

// attributes are for a log line, under the names that all lines use: job, execution, seat.
func (a About) attributes() []any {
	attributes := []any{"job", a.Job}
	if a.Execution != (common.Hash{}) {
		attributes = append(attributes, "execution", a.Execution)
	}
	if a.Seat != 0 {
		attributes = append(attributes, "seat", a.Seat)
	}
	return attributes
}
