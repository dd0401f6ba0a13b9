// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attack} from "../fixture/Attack.sol";
import {IMarket} from "../../src/IMarket.sol";
import {SeatStatus} from "../../src/types/Seat.sol";

/// @title Those who want to choose who checks, or when, or that nobody does.
contract DrawAttacks is Attack {
    /// The attacker tries every block, early and late, for a draw that suits it: there is only one result.
    function test_drawnEarlyOrLate() public {
        Run memory r = _atDrawing(1, 2);
        uint64 target = r.verification.target;
        vm.roll(target);
        _fails(abi.encodeWithSelector(IMarket.TargetUnknown.selector, target, target));
        _drawCall(r, 2);
        uint256 before = block.timestamp;
        vm.roll(target + 1);
        vm.setBlockhash(target, keccak256("the hash that counts"));
        address early = _whoIsDrawn(r);
        vm.roll(target + 200);
        vm.warp(r.verification.deadline);
        _eq(_whoIsDrawn(r), early, "later blocks draw the same node");
        vm.warp(before);
        _draw(r, 2);
        _eq(r.seats[0].node, early, "the node");
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: 1250, third: 0, burned: 0}));
    }

    /// Draws and takes it back.
    function _whoIsDrawn(Run memory r) private returns (address node) {
        uint256 snapshot = vm.snapshotState();
        Run memory copy = abi.decode(abi.encode(r), (Run));
        _draw(copy, 2);
        node = copy.seats[0].node;
        vm.revertToState(snapshot);
    }

    /// Every node that is drawn stays away: each pays for it, the check is given up, and seat 1 is paid.
    function test_nobodyShowsUp() public {
        Run memory r = _atDrawing(1, 2);
        uint256[NODES] memory absences;
        for (uint256 i; i < 3; ++i) {
            _draw(r, 2);
            for (uint256 k; k < NODES; ++k) {
                if (r.seats[0].node == _node(k)) ++absences[k];
            }
            _miss(r);
        }
        _eq(uint8(r.seats[0].status), uint8(SeatStatus.Vacant), "given up");
        _settleVerified(r);
        _over(r);
        for (uint256 k; k < NODES; ++k) {
            _eq(_wealth(_node(k)), PURSE - 300 * absences[k] + (k == 0 ? 1000 : 0), "node");
        }
        _eq(_wealth(client), PURSE - 1000, "client");
        _eq(market.burned(), 900, "burned");
    }

    /// A drawn node stays silent in the hope of the seat's other redraws: whatever the block, it is not drawn next.
    function test_silentNodeIsPassedOver() public {
        Run memory r = _atRunning(1, 2);
        address silent = r.seats[0].node;
        _miss(r);
        vm.roll(r.seats[0].target + 1);
        for (uint256 i; i < 50; ++i) {
            vm.setBlockhash(r.seats[0].target, keccak256(abi.encode(i)));
            _true(_whoIsDrawn(r) != silent, "another one");
        }
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(_wealth(silent), PURSE - 300, "the silent node");
        _eq(_wealth(r.execution.node), PURSE + 1000, "seat 1");
        _eq(_wealth(r.seats[0].node), PURSE + 1250, "who sits instead");
        _eq(_wealth(client), PURSE - 1000 - 1250, "client");
        _eq(market.burned(), 300, "burned");
    }

    /// The drawn node of seat 2 misses its deadline.
    function _miss(Run memory r) private {
        vm.warp(r.seats[0].deadline + 1);
        vm.recordLogs();
        market.timeoutSeat(r.terms, r.execution, r.seats[0]);
        r.seats[0] = _toldSeat();
    }

    /// Whatever the block, the one node that is left is drawn, also where chance tries 32 other places.
    function test_lastNodeIsAlwaysFound() public {
        Run memory r = _atDrawing(1, 2);
        for (uint256 i = 1; i < NODES - 1; ++i) {
            vm.prank(_node(i));
            market.pause();
        }
        vm.roll(r.verification.target + 1);
        for (uint256 i; i < 500; ++i) {
            vm.setBlockhash(r.verification.target, keccak256(abi.encode(i)));
            _eq(_whoIsDrawn(r), _node(NODES - 1), "the last node");
        }
    }

    /// All nodes but the attacker's leave: its own result is not checked by itself, the check is given up.
    function test_everybodyElseLeaves() public {
        Run memory r = _atDrawing(1, 2);
        for (uint256 i = 1; i < NODES; ++i) {
            vm.prank(_node(i));
            market.exit();
        }
        vm.roll(block.number + 2);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
        vm.warp(r.verification.deadline + 1);
        _vacate(r, 2);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000, first: 1000, second: 0, third: 0, burned: 0}));
    }

    /// A second before every deadline its timeout fails, a second after it the action does.
    function test_deadlinesToTheSecond() public {
        Run memory r = _atDrawing(1, 2);
        uint64 end = r.verification.deadline;
        vm.roll(r.verification.target + 1);
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        _vacateCall(r, 2);
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _drawCall(r, 2);
        vm.warp(end);
        _draw(r, 2);
        end = r.seats[0].deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutSeat(r.terms, r.execution, r.seats[0]);
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.prank(r.seats[0].node);
        market.commitVerification(r.seats[0], "root", 1, "");
        vm.warp(end);
        _commitSeat(r, 2);
        end = _silentUntil(r);
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
        end = _resolveUntil(r);
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _settleVerified(r);
        vm.warp(end);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: 1250, third: 0, burned: 0}));
    }
}
