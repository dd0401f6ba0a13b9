// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// What a client asks for. Fixed for ever: the contract stores no copy, every call brings the terms again and they
/// are checked by hashing to the job's id (`IMarket.jobId`).
struct Terms {
    /// The wallet that pays and that alone may accept, verify, settle, escalate and reveal.
    address client;
    /// Spent once in the client's nonce window, so that equal terms never make the same job twice.
    uint32 nonce;
    /// Pieces of work, N ≥ 1.
    uint32 pieces;
    /// Share of pieces to check, p, in units of 2^-16 (3 % is 1966).
    uint16 checkRate;
    /// Panel of a checked piece: 2 = lazy (a third seat only if the two differ), 3 = eager.
    uint8 seats;
    /// Time from assignment or draw until the result is due, seconds; at most 30 days.
    uint32 executeWindow;
    /// Until when pieces may be assigned, timestamp in seconds.
    uint64 expiry;
    /// Price cap per piece, wei.
    uint96 bid;
    /// Price per unit of fuel, wei; pay is min(bid × pieces, fuelPrice × fuel). 0 means the flat price `bid`.
    uint96 fuelPrice;
    /// Fine F that every seat locks and loses when its result is proved wrong, wei.
    uint96 fine;
    /// What the client locks per execution and loses for silence or skipped checks, wei.
    uint96 bond;
    /// Merkle root over pieces: leaf = (index, spec digest, address of the piece's one-time public key).
    bytes32 specRoot;
    /// sha2-256 digest of the CIDv1 (dag-pb) of the published spec.
    bytes32 specCID;
    /// Makes every result digest of this job new.
    bytes32 salt;
}

/// A node's signed promise to run up to `pieces` pieces of one job (EIP-712 typed data).
struct Offer {
    bytes32 job;
    address node;
    /// The most pieces the client may assign with this offer.
    uint32 pieces;
    /// Spent once in the node's nonce window.
    uint32 nonce;
    /// Last moment at which the offer may be accepted, timestamp in seconds.
    uint64 deadline;
}
