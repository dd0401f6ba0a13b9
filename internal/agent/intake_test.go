package agent

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// wire connects the node with the client's requester as HTTP would; what is down does not answer.
type wire struct {
	*world
	down bool
}

func (p *wire) Call(context.Context, string) error {
	if p.down {
		return errors.New("no answer")
	}
	return nil
}

func (p *wire) Offer(_ context.Context, endpoint string, o protocol.SignedOffer) error {
	if p.down || endpoint != "client" {
		return errors.New("no answer")
	}
	return p.requester.TakeOffer(o)
}

// connected is a world whose parties reach each other.
func connected(t *testing.T) (*world, *wire) {
	w := newWorld(t)
	p := &wire{world: w}
	w.compute.Peers, w.requester.Peers = p, p
	w.requester.Policy = plan.ChoicePolicy{ExecutionsPerNode: 2, ReachSeconds: 1000}
	return w, p
}

func TestOffersComeDirectly(t *testing.T) {
	w, _ := connected(t)
	w.delivered(w.finish(w.submit(5)), 5)
	if w.offers() != 0 {
		t.Errorf("%d offers went through the chain", w.offers())
	}
}

// A requester that does not answer is reached through the chain, and takes the offer once it can reach the node.
func TestOffersComeThroughTheChainOtherwise(t *testing.T) {
	w, p := connected(t)
	p.down = true
	id := w.submit(5)
	for range 4 {
		w.round()
	}
	choices := w.requester.Choices(id)
	if w.offers() != 1 || len(choices) != 1 || choices[0].Reason != plan.ChoiceUnreachable || choices[0].Direct {
		t.Fatalf("%d offers on the chain, choices %+v", w.offers(), choices)
	}
	p.down = false
	w.ledger.head.Time += 1000 // when the node is called again
	w.delivered(w.finish(id), 5)
}

// Offers are in memory only: after a restart of the requester the node makes another when the first has expired.
func TestOfferLostInARestart(t *testing.T) {
	w, p := connected(t)
	id := w.submit(5)
	w.round() // the node loads the spec
	w.sync()
	if err := w.compute.step(t.Context()); err != nil { // and offers
		t.Fatal(err)
	}
	w.compute.perform.wait()
	if len(w.requester.direct) != 1 {
		t.Fatalf("%d offers are kept", len(w.requester.direct))
	}
	w.restart()
	w.compute.Peers, w.requester.Peers = p, p
	w.ledger.head.Time += 1001
	w.delivered(w.finish(id), 5)
}

func TestRequesterKeepsGoodOffersOnly(t *testing.T) {
	w, _ := connected(t)
	id := w.submit(5)
	nonce := uint32(100)
	signed := func(change func(*protocol.Offer)) protocol.SignedOffer {
		nonce++
		o := protocol.SignedOffer{Offer: protocol.Offer{
			Job: id, Node: w.self("node"), Pieces: 3, Nonce: nonce, Deadline: w.ledger.head.Time + 60,
		}}
		change(&o.Offer)
		var err error
		if o.Signature, err = w.sign(protocol.OfferDigest(chainID, contract, o.Offer)); err != nil {
			t.Fatal(err)
		}
		return o
	}
	good := signed(func(*protocol.Offer) {})
	for name, o := range map[string]protocol.SignedOffer{
		"another job":      signed(func(o *protocol.Offer) { o.Job[0]++ }),
		"no pieces":        signed(func(o *protocol.Offer) { o.Pieces = 0 }),
		"expired":          signed(func(o *protocol.Offer) { o.Deadline = w.ledger.head.Time - 10 }),
		"for ever":         signed(func(o *protocol.Offer) { o.Deadline = 1 << 60 }),
		"unregistered":     signed(func(o *protocol.Offer) { o.Node = common.HexToAddress("0x01") }),
		"another's pieces": {Offer: func(o protocol.Offer) protocol.Offer { o.Pieces++; return o }(good.Offer), Signature: good.Signature},
	} {
		var unwanted *OfferError
		if err := w.requester.TakeOffer(o); !errors.As(err, &unwanted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 3 { // of one node and job there is one place
		if err := w.requester.TakeOffer(signed(func(*protocol.Offer) {})); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.requester.TakeOffer(good); err == nil || len(w.requester.direct) != 1 {
		t.Errorf("an older offer: %v; %d are kept", err, len(w.requester.direct))
	}
	if err := w.requester.Cancel(id); err != nil {
		t.Fatal(err)
	}
	if err := w.requester.TakeOffer(signed(func(*protocol.Offer) {})); err == nil {
		t.Error("an offer for a cancelled job is kept")
	}
}

// reasons lists what the node decided about a job.
func (w *world) reasons(id common.Hash) (list []string) {
	w.Helper()
	decisions, err := w.compute.Decisions()
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range decisions {
		if d.Job == id {
			list = append(list, d.Verdict+": "+d.Reason)
		}
	}
	return list
}

// Every change of mind is on record, once, and outlives a restart.
func TestDecisionsAreRecorded(t *testing.T) {
	w := newWorld(t)
	w.compute.Policy.MaxPieces = 0
	id := w.submit(5)
	w.round()
	w.round()
	if got, want := w.reasons(id), []string{"passed over: room"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.restart()
	w.compute.Policy.MaxPieces = 0
	w.round()
	w.compute.Policy.MaxPieces = 100
	w.round()
	w.round()
	want := []string{"passed over: room", "pending: spec-unread", "offered: suits"}
	if got := w.reasons(id); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
