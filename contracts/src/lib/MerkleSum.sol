// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Sum} from "../types/Seat.sol";

/// @title A Merkle tree that adds up fuel, so that a root fixes the sum of its leaves.
/// @notice A node is (hash, sum). A parent's hash is keccak256(abi.encode(left.hash, left.sum, right.hash,
/// right.sum)), its sum left.sum + right.sum. The odd last node of a level moves up unchanged. A proof lists the
/// siblings that exist, from the leaf up. Leaves are hashes of three or six words and parents of four, so that neither
/// passes for the other.
library MerkleSum {
    /// True iff the leaf (hash, sum) is at `position` of `total` leaves under (root, rootSum). Sums are fuel; they are
    /// added in 256 bits, so hostile ones cannot overflow, they only fail to add up.
    function proves(
        Sum[] calldata proof,
        bytes32 hash,
        uint256 sum,
        uint256 position,
        uint256 total,
        bytes32 root,
        uint256 rootSum
    ) internal pure returns (bool) {
        if (position >= total) return false;
        uint256 used;
        while (total > 1) {
            if (position ^ 1 < total) {
                if (used == proof.length) return false;
                Sum calldata sibling = proof[used++];
                hash = position & 1 == 0
                    ? keccak256(abi.encode(hash, sum, sibling.hash, sibling.sum))
                    : keccak256(abi.encode(sibling.hash, sibling.sum, hash, sum));
                sum += sibling.sum;
            }
            position >>= 1;
            total = (total + 1) >> 1;
        }
        return used == proof.length && hash == root && sum == rootSum;
    }
}
