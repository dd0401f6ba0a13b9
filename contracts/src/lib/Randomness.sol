// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";

/// @title Public randomness from block hashes. A chain with a beacon needs only another version of this file.
library Randomness {
    /// Blocks whose hash the EVM still gives.
    uint256 private constant REACH = 256;

    /// The hash of block `target`, which must have passed. Once it is out of reach the next block at a whole multiple
    /// of 256 from it counts, so that nobody chooses the block. Fails with `TargetUnknown`.
    function ofBlock(uint64 target) internal view returns (bytes32) {
        if (block.number <= target) revert IMarket.TargetUnknown(target, uint64(block.number));
        uint256 steps = (block.number - target - 1) / REACH;
        return blockhash(target + steps * REACH);
    }
}
