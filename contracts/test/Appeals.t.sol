// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Court} from "./fixture/Court.sol";
import {Vm} from "./fixture/Check.sol";
import {IMarket} from "../src/IMarket.sol";
import {Status} from "../src/types/Execution.sol";
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
        market.withdraw(uint96(PURSE - 7000 - 6999));
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, node, 6999, 7000));
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
        _eq(_wallet(r.execution.node).locked, 2 * 7000, "fine and appeal bond");
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
}
