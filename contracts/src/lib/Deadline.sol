// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";

/// @title One rule for every time limit: an action is valid while now <= deadline, its timeout afterwards.
library Deadline {
    /// The moment `window` seconds from now.
    function afterSeconds(uint32 window) internal view returns (uint64) {
        unchecked {
            return uint64(block.timestamp) + window;
        }
    }

    function requireOpen(uint64 deadline) internal view {
        if (block.timestamp > deadline) revert IMarket.TooLate(deadline, uint64(block.timestamp));
    }

    function requirePassed(uint64 deadline) internal view {
        if (block.timestamp <= deadline) revert IMarket.TooEarly(deadline, uint64(block.timestamp));
    }
}
