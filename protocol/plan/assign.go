package plan

import (
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// assign plans to give open pieces to nodes that offered, as many as the client can pay the checks of, or back to the
// client. It says of every offer what becomes of it.
func (f RequesterFacts) assign(v *protocol.View, j *protocol.Job, facts JobFacts) (actions []Action, choices []Choice) {
	open := j.Open()
	if len(open) == 0 {
		return nil, nil
	}
	if facts.Cancelled || v.Head.Time > j.Terms.Expiry {
		return closing(j, open), nil
	}
	called := map[common.Address]bool{}
	var lack *big.Int
	for _, o := range f.candidates(v, j) {
		choice := o.choice()
		node := o.Offer.Node
		if f.calls(v, o) && !called[node] {
			called[node] = true
			actions = append(actions, Probe{Node: node, URL: v.Endpoints[node]})
		}
		if choice.Reason == "" {
			// The node that was proved wrong about these pieces is not asked for them again.
			i := slices.IndexFunc(open, func(r protocol.Range) bool { return !provedWrong(v, j, r, node) })
			if lack == nil && i >= 0 {
				lack = f.money.short(f.Stake(j.Terms))
			}
			switch {
			case len(open) == 0:
				choice.Reason = ChoiceNothingOpen
			case i < 0:
				choice.Reason = ChoiceProvedWrong
			case lack != nil:
				choice.Reason = ChoiceMoney
			default:
				var call Action
				call, choice.Pieces = f.accept(j, facts, o.SignedOffer, &open[i])
				choice.Reason = ChoiceTaken
				actions = append(actions, call)
				if open[i].Parent != j.ID || open[i].Count == 0 { // a returned execution's record changes with this call
					open = slices.Delete(open, i, i+1)
				}
			}
		}
		choices = append(choices, choice)
	}
	if lack != nil { // or what runs gives its own back
		actions = append(actions, TopUp{For: j.ID, Wei: lack})
	}
	return actions, choices
}

// accept plans to give the first pieces of a range to the node that made an offer.
func (f RequesterFacts) accept(
	j *protocol.Job, facts JobFacts, o protocol.SignedOffer, r *protocol.Range,
) (Action, uint32) {
	f.money.free.Sub(f.money.free, j.Terms.Bond)
	f.money.keep(f.Reserve(j.Terms))
	count := min(r.Count, o.Offer.Pieces, facts.PiecesPerExecution, f.Parameters.MaxPieces)
	seedHash := protocol.SeedHash(f.Secret.Dice(j.ID, o.Offer.Node, o.Offer.Nonce))
	var call protocol.Call = protocol.AcceptOffer{
		Terms: j.Terms, Offer: o.Offer, Signature: o.Signature, Count: count, SeedHash: seedHash,
	}
	if r.Parent != j.ID {
		call = protocol.AcceptReturned{
			Terms: j.Terms, Returned: j.Returned[r.Parent], Offer: o.Offer, Signature: o.Signature,
			Count: count, SeedHash: seedHash,
		}
	}
	r.From, r.Count = r.From+count, r.Count-count
	signature := KeyOf(o.Offer, o.Signature).Signature
	return send(call, "%s:%s:%d:%s", j.ID, o.Offer.Node, o.Offer.Nonce, signature), count
}

// calls says whether to call the endpoint of the node that made an offer.
func (f RequesterFacts) calls(v *protocol.View, o candidate) bool {
	switch o.Reason {
	case "", ChoiceCalling, ChoiceUnreachable:
		return f.Policy.ReachSeconds != 0 && f.stale(v, o.Offer.Node)
	}
	return false
}

// provedWrong says whether a node's result for the first of these pieces was proved wrong.
func provedWrong(v *protocol.View, j *protocol.Job, r protocol.Range, node common.Address) bool {
	return slices.ContainsFunc(j.Runs, func(id common.Hash) bool {
		run := v.Runs[id]
		return run.Node == node && run.From <= r.From && r.From < run.From+run.Count && run.Wrong(1)
	})
}

// closing plans to take open pieces back.
func closing(j *protocol.Job, open []protocol.Range) []Action {
	var actions []Action
	for _, r := range open {
		if r.Parent == j.ID {
			actions = append(actions, send(protocol.CloseJob{Terms: j.Terms}, "%s", j.ID))
			continue
		}
		returned := j.Returned[r.Parent]
		actions = append(actions, send(protocol.CloseReturned{Terms: j.Terms, Execution: returned},
			"%s:%d", returned.ID, returned.From))
	}
	return actions
}
