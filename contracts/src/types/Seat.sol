// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Where a verifier's seat stands.
enum SeatStatus {
    None,
    /// A node is to be drawn from the registry.
    Drawing,
    /// The drawn node owes its commitment by the deadline.
    Running,
    /// The node has committed.
    Committed,
    /// Nobody could be drawn, or all redraws were used up.
    Vacant
}

/// A verifier's seat (2 or 3; seat 1 is the execution's node). Each seat has its own slot, so that no party's
/// transaction can make another seat's commitment stale. The contract stores keccak256(abi.encode(seat)) under
/// keccak256(abi.encode(execution, number)); a seat not yet drawn for the first time has an empty slot and is derived
/// from the verification.
struct Seat {
    bytes32 execution;
    uint8 number;
    SeatStatus status;
    /// How often the seat was redrawn.
    uint8 redraws;
    /// Who sits. While a seat is to be drawn again, who has just failed to, and is passed over.
    address node;
    /// Leaves that the seat owes: all listed pieces, or the escalated one.
    uint32 pieces;
    /// Block whose hash draws the seat.
    uint64 target;
    /// When the present status times out, timestamp in seconds.
    uint64 deadline;
    bytes32 root;
    uint64 fuel;
    /// When the seat committed or was given up, timestamp in seconds.
    uint64 doneAt;
}

/// One result in a commitment: an ElGamal-like ciphertext of the result digest, which is itself the commitment.
/// Leaf hash = keccak256(abi.encode(leaf)), leaf sum = fuel.
struct Leaf {
    /// Piece index in the job.
    uint32 index;
    /// x coordinate and parity of y of R = r·G.
    uint256 rx;
    uint8 parity;
    /// d XOR keccak256(abi.encode(S.x, S.y, chainid, contract, execution, index, node)) with S = r·PK.
    bytes32 c;
    /// Fuel the piece used.
    uint64 fuel;
    /// sha2-256 digest of the CIDv1 (dag-pb) of the encrypted output.
    bytes32 output;
}

/// A node of the Merkle-sum tree.
struct Sum {
    bytes32 hash;
    uint64 sum;
}

/// Opens one seat's commitment at one piece. The leaf's position is not free: seat 1 has a leaf for every piece of the
/// execution in order, a verifier one for every listed piece in order, the third seat of a lazy panel just one.
struct Opening {
    Leaf leaf;
    /// Siblings from the leaf up.
    Sum[] proof;
    /// The shared point S = sk·R, which the contract checks with ecrecover.
    uint256 sx;
    uint256 sy;
}

/// Everything `revealKey` needs.
struct Reveal {
    uint32 piece;
    /// The piece's one-time private key.
    uint256 sk;
    /// Digest of the piece's spec and its Merkle proof against `Terms.specRoot`.
    bytes32 specDigest;
    Sum[] specProof;
    /// The client's dice seed.
    bytes32 seed;
    /// Of seats 1, 2 and 3, in this order.
    Opening[3] openings;
}

/// A node's own opening of its commitment, without the client.
struct Disclosure {
    uint32 piece;
    /// The node's secret scalar, R = r·G.
    uint256 r;
    /// The piece's one-time public key, whose address is in the spec.
    uint256 pkx;
    uint256 pky;
    /// Digest of the piece's spec and its Merkle proof against `Terms.specRoot`.
    bytes32 specDigest;
    Sum[] specProof;
    /// The seat's leaf; its sx, sy are those of S = r·PK.
    Opening opening;
}
