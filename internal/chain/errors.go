package chain

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// RevertError is a call that the contract refused.
type RevertError struct {
	Data    []byte // what the contract returned: an ABI-encoded error, or empty
	Message string // what the node said
}

func (e *RevertError) Error() string {
	if reason, err := abi.UnpackRevert(e.Data); err == nil {
		return "reverted: " + reason
	}
	if len(e.Data) > 0 {
		return fmt.Sprintf("reverted with data %#x", e.Data)
	}
	return "reverted: " + e.Message
}

// ErrNoAnswer says that a node did not answer, or not in the way of JSON-RPC: it may do so when it is asked again.
var ErrNoAnswer = errors.New("the chain's node does not answer")

// noAnswer is an ErrNoAnswer that says no more than its cause.
type noAnswer struct{ error }

func (e noAnswer) Unwrap() error        { return e.error }
func (e noAnswer) Is(target error) bool { return target == ErrNoAnswer }

// codeReverted is the JSON-RPC error code that nodes agree on for a revert.
const codeReverted = 3

// asRevert turns a node's report of a revert into a *RevertError and leaves other errors alone.
func asRevert(err error) error {
	var re rpc.Error
	if !errors.As(err, &re) || (re.ErrorCode() != codeReverted && !strings.Contains(re.Error(), "revert")) {
		return err
	}
	out := &RevertError{Message: re.Error()}
	var de rpc.DataError
	if errors.As(err, &de) {
		if s, ok := de.ErrorData().(string); ok {
			if data, err := hexutil.Decode(s); err == nil {
				out.Data = data
			}
		}
	}
	return out
}

// isNullRound recognises Filecoin's answer for an epoch in which nobody made a block.
// The code differs between versions of its nodes, the words do not.
func isNullRound(err error) bool {
	var re rpc.Error
	return errors.As(err, &re) && strings.Contains(re.Error(), "null round")
}

// says reports whether err is a JSON-RPC error (not a lost connection) whose message has one of the phrases.
func says(err error, phrases ...string) bool {
	var re rpc.Error
	if !errors.As(err, &re) {
		return false
	}
	msg := strings.ToLower(re.Error())
	for _, p := range phrases {
		if strings.Contains(msg, p) {
			return true
		}
	}
	return false
}
