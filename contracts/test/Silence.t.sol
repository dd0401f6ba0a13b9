// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Absence} from "./fixture/Absence.sol";
import {Vm} from "./fixture/Check.sol";
import {IMarket} from "../src/IMarket.sol";
import {Challenge, Execution, Outcome, Status} from "../src/types/Execution.sol";
import {Disclosure, Leaf, SeatStatus} from "../src/types/Seat.sol";

/// @title What the seats do while their client is silent, and how it ends.
contract SilenceTest is Absence {
    address private constant STRANGER = address(0x57A);
    uint256 private constant NAMED = 7;
    uint256 private constant OPENED = 8;

    function _refuse(Run memory r, uint8 seat, Disclosure memory d, bytes memory why) private {
        _fails(why);
        _openCall(r, seat, d);
    }

    /// A full panel over three pieces, the liars wrong about the second, whose client is silent.
    function _atSilent(uint256 liars) private returns (Run memory r) {
        r = _atDispute(3, 1, liars);
        _fallSilent(r);
    }

    /// How many of the words that remember what was opened are in use.
    function _remembered(Run memory r) private view returns (uint256 words) {
        bytes32 id = r.execution.id;
        if (vm.load(address(market), keccak256(abi.encode(id, NAMED))) != 0) ++words;
        for (uint8 seat = 1; seat <= 3; ++seat) {
            bytes32 key = keccak256(abi.encode(id, seat));
            if (vm.load(address(market), keccak256(abi.encode(key, OPENED))) != 0) ++words;
        }
    }

    // ------------------------------------------------------------------ openSelf

    function test_open() public {
        Run memory r = _atSilent(1 << 2);
        bytes32 lie = _truth(1) ^ keccak256(abi.encode("lie", r.leaves[1][1].output));
        Disclosure memory d = _disclosure(r, 2, 1);
        vm.expectEmit(address(market));
        emit IMarket.SelfOpened(r.execution.id, 2, r.seats[0].node, 1, lie, _fuel(1));
        vm.prank(STRANGER);
        _openCall(r, 2, d);
        d = _disclosure(r, 1, 1);
        vm.expectEmit(address(market));
        emit IMarket.SelfOpened(r.execution.id, 1, r.execution.node, 1, _truth(1), _fuel(1));
        _openCall(r, 1, d);
        _eq(_remembered(r), 3, "the piece and two results");
    }

    function test_openInTime() public {
        Run memory r = _atDispute(2, 0, 1 << 2);
        Disclosure memory d = _disclosure(r, 2, 0);
        uint64 start = _resolveUntil(r);
        vm.warp(start);
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.TooEarly.selector, start, start));
        vm.warp(start + 1);
        _open(r, 1, 0);
        uint64 end = _silentUntil(r);
        vm.warp(end + 1);
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.warp(end);
        _openCall(r, 2, d);
    }

    /// A challenge that took time moves the window.
    function test_openAfterAChallenge() public {
        Run memory r = _atDispute(2, 0, 1 << 2);
        vm.warp(_resolveUntil(r) - 1);
        Challenge memory ch = _challenge(r, 3, 1);
        vm.warp(block.timestamp + 50);
        _answer(r, ch);
        uint64 start = _resolveUntil(r) + 50;
        vm.warp(start);
        Disclosure memory d = _disclosure(r, 2, 0);
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.TooEarly.selector, start, start));
        uint64 end = start + 150;
        vm.warp(end);
        _openCall(r, 2, d);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        _silentCall(r);
        _endSilence(r);
        _over(r);
    }

    function test_openStatus() public {
        Run memory r = _atCommitted(1, 2, ALWAYS);
        Disclosure memory d;
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, Status.Committed, Status.Verifying));
        market.openSelf(r.terms, r.execution, r.verification, _seated(r), 1, d);
    }

    function test_openWhileRunning() public {
        Run memory r = _atRunning(1, 2);
        vm.warp(r.seats[0].deadline + 1000);
        _refuse(r, 1, _disclosure(r, 1, 0), abi.encodeWithSelector(IMarket.PanelRunning.selector, 2));
    }

    function test_openWrongSeat() public {
        Run memory r = _atDrawing(2, 2);
        vm.warp(r.verification.deadline + 1);
        _vacate(r, 2);
        _fallSilent(r);
        Disclosure memory d = _disclosure(r, 1, 0);
        _refuse(r, 0, d, abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 2));
        _refuse(r, 3, d, abi.encodeWithSelector(IMarket.WrongSeat.selector, 3, 2));
        bytes4 wrong = IMarket.WrongSeatStatus.selector;
        bytes memory why = abi.encodeWithSelector(wrong, r.execution.id, 2, SeatStatus.Vacant, SeatStatus.Committed);
        _refuse(r, 2, d, why);
    }

    function test_openUnlisted() public {
        Run memory r = _atCommitted(3, 3, ALWAYS);
        _verify(r, RAISED, _list(5));
        for (uint8 number = 2; number <= 3; ++number) {
            _draw(r, number);
            _commitSeat(r, number);
        }
        _fallSilent(r);
        _refuse(r, 1, _disclosure(r, 1, 1), abi.encodeWithSelector(IMarket.NotListed.selector, 1));
        _open(r, 1, 2);
    }

    /// Only of the escalated piece a lazy panel has three results.
    function test_openOfAnEscalatedPanel() public {
        Run memory r = _atResolving(2, 2);
        _escalate(r, 1);
        _draw(r, 3);
        _commitSeat(r, 3);
        _fallSilent(r);
        _refuse(r, 1, _disclosure(r, 1, 0), abi.encodeWithSelector(IMarket.NotListed.selector, 0));
        for (uint8 seat = 1; seat <= 3; ++seat) {
            _open(r, seat, 1);
        }
        _endSilence(r);
        _over(r);
    }

    function test_openAnotherPiece() public {
        Run memory r = _atSilent(1 << 2);
        _open(r, 3, 0);
        _refuse(r, 2, _disclosure(r, 2, 1), abi.encodeWithSelector(IMarket.WrongPiece.selector, 1, 0));
        _open(r, 2, 0);
    }

    function test_openTwice() public {
        Run memory r = _atSilent(1 << 2);
        _open(r, 2, 1);
        _refuse(r, 2, _disclosure(r, 2, 1), abi.encodeWithSelector(IMarket.AlreadyOpened.selector, 2));
    }

    function test_openWithAnotherKey() public {
        Run memory r = _atSilent(1 << 2);
        address pk = vm.addr(_pieceKey(1));
        bytes32 root = r.terms.specRoot;
        Disclosure memory d = _disclosure(r, 2, 1);
        d.specDigest = "another";
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.WrongKey.selector, pk, root));
        d = _disclosure(r, 2, 1);
        d.specProof = _disclosure(r, 2, 2).specProof;
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.WrongKey.selector, pk, root));
        d = _disclosure(r, 2, 1);
        Disclosure memory other = _disclosure(r, 2, 2);
        (d.pkx, d.pky) = (other.pkx, other.pky);
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(_pieceKey(2)), root));
    }

    function test_openWithAWrongProof() public {
        Run memory r = _atSilent(1 << 2);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            Disclosure memory d = _disclosure(r, seat, 1);
            d.opening = _opening(r, seat, 2);
            _refuse(r, seat, d, abi.encodeWithSelector(IMarket.BadProof.selector, seat));
        }
    }

    function test_openWithAWrongScalar() public {
        Run memory r = _atSilent(1 << 2);
        uint256 scalar = _ephemeral(r.seats[0].node, 1);
        // As good as none, beyond the order, the same x with the other y, another node's.
        uint256[5] memory wrong = [0, ORDER, ORDER + 1, ORDER - scalar, _ephemeral(r.execution.node, 1)];
        for (uint256 i; i < wrong.length; ++i) {
            Disclosure memory d = _disclosure(r, 2, 1);
            d.r = wrong[i];
            _refuse(r, 2, d, abi.encodeWithSelector(IMarket.WrongScalar.selector, 2));
        }
    }

    function test_openWithAWrongPoint() public {
        Run memory r = _atSilent(1 << 2);
        Disclosure memory d = _disclosure(r, 2, 1);
        d.opening.sy = ORDER - d.opening.sy;
        _refuse(r, 2, d, abi.encodeWithSelector(IMarket.WrongPoint.selector, 2));
    }

    /// Seat 2 with a leaf of piece 0 that nobody can read, the others honest; their client is silent.
    function _unreadable(uint256 rx, uint8 parity, uint32 index) private {
        Run memory r = _atSecond();
        Leaf memory leaf = _leaf(r.execution.id, r.seats[0].node, 0, _truth(0));
        leaf.index = index;
        if (rx != 1) leaf.rx = rx;
        if (parity > 1) leaf.parity = parity;
        _commitSeatLeaves(r, 2, _one(leaf));
        _fallSilent(r);
        _refuse(r, 2, _disclosure(r, 2, 0), abi.encodeWithSelector(IMarket.WrongScalar.selector, 2));
        _open(r, 1, 0);
        _open(r, 3, 0);
        _endSilence(r);
        _over(r);
        _eq(_wealth(r.seats[0].node), PURSE, "seat 2 counts as closed");
        _eq(_wealth(r.seats[1].node), PURSE + 1250, "seat 3");
    }

    function test_openOffTheCurve() public {
        _unreadable(5, 0, 0);
    }

    function test_openOutOfRange() public {
        _unreadable(0, 0, 0);
        setUp();
        _unreadable(ORDER, 0, 0);
    }

    function test_openWithoutParity() public {
        _unreadable(1, 2, 0);
    }

    function test_openLeafOfAnotherPiece() public {
        _unreadable(1, 0, 77);
    }

    // ------------------------------------------------------------------ timeoutSilent

    function test_allOpenAndAgree() public {
        Run memory r = _atSilent(0);
        for (uint8 seat = 3; seat >= 1; --seat) {
            _open(r, seat, 1);
        }
        vm.warp(_openUntil(r) + 1);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionSettled(r.execution.id, 3000, true);
        _silentCall(r);
        _over(r);
        _eq(_remembered(r), 0, "nothing is remembered");
        _eq(_wealth(client), PURSE - 3000 - 2 * 3750 - 20_000, "client");
        _eq(_wealth(r.execution.node), PURSE + 3000, "seat 1");
        _eq(_wealth(r.seats[0].node), PURSE + 3750, "seat 2");
    }

    /// The verdict is as after a reveal, and burns no bond again.
    function _verdict(uint256 liars, Outcome outcome) private returns (Run memory r) {
        r = _atSilent(liars);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            _open(r, seat, 1);
        }
        vm.recordLogs();
        _endInVerdict(r, 1, outcome);
        _toldVerdict(r);
        _eq(_remembered(r), 0, "nothing is remembered");
        _eq(market.burned(), 20_000, "the bond");
        _timeoutVerdict(r);
    }

    /// `VerdictReached` has all that goes on record.
    function _toldVerdict(Run memory r) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        _eq(last.topics[0], IMarket.VerdictReached.selector, "last event");
        _eq(last.topics[1], r.execution.id, "execution");
        bytes memory want = abi.encode(r.results, r.verification, r.execution.deadline);
        _eq(keccak256(last.data), keccak256(want), "what the verdict tells");
    }

    function test_allOpenAndFirstLost() public {
        Run memory r = _verdict(1 << 1, Outcome.FirstLost);
        _eq(market.burned(), 27_000, "and the fine");
        bytes32 behind = keccak256(abi.encode(r.execution.id, uint32(2), "split"));
        Execution memory rest = _returned(r.execution, behind, 2, 1);
        _eq(market.executionHash(rest.id), keccak256(abi.encode(rest)), "the third piece returns");
        _eq(_wealth(client), PURSE - 2 * 3750 - 20_000, "client");
    }

    function test_allOpenAndSecondLost() public {
        Run memory r = _verdict(1 << 2, Outcome.SecondLost);
        _over(r);
        _eq(_wealth(r.seats[0].node), PURSE - 7000, "seat 2");
        _eq(_wealth(client), PURSE - 3000 - 3750 - 20_000, "client");
    }

    function test_allOpenAndThirdLost() public {
        Run memory r = _verdict(1 << 3, Outcome.ThirdLost);
        _over(r);
        _eq(_wealth(r.seats[1].node), PURSE - 7000, "seat 3");
    }

    function test_allOpenAndDiffer() public {
        Run memory r = _verdict(6, Outcome.AllDiffer);
        _over(r);
        _eq(_wealth(client), PURSE - 20_000, "client");
        _eq(_wealth(r.execution.node), PURSE, "seat 1");
    }

    /// Two open and agree; `closed` does not.
    function _pair(uint8 closed) private returns (Run memory r) {
        r = _atSilent(1 << closed);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            if (seat != closed) _open(r, seat, 1);
        }
        _eq(_remembered(r), 3, "the piece and two results");
        _endSilence(r);
        _eq(_remembered(r), 0, "nothing is remembered");
        _eq(market.burned(), 20_000, "the bond and nothing else");
        _eq(_wealth(_nodeOf(r, closed)), PURSE, "who stayed closed has lost nothing");
    }

    function test_pairWithoutTheFirst() public {
        Run memory r = _pair(1);
        _eq(_wallet(client).locked, 2000, "the price of two pieces");
        Execution memory rest = _returned(r.execution, r.execution.id, 0, 1);
        vm.prank(client);
        market.closeReturned(r.terms, rest);
        rest = _returned(r.execution, keccak256(abi.encode(r.execution.id, uint32(2), "split")), 2, 1);
        vm.prank(client);
        market.closeReturned(r.terms, rest);
        _over(r);
        _eq(_wealth(client), PURSE - 2 * 3750 - 20_000, "client");
        _eq(_wealth(r.seats[1].node), PURSE + 3750, "seat 3");
    }

    function test_pairWithoutAVerifier() public {
        for (uint8 closed = 2; closed <= 3; ++closed) {
            setUp();
            Run memory r = _pair(closed);
            _over(r);
            _eq(_wealth(client), PURSE - 3000 - 3750 - 20_000, "client");
            _eq(_wealth(_nodeOf(r, 1)), PURSE + 3000, "seat 1");
            _eq(_wealth(_nodeOf(r, 5 - closed)), PURSE + 3750, "the other verifier");
        }
    }

    function _allPaid(Run memory r) private {
        _endSilence(r);
        _over(r);
        _eq(_remembered(r), 0, "nothing is remembered");
        _eq(market.burned(), 20_000, "the bond");
        _eq(_wealth(r.execution.node), PURSE + 3000, "seat 1");
        _eq(_wealth(r.seats[0].node), PURSE + 3750, "seat 2");
    }

    function test_twoOpenAndDiffer() public {
        for (uint8 closed = 1; closed <= 3; ++closed) {
            setUp();
            uint8 liar = closed % 3 + 1;
            Run memory r = _atSilent(1 << liar);
            _open(r, liar, 1);
            _open(r, liar % 3 + 1, 1);
            _allPaid(r);
            _eq(_wealth(r.seats[1].node), PURSE + 3750, "seat 3");
        }
    }

    function test_oneOpens() public {
        Run memory r = _atSilent(1 << 2);
        _open(r, 1, 1);
        _allPaid(r);
    }

    /// Two seats prove nothing against each other, and no third one is missing.
    function test_panelOfTwoOpens() public {
        for (uint256 lies; lies < 2; ++lies) {
            setUp();
            Run memory r = _atRunning(3, 2);
            Leaf[] memory leaves = _all(r, r.seats[0].node);
            _commitSeatLeaves(r, 2, lies == 0 ? leaves : _lie(leaves, 1));
            _fallSilent(r);
            _open(r, 1, 1);
            _open(r, 2, 1);
            _allPaid(r);
        }
    }

    /// Two opened and agree, and the third seat is vacant.
    function test_pairBesideAVacantSeat() public {
        Run memory r = _atDrawing(3, 3);
        _draw(r, 2);
        _commitSeat(r, 2);
        vm.warp(r.verification.deadline + 1);
        _vacate(r, 3);
        _fallSilent(r);
        _open(r, 1, 1);
        _open(r, 2, 1);
        _allPaid(r);
    }
}
