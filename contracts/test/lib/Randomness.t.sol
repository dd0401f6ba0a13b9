// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Randomness} from "../../src/lib/Randomness.sol";
import {Source} from "../../src/types/Parameters.sol";

/// @title What FEVM has at the address of its beacon, or a chain that answers otherwise.
contract Beacon {
    enum Mood {
        Answer,
        Fail,
        AnswerTooMuch
    }

    Mood private immutable _MOOD;

    constructor(Mood mood) {
        _MOOD = mood;
    }

    fallback(bytes calldata epoch) external returns (bytes memory) {
        require(_MOOD != Mood.Fail && epoch.length == 32);
        bytes32 beacon = keccak256(epoch);
        return _MOOD == Mood.Answer ? abi.encode(beacon) : abi.encode(beacon, beacon);
    }
}

contract RandomnessTest is Check {
    function ofBlock(uint64 target) external view returns (bytes32) {
        return Randomness.ofTarget(Source.Blockhash, target);
    }

    function ofBeacon(uint64 target) external view returns (bytes32) {
        return Randomness.ofTarget(Source.FilecoinBeacon, target);
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

    // ------------------------------------------------------------------ the beacon of Filecoin

    function _beacon(Beacon.Mood mood) private {
        vm.etch(0xfE00000000000000000000000000000000000006, address(new Beacon(mood)).code);
    }

    function test_beaconOfTheEpoch() public {
        _beacon(Beacon.Mood.Answer);
        vm.roll(1001);
        _eq(this.ofBeacon(1000), keccak256(abi.encode(1000)), "one epoch later");
        vm.roll(10_000);
        _eq(this.ofBeacon(1000), keccak256(abi.encode(1000)), "however late");
        _eq(this.ofBeacon(1001), keccak256(abi.encode(1001)), "another epoch");
    }

    function test_beaconUnknown() public {
        _beacon(Beacon.Mood.Answer);
        vm.roll(1000);
        vm.expectRevert(abi.encodeWithSelector(IMarket.TargetUnknown.selector, 1000, 1000));
        this.ofBeacon(1000);
    }

    function test_beaconFails() public {
        vm.roll(1001);
        bytes memory unknown = abi.encodeWithSelector(IMarket.TargetUnknown.selector, 1000, 1001);
        vm.expectRevert(unknown);
        this.ofBeacon(1000); // no such precompile
        _beacon(Beacon.Mood.Fail);
        vm.expectRevert(unknown);
        this.ofBeacon(1000);
        _beacon(Beacon.Mood.AnswerTooMuch);
        vm.expectRevert(unknown);
        this.ofBeacon(1000);
    }
}
