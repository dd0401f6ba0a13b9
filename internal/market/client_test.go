package market

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/transport"
)

func terms(client common.Address, nonce, pieces uint32) protocol.Terms {
	return protocol.Terms{
		Client: client, Nonce: nonce, Pieces: pieces, CheckRate: 1966, Seats: 2, ExecuteWindow: 600,
		Expiry: uint64(time.Now().Add(time.Hour).Unix()), Bid: big.NewInt(10), FuelPrice: new(big.Int),
		Fine: big.NewInt(500), Bond: big.NewInt(100), SpecRoot: common.Hash{1}, SpecCID: common.Hash{2}, Salt: common.Hash{3},
	}
}

// One job from its creation to its payment, and what the contract refuses on the way.
func TestJobThroughTheVerbs(t *testing.T) {
	t.Parallel()
	clientKey, nodeKey := newKey(t), newKey(t)
	n := newNetwork(t, clientKey, nodeKey)
	client, node := n.join(t, clientKey, nil, nil), n.join(t, nodeKey, nil, nil)
	ctx := t.Context()
	client.must(t)(client.Deposit(ctx, "deposit:1", big.NewInt(10_000)))
	node.must(t)(node.Deposit(ctx, "deposit:1", big.NewInt(10_000)))
	node.must(t)(node.Send(ctx, "register", protocol.Register{}))

	wanted := terms(client.HostID(), 1, 3)
	job, receipt, err := client.SubmitJob(ctx, wanted)
	client.must(t)(receipt, err)
	if want, err := client.JobID(ctx, wanted); err != nil || job != want {
		t.Fatalf("job %s, the contract says %s (%v)", job, want, err)
	}
	node.journal.wait(t, "the job", func(v *protocol.View) bool { return v.Jobs[job] != nil })
	seen, err := node.Get(job)
	if err != nil || seen.Terms.Bid.Cmp(wanted.Bid) != 0 || seen.Terms.SpecRoot != wanted.SpecRoot {
		t.Fatalf("the node sees %+v, %v", seen, err)
	}

	offer := node.sign(t, protocol.Offer{Job: job, Node: node.HostID(), Pieces: 2, Nonce: 1, Deadline: wanted.Expiry})
	node.must(t)(node.BidJob(ctx, offer))
	client.journal.wait(t, "the offer", func(v *protocol.View) bool { return len(v.Jobs[job].Offers) == 1 })
	posted, err := client.Get(job)
	if err != nil {
		t.Fatal(err)
	}
	seed := common.Hash{9}
	execution := protocol.ExecutionID(job, 0)
	client.must(t)(client.AcceptJobBid(ctx, transport.Acceptance{
		Terms: wanted, Offer: posted.Offers[0], Count: 1, SeedHash: protocol.SeedHash(seed),
	}))
	node.journal.wait(t, "the assignment", func(v *protocol.View) bool { return v.Runs[execution] != nil })

	leaf := protocol.Leaf{Rx: big.NewInt(1), Fuel: 7}
	var assigned protocol.Execution
	node.journal.Read(func(v *protocol.View) { assigned = v.Runs[execution].Record })
	node.must(t)(node.SubmitResult(ctx, protocol.CommitResult{
		Execution: assigned, Root: leaf.Hash(), Fuel: leaf.Fuel, Leaves: leaf.Encode(),
	}))
	client.journal.wait(t, "the commitment to be confirmed", func(v *protocol.View) bool {
		r := v.Runs[execution].Record
		return r.Status == protocol.StatusCommitted && v.Head.Number >= r.CommittedBlock+uint64(development.Confirmations)
	})
	var committed protocol.Execution
	client.journal.Read(func(v *protocol.View) { committed = v.Runs[execution].Record })
	if hash, err := client.ExecutionHash(ctx, execution); err != nil || hash == (common.Hash{}) {
		t.Fatalf("the contract holds %s, %v", hash, err)
	}

	t.Run("stale record", func(t *testing.T) {
		_, err := client.Send(ctx, "stale", protocol.Settle{Terms: wanted, Execution: assigned, Seed: seed})
		var refused *transport.RefusedError
		var stale protocol.StaleRecord
		if !errors.As(err, &refused) || refused.Method != "settle" || !errors.As(err, &stale) || stale.ID != execution {
			t.Fatalf("got %v", err)
		}
	})
	client.must(t)(client.Send(ctx, "settle:"+execution.Hex(), protocol.Settle{Terms: wanted, Execution: committed, Seed: seed}))
	receipts, err := client.CancelJob(ctx, job)
	if err != nil || len(receipts) != 1 {
		t.Fatalf("cancelled with %v, %v", receipts, err)
	}
	client.journal.wait(t, "the job to be closed", func(v *protocol.View) bool { return v.Jobs[job].Closed })
	if _, err := client.CancelJob(ctx, job); err == nil {
		t.Error("the job was cancelled twice")
	}
	checkWallets(t, client, node)
	checkRestart(t, n, client, wanted, receipt)
}

// checkWallets compares the money with what must have moved: one piece was paid or, if the dice hit it unchecked, paid
// with the bond burned.
func checkWallets(t *testing.T, client, node *party) {
	t.Helper()
	burned, err := client.Burned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := new(big.Int).Set(burned)
	for _, p := range []*party{client, node} {
		w, err := p.Wallet(t.Context(), p.HostID())
		if err != nil {
			t.Fatal(err)
		}
		if w.Locked.Sign() != 0 {
			t.Errorf("%s still has %s wei locked", p.HostID(), w.Locked)
		}
		sum.Add(sum, w.Free)
	}
	if sum.Cmp(big.NewInt(20_000)) != 0 {
		t.Errorf("%s wei in wallets and burned, 20000 were deposited", sum)
	}
	if w, err := node.Wallet(t.Context(), node.HostID()); err != nil || w.Free.Cmp(big.NewInt(10_010)) != 0 || !w.Registered {
		t.Errorf("the node's wallet is %+v, %v", w, err)
	}
	if nodes, err := client.Nodes(t.Context()); err != nil || !slices.Equal(nodes, []common.Address{node.HostID()}) {
		t.Errorf("nodes %v, %v", nodes, err)
	}
}

// checkRestart starts the client anew: it must go on where it was, and must not do anything twice.
func checkRestart(t *testing.T, n *network, client *party, wanted protocol.Terms, want transport.Receipt) {
	t.Helper()
	client.stop()
	before := len(client.journal.records)
	again := n.join(t, client.key, client.log, client.journal)
	_, got, err := again.SubmitJob(t.Context(), wanted)
	if err != nil || got != want {
		t.Errorf("submitting again gives %+v, %v; the first time it was %+v", got, err, want)
	}
	if _, err := again.Deposit(t.Context(), "deposit:1", big.NewInt(1)); err == nil {
		t.Error("a key stood for two deposits")
	}
	again.must(t)(again.Deposit(t.Context(), "deposit:2", big.NewInt(1)))
	again.journal.wait(t, "the second deposit", func(*protocol.View) bool { return len(again.journal.records) > before })
	if got := len(again.journal.records) - before; got != 1 {
		t.Errorf("%d records after the restart, want the deposit alone", got)
	}
	if again.journal.caught == 0 {
		t.Error("the subscriber was never told that it has caught up")
	}
}

// Every verb reaches the function that it names; the contract refuses each for a reason of its own.
func TestVerbsReachTheirFunctions(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	n := newNetwork(t, key)
	p := n.join(t, key, nil, nil)
	ctx := t.Context()
	wanted := terms(p.HostID(), 1, 1)
	execution := protocol.Execution{ID: common.Hash{5}, Job: protocol.JobID(chainID, n.market, wanted), Node: p.HostID(), Status: protocol.StatusCommitted, Count: 1}
	verification := protocol.Verification{Bid: big.NewInt(10), Listed: []*big.Int{big.NewInt(1)}}
	returned := execution
	returned.Status = protocol.StatusReturned
	seat := protocol.Seat{Execution: execution.ID, Number: 2, Status: protocol.SeatStatusRunning, Node: p.HostID()}
	offer := protocol.SignedOffer{Offer: protocol.Offer{Job: execution.Job, Node: common.Address{7}, Pieces: 1, Deadline: wanted.Expiry}, Signature: make([]byte, 65)}
	opening := protocol.Opening{Leaf: protocol.Leaf{Rx: new(big.Int)}, Sx: new(big.Int), Sy: new(big.Int)}
	reveal := protocol.Reveal{Sk: big.NewInt(1), Openings: [3]protocol.Opening{opening, opening, opening}}
	for method, verb := range map[string]func() error{
		"createJob": func() error { _, _, err := p.SubmitJob(ctx, wanted); return err },
		"verify": func() error {
			_, err := p.UpdateDeal(ctx, protocol.Verify{Terms: wanted, Execution: execution, Bid: wanted.Bid, Listed: verification.Listed})
			return err
		},
		"acceptOffer": func() error {
			_, err := p.AcceptJobBid(ctx, transport.Acceptance{Terms: wanted, Offer: offer, Count: 1})
			return err
		},
		"acceptReturned": func() error {
			_, err := p.AcceptJobBid(ctx, transport.Acceptance{Terms: wanted, Returned: &returned, Offer: offer, Count: 1})
			return err
		},
		"commitResult": func() error {
			_, err := p.SubmitResult(ctx, protocol.CommitResult{Execution: execution})
			return err
		},
		"commitVerification": func() error {
			_, err := p.SubmitVerification(ctx, protocol.CommitVerification{Seat: seat})
			return err
		},
		"revealKey": func() error {
			_, err := p.ErrorJobForNode(ctx, protocol.RevealKey{
				Terms: wanted, Execution: execution, Verification: verification, Seats: []protocol.Seat{seat, seat}, Reveal: reveal,
			})
			return err
		},
		"withdraw": func() error {
			_, err := p.Send(ctx, "withdraw", protocol.Withdraw{Amount: big.NewInt(1)})
			return err
		},
	} {
		t.Run(method, func(t *testing.T) {
			var refused *transport.RefusedError
			if err := verb(); !errors.As(err, &refused) || refused.Method != method {
				t.Fatalf("got %v", err)
			}
			if !isProtocolError(refused.Reason) {
				t.Errorf("the reason is no error of the protocol: %v", refused.Reason)
			}
			if refused.Receipt != (transport.Receipt{}) {
				t.Errorf("a transaction was sent that had to fail: %+v", refused.Receipt)
			}
		})
	}
	checkLocalRules(t, p, offer)
}

func isProtocolError(err error) bool {
	return slices.ContainsFunc(protocol.Errors(), func(zero error) bool { return fmt.Sprintf("%T", zero) == fmt.Sprintf("%T", err) })
}

// checkLocalRules covers what never reaches the chain.
func checkLocalRules(t *testing.T, p *party, offer protocol.SignedOffer) {
	t.Helper()
	p.RejectJobBid(offer.Offer)
	if _, err := p.AcceptJobBid(t.Context(), transport.Acceptance{Offer: offer}); !errors.Is(err, transport.ErrRejected) {
		t.Errorf("accepting a rejected offer: %v", err)
	}
	if jobs, err := p.List(); err != nil || len(jobs) != 0 {
		t.Errorf("jobs %v, %v", jobs, err)
	}
	if _, err := p.Get(common.Hash{1}); !errors.Is(err, transport.ErrUnknownJob) {
		t.Errorf("unknown job: %v", err)
	}
	if _, err := p.CancelJob(t.Context(), common.Hash{1}); !errors.Is(err, transport.ErrUnknownJob) {
		t.Errorf("cancelling an unknown job: %v", err)
	}
	if err := p.Subscribe(newJournal()); err == nil {
		t.Error("two subscribers")
	}
	if got, err := p.Parameters(t.Context()); err != nil || fmt.Sprint(got) != fmt.Sprint(p.Deployed()) || fmt.Sprint(got) != fmt.Sprint(development) {
		t.Errorf("parameters %v, %v", got, err)
	}
	if f, err := p.Frontier(t.Context(), common.Hash{1}); err != nil || f != 0 {
		t.Errorf("frontier %d, %v", f, err)
	}
	if h, err := p.SeatHash(t.Context(), common.Hash{1}, 2); err != nil || h != (common.Hash{}) {
		t.Errorf("seat %s, %v", h, err)
	}
	unsubscribed, err := NewClient(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := unsubscribed.Start(t.Context()); !errors.Is(err, transport.ErrNotSubscribed) {
		t.Errorf("starting without a subscriber: %v", err)
	}
	if _, err := unsubscribed.List(); !errors.Is(err, transport.ErrNotSubscribed) {
		t.Errorf("listing without a subscriber: %v", err)
	}
	elsewhere := p.config
	elsewhere.Market = common.Address{1}
	if _, err := NewClient(t.Context(), elsewhere); err == nil {
		t.Error("connected to a market that is not there")
	}
}

// Anyone can make the contract log odd things; none of them may stop those who follow it.
func TestOddEventsAreFollowed(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	n := newNetwork(t, key)
	p := n.join(t, key, nil, nil)
	offer := protocol.Offer{Job: common.Hash{1}, Node: common.Address{2}}
	odd := []protocol.Call{
		protocol.Announce{},
		protocol.Announce{URL: "\xff\x00 no text"},
		protocol.PostOffer{Offer: offer, Signature: []byte{}},
		protocol.PostOffer{Offer: offer, Signature: make([]byte, 10_001)},
	}
	for i, call := range odd {
		p.must(t)(p.Send(t.Context(), fmt.Sprint(i), call))
	}
	p.journal.wait(t, "the odd events", func(*protocol.View) bool { return len(p.journal.records) == len(odd) })
	if got := p.journal.records[1].Event; got != (protocol.EndpointAnnounced{Wallet: p.HostID(), URL: "\xff\x00 no text"}) {
		t.Errorf("got %+v", got)
	}
	if got := p.journal.records[3].Event.(protocol.OfferPosted); got.Offer != offer || len(got.Signature) != 10_001 {
		t.Errorf("got %+v", got)
	}
}
