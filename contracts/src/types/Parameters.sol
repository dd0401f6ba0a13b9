// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Set once, at deployment.
struct Parameters {
    /// What a node keeps to get work, wei. No fine is higher, so that every idle node can be drawn.
    uint96 minStake;
    /// What a client keeps free to create a job, wei.
    uint96 minDeposit;
    /// Part of a fine that a seat loses when it misses its deadline, wei.
    uint96 noShowFee;
    /// Time for settle, verify, escalate and reveal, seconds.
    uint32 settleWindow;
    /// Time for a draw, seconds.
    uint32 drawWindow;
    /// Time for the seats to open their commitments when the client is silent, seconds.
    uint32 silentWindow;
    /// Time between a verdict and its execution, seconds.
    uint32 appealWindow;
    /// Least time that a client may give its nodes, seconds.
    uint32 minExecuteWindow;
    /// Blocks on top of a commitment before the client may act on it, δ.
    uint32 confirmations;
    /// Redraws of a seat whose node does not show up, R.
    uint8 redraws;
    /// Most pieces of one execution.
    uint32 maxPieces;
    /// Least check rate, units of 2^-16.
    uint16 minCheckRate;
    /// How often a node may decline work within one day of UTC.
    uint16 declinesPerDay;
    /// What a challenged node gets for answering on chain, wei.
    uint96 challengePrice;
    /// Nodes of a jury, m, odd.
    uint8 jurySize;
    /// Where draws take their randomness from.
    Source source;
}

/// Public randomness that nobody knows when a draw is requested.
enum Source {
    /// Block hashes: any EVM.
    Blockhash,
    /// The drand beacon that Filecoin's chain carries, through FEVM's precompile.
    FilecoinBeacon
}

/// A wallet's money in the contract, wei. All the contract's money is in some wallet or burned.
struct Wallet {
    uint96 free;
    /// Fines, escrows, bonds and pay for checks that the wallet has put up.
    uint96 locked;
    bool registered;
    /// Registered, but takes no work for now.
    bool paused;
    /// Nonces are an anti-replay window as in RFC 4303: `nonceTop` is the highest one spent, and bit k of `nonceBits`
    /// says that nonce top − k is. A nonce is good if it is above the top, or at most 23 below it with its bit clear;
    /// it need not be the next one. A new wallet has top 0 and no bits, so that nonce 0 is good.
    uint32 nonceTop;
    uint24 nonceBits;
}
