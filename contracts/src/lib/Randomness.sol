// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";
import {Source} from "../types/Parameters.sol";

/// @title Public randomness of a block that had not been made when the draw was requested.
library Randomness {
    /// Blocks whose hash the EVM still gives.
    uint256 private constant REACH = 256;
    /// FEVM's precompile: the epoch as one word in, the 32 bytes of its drand beacon out. It takes all gas if asked for
    /// an epoch that is still to come.
    address private constant BEACON = 0xfE00000000000000000000000000000000000006;

    /// The randomness of block `target`, which must have passed. Fails with `TargetUnknown`.
    function ofTarget(Source source, uint64 target) internal view returns (bytes32) {
        if (block.number <= target) revert IMarket.TargetUnknown(target, uint64(block.number));
        return source == Source.Blockhash ? _ofBlock(target) : _ofBeacon(target);
    }

    /// Once the block's hash is out of reach the next block at a whole multiple of 256 from it counts, so that nobody
    /// chooses the block.
    function _ofBlock(uint64 target) private view returns (bytes32) {
        uint256 steps = (block.number - target - 1) / REACH;
        return blockhash(target + steps * REACH);
    }

    /// The beacon of an epoch without a block is the next one's, which the chain fixes as well.
    function _ofBeacon(uint64 target) private view returns (bytes32) {
        (bool ok, bytes memory beacon) = BEACON.staticcall(abi.encode(target));
        if (!ok || beacon.length != 32) revert IMarket.TargetUnknown(target, uint64(block.number));
        return bytes32(beacon);
    }
}
