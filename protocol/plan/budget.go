package plan

import (
	"cmp"
	"iter"
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

// budget is what a client's free balance is for, while one plan is made, wei. A client that cannot pay for the checks
// that its dice ask for burns its bond, so what checks may cost is not spent on new work.
type budget struct {
	free *big.Int // not spent by this plan
	kept *big.Int // of that, for checks to come
}

func newBudget(w protocol.Wallet) *budget {
	return &budget{free: new(big.Int).Set(w.Free), kept: new(big.Int)}
}

// pay takes an amount for checks, and says whether it was there.
func (b *budget) pay(amount *big.Int) bool {
	if b.free.Cmp(amount) < 0 {
		return false
	}
	b.free.Sub(b.free, amount)
	return true
}

// keep sets an amount aside for checks.
func (b *budget) keep(amount *big.Int) { b.kept.Add(b.kept, amount) }

// short is how much lacks to spend an amount on new work, nothing if it can be spent.
func (b *budget) short(amount *big.Int) *big.Int {
	lack := new(big.Int).Add(b.kept, amount)
	if lack.Sub(lack, b.free); lack.Sign() <= 0 {
		return nil
	}
	return lack
}

// Stake is what a client needs free to have some pieces run by one node, wei: the bond and the reserve.
func (f Terms) Stake(t protocol.Terms) *big.Int {
	return new(big.Int).Add(t.Bond, f.Reserve(t))
}

// Reserve is what a client keeps free for one execution until the dice are known, wei: the price of its checks, and that
// of demanding a leaf where there is more than one.
func (f Terms) Reserve(t protocol.Terms) *big.Int {
	reserve := protocol.ReserveRoundedUp(t)
	if t.Pieces > 1 {
		reserve.Add(reserve, f.Parameters.ChallengePrice)
	}
	return reserve
}

// Reserved is what a client keeps free for the checks of the executions that it has running, wei.
func (f Terms) Reserved(v *protocol.View, jobs iter.Seq[common.Hash]) *big.Int {
	total := new(big.Int)
	for id := range jobs {
		j := v.Jobs[id]
		if j == nil {
			continue
		}
		for _, run := range j.Runs {
			total.Add(total, f.reserve(v.Runs[run], j.Terms))
		}
	}
	return total
}

// reserve is what an execution may still cost beyond what is locked: all checks, or a third seat for one, and a
// challenge where there is more than one leaf. What an answered challenge cost does not come back to be spent again.
func (f Terms) reserve(r *protocol.Run, t protocol.Terms) *big.Int {
	status := r.Record.Status
	if r.Challenge != nil {
		status = r.Challenge.Back
	}
	switch status {
	case protocol.StatusAssigned, protocol.StatusCommitted:
		return f.Reserve(t)
	case protocol.StatusVerifying:
		reserve := new(big.Int)
		if t.Seats == 2 && r.Verification.ThirdTarget == 0 {
			reserve.Set(r.Verification.Bid)
		}
		if r.Count > 1 {
			reserve.Add(reserve, f.Parameters.ChallengePrice)
		}
		return reserve
	}
	return new(big.Int)
}

// byAge lists a client's jobs that the chain has, the oldest first: whoever came first is served first, in every plan.
func byAge(v *protocol.View, jobs map[common.Hash]JobFacts) []*protocol.Job {
	var list []*protocol.Job
	for id := range maps.Keys(jobs) {
		if j := v.Jobs[id]; j != nil {
			list = append(list, j)
		}
	}
	slices.SortFunc(list, older)
	return list
}

func older(a, b *protocol.Job) int {
	return cmp.Or(cmp.Compare(a.Created.Number, b.Created.Number), a.ID.Cmp(b.ID))
}
