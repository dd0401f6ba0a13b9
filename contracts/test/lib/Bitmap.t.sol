// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Bitmap} from "../../src/lib/Bitmap.sol";

contract BitmapTest is Check {
    function _count(uint256 x) private pure returns (uint256 ones) {
        for (; x != 0; x >>= 1) {
            ones += x & 1;
        }
    }

    function testFuzz_ones(uint256 x) public pure {
        _eq(Bitmap.ones(x), _count(x), "ones");
    }

    function test_onesAtTheEnds() public pure {
        _eq(Bitmap.ones(0), 0, "none");
        _eq(Bitmap.ones(type(uint256).max), 256, "all");
        _eq(Bitmap.ones(type(uint256).max - 1), 255, "all but one");
    }

    function testFuzz_rank(uint256[3] memory fixedWords, uint256 k) public pure {
        k = _bound(k, 0, 767);
        uint256[] memory words = new uint256[](3);
        uint256 below;
        for (uint256 i; i < 3; ++i) {
            words[i] = fixedWords[i];
        }
        for (uint256 i; i < k; ++i) {
            if (Bitmap.has(words, i)) ++below;
        }
        _eq(Bitmap.rank(words, k), below, "rank");
    }

    function test_hasNothingBehindTheEnd() public pure {
        uint256[] memory words = new uint256[](1);
        words[0] = type(uint256).max;
        _true(Bitmap.has(words, 255) && !Bitmap.has(words, 256), "end");
    }

    function members(uint256[] memory words, uint32 count) external pure returns (uint32) {
        return Bitmap.requireSubset(words, count);
    }

    function test_subset() public {
        uint256[] memory words = new uint256[](2);
        (words[0], words[1]) = (1 << 255, 1);
        _eq(this.members(words, 257), 2, "two");
        words[1] = type(uint256).max;
        _eq(this.members(words, 512), 257, "full last word");
        vm.expectRevert(abi.encodeWithSelector(IMarket.BadList.selector));
        this.members(words, 511);
        vm.expectRevert(abi.encodeWithSelector(IMarket.BadList.selector));
        this.members(words, 256);
        vm.expectRevert(abi.encodeWithSelector(IMarket.BadList.selector));
        this.members(words, 513);
    }
}
