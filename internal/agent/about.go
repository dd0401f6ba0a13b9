package agent

import (
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/filecoin-project/bacalhau/protocol"
)

// seated are the kinds of actions whose keys name a seat, or a juror's number, after the execution.
var seated = map[string]bool{"execute": true, "judge": true, "collect": true, "deliver": true}

// about gives a log line the ids of what an action is about, under the names that all lines use: job, execution, seat.
func (f *Feed) about(key string) []any {
	words := strings.Split(key, ":")
	if len(words) < 2 {
		return nil
	}
	raw, err := hexutil.Decode(words[1])
	if err != nil || len(raw) != common.HashLength {
		return nil
	}
	id := common.BytesToHash(raw)
	attributes := []any{"job", id}
	f.Read(func(v *protocol.View) {
		if r := v.Runs[id]; r != nil {
			attributes = []any{"job", r.Record.Job, "execution", id}
		}
	})
	if len(words) > 2 && seated[words[0]] {
		if seat, err := strconv.ParseUint(words[2], 10, 8); err == nil {
			attributes = append(attributes, "seat", seat)
		}
	}
	return attributes
}
