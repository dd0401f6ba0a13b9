package node

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
	"github.com/filecoin-project/bacalhau/wasm"
)

// Misbehaviour is how a bad actor of a development network cheats; "" is an honest node.
type Misbehaviour string

const (
	// WrongResults claims results without running anything, the same ones as every other such node.
	WrongResults Misbehaviour = "wrong"
	// WithheldLeaves commits to results of which it shows nobody anything.
	WithheldLeaves Misbehaviour = "withhold"
	// NoResults takes work and never commits to a result.
	NoResults Misbehaviour = "silent"
)

// Misbehaviours lists all of them.
func Misbehaviours() []Misbehaviour { return []Misbehaviour{WrongResults, WithheldLeaves, NoResults} }

// Check says what is wrong with the name.
func (m Misbehaviour) Check() error {
	var names []string
	for _, known := range Misbehaviours() {
		if m == known {
			return nil
		}
		names = append(names, string(known))
	}
	return fmt.Errorf("unknown kind of bad actor %q; choose one of %s", m, strings.Join(names, ", "))
}

// corrupt makes an honest compute node a bad actor. A cheat does not appeal: it would lose the appeal's bond as well.
func (m Misbehaviour) corrupt(c agent.ComputeConfig) agent.ComputeConfig {
	switch m {
	case WrongResults:
		c.Executor = freeRider{c.Executor}
	case WithheldLeaves:
		c.Chain = mute{c.Chain, []string{protocol.AnswerLeaf{}.Method()}}
	case NoResults:
		c.Chain = mute{c.Chain, []string{
			protocol.CommitResult{}.Method(), protocol.CommitVerification{}.Method(), protocol.CommitVote{}.Method(),
		}}
	default:
		return c
	}
	c.Policy.Appeals = false
	return c
}

// handler is what the node serves to others in place of its data.
func (m Misbehaviour) handler(honest http.Handler) http.Handler {
	if m == WithheldLeaves {
		return http.NotFoundHandler()
	}
	return honest
}

// freeRider runs nothing and claims that every program printed nothing, with the fuel that a piece might well have used.
type freeRider struct{ agent.Executor }

func (freeRider) Run(ctx context.Context, t agent.Task) (agent.Output, error) {
	nothing := bytes.NewReader(nil)
	return pack(ctx, &wasm.Result{Fuel: t.Spec.Limits.Fuel / 1000, Stdout: nothing, Stderr: nothing})
}

// mute never makes some calls of the contract.
type mute struct {
	agent.Chain
	methods []string
}

func (m mute) Send(ctx context.Context, key string, call protocol.Call) (transport.Receipt, error) {
	if slices.Contains(m.methods, call.Method()) {
		<-ctx.Done() // as if it were still to come
		return transport.Receipt{}, ctx.Err()
	}
	return m.Chain.Send(ctx, key, call)
}
