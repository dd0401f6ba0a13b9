package agent

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

const (
	// leastExpiry is the shortest time for finding nodes unless the client asks for another, seconds.
	leastExpiry = 3600
	// attempts at a piece, by one node after the other, for which a job stays open.
	attempts = 4
)

// Submission is work that a client wants done. The pieces' public keys are filled in.
type Submission struct {
	Spec   protocol.Spec
	Pieces []protocol.Piece
	// Bid per piece, wei.
	Bid *big.Int
	// FuelPrice in wei per unit of fuel; nil or zero for the flat price Bid.
	FuelPrice *big.Int
	// CheckRate p in units of 2^-16.
	CheckRate uint16
	// Seats of a checked piece: 2 lazy, 3 eager.
	Seats uint8
	// ExecuteSeconds that a node has for its pieces; 0 has it follow from their fuel limit.
	ExecuteSeconds uint32
	// ExpirySeconds from now until which pieces may be assigned; 0 is time for several attempts at each.
	ExpirySeconds uint64
	// PiecesPerExecution that one offer gets at most; 0 spreads the job over the nodes registered now.
	PiecesPerExecution uint32
	// ColludingShare of nodes assumed when the stakes are derived.
	ColludingShare float64
}

// Submit creates a job. When it returns without error the job is on the chain; if the process dies before, the next
// start creates it.
func (r *Requester) Submit(ctx context.Context, s Submission) (common.Hash, error) {
	var salt common.Hash
	rand.Read(salt[:])
	doc, err := r.newDocument(s, salt)
	if err != nil {
		return common.Hash{}, err
	}
	count := s.PiecesPerExecution
	var now uint64
	r.Feed.Read(func(v *protocol.View) {
		now = v.Head.Time
		if count == 0 {
			nodes := uint32(max(1, len(v.Nodes)))
			count = (uint32(len(s.Pieces)) + nodes - 1) / nodes
		}
	})
	count = min(count, r.Parameters.MaxPieces)
	stakes, err := protocol.DeriveStakes(s.Bid, count, s.CheckRate, s.ColludingShare)
	if err != nil {
		return common.Hash{}, err
	}
	if stakes.Fine.Cmp(r.Parameters.MinStake) > 0 {
		return common.Hash{}, &FineError{Bid: s.Bid, Fine: stakes.Fine, Most: r.Parameters.MinStake}
	}
	fuelPrice := s.FuelPrice
	if fuelPrice == nil {
		fuelPrice = new(big.Int)
	}
	window := cmp.Or(s.ExecuteSeconds, plan.Window(count, s.Spec.Limits.Fuel, r.Parameters))
	terms := protocol.Terms{
		Client: r.Self, Pieces: uint32(len(s.Pieces)), CheckRate: s.CheckRate, Seats: s.Seats,
		ExecuteWindow: window, Expiry: now + cmp.Or(s.ExpirySeconds, max(leastExpiry, attempts*uint64(window))), Bid: s.Bid, FuelPrice: fuelPrice,
		Fine: atLeast(stakes.Fine, r.Parameters.NoShowFee), Bond: stakes.Bond, SpecRoot: doc.Root(), Salt: salt,
	}
	if err := r.affordable(ctx, terms, count); err != nil {
		return common.Hash{}, err
	}
	if terms.SpecCID, err = r.Library.Publish(ctx, map[string]io.Reader{
		protocol.SpecJobFile: bytes.NewReader(doc.Job), protocol.SpecPiecesFile: bytes.NewReader(doc.Lines),
	}, nil); err != nil {
		return common.Hash{}, fmt.Errorf("publish spec: %w", err)
	}
	if terms.Nonce, err = r.Store.NextNonce(); err != nil {
		return common.Hash{}, err
	}
	return r.create(ctx, terms, doc, count, stakes.VerifierBid)
}

// create makes the job durable here, then on the chain.
func (r *Requester) create(
	ctx context.Context, t protocol.Terms, doc *protocol.Document, count uint32, verifierBid *big.Int,
) (common.Hash, error) {
	id := protocol.JobID(r.ChainID, r.Contract, t)
	job := store.Job{
		ID: id, Terms: t, PiecesPerExecution: count, VerifierBid: verifierBid, Created: time.Now().Unix(),
	}
	if err := r.Store.PutJob(job); err != nil {
		return common.Hash{}, err
	}
	r.mu.Lock()
	r.jobs[id], r.documents[id] = job, doc
	r.mu.Unlock()
	_, err := r.Chain.Send(ctx, "createJob:"+id.Hex(), protocol.CreateJob{Terms: t})
	if refusal(err) {
		return id, errors.Join(err, r.reject(t, err))
	}
	return id, err
}

func (r *Requester) newDocument(s Submission, salt common.Hash) (*protocol.Document, error) {
	pieces := make([]protocol.Piece, len(s.Pieces))
	for i, p := range s.Pieces {
		p.PublicKey = hex.EncodeToString(r.Secret.PieceKey(salt, uint32(i)).PubKey().SerializeCompressed())
		pieces[i] = p
	}
	return protocol.NewDocument(s.Spec, pieces)
}

// FineError says that a job's bid needs a higher fine than nodes can be asked for, wei.
type FineError struct {
	Bid, Fine, Most *big.Int
}

func (e *FineError) Error() string {
	return fmt.Sprintf("a bid of %s wei needs a fine of %s, but no node of this market has to put up more than its stake of "+
		"%s: lower the bid, or check more pieces", e.Bid, e.Fine, e.Most)
}

// FundsError says how much is missing in a client's wallet, wei.
type FundsError struct {
	Need, Free *big.Int
}

func (e *FundsError) Error() string {
	return fmt.Sprintf("too little balance: the job needs %s wei free in the wallet and %s are; deposit %s wei more",
		e.Need, e.Free, new(big.Int).Sub(e.Need, e.Free))
}

// affordable checks the wallet against all that a job may need at once: escrow, what every execution needs, what has to
// stay, and what the checks of other jobs' executions may still cost.
func (r *Requester) affordable(ctx context.Context, t protocol.Terms, count uint32) error {
	wallet, err := r.Chain.Wallet(ctx, r.Self)
	if err != nil {
		return fmt.Errorf("read wallet: %w", err)
	}
	rules, need := plan.Terms{Self: r.Self, Parameters: r.Parameters}, r.Reserved()
	executions := (int64(t.Pieces) + int64(count) - 1) / int64(count)
	need.Add(need, new(big.Int).Mul(t.Bid, big.NewInt(int64(t.Pieces))))
	need.Add(need, new(big.Int).Mul(rules.Stake(t), big.NewInt(executions)))
	need.Add(need, r.Parameters.MinDeposit)
	if wallet.Free.Cmp(need) < 0 {
		return &FundsError{Need: need, Free: wallet.Free}
	}
	return nil
}

// Reserved is what the checks of executions under way may still cost, wei.
func (r *Requester) Reserved() *big.Int {
	r.mu.Lock()
	running := r.unfinished()
	r.mu.Unlock()
	rules, reserved := plan.Terms{Self: r.Self, Parameters: r.Parameters}, new(big.Int)
	r.Feed.Read(func(v *protocol.View) { reserved.Add(reserved, rules.Reserved(v, maps.Keys(running))) })
	return reserved
}

// Cancel gives up what is not assigned yet; running executions end normally.
func (r *Requester) Cancel(id common.Hash) error {
	err := r.update(id, func(j *store.Job) { j.Cancelled = true })
	r.perform.nudge()
	return err
}

func atLeast(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}
