// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";

/// @title Sets of pieces: bit k % 256 of word k / 256 stands for the k-th piece of an execution.
library Bitmap {
    /// Fails with `BadList` unless `words` holds a non-empty set of numbers below `count`, without surplus words.
    function requireSubset(uint256[] memory words, uint32 count) internal pure returns (uint32 members) {
        uint256 length = wordsFor(count);
        if (words.length != length) revert IMarket.BadList();
        uint256 surplus = length * 256 - count;
        if (surplus != 0 && words[length - 1] >> (256 - surplus) != 0) revert IMarket.BadList();
        members = uint32(size(words));
        if (members == 0) revert IMarket.BadList();
    }

    function wordsFor(uint32 count) internal pure returns (uint256) {
        return (uint256(count) + 255) / 256;
    }

    function has(uint256[] memory words, uint256 k) internal pure returns (bool) {
        return k / 256 < words.length && (words[k / 256] >> (k % 256)) & 1 == 1;
    }

    function size(uint256[] memory words) internal pure returns (uint256 members) {
        for (uint256 i; i < words.length; ++i) {
            members += ones(words[i]);
        }
    }

    /// Members below `k`.
    function rank(uint256[] memory words, uint256 k) internal pure returns (uint256 below) {
        for (uint256 i; i < k / 256; ++i) {
            below += ones(words[i]);
        }
        below += ones(words[k / 256] & ((1 << (k % 256)) - 1));
    }

    /// Number of bits set.
    function ones(uint256 x) internal pure returns (uint256) {
        if (x == 0) return 0;
        if (x == type(uint256).max) return 256; // the byte that sums up the bytes would overflow
        unchecked {
            x -= (x >> 1) & (type(uint256).max / 3);
            x = (x & (type(uint256).max / 5)) + ((x >> 2) & (type(uint256).max / 5));
            x = (x + (x >> 4)) & (type(uint256).max / 17);
            return (x * (type(uint256).max / 255)) >> 248;
        }
    }
}
