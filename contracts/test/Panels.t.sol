// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Verification} from "../src/types/Execution.sol";
import {Seat, SeatStatus} from "../src/types/Seat.sol";

/// @title What becomes of a panel: its seats' timeouts, the third seat, the settlement.
contract PanelsTest is Game {
    address private constant STRANGER = address(0x57A);

    function _notClient() private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client);
    }

    // ------------------------------------------------------------------ timeouts of seats

    function test_timeoutDrawing() public {
        Run memory r = _atDrawing(2, 2);
        uint64 end = r.verification.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        _vacateCall(r, 2);
        vm.warp(end + 1);
        Seat memory vacant = _emptySeat(r, 2, 2, r.verification.target, 0);
        _finish(vacant, SeatStatus.Vacant);
        vm.expectEmit(address(market));
        emit IMarket.SeatChanged(r.execution.id, 2, vacant);
        vm.prank(STRANGER);
        _vacate(r, 2);
        _eq(market.seatHash(r.execution.id, 2), keccak256(abi.encode(vacant)), "record");
        _settleVerified(r);
        _over(r);
        _eq(_wealth(r.execution.node), PURSE + 2000, "seat 1 is paid");
        _eq(_wealth(client), PURSE - 2000, "the checks' price is back");
    }

    function test_timeoutDrawingOfRunningSeat() public {
        Run memory r = _atRunning(2, 2);
        vm.warp(r.seats[0].deadline + 1);
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongSeatStatus.selector, r.execution.id, 2, SeatStatus.Running, SeatStatus.Drawing
            )
        );
        _vacateCall(r, 2);
    }

    function _expireSeat(Run memory r) private {
        Seat memory seat = r.seats[0];
        uint64 end = seat.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutSeat(r.terms, r.execution, seat);
        vm.warp(end + 1);
        vm.recordLogs();
        vm.prank(STRANGER);
        market.timeoutSeat(r.terms, r.execution, seat);
        if (seat.redraws == 2) {
            seat.node = address(0);
            _finish(seat, SeatStatus.Vacant);
        } else {
            seat.status = SeatStatus.Drawing;
            seat.redraws += 1;
            seat.target = uint64(block.number) + 1;
            seat.deadline = uint64(block.timestamp) + 50;
        }
        _eq(keccak256(abi.encode(_toldSeat())), keccak256(abi.encode(seat)), "seat");
    }

    function test_timeoutSeatUntilVacant() public {
        Run memory r = _atRunning(2, 2);
        _expireSeat(r);
        _eq(market.burned(), 300, "no-show fee");
        _draw(r, 2);
        _expireSeat(r);
        _draw(r, 2);
        _expireSeat(r);
        _eq(market.burned(), 900, "three of them");
        _settleVerified(r);
        _over(r);
        _eq(_wealth(client), PURSE - 2000, "the client paid seat 1 only");
    }

    function test_redrawnSeatCommits() public {
        Run memory r = _atRunning(2, 2);
        address failed = r.seats[0].node;
        _expireSeat(r);
        _draw(r, 2);
        _true(r.seats[0].node != failed, "another node");
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(market.burned(), 300, "no-show fee");
    }

    /// The only node that could be drawn has just failed there.
    function test_redrawnSeatStaysEmpty() public {
        Run memory r = _atRunning(2, 2);
        _expireSeat(r);
        for (uint256 i = 1; i < NODES; ++i) {
            if (_node(i) == r.seats[0].node) continue;
            vm.prank(_node(i));
            market.exit();
        }
        vm.roll(r.seats[0].target + 1);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.seats[0].target));
        _drawCall(r, 2);
        vm.warp(r.seats[0].deadline + 1);
        _vacate(r, 2);
        _settleVerified(r);
        _over(r);
    }

    function test_timeoutSeatWithOtherTerms() public {
        Run memory r = _atRunning(2, 2);
        vm.warp(r.seats[0].deadline + 1);
        r.terms.fine = 1_000_000;
        bytes32 other = market.jobId(r.terms);
        _fails(abi.encodeWithSelector(IMarket.WrongJob.selector, r.execution.job, other));
        market.timeoutSeat(r.terms, r.execution, r.seats[0]);
    }

    /// A seat of one execution cannot be timed out under the terms of another one.
    function test_timeoutSeatOfOtherExecution() public {
        Run memory victim = _atRunning(2, 2);
        Run memory other = _atDrawing(2, 2);
        vm.warp(victim.seats[0].deadline + 1);
        bytes32 key = keccak256(abi.encode(other.execution.id, uint8(2)));
        bytes32 have = keccak256(abi.encode(victim.seats[0]));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, key, 0, have));
        market.timeoutSeat(other.terms, other.execution, victim.seats[0]);
    }

    // ------------------------------------------------------------------ escalate

    function _escalateCall(Run memory r, uint32 piece) private {
        vm.prank(client);
        market.escalate(r.terms, r.execution, r.verification, _panel(r), piece);
    }

    function test_escalate() public {
        Run memory r = _atResolving(2, 2);
        vm.warp(r.seats[0].doneAt + 100);
        uint256 before = _wallet(client).locked;
        Verification memory v = abi.decode(abi.encode(r.verification), (Verification));
        (v.escalated, v.thirdTarget) = (1, uint64(block.number) + 1);
        v.thirdDeadline = uint64(block.timestamp) + 50;
        vm.expectEmit(address(market));
        emit IMarket.VerificationEscalated(r.execution.id, v);
        _escalate(r, 1);
        _eq(_wallet(client).locked, before + 1250, "pay for the third seat");
        _eq(market.executionHash(r.execution.id), keccak256(abi.encode(r.execution)), "record");
    }

    function test_escalateRefused() public {
        Run memory r = _atRunning(3, 2);
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongSeatStatus.selector, r.execution.id, 2, SeatStatus.Running, SeatStatus.Committed
            )
        );
        _escalateCall(r, 0);
        _commitSeat(r, 2);
        _fails(_notClient());
        vm.prank(STRANGER);
        market.escalate(r.terms, r.execution, r.verification, _panel(r), 0);
        _fails(abi.encodeWithSelector(IMarket.NotListed.selector, 3));
        _escalateCall(r, 3);
        uint64 end = r.seats[0].doneAt + 100;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _escalateCall(r, 0);
        vm.warp(end);
        Seat memory second = r.seats[0];
        r.seats[0] = r.seats[1];
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 2));
        _escalateCall(r, 0);
        r.seats[0] = second;
        _escalate(r, 2);
        _fails(abi.encodeWithSelector(IMarket.AlreadyEscalated.selector, 2));
        _escalateCall(r, 0);
    }

    function test_escalateEagerPanel() public {
        Run memory r = _atResolving(2, 3);
        _fails(abi.encodeWithSelector(IMarket.AlreadyEscalated.selector, 0));
        _escalateCall(r, 0);
    }

    function test_escalatePaid() public {
        Run memory r = _atResolving(2, 2);
        vm.prank(client);
        market.withdraw(uint96(PURSE - 2000 - 20_000 - 2 * 1250 - 1249));
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, 1249, 1250));
        _escalateCall(r, 0);
    }

    /// Nobody could be drawn for the third seat: all are paid as without it.
    function test_escalatedSeatStaysEmpty() public {
        Run memory r = _atResolving(2, 2);
        _escalate(r, 0);
        vm.warp(r.verification.thirdDeadline + 1);
        _vacate(r, 3);
        _settleVerified(r);
        _over(r);
        _eq(_wealth(client), PURSE - 2000 - 2 * 1250, "client");
    }

    // ------------------------------------------------------------------ settleVerified

    function test_settleVerifiedRefused() public {
        Run memory r = _atRunning(2, 3);
        _fails(_notClient());
        vm.prank(STRANGER);
        market.settleVerified(r.terms, r.execution, r.verification, _panel(r), r.seed);
        _fails(abi.encodeWithSelector(IMarket.PanelRunning.selector, 2));
        _settleVerified(r);
        _commitSeat(r, 2);
        _fails(abi.encodeWithSelector(IMarket.PanelRunning.selector, 3));
        _settleVerified(r);
        _commitSeat(r, 3);
        uint64 end = r.seats[1].doneAt + 100;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _settleVerified(r);
        vm.warp(end);
        bytes32 have = keccak256(abi.encode(bytes32("another")));
        _fails(abi.encodeWithSelector(IMarket.WrongSeed.selector, have, r.execution.seedHash));
        vm.prank(client);
        market.settleVerified(r.terms, r.execution, r.verification, _panel(r), "another");
        _settleVerified(r);
        _over(r);
    }

    function test_settleVerifiedWrongPanel() public {
        Run memory r = _atResolving(2, 3);
        Seat[] memory seats = new Seat[](1);
        seats[0] = r.seats[0];
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 3));
        _settleWith(r, seats);
        seats = new Seat[](3);
        (seats[0], seats[1], seats[2]) = (r.seats[0], r.seats[1], r.seats[1]);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 3, 0));
        _settleWith(r, seats);
        seats[1] = r.seats[0];
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 2, 3));
        _settleWith(r, seats);
    }

    function _settleWith(Run memory r, Seat[] memory seats) private {
        vm.prank(client);
        market.settleVerified(r.terms, r.execution, r.verification, seats, r.seed);
    }

    /// Half of the hits were not verified: half of the bond is burned.
    function test_skippedHitsCostTheirShare() public {
        Run memory r = _atCommitted(4, 2, ALWAYS);
        _verify(r, 1250, _list(5));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(market.burned(), 10_000, "burned");
        _eq(_wealth(client), PURSE - 4000 - 2 * 1250 - 10_000, "client");
    }

    /// No piece was hit, but one was verified: the whole bond is burned.
    function test_foreignPiecesCostTheBond() public {
        Run memory r = _atCommitted(4, 2, NEVER);
        _verify(r, 1250, _list(1));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(market.burned(), 20_000, "burned");
    }

    // ------------------------------------------------------------------ timeoutSilent

    function test_timeoutSilent() public {
        Run memory r = _atResolving(2, 3);
        uint64 end = _silentUntil(r);
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
        vm.warp(end + 1);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 2, r.seats[0].node, 2500);
        vm.prank(STRANGER);
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
        _over(r);
        _eq(market.burned(), 20_000, "the bond");
        _eq(_wealth(r.execution.node), PURSE + 2000, "seat 1");
        _eq(_wealth(r.seats[1].node), PURSE + 2500, "seat 3");
    }

    /// The window opens with the last seat, whichever that is.
    function test_resolvingCountsFromTheLastSeat() public {
        Run memory r = _atRunning(2, 3);
        _commitSeat(r, 3);
        vm.warp(block.timestamp + 40);
        _commitSeat(r, 2);
        uint64 end = r.seats[0].doneAt + 100 + 150;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
        vm.warp(end - 150);
        _settleVerified(r);
        _over(r);
    }

    function test_timeoutSilentWhileRunning() public {
        Run memory r = _atRunning(2, 2);
        vm.warp(r.seats[0].deadline + 1000);
        _fails(abi.encodeWithSelector(IMarket.PanelRunning.selector, 2));
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
    }
}
