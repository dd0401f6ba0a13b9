// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// What may become
/// of a thing.
enum Fate {
    None,
    /// It broke.
    Broken
}

/// A thing.
struct Thing {
    /// Who has it.
    address owner;
    bytes32 id; // not documentation
    Fate fate;
    /// Price, wei.
    uint96 price;
    uint256[] marks;
}

/// Set once.
struct Parameters {
    uint32 window;
    Thing[2] samples;
}
