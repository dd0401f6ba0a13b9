package plan_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// Panels.
const (
	lazy  = 2
	eager = 3
)

// Windows of the game, seconds, all different.
const (
	executeWindow = 50
	settleWindow  = 100
	drawWindow    = 60
	appealWindow  = 80
	silentWindow  = 70
	expiry        = 100_000
	grace         = 10
)

const (
	chainID = 314
	bid     = 10
	raised  = 12 // b′
	fine    = 60
	bond    = 40
	price   = 2 // of a challenge
)

// game is a job of ten pieces between a client and some nodes. Its moves are what the contract would make known; after
// any of them it says what a party is expected to do.
type game struct {
	t        testing.TB
	v        *protocol.View
	terms    protocol.Terms
	job      common.Hash
	client   plan.RequesterFacts
	nodes    map[string]*plan.ComputeFacts
	names    map[common.Address]string
	plays    []*play
	returned map[common.Hash]protocol.Execution // as the contract holds them
	labels   map[common.Hash]string
	frontier uint32
	nonce    uint32
}

func named(text string) common.Hash { return crypto.Keccak256Hash([]byte(text)) }

func wallet(text string) common.Address { return common.BytesToAddress(crypto.Keccak256([]byte(text))) }

var market = wallet("market")

func newGame(t testing.TB, seats uint8) *game {
	t.Helper()
	secret := protocol.ClientSecret(named("secret"))
	salt := named("salt")
	var pieces []protocol.Piece
	for i := range uint32(10) {
		key := common.Bytes2Hex(secret.PieceKey(salt, i).PubKey().SerializeCompressed())
		pieces = append(pieces, protocol.Piece{Name: string(rune('a' + i)), PublicKey: key})
	}
	document, err := protocol.NewDocument(protocol.Spec{
		Version: 1, Profile: 1, Module: "bafy", Limits: protocol.Limits{MemoryBytes: 1 << 16, Fuel: 1000, OutputBytes: 1},
	}, pieces)
	if err != nil {
		t.Fatal(err)
	}
	g := &game{
		t: t, v: protocol.NewView(), nodes: map[string]*plan.ComputeFacts{}, names: map[common.Address]string{},
		returned: map[common.Hash]protocol.Execution{}, labels: map[common.Hash]string{},
	}
	g.v.Advance(protocol.Block{Number: 100, Time: 1000})
	g.terms = protocol.Terms{
		Client: wallet("client"), Pieces: 10, CheckRate: 1 << 15, Seats: seats, ExecuteWindow: executeWindow, Expiry: expiry,
		Bid: big.NewInt(bid), FuelPrice: new(big.Int), Fine: big.NewInt(fine), Bond: big.NewInt(bond),
		SpecRoot: document.Root(), Salt: salt,
	}
	g.job = protocol.JobID(chainID, market, g.terms)
	g.client = plan.RequesterFacts{
		Terms: plan.Terms{Self: g.terms.Client, Parameters: protocol.Parameters{
			MinStake: big.NewInt(100), MinDeposit: new(big.Int), NoShowFee: big.NewInt(1), SettleWindow: settleWindow,
			DrawWindow: drawWindow, SilentWindow: silentWindow, AppealWindow: appealWindow, Confirmations: 2, Redraws: 2,
			MaxPieces: 8, ChallengePrice: big.NewInt(price), JurySize: 3,
		}},
		Wallet:    protocol.Wallet{Free: big.NewInt(1000), Locked: new(big.Int)},
		Secret:    secret,
		Jobs:      map[common.Hash]plan.JobFacts{g.job: {Terms: g.terms, PiecesPerExecution: 4, VerifierBid: big.NewInt(raised), Document: document}},
		Opened:    map[plan.SeatKey]plan.Opened{},
		Delivered: map[common.Hash]bool{},
		Refused:   map[plan.OfferKey]bool{},
	}
	g.fold(protocol.JobCreated{Job: g.job, Client: g.terms.Client, Terms: g.terms})
	for _, name := range []string{"alice", "bob", "carol"} {
		g.register(name)
	}
	return g
}

func (g *game) register(name string) {
	g.t.Helper()
	self := wallet(name)
	g.names[self] = name
	g.nodes[name] = &plan.ComputeFacts{
		Terms:  plan.Terms{Self: self, Parameters: g.client.Parameters},
		Wallet: protocol.Wallet{Free: big.NewInt(200), Locked: new(big.Int)},
		Policy: plan.Policy{
			MinBid: big.NewInt(bid), MinFuelPrice: big.NewInt(3), MaxPieces: 6, OfferSeconds: 30, Appeals: true,
			Grace: grace,
		},
		Specs:   map[common.Hash]plan.SpecFacts{},
		Offered: map[common.Hash]protocol.Offer{},
		Work:    map[plan.SeatKey]plan.WorkFacts{},
	}
	g.fold(protocol.NodeRegistered{Node: self})
}

func (g *game) fold(events ...protocol.Event) {
	g.t.Helper()
	for _, e := range events {
		if err := g.v.Fold(e, g.v.Head); err != nil {
			g.t.Fatal(err)
		}
	}
}

// at moves on to a time, with one block.
func (g *game) at(seconds uint64) *game {
	g.v.Advance(protocol.Block{Number: g.v.Head.Number + 1, Time: seconds})
	return g
}

func (g *game) wait(seconds uint64) *game { return g.at(g.v.Head.Time + seconds) }

// confirm moves on by as many blocks as make a commitment final.
func (g *game) confirm() *game { return g.wait(1).wait(1) }

func (g *game) now() uint64 { return g.v.Head.Time }

func (g *game) facts() plan.JobFacts { return g.client.Jobs[g.job] }

// want changes what the client wants of the job.
func (g *game) want(change func(*plan.JobFacts)) {
	facts := g.facts()
	change(&facts)
	g.client.Jobs[g.job] = facts
}

func (g *game) signed(name string, pieces uint32) protocol.SignedOffer {
	g.nonce++
	return protocol.SignedOffer{
		Offer:     protocol.Offer{Job: g.job, Node: wallet(name), Pieces: pieces, Nonce: g.nonce, Deadline: g.now() + 30},
		Signature: []byte(name),
	}
}

// offers posts an offer on chain.
func (g *game) offers(name string, pieces uint32) protocol.Offer {
	g.t.Helper()
	o := g.signed(name, pieces)
	g.fold(protocol.OfferPosted{Job: g.job, Node: o.Offer.Node, Offer: o.Offer, Signature: o.Signature})
	return o.Offer
}

// assign gives the next count pieces that were never assigned to a node.
func (g *game) assign(name string, count uint32) *play {
	g.t.Helper()
	g.nonce++
	from := g.frontier
	g.frontier += count
	return g.begin(g.job, name, from, count, g.nonce)
}

// reassign gives the first count pieces of what play returned to a node.
func (g *game) reassign(parent *play, name string, count uint32) *play {
	g.t.Helper()
	g.nonce++
	return g.takeReturned(parent.e.ID, name, count, g.nonce)
}

func (g *game) takeReturned(id common.Hash, name string, count, nonce uint32) *play {
	g.t.Helper()
	rest := g.returned[id]
	from := rest.From
	rest.From, rest.Count = rest.From+count, rest.Count-count
	if g.returned[id] = rest; rest.Count == 0 {
		delete(g.returned, id)
	}
	return g.begin(id, name, from, count, nonce)
}

func (g *game) begin(parent common.Hash, name string, from, count, nonce uint32) *play {
	g.t.Helper()
	node := wallet(name)
	p := &play{g: g, said: map[uint8]map[uint32]string{}, seats: map[uint8]protocol.Seat{}, leaves: map[uint8][]protocol.Leaf{}}
	p.check = protocol.Verification{Bid: new(big.Int), Listed: []*big.Int{}} // zeros, until there is one
	p.seed = g.client.Secret.Dice(g.job, node, nonce)
	p.e = protocol.Execution{
		ID: protocol.ExecutionID(parent, from), Job: g.job, Node: node, From: from, Count: count,
		Status: protocol.StatusAssigned, Deadline: g.now() + executeWindow, SeedHash: protocol.SeedHash(p.seed),
	}
	g.labels[p.e.ID] = string(rune('A' + len(g.plays)))
	g.plays = append(g.plays, p)
	g.fold(protocol.ExecutionAssigned{
		Job: g.job, Execution: p.e.ID, Parent: parent, Node: node, From: from, Count: count,
		Deadline: p.e.Deadline, SeedHash: p.e.SeedHash, Nonce: nonce,
	})
	return p
}

func (g *game) play(id common.Hash) *play {
	i := slices.IndexFunc(g.plays, func(p *play) bool { return p.e.ID == id })
	if i < 0 {
		return nil
	}
	return g.plays[i]
}
