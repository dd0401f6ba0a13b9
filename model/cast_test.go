package model

import (
	"crypto/ecdsa"
	"math/big"
	"slices"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/filecoin-project/bacalhau/internal/market"
	"github.com/filecoin-project/bacalhau/protocol"
)

// lifetime is the job's: longer than any game.
const lifetime = 40_000

// cast is everything that the parties bring to the contract: keys, the job, what they can commit to.
type cast struct {
	game       Game
	keys       [Wallets + 1]*ecdsa.PrivateKey
	addresses  [Wallets + 1]common.Address
	terms      protocol.Terms
	execution  common.Hash
	offer      protocol.Offer
	signature  []byte
	seed       common.Hash
	piece      *secp256k1.PrivateKey
	specDigest common.Hash
	contract   common.Address
	// sealed are the leaves made so far.
	sealed map[statement]commitment
}

// statement is what a node says, and what the dice say to it.
type statement struct {
	by     Party
	seat   uint8
	result Result
	hit    bool
}

// commitment is a leaf with what opens it.
type commitment struct {
	leaf   protocol.Leaf
	r      common.Hash
	shared protocol.Shared
}

func parameters(g Game) protocol.Parameters {
	return protocol.Parameters{
		MinStake: big.NewInt(int64(g.Fine)), MinDeposit: big.NewInt(0), NoShowFee: big.NewInt(int64(g.NoShowFee)),
		SettleWindow: uint32(g.SettleWindow), DrawWindow: uint32(g.DrawWindow),
		SilentWindow: uint32(g.SilentWindow), AppealWindow: uint32(g.AppealWindow),
		MinExecuteWindow: 1, Confirmations: uint32(g.Confirmations), Redraws: g.Redraws,
		MaxPieces: 1000, MinCheckRate: 1, DeclinesPerDay: uint16(g.Declines),
		ChallengePrice: big.NewInt(1), JurySize: Jurors, Source: protocol.SourceBlockhash,
	}
}

// newCast deploys the contract, gives every wallet its stake, and registers the nodes.
func newCast(t *testing.T, g Game, build market.Build) (*cast, *contract) {
	t.Helper()
	c := newContract(t, build, parameters(g))
	a := &cast{game: g, contract: c.address, sealed: map[statement]commitment{}}
	for i := range a.keys {
		key, err := crypto.ToECDSA(crypto.Keccak256([]byte("party"), []byte{byte(i)}))
		if err != nil {
			t.Fatal(err)
		}
		a.keys[i], a.addresses[i] = key, crypto.PubkeyToAddress(key.PublicKey)
	}
	for p := Client; p <= Juror3; p++ {
		c.fund(a.addresses[p], uint64(g.Stake))
		mustSend(t, c, a.addresses[p], protocol.Deposit{}, uint64(g.Stake))
		if p != Client {
			mustSend(t, c, a.addresses[p], protocol.Register{}, 0)
		}
	}
	c.block += 10
	a.writeTerms()
	a.writeOffer(t, c)
	return a, c
}

func mustSend(t *testing.T, c *contract, from common.Address, call protocol.Call, value uint64) {
	t.Helper()
	if _, refused, err := c.send(from, call, value); err != nil || refused != "" {
		t.Fatalf("%s: refused by %q, %v", call.Method(), refused, err)
	}
}

func (a *cast) writeTerms() {
	g := a.game
	a.piece = secp256k1.PrivKeyFromBytes(crypto.Keccak256([]byte("piece key")))
	a.specDigest = crypto.Keccak256Hash([]byte("spec"))
	pk := protocol.KeyAddress(a.piece.PubKey())
	a.terms = protocol.Terms{
		Client: a.addresses[Client], Nonce: 1, Pieces: 1, CheckRate: 1 << 15, Seats: g.Seats,
		ExecuteWindow: uint32(g.ExecuteWindow), Expiry: genesis + lifetime,
		Bid: big.NewInt(int64(g.Bid)), FuelPrice: big.NewInt(int64(g.FuelPrice)),
		Fine: big.NewInt(int64(g.Fine)), Bond: big.NewInt(int64(g.Bond)),
		SpecRoot: crypto.Keccak256Hash(make([]byte, 32), a.specDigest[:], common.LeftPadBytes(pk[:], 32)),
		SpecCID:  common.Hash{1}, Salt: common.Hash{2},
	}
	a.seed = crypto.Keccak256Hash([]byte("seed"))
}

func (a *cast) writeOffer(t *testing.T, c *contract) {
	t.Helper()
	job := protocol.JobID(chainID, a.contract, a.terms)
	a.execution = protocol.ExecutionID(job, 0)
	a.offer = protocol.Offer{
		Job: job, Node: a.addresses[Node1], Pieces: 1, Nonce: 1, Deadline: a.terms.Expiry,
	}
	encoded, err := market.EncodeCall(protocol.PostOffer{Offer: a.offer})
	if err != nil {
		t.Fatal(err)
	}
	const selector, offerBytes = 4, 5 * 32
	digest, err := c.hash("offerDigest((bytes32,address,uint32,uint32,uint64))", encoded[selector:selector+offerBytes])
	if err != nil {
		t.Fatal(err)
	}
	a.signature, err = crypto.Sign(digest[:], a.keys[Node1])
	if err != nil {
		t.Fatal(err)
	}
	a.signature[64] += 27
}

// digest is what a result stands for.
func digest(r Result) common.Hash {
	if r == Lie {
		return crypto.Keccak256Hash([]byte("lie"))
	}
	return crypto.Keccak256Hash([]byte("truth"))
}

// say makes the leaf of a statement. Where the dice matter, seat 1 has tried until they fell as the explorer wants it:
// only the client's seed makes that hard.
func (a *cast) say(s statement) commitment {
	if known, ok := a.sealed[s]; ok {
		return known
	}
	for try := byte(0); ; try++ {
		k := a.seal(s, try)
		hit := slices.Contains(protocol.Roll(a.seed, k.leaf.Hash(), a.execution, 1, a.terms.CheckRate), 0)
		if s.seat != 1 || hit == s.hit {
			a.sealed[s] = k
			return k
		}
	}
}

func (a *cast) seal(s statement, try byte) commitment {
	k := commitment{leaf: protocol.Leaf{Fuel: Fuel(s.result), Output: common.Hash{try}}}
	if s.result == Junk {
		k.leaf.Rx = big.NewInt(5) // no point of the curve has it
		k.r = common.Hash{31: 1}
		return k
	}
	k.r = crypto.Keccak256Hash([]byte{byte(s.by), s.seat, byte(s.result), try})
	sealed, shared, err := protocol.Seal(digest(s.result), k.r, a.piece.PubKey(), protocol.Binding{
		ChainID: chainID, Contract: a.contract, Execution: a.execution, Node: a.addresses[s.by],
	})
	if err != nil {
		panic(err) // once in 2^128
	}
	k.leaf.Rx, k.leaf.Parity, k.leaf.C, k.shared = sealed.Rx, sealed.Parity, sealed.C, shared
	return k
}

// vote is a juror's. Junk has a witness of its own.
func (a *cast) vote(juror Party, r Result) (protocol.Vote, common.Hash) {
	v := protocol.Vote{Digest: digest(r), Fuel: Fuel(r), Witness: crypto.Keccak256Hash([]byte("witness"), []byte{byte(r)})}
	if r == Junk {
		v.Witness = crypto.Keccak256Hash([]byte("made up"), []byte{byte(juror)})
	}
	return v, crypto.Keccak256Hash([]byte("nonce"), []byte{byte(juror)})
}
