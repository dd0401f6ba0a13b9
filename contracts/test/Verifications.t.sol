// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Disputes} from "../src/Disputes.sol";
import {Status} from "../src/types/Execution.sol";
import {Terms} from "../src/types/Job.sol";
import {Leaf, Seat, SeatStatus} from "../src/types/Seat.sol";

contract VerificationsTest is Game {
    address private constant STRANGER = address(0x57A);

    function _notClient() private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client);
    }

    // ------------------------------------------------------------------ verify

    function test_verify() public {
        Run memory r = _atCommitted(5, 2, ALWAYS);
        vm.warp(r.execution.deadline);
        _verify(r, 1500, _list(0x15));
        _eq(market.executionHash(r.execution.id), keccak256(abi.encode(r.execution)), "record");
        _eq(_wallet(client).locked, 5000 + 20_000 + 3 * 1500, "pay for three checks");
        _eq(market.seatHash(r.execution.id, 2), 0, "nobody drawn");
    }

    function test_verifyEagerly() public {
        Run memory r = _atCommitted(5, 3, ALWAYS);
        vm.expectEmit(address(market));
        emit IMarket.VerificationRequested(
            r.execution.id, 1500, _list(3), uint64(block.number) + 1, uint64(block.timestamp) + 50
        );
        _verify(r, 1500, _list(3));
        _eq(_wallet(client).locked, 5000 + 20_000 + 4 * 1500, "pay for two verifiers");
    }

    function test_verifyRefused() public {
        Run memory r = _atCommitted(5, 2, ALWAYS);
        _fails(_notClient());
        vm.prank(STRANGER);
        market.verify(r.terms, r.execution, 1500, _list(1));
        _fails(abi.encodeWithSelector(IMarket.BidLowered.selector, 999, 1000));
        _verifyCall(r, 999, _list(1));
        bytes memory badList = abi.encodeWithSelector(IMarket.BadList.selector);
        _fails(badList);
        _verifyCall(r, 1000, _list(0));
        _fails(badList);
        _verifyCall(r, 1000, _list(0x21));
        _fails(badList);
        _verifyCall(r, 1000, new uint256[](0));
        _fails(badList);
        _verifyCall(r, 1000, new uint256[](2));
    }

    function _verifyCall(Run memory r, uint96 bid, uint256[] memory listed) private {
        vm.prank(client);
        market.verify(r.terms, r.execution, bid, listed);
    }

    function test_verifyOutsideItsTime() public {
        Run memory r = _atCommitted(5, 2, ALWAYS);
        uint64 committed = r.execution.committedBlock;
        vm.roll(committed + 1);
        _fails(abi.encodeWithSelector(IMarket.Unconfirmed.selector, committed, committed + 2, committed + 1));
        _verifyCall(r, 1000, _list(1));
        vm.roll(committed + 2);
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _verifyCall(r, 1000, _list(1));
    }

    function test_verifyOnce() public {
        Run memory r = _atDrawing(2, 2);
        bytes32 id = r.execution.id;
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, id, Status.Verifying, Status.Committed));
        _verifyCall(r, 2000, _list(1));
    }

    function test_verifyPaid() public {
        Run memory r = _atCommitted(2, 2, ALWAYS);
        uint256 have = _wallet(client).free;
        uint96 bid = uint96(have / 2 + 1);
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, have, 2 * uint256(bid)));
        _verifyCall(r, bid, _list(3));
        _verifyCall(r, uint96(have / 2), _list(3));
    }

    // ------------------------------------------------------------------ draw

    function test_draw() public {
        Run memory r = _atDrawing(2, 3);
        vm.warp(r.verification.deadline);
        _draw(r, 2);
        _draw(r, 3);
        address a = r.seats[0].node;
        address b = r.seats[1].node;
        _true(a != b && a != r.execution.node && b != r.execution.node, "three different nodes");
        _eq(_wallet(a).locked, 7000, "fine of seat 2");
        _eq(market.seatHash(r.execution.id, 3), keccak256(abi.encode(r.seats[1])), "record");
    }

    function test_drawWhenTargetIsKnown() public {
        Run memory r = _atDrawing(2, 2);
        uint64 target = r.verification.target;
        vm.roll(target);
        _fails(abi.encodeWithSelector(IMarket.TargetUnknown.selector, target, target));
        _drawCall(r, 2);
        vm.roll(target + 1);
        _drawCall(r, 2);
    }

    function test_drawTooLate() public {
        Run memory r = _atDrawing(2, 2);
        uint64 end = r.verification.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _drawCall(r, 2);
    }

    function test_drawOnce() public {
        Run memory r = _atRunning(2, 2);
        bytes memory why = abi.encodeWithSelector(
            IMarket.WrongSeatStatus.selector, r.execution.id, 2, SeatStatus.Running, SeatStatus.Drawing
        );
        _fails(why);
        _drawCall(r, 2);
        // The seat as it was before the draw is out of date.
        Seat[] memory old = new Seat[](1);
        old[0] = _emptySeat(r, 2, 2, r.verification.target, r.verification.deadline);
        bytes32 key = keccak256(abi.encode(r.execution.id, uint8(2)));
        bytes32 want = keccak256(abi.encode(r.seats[0]));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, key, want, keccak256(abi.encode(old[0]))));
        market.draw(r.terms, r.execution, r.verification, old, 2);
    }

    function test_drawWrongSeats() public {
        Run memory r = _atDrawing(2, 2);
        vm.roll(block.number + 2);
        uint8[4] memory numbers = [0, 1, 3, 255];
        for (uint256 i; i < numbers.length; ++i) {
            _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, numbers[i], 2));
            market.draw(r.terms, r.execution, r.verification, new Seat[](0), numbers[i]);
        }
        // A seat that no event has told of has no record to bring.
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 2, 0));
        market.draw(r.terms, r.execution, r.verification, _panel(r), 2);

        r = _atRunning(2, 3);
        Seat[] memory seats = _panel(r);
        (seats[0], seats[1]) = (seats[1], seats[0]);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 3, 2));
        market.draw(r.terms, r.execution, r.verification, seats, 2);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 2));
        market.draw(r.terms, r.execution, r.verification, new Seat[](0), 2);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 4, 3));
        market.draw(r.terms, r.execution, r.verification, _panel(r), 4);
    }

    function test_drawWrongVerification() public {
        Run memory r = _atDrawing(2, 2);
        bytes32 want = r.execution.verification;
        r.verification.bid = 1;
        bytes32 have = keccak256(abi.encode(r.verification));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, r.execution.id, want, have));
        _drawCall(r, 2);
    }

    /// Only a node that can be fined sits; when there is none the draw can be tried again later.
    function test_drawNobody() public {
        for (uint256 i = 1; i < NODES; ++i) {
            _impoverish(i);
        }
        Run memory r = _atDrawing(2, 2);
        vm.roll(block.number + 2);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
        _fund(_node(5), 300);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
        Run memory later = _atDrawing(2, 2);
        _draw(later, 2);
        _eq(later.seats[0].node, _node(5), "the one eligible node is found");
    }

    /// A fine that is not free any more counts as none.
    function test_drawNobodyFree() public {
        Run memory r = _atDrawing(2, 2);
        for (uint256 i = 1; i < NODES; ++i) {
            Terms memory terms = _terms(1, 2, NEVER);
            _create(terms);
            _accept(terms, i, 1);
            vm.prank(_node(i));
            market.withdraw(uint96(PURSE - 7000 - 6_999));
        }
        vm.roll(block.number + 2);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
    }

    function test_drawNobodyAwake() public {
        Run memory r = _atDrawing(2, 2);
        for (uint256 i = 1; i < NODES; ++i) {
            vm.prank(_node(i));
            market.pause();
        }
        vm.roll(block.number + 2);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
        vm.prank(_node(3));
        market.resume();
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
    }

    function test_drawWithoutNodes() public {
        Run memory r = _atDrawing(2, 2);
        for (uint256 i; i < NODES; ++i) {
            vm.prank(_node(i));
            market.exit();
        }
        vm.roll(block.number + 2);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
    }

    /// A client that is a registered node as well is never drawn for its own job.
    function test_drawNeverTheClient() public {
        vm.prank(client);
        market.register();
        Run memory r = _atDrawing(2, 2);
        for (uint256 i = 1; i < NODES; ++i) {
            vm.prank(_node(i));
            market.exit();
        }
        vm.roll(block.number + 2);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, r.verification.target));
        _drawCall(r, 2);
    }

    /// The drawn node depends on the block hash and on nothing that the caller chooses.
    function testFuzz_drawFollowsTheBlock(bytes32 hash) public {
        Run memory r = _atDrawing(1, 2);
        vm.roll(r.verification.target + 1);
        vm.setBlockhash(r.verification.target, hash);
        bytes32 randomness = keccak256(abi.encode(hash, r.execution.id, uint8(2), uint8(0)));
        address want;
        for (uint256 k; want == address(0) || want == r.execution.node; ++k) {
            uint256 place = uint256(keccak256(abi.encode(randomness, k))) % 8; // six places and two more
            want = place < NODES ? _node(place) : address(0);
        }
        _draw(r, 2);
        _eq(r.seats[0].node, want, "node");
    }

    // ------------------------------------------------------------------ commitVerification

    function test_commitSeat() public {
        Run memory r = _atRunning(1, 2);
        vm.warp(r.seats[0].deadline);
        Leaf[] memory leaves = _leaves(r, r.seats[0].node, r.verification.listed);
        vm.recordLogs();
        _commitSeatLeaves(r, 2, leaves);
        _eq(market.seatHash(r.execution.id, 2), keccak256(abi.encode(r.seats[0])), "record");
    }

    function test_commitSeatRefused() public {
        Run memory r = _atRunning(2, 2);
        Seat memory seat = r.seats[0];
        _fails(abi.encodeWithSelector(IMarket.NotNode.selector, STRANGER, seat.node));
        vm.prank(STRANGER);
        market.commitVerification(seat, "root", 1, "");
        _fails(abi.encodeWithSelector(IMarket.LeavesTooLong.selector, 65, 64));
        vm.prank(seat.node);
        market.commitVerification(seat, "root", 1, new bytes(65));
        uint64 end = seat.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.prank(seat.node);
        market.commitVerification(seat, "root", 1, "");
    }

    function test_commitSeatLeaf() public {
        Run memory r = _atRunning(1, 2);
        bytes memory leaf = abi.encode(_leaf(r.execution.id, r.seats[0].node, 0, _truth(0)));
        _fails(abi.encodeWithSelector(IMarket.LeafMismatch.selector, keccak256(leaf), keccak256(leaf)));
        vm.prank(r.seats[0].node);
        market.commitVerification(r.seats[0], keccak256(leaf), 41, leaf);
    }

    function test_commitSeatTwice() public {
        Run memory r = _atResolving(2, 2);
        Seat memory seat = r.seats[0];
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongSeatStatus.selector, r.execution.id, 2, SeatStatus.Committed, SeatStatus.Running
            )
        );
        vm.prank(seat.node);
        market.commitVerification(seat, "root", 1, "");
    }

    function test_commitUndrawnSeat() public {
        Run memory r = _atDrawing(2, 2);
        Seat memory seat = r.seats[0];
        bytes32 key = keccak256(abi.encode(r.execution.id, uint8(2)));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, key, 0, keccak256(abi.encode(seat))));
        market.commitVerification(seat, "root", 1, "");
    }

    // ------------------------------------------------------------------ the parts

    /// Called without the market it has no records and refuses everything.
    function test_aloneItKnowsNothing() public {
        Run memory r = _atRunning(2, 2);
        Disputes alone = new Disputes(_parameters());
        bytes32 have = keccak256(abi.encode(r.execution));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, r.execution.id, 0, have));
        alone.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
    }
}
