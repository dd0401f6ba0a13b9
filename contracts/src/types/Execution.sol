// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Where an execution stands. The contract stores Assigned, Committed, Challenged, Verifying, Verdict, Appealed and
/// Returned. Drawing, Resolving and Silent are what a Verifying execution is called while a seat is being drawn, once no
/// seat is running any more, and once the client has let its time to resolve pass.
enum Status {
    /// No such execution, or one that is finished and deleted.
    None,
    /// A node has the pieces and owes a result by the deadline.
    Assigned,
    /// The result is committed; the client owes a settlement or a verification by the deadline.
    Committed,
    /// The client demands a leaf; its seat owes it by the deadline.
    Challenged,
    /// At least one seat of the panel waits for its node to be drawn.
    Drawing,
    /// At least one drawn node still owes its commitment.
    Verifying,
    /// Every seat has committed or stayed empty; the client owes a decision.
    Resolving,
    /// The client did not decide in time; the seats may open their own commitments.
    Silent,
    /// A piece was opened and a seat proved wrong, or all three differ; waits out the appeal window.
    Verdict,
    /// A seat appealed; a jury is drawn, runs the piece, and votes.
    Appealed,
    /// Terminal: paid.
    Settled,
    /// The pieces went back to the job and may be assigned again.
    Returned,
    /// Terminal: the client got the escrow back.
    Refunded
}

/// What an opened piece showed.
enum Outcome {
    None,
    Agreed,
    FirstLost,
    SecondLost,
    ThirdLost,
    AllDiffer
}

/// One node's assignment to the pieces [from, from + count) of a job. The contract stores only
/// keccak256(abi.encode(execution)) under `id`; the events give every field.
struct Execution {
    bytes32 id;
    bytes32 job;
    address node;
    /// First piece.
    uint32 from;
    /// Number of pieces.
    uint32 count;
    Status status;
    /// When the present status times out, timestamp in seconds. In Verifying, 0, or until when the client may resolve
    /// although it would be too late by the seats, because a challenge took time. In Appealed, 0: the jury has the times.
    uint64 deadline;
    /// keccak256 of the client's dice seed.
    bytes32 seedHash;
    /// Merkle-sum root over the node's leaves.
    bytes32 root;
    /// Fuel of all pieces, as the root adds it up.
    uint64 fuel;
    /// Block of the commitment.
    uint64 committedBlock;
    /// keccak256(abi.encode(verification)), or zero before `verify`.
    bytes32 verification;
}

/// The check of one execution.
struct Verification {
    /// Raised price per checked piece and verifier b′, wei.
    uint96 bid;
    /// Number of listed pieces.
    uint32 hits;
    /// Bit k of word w set: piece from + 256·w + k is listed.
    uint256[] listed;
    /// Block whose hash draws the first seats.
    uint64 target;
    /// Until when the first seats may be drawn, timestamp in seconds.
    uint64 deadline;
    /// The piece that a lazy panel escalated; meaningful when `thirdTarget` is not zero.
    uint32 escalated;
    /// Block whose hash draws the third seat of a lazy panel; 0 before `escalate`.
    uint64 thirdTarget;
    /// Until when the third seat may be drawn, timestamp in seconds.
    uint64 thirdDeadline;
    /// What opening a piece showed, and for which piece.
    Outcome outcome;
    uint32 revealed;
    /// keccak256(abi.encode(results)) of what the seats 1, 2 and 3 stand by for that piece (`IMarket.VerdictReached`).
    bytes32 results;
}

/// A client's demand for a leaf that it could not get, stored as keccak256(abi.encode(challenge)).
struct Challenge {
    bytes32 execution;
    uint8 seat;
    /// Piece whose leaf is wanted.
    uint32 piece;
    /// Time that the client still had when it asked, and gets back with the answer, seconds.
    uint64 left;
    /// Committed or Verifying: where the execution goes on.
    Status back;
}
