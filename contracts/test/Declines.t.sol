// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Execution, Status} from "../src/types/Execution.sol";
import {Terms} from "../src/types/Job.sol";
import {Seat, SeatStatus} from "../src/types/Seat.sol";

/// @title Nodes that give work back in time.
contract DeclinesTest is Game {
    address private constant STRANGER = address(0x57A);

    function _decline(Run memory r) private {
        vm.prank(r.execution.node);
        market.decline(r.terms, r.execution);
    }

    function _rest(Run memory r) private pure returns (Execution memory) {
        return _returned(r.execution, r.execution.id, r.execution.from, r.execution.count);
    }

    function test_decline() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        vm.warp(r.execution.deadline - 30);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionDeclined(r.execution.id, r.execution.node);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionReturned(r.execution.id, r.execution.id, 0, 2);
        _decline(r);
        _eq(market.executionHash(r.execution.id), keccak256(abi.encode(_rest(r))), "record");
        _eq(_wallet(r.execution.node).locked, 0, "fine");
        _eq(_wallet(client).locked, 2000, "the bond is back, the price stays");
        _eq(market.burned(), 0, "nothing burned");
        Run memory again = _acceptReturned(r.terms, _rest(r), 1, 2);
        _commit(again);
        _settle(again);
        _over(again);
    }

    function test_declineRefused() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        _fails(abi.encodeWithSelector(IMarket.NotNode.selector, STRANGER, r.execution.node));
        vm.prank(STRANGER);
        market.decline(r.terms, r.execution);
        uint64 half = r.execution.deadline - 30;
        vm.warp(half + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, half, half + 1));
        _decline(r);
        vm.warp(half);
        _commit(r);
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, Status.Committed, Status.Assigned));
        _decline(r);
    }

    /// Half of an odd window is rounded in favour of the node.
    function test_declineOddWindow() public {
        Run memory r;
        r.terms = _terms(1, 2, NEVER);
        r.terms.executeWindow = 61;
        _create(r.terms);
        r = _accept(r.terms, 0, 1);
        uint64 half = uint64(block.timestamp) + 31;
        vm.warp(half + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, half, half + 1));
        _decline(r);
        vm.warp(half);
        _decline(r);
    }

    /// Two a day, whatever was declined; at midnight of UTC the count starts again.
    function test_declineTooOften() public {
        uint256 midnight = (block.timestamp / 1 days + 1) * 1 days;
        vm.warp(midnight - 20);
        Run memory r = _atAssigned(1, 2, NEVER);
        _decline(r);
        r = _acceptReturned(r.terms, _rest(r), 0, 1);
        _decline(r);
        r = _acceptReturned(r.terms, _rest(r), 0, 1);
        _fails(abi.encodeWithSelector(IMarket.TooManyDeclines.selector, r.execution.node, 2));
        _decline(r);
        Terms memory terms = _terms(1, 2, NEVER);
        _create(terms);
        _decline(_accept(terms, 1, 1)); // another node has a count of its own
        vm.warp(midnight - 1);
        _fails(abi.encodeWithSelector(IMarket.TooManyDeclines.selector, r.execution.node, 2));
        _decline(r);
        vm.warp(midnight);
        _decline(r);
    }

    // ------------------------------------------------------------------ seats

    function _declineSeat(Run memory r) private {
        vm.prank(r.seats[0].node);
        market.declineSeat(r.terms, r.execution, r.seats[0]);
    }

    function _toDraw(Run memory r) private view {
        Seat memory seat = r.seats[0];
        seat.status = SeatStatus.Drawing;
        seat.redraws += 1;
        seat.target = uint64(block.number) + 1;
        seat.deadline = uint64(block.timestamp) + _parameters().drawWindow;
    }

    function test_declineSeat() public {
        Run memory r = _atRunning(2, 2);
        address node = r.seats[0].node;
        vm.warp(r.seats[0].deadline - 30);
        vm.recordLogs();
        _declineSeat(r);
        _toDraw(r);
        _eq(keccak256(abi.encode(_toldSeat())), keccak256(abi.encode(r.seats[0])), "to be drawn again");
        _eq(_wallet(node).locked, 0, "fine");
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(market.burned(), 0, "nothing burned");
    }

    function test_declineSeatTold() public {
        Run memory r = _atRunning(2, 2);
        vm.expectEmit(address(market));
        emit IMarket.SeatDeclined(r.execution.id, 2, r.seats[0].node);
        _declineSeat(r);
    }

    function test_declineSeatRefused() public {
        Run memory r = _atRunning(2, 2);
        _fails(abi.encodeWithSelector(IMarket.NotNode.selector, STRANGER, r.seats[0].node));
        vm.prank(STRANGER);
        market.declineSeat(r.terms, r.execution, r.seats[0]);
        uint64 half = r.seats[0].deadline - 30;
        vm.warp(half + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, half, half + 1));
        _declineSeat(r);
        _commitSeat(r, 2);
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongSeatStatus.selector, r.execution.id, 2, SeatStatus.Committed, SeatStatus.Running
            )
        );
        _declineSeat(r);
    }

    function test_declineSeatUntilVacant() public {
        Run memory r = _atRunning(1, 2);
        for (uint256 i; i < 2; ++i) {
            _declineSeat(r);
            _toDraw(r);
            _draw(r, 2);
        }
        _declineSeat(r);
        r.seats[0].node = address(0);
        _finish(r.seats[0], SeatStatus.Vacant);
        _eq(market.seatHash(r.execution.id, 2), keccak256(abi.encode(r.seats[0])), "vacant");
        _settleVerified(r);
        _over(r);
        _eq(_wealth(client), PURSE - 1000, "the client paid seat 1 only");
    }
}
