// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Randomness} from "../../src/lib/Randomness.sol";

contract RandomnessTest is Check {
    function ofBlock(uint64 target) external view returns (bytes32) {
        return Randomness.ofBlock(target);
    }

    function test_unknown() public {
        vm.roll(1000);
        vm.expectRevert(abi.encodeWithSelector(IMarket.TargetUnknown.selector, 1000, 1000));
        this.ofBlock(1000);
        vm.expectRevert(abi.encodeWithSelector(IMarket.TargetUnknown.selector, 1001, 1000));
        this.ofBlock(1001);
    }

    /// The target counts as long as its hash is known, then every 256th block after it.
    function test_retarget() public {
        vm.roll(1001);
        vm.setBlockhash(1000, "target");
        _eq(this.ofBlock(1000), "target", "one block later");
        vm.roll(1256);
        vm.setBlockhash(1000, "target");
        _eq(this.ofBlock(1000), "target", "256 blocks later");
        vm.roll(1257);
        vm.setBlockhash(1256, "second");
        _eq(this.ofBlock(1000), "second", "257 blocks later");
        vm.roll(1512);
        vm.setBlockhash(1256, "second");
        _eq(this.ofBlock(1000), "second", "512 blocks later");
        vm.roll(1513);
        vm.setBlockhash(1512, "third");
        _eq(this.ofBlock(1000), "third", "513 blocks later");
    }

    /// There is a hash at any time.
    function testFuzz_always(uint64 target, uint64 delay) public {
        target = uint64(_bound(target, 1, 1e9));
        vm.roll(target + _bound(delay, 1, 1e9));
        _true(this.ofBlock(target) != 0, "hash");
    }
}
