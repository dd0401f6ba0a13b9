// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {Tree} from "../fixture/Tree.sol";
import {MerkleSum} from "../../src/lib/MerkleSum.sol";
import {Sum} from "../../src/types/Seat.sol";

contract MerkleSumTest is Check {
    using MerkleSum for Sum[];

    struct Claim {
        bytes32 hash;
        uint256 sum;
        uint256 position;
        uint256 total;
        bytes32 root;
        uint256 rootSum;
    }

    function proves(Sum[] calldata proof, Claim calldata c) external pure returns (bool) {
        return proof.proves(c.hash, c.sum, c.position, c.total, c.root, c.rootSum);
    }

    function _leaves(uint256 total) private pure returns (Sum[] memory leaves) {
        leaves = new Sum[](total);
        for (uint256 i; i < total; ++i) {
            leaves[i] = Sum(keccak256(abi.encode(i)), uint64(3 * i + 1));
        }
    }

    function _claim(Sum[] memory leaves, uint256 position) private pure returns (Claim memory) {
        Sum memory root = Tree.root(leaves);
        return Claim(leaves[position].hash, leaves[position].sum, position, leaves.length, root.hash, root.sum);
    }

    /// Every leaf of every small tree, and no leaf at any other place.
    function test_everyPlace() public view {
        for (uint256 total = 1; total <= 12; ++total) {
            Sum[] memory leaves = _leaves(total);
            for (uint256 i; i < total; ++i) {
                Sum[] memory proof = Tree.proof(leaves, i);
                Claim memory c = _claim(leaves, i);
                for (c.position = 0; c.position <= total; ++c.position) {
                    _true(this.proves(proof, c) == (c.position == i), "only its own place");
                }
            }
        }
    }

    function testFuzz_changes(uint256 seed) public view {
        uint256 total = _bound(seed, 2, 40);
        uint256 position = _bound(seed >> 8, 0, total - 1);
        Sum[] memory leaves = _leaves(total);
        Sum[] memory proof = Tree.proof(leaves, position);
        Claim memory c = _claim(leaves, position);
        _true(this.proves(proof, c), "proven");
        c.sum += 1;
        _true(!this.proves(proof, c), "other fuel");
        c.rootSum += 1;
        _true(!this.proves(proof, c), "other fuel that adds up");
        (c.sum, c.rootSum) = (c.sum - 1, c.rootSum - 1);
        c.hash ^= bytes32(uint256(1));
        _true(!this.proves(proof, c), "other leaf");
        c.hash ^= bytes32(uint256(1));
        proof[0].sum += 1;
        _true(!this.proves(proof, c), "other sibling");
        proof[0].sum -= 1;
        _true(this.proves(proof, c), "proven again");
        c.total = total * 2 + 1;
        _true(!this.proves(proof, c), "other size");
    }

    function test_proofOfWrongLength() public view {
        Sum[] memory leaves = _leaves(3);
        Claim memory c = _claim(leaves, 0);
        _true(!this.proves(new Sum[](0), c), "too short");
        Sum[] memory proof = Tree.proof(leaves, 0);
        Sum[] memory longer = new Sum[](3);
        (longer[0], longer[1]) = (proof[0], proof[1]);
        _true(!this.proves(longer, c), "too long");
        c = _claim(leaves, 2);
        _eq(Tree.proof(leaves, 2).length, 1, "the odd leaf moves up");
        _true(this.proves(Tree.proof(leaves, 2), c), "odd leaf");
    }

    /// Sums beyond 64 bits are wrong, not fatal.
    function test_hostileSums() public view {
        Sum[] memory proof = new Sum[](2);
        proof[0].sum = type(uint64).max;
        proof[1].sum = type(uint64).max;
        Claim memory c = Claim("leaf", type(uint64).max, 0, 4, "root", type(uint64).max);
        _true(!this.proves(proof, c), "does not add up");
    }
}
