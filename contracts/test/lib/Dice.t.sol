// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {Bitmap} from "../../src/lib/Bitmap.sol";
import {Dice} from "../../src/lib/Dice.sol";

contract DiceTest is Check {
    /// Word for word what the interface says about the dice.
    function _hit(bytes32 seed, bytes32 root, bytes32 execution, uint256 k, uint16 rate) private pure returns (bool) {
        bytes32 word = keccak256(abi.encode(seed, root, execution, k / 16));
        uint256 lane = uint16(uint256(word) >> (240 - 16 * (k % 16)));
        return lane < rate;
    }

    function testFuzz_roll(bytes32 seed, bytes32 root, bytes32 execution, uint32 count, uint16 rate) public pure {
        count = uint32(_bound(count, 1, 700));
        uint256[] memory hits = Dice.roll(seed, root, execution, count, rate);
        _eq(hits.length, (count + 255) / 256, "words");
        for (uint256 k; k < hits.length * 256; ++k) {
            bool want = k < count && _hit(seed, root, execution, k, rate);
            _true(Bitmap.has(hits, k) == want, "piece");
        }
    }

    function test_rate() public pure {
        uint256[] memory hits = Dice.roll("seed", "root", "execution", 100_000, 1966);
        uint256 size = Bitmap.size(hits);
        _true(size > 2850 && size < 3150, "3 % within three standard deviations");
    }

    function test_leavesMemoryAlone() public pure {
        uint256[] memory hits = Dice.roll("seed", "root", "execution", 300, 65535);
        uint256[] memory next = new uint256[](4);
        for (uint256 i; i < 4; ++i) {
            _eq(next[i], 0, "fresh memory is zero");
        }
        _true(Bitmap.size(hits) > 290, "nearly all");
    }

    function test_mistakes() public pure {
        uint256[] memory hits = new uint256[](2);
        (hits[0], hits[1]) = (7, 8);
        _eq(Dice.mistakes(hits, new uint256[](0)), 4, "nothing listed");
        uint256[] memory listed = new uint256[](2);
        (listed[0], listed[1]) = (6, 1);
        _eq(Dice.mistakes(hits, listed), 3, "two skipped, one foreign");
        _eq(Dice.mistakes(hits, hits), 0, "none");
    }
}
