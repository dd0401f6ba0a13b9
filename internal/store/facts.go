package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/protocol"
)

const (
	spaceWork      = 'w'
	spaceBallot    = 'b'
	spaceNonce     = 'n'
	spaceJob       = 'j'
	spaceDelivered = 'd'
	spaceLog       = 'l'
	spacePoint     = 'p'
	spaceOwner     = 'o'
	spaceDecision  = 'r'
	spaceBase      = 'a'
)

// Owner is whose facts a store holds.
type Owner struct {
	ChainID          uint64
	Contract, Wallet common.Address
}

// Bind gives the store to its owner for ever. It is an error if it has another one.
func (s *Store) Bind(o Owner) error {
	var bound Owner
	switch err := s.get(spaceOwner, nil, &bound); {
	case errors.Is(err, ErrNotFound):
		return s.put(spaceOwner, nil, o)
	case err != nil:
		return err
	case bound != o:
		return fmt.Errorf("the node's facts are those of wallet %s with contract %s on chain %d, and now it should be wallet %s with "+
			"contract %s on chain %d: give each its own folder", bound.Wallet, bound.Contract, bound.ChainID, o.Wallet, o.Contract, o.ChainID)
	}
	return nil
}

// Work is a seat's finished work: everything that the node needs to publish, prove and open its commitment.
type Work struct {
	Execution common.Hash
	Seat      uint8
	Root      common.Hash
	Fuel      uint64
	// Published goes into the commitment's event: the one leaf, or the CID of Bundle.
	Published []byte
	// Bundle is the digest of the directory with the leaves and the encrypted outputs.
	Bundle common.Hash
	Leaves []protocol.Leaf
	// Scalars are the ephemeral r of each leaf.
	Scalars []common.Hash
}

// PutWork makes a seat's work durable. It must precede the commitment. Work of the same seat with another root stays: a
// reorganisation of the chain may bring back either.
func (s *Store) PutWork(w Work) error {
	return s.put(spaceWork, keyOf(w.Execution, w.Seat, w.Root), w)
}

// keyOf is the key of what was done for a seat or as a juror, which there may be several of.
func keyOf(execution common.Hash, number uint8, which common.Hash) []byte {
	return append(append(execution.Bytes(), number), which[:]...)
}

// Works calls visit with every seat's work.
func (s *Store) Works(visit func(Work) error) error {
	return list(s, spaceWork, func(_ []byte, w Work) error { return visit(w) })
}

// Work gets the work whose root a seat committed to, or ErrNotFound.
func (s *Store) Work(execution common.Hash, seat uint8, root common.Hash) (Work, error) {
	var w Work
	return w, s.get(spaceWork, keyOf(execution, seat, root), &w)
}

// Ballot is a juror's vote and the nonce that seals it.
type Ballot struct {
	Execution common.Hash
	Number    uint8
	Salt      common.Hash // of the jury: a reorganisation of the chain may have it drawn anew
	Vote      protocol.Vote
	Nonce     common.Hash
}

// PutBallot makes a vote durable. It must precede its commitment, which nobody can open without it.
func (s *Store) PutBallot(b Ballot) error {
	return s.put(spaceBallot, keyOf(b.Execution, b.Number, b.Salt), b)
}

// Ballot gets a juror's vote in the jury with this salt, or ErrNotFound.
func (s *Store) Ballot(execution common.Hash, number uint8, salt common.Hash) (Ballot, error) {
	var b Ballot
	return b, s.get(spaceBallot, keyOf(execution, number, salt), &b)
}

// Ballots calls visit with every vote.
func (s *Store) Ballots(visit func(Ballot) error) error {
	return list(s, spaceBallot, func(_ []byte, b Ballot) error { return visit(b) })
}

// NextNonce takes the wallet's next nonce for an offer or a job, for ever.
func (s *Store) NextNonce() (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last uint32
	if err := s.get(spaceNonce, nil, &last); err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	return last + 1, s.put(spaceNonce, nil, last+1)
}

// Job is what a client wants of a job, known before the job is on the chain.
type Job struct {
	ID    common.Hash
	Terms protocol.Terms
	// PiecesPerExecution that one offer gets at most.
	PiecesPerExecution uint32
	// VerifierBid b′ per checked piece, wei.
	VerifierBid *big.Int
	// Created is the wall clock's time of submission, Unix seconds.
	Created int64
	// Cancelled by the user: open pieces are given back, running ones end normally.
	Cancelled bool
	// Rejected says why the contract did not take the job; such a job never was on the chain.
	Rejected string
	// Done means that every piece has ended and nothing is left to do.
	Done bool
	// Result is the digest of the merged outputs of a done job; zero if no piece has any.
	Result common.Hash
}

// PutJob makes a job durable. It must precede createJob.
func (s *Store) PutJob(j Job) error { return s.put(spaceJob, j.ID.Bytes(), j) }

// Jobs calls visit with every job.
func (s *Store) Jobs(visit func(Job) error) error {
	return list(s, spaceJob, func(_ []byte, j Job) error { return visit(j) })
}

// Job gets a job, or ErrNotFound.
func (s *Store) Job(id common.Hash) (Job, error) {
	var j Job
	return j, s.get(spaceJob, id.Bytes(), &j)
}

// DropJob forgets a job that never was on the chain.
func (s *Store) DropJob(id common.Hash) error {
	return s.db.Delete(key(spaceJob, id.Bytes()), pebble.Sync)
}

// Delivered is a piece's accepted output: the digest of the plain output directory.
type Delivered struct {
	Job    common.Hash
	Piece  uint32
	Output common.Hash
	Result protocol.Result
	Node   common.Address
	// Disputed means that a verifier had another result, and nobody was convicted for it.
	Disputed bool `json:",omitempty"`
}

// PutDelivered makes an execution's accepted outputs durable, all or none.
func (s *Store) PutDelivered(execution common.Hash, pieces []Delivered) error {
	return s.put(spaceDelivered, execution.Bytes(), pieces)
}

// Deliveries calls visit with the outputs of every execution.
func (s *Store) Deliveries(visit func(execution common.Hash, pieces []Delivered) error) error {
	return list(s, spaceDelivered, func(id []byte, pieces []Delivered) error {
		if len(id) != common.HashLength {
			return fmt.Errorf("node store is damaged: execution id of %d bytes", len(id))
		}
		return visit(common.BytesToHash(id), pieces)
	})
}

func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
