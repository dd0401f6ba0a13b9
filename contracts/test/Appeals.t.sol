// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Court} from "./fixture/Court.sol";
import {Vm} from "./fixture/Check.sol";
import {IMarket} from "../src/IMarket.sol";
import {Status} from "../src/types/Execution.sol";
import {Terms} from "../src/types/Job.sol";
import {Vote, VoteStatus} from "../src/types/Jury.sol";

contract AppealsTest is Court {
    address private constant STRANGER = address(0x57A);
    bytes32 private constant LIE = "a lie";
    bytes32 private constant OTHER = "another lie";

    // ------------------------------------------------------------------ appeal

    function test_appealWithoutVerdict() public {
        Run memory r = _atResolving(1, 3);
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, Status.Verifying, Status.Verdict));
        _appealCall(r, 1, r.execution.node);
    }

    function test_appealRefused() public {
        Run memory r = _atConviction();
        address node = r.execution.node;
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 3));
        _appealCall(r, 0, node);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 4, 3));
        _appealCall(r, 4, node);
        _fails(abi.encodeWithSelector(IMarket.NotNode.selector, STRANGER, node));
        _appealCall(r, 1, STRANGER);
        _fails(abi.encodeWithSelector(IMarket.NotNode.selector, node, r.seats[0].node));
        _appealCall(r, 2, node);
        for (uint8 seat = 2; seat <= 3; ++seat) {
            _fails(abi.encodeWithSelector(IMarket.NothingToAppeal.selector, seat));
            _appealCall(r, seat, _nodeOf(r, seat));
        }
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _appealCall(r, 1, node);
    }

    function test_appealWithoutMoney() public {
        Run memory r = _atConviction();
        address node = r.execution.node;
        vm.prank(node);
        market.withdraw(uint96(PURSE - 7000 - 3749));
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, node, 3749, 3750));
        _appealCall(r, 1, node);
        _fund(node, 1);
        _appeal(r, 1);
        _eq(_wallet(node).free, 0, "all is locked");
    }

    function test_appealWithWrongPanel() public {
        Run memory r = _atConviction();
        bytes32 key = keccak256(abi.encode(r.execution.id, uint8(3)));
        bytes32 want = market.seatHash(r.execution.id, 3);
        r.seats[1].fuel += 1;
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, key, want, keccak256(abi.encode(r.seats[1]))));
        _appealCall(r, 1, r.execution.node);
    }

    function test_appeal() public {
        Run memory r = _atConviction();
        vm.warp(r.execution.deadline);
        vm.recordLogs();
        Trial memory t = _appeal(r, 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _eq(logs.length, 1, "one event");
        _eq(logs[0].topics[0], IMarket.VerdictAppealed.selector, "event");
        _eq(logs[0].topics[1], r.execution.id, "of the execution");
        _eq(uint256(logs[0].topics[2]), 1, "of the seat");
        _eq(keccak256(logs[0].data), keccak256(abi.encode(t.jury)), "with the jury");
        _eq(_wallet(r.execution.node).locked, 7000 + 3 * 1250, "fine and appeal bond");
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, Status.Appealed, Status.Verdict));
        _appealCall(r, 1, r.execution.node);
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, Status.Appealed, Status.Verdict));
        market.timeoutVerdict(r.terms, r.execution, r.verification, _panel(r));
    }

    function test_eachLoserAppeals() public {
        _appeal(_atVerdict(1, 0, [bytes32(0), LIE, 0]), 2);
        _appeal(_atVerdict(1, 0, [bytes32(0), 0, LIE]), 3);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            _appeal(_atVerdict(1, 0, [bytes32(0), LIE, OTHER]), seat);
        }
    }

    // ------------------------------------------------------------------ drawJury

    function test_drawJury() public {
        Trial memory t = _appeal(_atConviction(), 1);
        vm.warp(t.jury.deadline);
        vm.roll(t.jury.target + 1);
        vm.prank(STRANGER);
        _drawJury(t);
        for (uint256 i; i < 3; ++i) {
            address juror = t.jury.jurors[i];
            _eq(_wallet(juror).locked, 7000, "fine");
            _true(juror != t.jury.jurors[(i + 1) % 3], "jurors differ");
            _true(juror != client, "not the client");
            for (uint8 seat = 1; seat <= 3; ++seat) {
                _true(juror != _nodeOf(t.run, seat), "not on the panel");
            }
        }
        _fails(abi.encodeWithSelector(IMarket.AlreadyDrawn.selector, t.jury.execution));
        _drawJuryCall(t);
    }

    function test_drawJuryInTime() public {
        Trial memory t = _appeal(_atConviction(), 1);
        uint64 target = t.jury.target;
        vm.roll(target);
        _fails(abi.encodeWithSelector(IMarket.TargetUnknown.selector, target, target));
        _drawJuryCall(t);
        vm.roll(target + 1);
        uint64 end = t.jury.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _drawJuryCall(t);
    }

    function test_drawJuryRefused() public {
        Trial memory t = _appeal(_atConviction(), 1);
        Run memory other = _atConviction();
        _fails(
            abi.encodeWithSelector(IMarket.WrongStatus.selector, other.execution.id, Status.Verdict, Status.Appealed)
        );
        market.drawJury(other.terms, other.execution, other.verification, _panel(other), t.jury);
        bytes32 want = keccak256(abi.encode(t.jury));
        t.jury.deadline += 1;
        _fails(
            abi.encodeWithSelector(IMarket.StaleRecord.selector, t.jury.execution, want, keccak256(abi.encode(t.jury)))
        );
        vm.roll(t.jury.target + 1);
        _drawJuryCall(t);
    }

    /// Three nodes are left beside the panel: without one of them there is no jury.
    function test_drawJuryOfTooFew() public {
        Trial memory t = _appeal(_atConviction(), 1);
        address idle = _idle(t.run);
        vm.roll(t.jury.target + 1);
        bytes memory nobody = abi.encodeWithSelector(IMarket.NobodyEligible.selector, t.jury.target);
        uint256 before = vm.snapshotState();
        vm.prank(idle);
        market.pause();
        _fails(nobody);
        _drawJuryCall(t);
        vm.revertToState(before);
        before = vm.snapshotState();
        vm.prank(idle);
        market.exit();
        _fails(nobody);
        _drawJuryCall(t);
        vm.revertToState(before);
        _drawJury(t);
    }

    /// A node without a seat.
    function _idle(Run memory r) private pure returns (address node) {
        for (uint256 i; i < NODES; ++i) {
            node = _node(i);
            if (node != _nodeOf(r, 1) && node != _nodeOf(r, 2) && node != _nodeOf(r, 3)) return node;
        }
    }

    // ------------------------------------------------------------------ timeoutAppealed

    function test_timeoutAppealedWaitsForTheDraw() public {
        Trial memory t = _appeal(_atConviction(), 1);
        uint64 end = t.jury.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        _timeoutAppealedCall(t);
        vm.warp(end + 1);
        vm.prank(STRANGER);
        _timeoutAppealedCall(t);
    }

    function test_timeoutAppealedWaitsForTheVotes() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        _voteAll(t, [bytes32(0), 0, 0]);
        uint64 end = t.jury.revealDeadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        _timeoutAppealedCall(t);
        vm.warp(end + 1);
        vm.prank(STRANGER);
        _timeoutAppealedCall(t);
        _over(t.run);
    }

    function test_timeoutAppealedWithoutAppeal() public {
        Run memory r = _atConviction();
        Trial memory t;
        t.run = r;
        _fails(abi.encodeWithSelector(IMarket.WrongStatus.selector, r.execution.id, Status.Verdict, Status.Appealed));
        _timeoutAppealedCall(t);
    }

    function test_timeoutAppealedMisreported() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        _voteAll(t, [bytes32(0), 0, 0]);
        vm.warp(t.jury.revealDeadline + 1);
        bytes32 known = t.run.results[0];
        t.run.results[0] = t.run.results[1];
        bytes32 have = keccak256(abi.encode(t.run.results));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, t.jury.execution, t.run.verification.results, have));
        _timeoutAppealedCall(t);
        t.run.results[0] = known;
        Vote[] memory votes = t.votes;
        t.votes = new Vote[](2);
        (t.votes[0], t.votes[1]) = (votes[0], votes[1]);
        _fails(abi.encodeWithSelector(IMarket.BadCount.selector, 2, 3));
        _timeoutAppealedCall(t);
        t.votes = votes;
        _timeoutAppealedCall(t);
    }

    /// Whoever closes the case can neither change a vote nor leave it out; what it says of others does not matter.
    function test_misreportedVote() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        _commitVote(t, 5, _vote(t, 0));
        _commitVote(t, 6, _vote(t, 0));
        _revealVote(t, 5, _vote(t, 0));
        _revealVote(t, 6, _vote(t, 0));
        vm.warp(t.jury.revealDeadline + 1);
        Vote memory none;
        _refusesVote(t, none);
        Vote memory other = _vote(t, 0);
        other.witness = "another";
        _refusesVote(t, other);
        t.votes[0] = _vote(t, LIE);
        _timeoutAppealedCall(t);
        _over(t.run);
        _gained(t.jury.jurors[0], -300, "who did not vote");
        _gained(t.jury.jurors[1], 1250, "who did");
    }

    function _refusesVote(Trial memory t, Vote memory vote) private {
        Vote memory known = t.votes[2];
        bytes32 have = _revealed(vote);
        t.votes[2] = vote;
        _fails(abi.encodeWithSelector(IMarket.WrongVote.selector, 6, have, _revealed(known)));
        _timeoutAppealedCall(t);
        t.votes[2] = known;
    }

    function _revealed(Vote memory vote) private pure returns (bytes32) {
        return _word(keccak256(abi.encode(vote)), VoteStatus.Revealed);
    }

    /// Nobody draws the jury, and everything goes back.
    function test_noJury() public {
        Trial memory t = _appeal(_atConviction(), 1);
        vm.expectEmit(address(market));
        emit IMarket.AppealDecided(t.jury.execution, 0, 0);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionRefunded(t.jury.execution);
        _timeoutAppealed(t);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: none, burned: 0}));
    }

    /// Three jurors, three opinions.
    function test_noMajority() public {
        Trial memory t = _decided(_atConviction(), 1, [bytes32(0), LIE, OTHER]);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: none, burned: 0}));
    }

    /// Half of the votes is not more than half of the jury.
    function test_oneVoteIsNoMajority() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        _commitVote(t, 4, _vote(t, 0));
        _commitVote(t, 5, _vote(t, LIE));
        _declineVote(t, 6);
        _revealVote(t, 4, _vote(t, 0));
        _timeoutAppealed(t);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: [int256(0), -300, 0], burned: 300}));
    }

    /// The cheat in seat 1 appeals: it loses its fine, and its appeal bond, which pays the jury.
    function test_appellantWrong() public {
        Run memory r = _atConviction();
        Trial memory t = _appeal(r, 1);
        _drawJury(t);
        _voteAll(t, [bytes32(0), 0, 0]);
        vm.warp(t.jury.revealDeadline + 1);
        vm.expectEmit(address(market));
        emit IMarket.AppealDecided(r.execution.id, r.results[1], 12);
        vm.expectEmit(address(market));
        emit IMarket.Slashed(r.execution.id, 1, r.execution.node, 7000);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 2, r.seats[0].node, 1250);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 3, r.seats[1].node, 1250);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 4, t.jury.jurors[0], 1250);
        _timeoutAppealedCall(t);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-7000 - 3750), 1250, 1250],
                jurors: [int256(1250), 1250, 1250],
                burned: 7000
            })
        );
    }

    /// What the appeal bond does not pay is burned.
    function test_appealBondBurned() public {
        Run memory r = _atVerdict(1, 0, [bytes32(0), LIE, 0]);
        Trial memory t = _appeal(r, 2);
        _drawJury(t);
        _commitVote(t, 5, _vote(t, 0));
        _commitVote(t, 6, _vote(t, 0));
        _revealVote(t, 5, _vote(t, 0));
        _revealVote(t, 6, _vote(t, 0));
        vm.warp(t.jury.revealDeadline + 1);
        vm.expectEmit(address(market));
        emit IMarket.NoShowBurned(r.execution.id, 4, t.jury.jurors[0], 300);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 5, t.jury.jurors[1], 1250);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 6, t.jury.jurors[2], 1250);
        vm.expectEmit(address(market));
        emit IMarket.AppealBondBurned(r.execution.id, r.seats[0].node, 1250);
        _timeoutAppealedCall(t);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -1000 - 1250,
                seats: [int256(1000), -7000 - 3750, 1250],
                jurors: [int256(-300), 1250, 1250],
                burned: 7000 + 300 + 1250
            })
        );
    }

    /// Seat 1 was framed: it is paid in full, those who framed it are fined, and what they would have got pays the jury.
    function test_appellantRight() public {
        Run memory r = _atFraming();
        Trial memory t = _appeal(r, 1);
        _drawJury(t);
        _voteAll(t, [bytes32(0), 0, LIE]);
        vm.warp(t.jury.revealDeadline + 1);
        vm.expectEmit(address(market));
        emit IMarket.AppealDecided(r.execution.id, r.results[0], 2);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionSettled(r.execution.id, 1000, false);
        vm.expectEmit(address(market));
        emit IMarket.Slashed(r.execution.id, 2, r.seats[0].node, 7000);
        vm.expectEmit(address(market));
        emit IMarket.Slashed(r.execution.id, 3, r.seats[1].node, 7000);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 4, t.jury.jurors[0], 833);
        vm.expectEmit(address(market));
        emit IMarket.SeatPaid(r.execution.id, 5, t.jury.jurors[1], 833);
        vm.expectEmit(address(market));
        emit IMarket.Slashed(r.execution.id, 6, t.jury.jurors[2], 7000);
        _timeoutAppealedCall(t);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -1000 - 2 * 833,
                seats: [int256(1000), -7000, -7000],
                jurors: [int256(833), 833, -7000],
                burned: 3 * 7000
            })
        );
    }

    /// A verifier was framed by seat 1 and the other verifier, about a piece in the middle: the pieces around it return.
    function test_framedVerifier() public {
        Run memory r = _atVerdict(4, 1, [bytes32(LIE), 0, LIE]);
        Trial memory t = _appeal(r, 2);
        _drawJury(t);
        _voteAll(t, [bytes32(0), 0, 0]);
        vm.warp(t.jury.revealDeadline + 1);
        bytes32 behind = keccak256(abi.encode(r.execution.id, uint32(2), "split"));
        vm.expectEmit(address(market));
        emit IMarket.ExecutionReturned(r.execution.id, r.execution.id, 0, 1);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionReturned(r.execution.id, behind, 2, 2);
        _timeoutAppealedCall(t);
        _eq(_wallet(client).locked, 3000, "the price of three pieces");
        _sentenced(
            t,
            Sentence({
                client: -4 * 1250 - 3 * 750,
                seats: [int256(-7000), 4 * 1250, -7000],
                jurors: [int256(750), 750, 750],
                burned: 2 * 7000
            })
        );
        _closeReturned(r, r.execution.id, 0, 1);
        _closeReturned(r, behind, 2, 2);
        _over(r);
    }

    function _closeReturned(Run memory r, bytes32 id, uint32 from, uint32 count) private {
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, id, from, count));
    }

    /// The jury finds what no seat stands by: all three are wrong, and all pieces return.
    function test_nobodyRight() public {
        Run memory r = _atVerdict(3, 1, [bytes32(LIE), LIE, OTHER]);
        Trial memory t = _appeal(r, 3);
        _drawJury(t);
        _voteAll(t, [bytes32(0), 0, 0]);
        vm.warp(t.jury.revealDeadline + 1);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionReturned(r.execution.id, r.execution.id, 0, 3);
        _timeoutAppealedCall(t);
        _eq(_wallet(client).locked, 3000, "the price of three pieces");
        _sentenced(
            t,
            Sentence({
                client: 0,
                seats: [int256(-7000), -7000, -7000 - 3750],
                jurors: [int256(1250), 1250, 1250],
                burned: 3 * 7000
            })
        );
        _closeReturned(r, r.execution.id, 0, 3);
        _over(r);
    }

    /// All three differ, and seat 1, which is right, is the one that appeals.
    function test_allDifferFirstRight() public {
        Trial memory t = _decided(_atVerdict(2, 1, [bytes32(0), LIE, OTHER]), 1, [bytes32(0), 0, 0]);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -2000 - 3 * 833,
                seats: [int256(2000), -7000, -7000],
                jurors: [int256(833), 833, 833],
                burned: 2 * 7000
            })
        );
    }

    /// All three differ, a liar appeals, and it is another one that is right.
    function test_allDifferAppellantWrong() public {
        Trial memory t = _decided(_atVerdict(1, 0, [bytes32(LIE), OTHER, 0]), 2, [bytes32(0), 0, 0]);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -1250,
                seats: [int256(-7000), -7000 - 3750, 1250],
                jurors: [int256(1250), 1250, 1250],
                burned: 2 * 7000
            })
        );
    }

    /// Pay by fuel; the jurors' share does not depend on it.
    function test_meteredAppeal() public {
        Terms memory terms = _terms(1, 3, ALWAYS);
        terms.fuelPrice = 10;
        _create(terms);
        Run memory r = _accept(terms, 0, 1);
        _toVerdictOver(r, 0, [bytes32(0), LIE, LIE]);
        Trial memory t = _decided(r, 1, [bytes32(0), 0, 0]);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -400 - 3 * 833,
                seats: [int256(400), -7000, -7000],
                jurors: [int256(833), 833, 833],
                burned: 2 * 7000
            })
        );
    }

    /// A lazy panel's third seat has one leaf only; the jury knows the piece by the verdict.
    function test_escalatedAppeal() public {
        Run memory r = _atAssigned(3, 2, ALWAYS);
        _commit(r);
        _verify(r, RAISED, _list(7));
        _draw(r, 2);
        _commitSeatLeaves(r, 2, _twist(_leaves(r, r.seats[0].node, r.verification.listed), 1, LIE));
        _escalate(r, 1);
        _draw(r, 3);
        _commitSeatLeaves(r, 3, _twist(_leaves(r, r.seats[1].node, _bit(1)), 0, LIE));
        _convict(r, 1, _expected([bytes32(0), LIE, LIE]));
        Trial memory t = _decided(r, 1, [bytes32(0), 0, 0]);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -3000 - 3 * 833,
                seats: [int256(3000), -7000, -7000],
                jurors: [int256(833), 833, 833],
                burned: 2 * 7000
            })
        );
    }
}
