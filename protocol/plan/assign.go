package plan

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// assign plans to give open pieces to nodes that offered, as many as the client can pay the checks of, or back to the
// client.
func (f RequesterFacts) assign(v *protocol.View, j *protocol.Job, facts JobFacts) []Action {
	open := j.Open()
	if len(open) == 0 {
		return nil
	}
	if facts.Cancelled || v.Head.Time > j.Terms.Expiry {
		return closing(j, open)
	}
	var actions []Action
	for _, o := range f.offersFor(v, j) {
		// The node that was proved wrong about these pieces is not asked for them again.
		i := slices.IndexFunc(open, func(r protocol.Range) bool { return !provedWrong(v, j, r, o.Offer.Node) })
		if i < 0 {
			continue
		}
		if lack := f.money.short(f.Stake(j.Terms)); lack != nil {
			return append(actions, TopUp{For: j.ID, Wei: lack}) // or what runs gives its own back
		}
		f.money.free.Sub(f.money.free, j.Terms.Bond)
		f.money.keep(f.Reserve(j.Terms))
		r := &open[i]
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
		signature := KeyOf(o.Offer, o.Signature).Signature
		actions = append(actions, send(call, "%s:%s:%d:%s", j.ID, o.Offer.Node, o.Offer.Nonce, signature))
		r.From, r.Count = r.From+count, r.Count-count
		if r.Parent != j.ID || r.Count == 0 { // a returned execution's record changes with this call
			open = slices.Delete(open, i, i+1)
		}
	}
	return actions
}

// provedWrong says whether a node's result for the first of these pieces was proved wrong.
func provedWrong(v *protocol.View, j *protocol.Job, r protocol.Range, node common.Address) bool {
	return slices.ContainsFunc(j.Runs, func(id common.Hash) bool {
		run := v.Runs[id]
		return run.Node == node && run.From <= r.From && r.From < run.From+run.Count && run.Wrong(1)
	})
}

// offersFor lists what may be accepted. Signatures are the contract's to check: it costs no transaction to be refused.
func (f RequesterFacts) offersFor(v *protocol.View, j *protocol.Job) []protocol.SignedOffer {
	var usable []protocol.SignedOffer
	seen := map[OfferKey]bool{}
	for _, o := range slices.Concat(j.Offers, f.Offers) {
		key := KeyOf(o.Offer, o.Signature)
		if o.Offer.Job != j.ID || o.Offer.Pieces == 0 || v.Head.Time > o.Offer.Deadline || !v.Nodes[o.Offer.Node] ||
			v.Paused[o.Offer.Node] || f.Refused[key] || seen[key] {
			continue
		}
		seen[key] = true
		usable = append(usable, o)
	}
	return usable
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
