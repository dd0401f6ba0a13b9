package model

import (
	"crypto/ecdsa"
	"math/big"
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
	secret     *secp256k1.PrivateKey // of all pieces
	public     *secp256k1.PublicKey
	specDigest common.Hash
	spec       *protocol.SumTree
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

// commitment is what a seat commits to, and what opens its first leaf.
type commitment struct {
	leaves []protocol.Leaf
	tree   *protocol.SumTree
	r      common.Hash
	shared protocol.Shared
}

// published is what goes with it.
func (k commitment) published() []byte {
	if len(k.leaves) == 1 {
		return k.leaves[0].Encode()
	}
	return []byte("the CID of the leaves")
}

func parameters(g Game) protocol.Parameters {
	return protocol.Parameters{
		MinStake: big.NewInt(int64(g.Fine)), MinDeposit: big.NewInt(0), NoShowFee: big.NewInt(int64(g.NoShowFee)),
		SettleWindow: uint32(g.SettleWindow), DrawWindow: uint32(g.DrawWindow),
		SilentWindow: uint32(g.SilentWindow), AppealWindow: uint32(g.AppealWindow),
		MinExecuteWindow: 1, Confirmations: uint32(g.Confirmations), Redraws: g.Redraws,
		MaxPieces: 1000, MinCheckRate: 1, DeclinesPerDay: uint16(g.Declines),
		ChallengePrice: big.NewInt(int64(g.ChallengePrice)), JurySize: Jurors, Source: protocol.SourceBlockhash,
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
	a.writeTerms(t)
	a.writeOffer(t, c)
	return a, c
}

func mustSend(t *testing.T, c *contract, from common.Address, call protocol.Call, value uint64) {
	t.Helper()
	data, err := market.EncodeCall(call)
	if err != nil {
		t.Fatal(err)
	}
	if _, refused, err := c.send(from, data, value); err != nil || refused != "" {
		t.Fatalf("%s: refused by %q, %v", call.Method(), refused, err)
	}
}

func (a *cast) writeTerms(t *testing.T) {
	t.Helper()
	g := a.game
	a.secret = secp256k1.PrivKeyFromBytes(crypto.Keccak256([]byte("piece key")))
	a.public = a.secret.PubKey()
	a.specDigest = crypto.Keccak256Hash([]byte("spec"))
	pk := protocol.KeyAddress(a.public)
	var pieces []protocol.Sum
	for index := range g.Pieces {
		leaf := crypto.Keccak256Hash(make([]byte, 31), []byte{index}, a.specDigest[:], common.LeftPadBytes(pk[:], 32))
		pieces = append(pieces, protocol.Sum{Hash: leaf})
	}
	var err error
	if a.spec, err = protocol.NewSumTree(pieces); err != nil {
		t.Fatal(err)
	}
	a.terms = protocol.Terms{
		Client: a.addresses[Client], Nonce: 1, Pieces: uint32(g.Pieces), CheckRate: 1 << 15, Seats: g.Seats,
		ExecuteWindow: uint32(g.ExecuteWindow), Expiry: genesis + lifetime,
		Bid: big.NewInt(int64(g.Bid)), FuelPrice: big.NewInt(int64(g.FuelPrice)),
		Fine: big.NewInt(int64(g.Fine)), Bond: big.NewInt(int64(g.Bond)),
		SpecRoot: a.spec.Root().Hash, SpecCID: common.Hash{1}, Salt: common.Hash{2},
	}
	a.seed = crypto.Keccak256Hash([]byte("seed"))
}

func (a *cast) writeOffer(t *testing.T, c *contract) {
	t.Helper()
	job := protocol.JobID(chainID, a.contract, a.terms)
	a.execution = protocol.ExecutionID(job, 0)
	a.offer = protocol.Offer{
		Job: job, Node: a.addresses[Node1], Pieces: a.terms.Pieces, Nonce: 1, Deadline: a.terms.Expiry,
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

// say makes the leaves of a statement. Where the dice matter, seat 1 has tried until they fell as the explorer wants:
// only that the client's seed is sealed makes that hard.
func (a *cast) say(s statement) commitment {
	if known, ok := a.sealed[s]; ok {
		return known
	}
	for try := byte(0); ; try++ {
		k := a.seal(s, try)
		hits := protocol.Roll(a.seed, k.tree.Root().Hash, a.execution, a.terms.Pieces, a.terms.CheckRate)
		if s.seat != 1 || s.hit && len(hits) == int(a.terms.Pieces) || !s.hit && len(hits) == 0 {
			a.sealed[s] = k
			return k
		}
	}
}

func (a *cast) seal(s statement, try byte) (k commitment) {
	for index := range a.game.leaves(s.seat) {
		result := Truth
		if index == 0 {
			result = s.result
		}
		leaf := protocol.Leaf{Index: uint32(index), Fuel: Fuel(result), Output: common.Hash{try}}
		r, shared := common.Hash{31: 1}, protocol.Shared{}
		if result == Junk {
			leaf.Rx = big.NewInt(5) // no point of the curve has it
		} else {
			r = crypto.Keccak256Hash([]byte{byte(s.by), s.seat, byte(s.result), index, try})
			sealed, point, err := protocol.Seal(digest(result), r, a.public, protocol.Binding{
				ChainID: chainID, Contract: a.contract, Execution: a.execution, Index: uint32(index), Node: a.addresses[s.by],
			})
			if err != nil {
				panic(err) // once in 2^128
			}
			leaf.Rx, leaf.Parity, leaf.C, shared = sealed.Rx, sealed.Parity, sealed.C, point
		}
		if index == 0 {
			k.r, k.shared = r, shared
		}
		k.leaves = append(k.leaves, leaf)
	}
	var err error
	if k.tree, err = protocol.LeavesTree(k.leaves); err != nil {
		panic(err) // no leaves
	}
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
