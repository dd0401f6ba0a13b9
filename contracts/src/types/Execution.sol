// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Where an execution stands. The contract stores Assigned, Committed, Verifying, Verdict and Returned; Drawing and
/// Resolving are what a Verifying execution is called while a seat is being drawn, and once no seat is running any more.
enum Status {
    /// No such execution, or one that is finished and deleted.
    None,
    /// A node has the pieces and owes a result by the deadline.
    Assigned,
    /// The result is committed; the client owes a settlement or a verification by the deadline.
    Committed,
    /// At least one seat of the panel waits for its node to be drawn.
    Drawing,
    /// At least one drawn node still owes its commitment.
    Verifying,
    /// Every seat has committed or stayed empty; the client owes a decision.
    Resolving,
    /// A key was revealed and a seat proved wrong, or all three differ; waits out the appeal window.
    Verdict,
    /// Terminal: paid.
    Settled,
    /// The pieces went back to the job and may be assigned again.
    Returned,
    /// Terminal: the client got the escrow back.
    Refunded
}

/// What a revealed piece showed.
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
    /// When the present status times out, timestamp in seconds.
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
    /// What `revealKey` showed, and for which piece.
    Outcome outcome;
    uint32 revealed;
}
