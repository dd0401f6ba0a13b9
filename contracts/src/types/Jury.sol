// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// The nodes that decide an appeal. The contract stores keccak256(abi.encode(jury)) under its execution's id.
struct Jury {
    bytes32 execution;
    /// Seat that appealed.
    uint8 appellant;
    /// Block whose hash draws the jury.
    uint64 target;
    /// Until when the jury may be drawn; once drawn, until when it may vote; timestamp in seconds.
    uint64 deadline;
    /// Until when votes may be revealed, timestamp in seconds; 0 before the draw.
    uint64 revealDeadline;
    /// Fresh salt that the jurors' witnesses depend on; 0 before the draw.
    bytes32 salt;
    /// Empty before the draw. Juror k has number 4 + k where seats are numbered.
    address[] jurors;
}

/// Where a juror's vote stands.
enum VoteStatus {
    None,
    Committed,
    Revealed,
    /// The node declined the duty in time.
    Declined
}

/// What a juror found. Votes are equal iff all three fields are.
struct Vote {
    /// The result digest of the piece, under the job's salt: comparable with those of the seats.
    bytes32 digest;
    uint64 fuel;
    /// H("bacalhau/witness/1", jury salt, index, exitCode, fuel, outputsRoot, memory hash keyed with the jury's salt):
    /// what only a node that has the final memory can know, because the salt is younger than every published digest.
    bytes32 witness;
}
