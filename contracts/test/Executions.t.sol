// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Execution, Status} from "../src/types/Execution.sol";
import {Terms} from "../src/types/Job.sol";
import {Leaf} from "../src/types/Seat.sol";

contract ExecutionsTest is Game {
    address private constant STRANGER = address(0x57A);

    function _stale(Execution memory e) private view returns (bytes memory) {
        bytes32 have = keccak256(abi.encode(e));
        return abi.encodeWithSelector(IMarket.StaleRecord.selector, e.id, market.executionHash(e.id), have);
    }

    // ------------------------------------------------------------------ commitResult

    function test_commit() public {
        Run memory r = _atAssigned(1, 2, NEVER);
        Leaf[] memory leaves = _leaves(r, r.execution.node, new uint256[](0));
        bytes32 root = keccak256(abi.encode(leaves[0]));
        vm.warp(r.execution.deadline);
        vm.expectEmit(address(market));
        emit IMarket.ResultCommitted(r.execution.id, root, 40, uint64(block.timestamp) + 100, abi.encode(leaves[0]));
        _commitLeaves(r, leaves);
        _eq(market.executionHash(r.execution.id), keccak256(abi.encode(r.execution)), "record");
    }

    function test_commitByOther() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        _fails(abi.encodeWithSelector(IMarket.NotNode.selector, STRANGER, r.execution.node));
        vm.prank(STRANGER);
        market.commitResult(r.execution, "root", 1, "");
    }

    function test_commitTooLate() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.prank(r.execution.node);
        market.commitResult(r.execution, "root", 1, "");
    }

    function test_commitTwice() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        Execution memory old = abi.decode(abi.encode(r.execution), (Execution));
        _commit(r);
        _fails(_stale(old));
        vm.prank(old.node);
        market.commitResult(old, "root", 1, "");
        bytes32 id = r.execution.id;
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, id, Status.Committed, Status.Assigned));
        vm.prank(old.node);
        market.commitResult(r.execution, "root", 1, "");
    }

    function _mismatch(Run memory r, bytes memory leaves, bytes32 root, uint64 fuel) private {
        _fails(abi.encodeWithSelector(IMarket.LeafMismatch.selector, keccak256(leaves), root));
        vm.prank(r.execution.node);
        market.commitResult(r.execution, root, fuel, leaves);
    }

    function test_commitLeaf() public {
        Run memory r = _atAssigned(1, 2, NEVER);
        Leaf memory leaf = _leaf(r.execution.id, r.execution.node, 0, _truth(0));
        bytes memory encoded = abi.encode(leaf);
        _mismatch(r, encoded, "another root", 40);
        _mismatch(r, encoded, keccak256(encoded), 41);
        _mismatch(r, "", keccak256(""), 40);
        encoded = bytes.concat(encoded, bytes32(0));
        _mismatch(r, encoded, keccak256(encoded), 40);
        leaf.index = 1;
        encoded = abi.encode(leaf);
        _mismatch(r, encoded, keccak256(encoded), 40);
        // A parity that no Leaf can hold could never be opened.
        encoded = abi.encode(0, leaf.rx, 256, leaf.c, leaf.fuel, leaf.output);
        _mismatch(r, encoded, keccak256(encoded), 40);
    }

    function test_commitLongText() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        _fails(abi.encodeWithSelector(IMarket.LeavesTooLong.selector, 65, 64));
        vm.prank(r.execution.node);
        market.commitResult(r.execution, "root", 1, new bytes(65));
        vm.prank(r.execution.node);
        market.commitResult(r.execution, "root", 1, new bytes(64));
    }

    // ------------------------------------------------------------------ timeoutAssigned

    function test_timeoutAssigned() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        uint64 end = r.execution.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutAssigned(r.terms, r.execution);
        vm.warp(end + 1);
        vm.expectEmit(address(market));
        emit IMarket.NoShowBurned(r.execution.id, 1, r.execution.node, 300);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionReturned(r.execution.id, r.execution.id, 0, 2);
        vm.prank(STRANGER);
        market.timeoutAssigned(r.terms, r.execution);
        _eq(market.burned(), 300, "burned");
        _eq(_wallet(r.execution.node).locked, 0, "the rest of the fine is back");
        _eq(_wallet(client).locked, 2000, "the bond is back, the escrow waits");
        _conserved();
    }

    function test_timeoutAssignedWithOtherTerms() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        vm.warp(r.execution.deadline + 1);
        r.terms.fine = 1_000_000;
        bytes32 other = market.jobId(r.terms);
        _fails(abi.encodeWithSelector(IMarket.WrongJob.selector, r.execution.job, other));
        market.timeoutAssigned(r.terms, r.execution);
    }

    function test_timeoutAssignedAfterCommit() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        vm.warp(r.execution.deadline + 1);
        bytes32 id = r.execution.id;
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, id, Status.Committed, Status.Assigned));
        market.timeoutAssigned(r.terms, r.execution);
    }

    // ------------------------------------------------------------------ settle

    function test_settle() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        vm.warp(r.execution.deadline);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionSettled(r.execution.id, 2000, false);
        _settle(r);
        _over(r);
        _fails(_stale(r.execution));
        _settle(r);
    }

    function test_settleByOther() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.settle(r.terms, r.execution, r.seed);
    }

    function test_settleTooLate() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _settle(r);
    }

    function test_settleUnconfirmed() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        uint64 committed = r.execution.committedBlock;
        vm.roll(committed + 1);
        _fails(abi.encodeWithSelector(IMarket.Unconfirmed.selector, committed, committed + 2, committed + 1));
        _settle(r);
        vm.roll(committed + 2);
        _settle(r);
    }

    function test_settleBeforeCommit() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        bytes32 id = r.execution.id;
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, id, Status.Assigned, Status.Committed));
        _settle(r);
    }

    function test_settleWrongSeed() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        bytes32 have = keccak256(abi.encode(bytes32("another")));
        r.seed = "another";
        _fails(abi.encodeWithSelector(IMarket.WrongSeed.selector, have, r.execution.seedHash));
        _settle(r);
    }

    /// Who does not verify what the dice hit pays with its whole bond; the node is paid all the same.
    function test_settleSkippingHits() public {
        Run memory r = _atCommitted(2, 2, ALWAYS);
        vm.expectEmit(address(market));
        emit IMarket.BondBurned(r.execution.id, client, 20_000);
        _settle(r);
        _over(r);
        _eq(market.burned(), 20_000, "burned");
        _eq(_wealth(r.execution.node), PURSE + 2000, "node");
        _eq(_wealth(client), PURSE - 22_000, "client");
    }

    // ------------------------------------------------------------------ timeoutCommitted

    function test_timeoutCommitted() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        uint64 end = r.execution.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutCommitted(r.terms, r.execution);
        vm.warp(end + 1);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionSettled(r.execution.id, 2000, true);
        vm.expectEmit(address(market));
        emit IMarket.BondBurned(r.execution.id, client, 20_000);
        vm.prank(STRANGER);
        market.timeoutCommitted(r.terms, r.execution);
        _over(r);
        _eq(_wealth(r.execution.node), PURSE + 2000, "node");
        _eq(_wealth(client), PURSE - 22_000, "client");
    }

    function test_wrongTermsEverywhere() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        Terms memory terms = r.terms;
        terms.bid = 2000;
        bytes memory why = abi.encodeWithSelector(IMarket.WrongJob.selector, r.execution.job, market.jobId(terms));
        _fails(why);
        _settle(r);
        _fails(why);
        market.timeoutCommitted(terms, r.execution);
        _fails(why);
        _verify(r, 2000, _list(1));
    }
}
