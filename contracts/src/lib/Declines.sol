// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";

/// @title How often each node has given work back today.
library Declines {
    struct State {
        /// Day of UTC since 1970 above bit 16, below it how often.
        mapping(address node => uint256) words;
    }

    /// Counts one more. Fails with `TooManyDeclines` if the node has done so `most` times since midnight.
    function count(State storage self, address node, uint16 most) internal {
        uint256 today = block.timestamp / 1 days;
        uint256 word = self.words[node];
        uint256 used = word >> 16 == today ? uint16(word) : 0;
        if (used >= most) revert IMarket.TooManyDeclines(node, most);
        self.words[node] = (today << 16) | (used + 1);
    }

    /// Until when work that is due at `deadline` after `window` seconds may be given back: half of them.
    function deadlineOf(uint64 deadline, uint32 window) internal pure returns (uint64) {
        return deadline - window / 2;
    }
}
