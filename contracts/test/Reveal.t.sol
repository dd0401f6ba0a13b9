// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Outcome, Status} from "../src/types/Execution.sol";
import {Leaf, Reveal, Sum} from "../src/types/Seat.sol";

contract RevealTest is Game {
    address private constant STRANGER = address(0x57A);

    function _refuse(Run memory r, Reveal memory reveal, bytes memory why) private {
        _fails(why);
        _revealCall(r, reveal);
    }

    function test_digests() public {
        Run memory r = _atDispute(1, 0, 1 << 2);
        bytes32 lie = _truth(0) ^ keccak256(abi.encode("lie", r.leaves[1][0].output));
        vm.recordLogs();
        _revealCall(r, _reveal(r, 0));
        (uint32 piece, uint256 sk, bytes32[3] memory digests) = _toldKey();
        _eq(piece, 0, "piece");
        _eq(sk, _pieceKey(0), "key");
        _eq(digests[0], _truth(0), "seat 1");
        _eq(digests[1], lie, "seat 2");
        _eq(digests[2], _truth(0), "seat 3");
    }

    function test_wrongCallerAndTime() public {
        Run memory r = _atDispute(1, 0, 1 << 2);
        Reveal memory reveal = _reveal(r, 0);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.revealKey(r.terms, r.execution, r.verification, _panel(r), reveal);
        uint64 end = r.seats[1].doneAt + 100;
        vm.warp(end + 1);
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.warp(end);
        _revealCall(r, reveal);
    }

    function test_panelNotFull() public {
        Run memory r = _atResolving(1, 2);
        Reveal memory reveal;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.PanelNotFull.selector, 3));
        _escalate(r, 0);
        vm.warp(r.verification.thirdDeadline + 1);
        _vacate(r, 3);
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.PanelNotFull.selector, 3));
    }

    function test_secondSeatVacant() public {
        Run memory r = _atDrawing(1, 3);
        _draw(r, 3);
        _commitSeat(r, 3);
        vm.warp(r.verification.deadline + 1);
        _vacate(r, 2);
        Reveal memory reveal;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.PanelNotFull.selector, 2));
        _settleVerified(r);
        _over(r);
    }

    function test_panelRunning() public {
        Run memory r = _atRunning(1, 3);
        Reveal memory reveal;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.PanelRunning.selector, 2));
    }

    function test_notListed() public {
        Run memory r = _atResolving(4, 2);
        _escalate(r, 2);
        _draw(r, 3);
        _commitSeat(r, 3);
        Reveal memory reveal = _reveal(r, 2);
        reveal.piece = 1;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.NotListed.selector, 1));
        reveal.piece = 4;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.NotListed.selector, 4));
        reveal.piece = type(uint32).max;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.NotListed.selector, type(uint32).max));
    }

    function test_wrongSeed() public {
        Run memory r = _atDispute(1, 0, 1 << 2);
        Reveal memory reveal = _reveal(r, 0);
        reveal.seed = "another";
        bytes32 have = keccak256(abi.encode(reveal.seed));
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongSeed.selector, have, r.execution.seedHash));
    }

    function test_wrongKey() public {
        Run memory r = _atDispute(3, 1, 1 << 2);
        bytes32 root = r.terms.specRoot;
        Reveal memory reveal = _reveal(r, 1);
        reveal.sk += 1;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(reveal.sk), root));
        reveal.sk = 0;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongKey.selector, address(0), root));
        reveal.sk = _pieceKey(1) + ORDER;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongKey.selector, address(0), root));
        reveal = _reveal(r, 1);
        reveal.specDigest = "another";
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(reveal.sk), root));
        reveal = _reveal(r, 1);
        reveal.specProof[0].sum = type(uint64).max;
        _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(reveal.sk), root));
    }

    function test_badProof() public {
        Run memory r = _atDispute(3, 1, 1 << 2);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            Reveal memory reveal = _reveal(r, 1);
            reveal.openings[seat - 1].leaf.fuel += 1;
            _refuse(r, reveal, abi.encodeWithSelector(IMarket.BadProof.selector, seat));
            reveal.openings[seat - 1].leaf.fuel -= 1; // the leaf is the one in r
            // Another leaf of the same tree is not the one that stands for the piece.
            reveal = _reveal(r, 1);
            Reveal memory other = _reveal(r, 2);
            reveal.openings[seat - 1] = other.openings[seat - 1];
            _refuse(r, reveal, abi.encodeWithSelector(IMarket.BadProof.selector, seat));
        }
    }

    function test_wrongPoint() public {
        Run memory r = _atDispute(1, 0, 1 << 2);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            Reveal memory reveal = _reveal(r, 0);
            reveal.openings[seat - 1].sy = ORDER - reveal.openings[seat - 1].sy;
            _refuse(r, reveal, abi.encodeWithSelector(IMarket.WrongPoint.selector, seat));
        }
    }

    /// Makes seat 2 commit to `leaf` and seats 1 and 3 to the truth, then opens the piece.
    function _convictOf(Leaf memory leaf, Run memory r) private {
        Leaf[] memory leaves = new Leaf[](1);
        leaves[0] = leaf;
        _draw(r, 3);
        _commitSeat(r, 3);
        _commitSeatLeaves(r, 2, leaves);
        vm.recordLogs();
        _convict(r, 0, Outcome.SecondLost);
        (,, bytes32[3] memory digests) = _toldKey();
        _eq(digests[0], digests[2], "the honest two agree");
        _true(digests[1] != digests[0], "the third does not");
        _timeoutVerdict(r);
        _over(r);
    }

    function _atSecond() private returns (Run memory r, Leaf memory leaf) {
        r = _atDrawing(1, 3);
        _draw(r, 2);
        leaf = _leaf(r.execution.id, r.seats[0].node, 0, _truth(0));
    }

    function test_pointOffTheCurve() public {
        (Run memory r, Leaf memory leaf) = _atSecond();
        leaf.rx = 5; // 5³ + 7 is no square
        _convictOf(leaf, r);
    }

    function test_pointOutOfRange() public {
        (Run memory r, Leaf memory leaf) = _atSecond();
        leaf.rx = ORDER;
        _convictOf(leaf, r);
    }

    function test_pointZero() public {
        (Run memory r, Leaf memory leaf) = _atSecond();
        leaf.rx = 0;
        _convictOf(leaf, r);
    }

    function test_parityOutOfRange() public {
        (Run memory r, Leaf memory leaf) = _atSecond();
        leaf.parity = 2;
        _convictOf(leaf, r);
    }

    /// It is no result of this piece, even if it hides the right digest.
    function test_leafOfAnotherPiece() public {
        (Run memory r, Leaf memory leaf) = _atSecond();
        leaf.index = 77;
        leaf.c = _truth(0) ^ _mask(r.execution.id, r.seats[0].node, 0, 77);
        _convictOf(leaf, r);
    }

    function test_inflatedFuel() public {
        Run memory r = _atDrawing(1, 3);
        _draw(r, 2);
        _draw(r, 3);
        _commitSeat(r, 3);
        Leaf[] memory leaves = _leaves(r, r.seats[0].node, r.verification.listed);
        leaves[0].fuel *= 2;
        _commitSeatLeaves(r, 2, leaves);
        _convict(r, 0, Outcome.SecondLost);
    }

    /// A copy of seat 1's ciphertext is bound to seat 1's node: it decrypts to noise.
    function test_copiedCiphertext() public {
        Run memory r = _atDrawing(1, 3);
        _draw(r, 2);
        _draw(r, 3);
        _commitSeat(r, 3);
        Leaf[] memory copied = new Leaf[](1);
        copied[0] = r.leaves[0][0];
        _commitSeatLeaves(r, 2, copied);
        Reveal memory reveal = _reveal(r, 0);
        (reveal.openings[1].sx, reveal.openings[1].sy) = (reveal.openings[0].sx, reveal.openings[0].sy);
        vm.recordLogs();
        _revealCall(r, reveal);
        (,, bytes32[3] memory digests) = _toldKey();
        _eq(digests[0], digests[2], "the honest two agree");
        _true(digests[1] != digests[0], "the copy does not");
    }

    /// Two seats that committed to junk do not agree with each other.
    function test_twoUnreadable() public {
        Run memory r = _atDrawing(1, 3);
        for (uint8 number = 2; number <= 3; ++number) {
            _draw(r, number);
            Leaf[] memory leaves = _leaves(r, r.seats[number - 2].node, r.verification.listed);
            leaves[0].rx = 5;
            _commitSeatLeaves(r, number, leaves);
        }
        _convict(r, 0, Outcome.AllDiffer);
        _timeoutVerdict(r);
        _over(r);
    }

    function test_skippedHitsBurnAtReveal() public {
        Run memory r = _atAssigned(2, 3, ALWAYS);
        _commitLeaves(r, _lie(_leaves(r, r.execution.node, new uint256[](0)), 0));
        _verify(r, 1250, _list(1));
        for (uint8 number = 2; number <= 3; ++number) {
            _draw(r, number);
            _commitSeat(r, number);
        }
        _convict(r, 0, Outcome.FirstLost);
        _eq(market.burned(), 10_000, "half of the bond");
        _timeoutVerdict(r);
        _eq(market.burned(), 17_000, "and the fine");
        _conserved();
    }

    function test_verdictWaits() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _convict(r, 0, Outcome.FirstLost);
        uint64 end = r.execution.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        market.timeoutVerdict(r.terms, r.execution, r.verification, _panel(r));
        vm.warp(end + 1);
        vm.expectEmit(address(market));
        emit IMarket.Slashed(r.execution.id, 1, r.execution.node, 7000);
        vm.prank(STRANGER);
        market.timeoutVerdict(r.terms, r.execution, r.verification, _panel(r));
    }

    function test_onlyOneReveal() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _convict(r, 0, Outcome.FirstLost);
        _fails(
            abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, r.execution.status, Status.Verifying)
        );
        Reveal memory reveal;
        _revealCall(r, reveal);
    }
}
