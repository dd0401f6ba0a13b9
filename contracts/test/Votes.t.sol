// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Court} from "./fixture/Court.sol";
import {IMarket} from "../src/IMarket.sol";
import {Status} from "../src/types/Execution.sol";
import {Jury, Vote, VoteStatus} from "../src/types/Jury.sol";

contract VotesTest is Court {
    address private constant STRANGER = address(0x57A);

    function _atJury() private returns (Trial memory t) {
        t = _appeal(_atConviction(), 1);
        _drawJury(t);
    }

    function _status(Trial memory t, uint8 number, VoteStatus have, VoteStatus want)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IMarket.WrongVoteStatus.selector, t.jury.execution, number, have, want);
    }

    function _isAsked(Trial memory t, uint8 number, bytes memory why) private {
        _fails(why);
        _commitVoteCall(t, number, t.jury.jurors[0], "sealed");
        _fails(why);
        vm.prank(t.jury.jurors[0]);
        market.declineVote(t.run.terms, t.run.execution, t.jury, number);
    }

    function test_onlyJurorsVote() public {
        Trial memory t = _atJury();
        _isAsked(t, 3, abi.encodeWithSelector(IMarket.WrongSeat.selector, 3, 6));
        _isAsked(t, 7, abi.encodeWithSelector(IMarket.WrongSeat.selector, 7, 6));
        _isAsked(t, 255, abi.encodeWithSelector(IMarket.WrongSeat.selector, 255, 6));
        address juror = t.jury.jurors[1];
        _isAsked(t, 5, abi.encodeWithSelector(IMarket.NotNode.selector, t.jury.jurors[0], juror));
        vm.warp(t.jury.deadline + 1);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 7, 6));
        market.revealVote(t.jury, 7, _vote(t, 0), 0);
    }

    /// A jury that is not drawn has no jurors.
    function test_nobodyVotesBeforeTheDraw() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 4, 3));
        market.commitVote(t.jury, 4, "sealed");
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 4, 3));
        market.declineVote(t.run.terms, t.run.execution, t.jury, 4);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 4, 3));
        market.revealVote(t.jury, 4, _vote(t, 0), 0);
    }

    function test_voteForStaleJury() public {
        Trial memory t = _atJury();
        Jury memory stale = abi.decode(abi.encode(t.jury), (Jury));
        stale.jurors[0] = STRANGER;
        bytes memory why = abi.encodeWithSelector(
            IMarket.StaleRecord.selector, stale.execution, keccak256(abi.encode(t.jury)), keccak256(abi.encode(stale))
        );
        _fails(why);
        vm.prank(STRANGER);
        market.commitVote(stale, 4, "sealed");
        _fails(why);
        vm.prank(STRANGER);
        market.declineVote(t.run.terms, t.run.execution, stale, 4);
        _fails(why);
        market.revealVote(stale, 4, _vote(t, 0), 0);
    }

    // ------------------------------------------------------------------ commitVote

    function test_commitVote() public {
        Trial memory t = _atJury();
        vm.warp(t.jury.deadline);
        vm.expectEmit(address(market));
        emit IMarket.VoteCommitted(t.jury.execution, 4, t.jury.jurors[0], "sealed");
        _commitVoteCall(t, 4, t.jury.jurors[0], "sealed");
    }

    function test_commitVoteOnce() public {
        Trial memory t = _atJury();
        _commitVote(t, 4, _vote(t, 0));
        _fails(_status(t, 4, VoteStatus.Committed, VoteStatus.None));
        _commitVote(t, 4, _vote(t, "a lie"));
        _declineVote(t, 5);
        _fails(_status(t, 5, VoteStatus.Declined, VoteStatus.None));
        _commitVote(t, 5, _vote(t, 0));
        _revealVote(t, 4, _vote(t, 0));
        _fails(_status(t, 4, VoteStatus.Revealed, VoteStatus.None));
        _commitVote(t, 4, _vote(t, "a lie"));
    }

    function test_commitVoteLate() public {
        Trial memory t = _atJury();
        uint64 end = t.jury.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _commitVoteCall(t, 4, t.jury.jurors[0], "sealed");
    }

    // ------------------------------------------------------------------ declineVote

    function test_declineVote() public {
        Trial memory t = _atJury();
        vm.warp(t.jury.deadline - t.run.terms.executeWindow / 2);
        _eq(_wallet(t.jury.jurors[0]).locked, 7000, "fine");
        vm.expectEmit(address(market));
        emit IMarket.VoteDeclined(t.jury.execution, 4, t.jury.jurors[0]);
        _declineVote(t, 4);
        _eq(_wallet(t.jury.jurors[0]).locked, 0, "fine back");
        _eq(_wealth(t.jury.jurors[0]), PURSE, "nothing lost");
    }

    function test_declineVoteLate() public {
        Trial memory t = _atJury();
        uint64 end = t.jury.deadline - t.run.terms.executeWindow / 2;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _declineVote(t, 4);
    }

    function test_declineVoteOnce() public {
        Trial memory t = _atJury();
        _declineVote(t, 4);
        _fails(_status(t, 4, VoteStatus.Declined, VoteStatus.None));
        _declineVote(t, 4);
        _commitVote(t, 5, _vote(t, 0));
        _fails(_status(t, 5, VoteStatus.Committed, VoteStatus.None));
        _declineVote(t, 5);
    }

    function test_declineVoteElsewhere() public {
        Trial memory t = _atJury();
        Run memory other = _atConviction();
        _fails(
            abi.encodeWithSelector(IMarket.WrongStatus.selector, other.execution.id, Status.Verdict, Status.Appealed)
        );
        vm.prank(t.jury.jurors[0]);
        market.declineVote(other.terms, other.execution, t.jury, 4);
        _fails(abi.encodeWithSelector(IMarket.WrongJob.selector, t.run.execution.job, other.execution.job));
        vm.prank(t.jury.jurors[0]);
        market.declineVote(other.terms, t.run.execution, t.jury, 4);
    }

    /// One node is drawn for jury after jury, and declines until it may not any more; the next day it may.
    function test_declineVoteTooOften() public {
        Trial memory t = _atJury();
        address juror = t.jury.jurors[0];
        _declineVote(t, 4);
        t = _atJuryWith(juror);
        _declineVote(t, _numberOf(t, juror));
        t = _atJuryWith(juror);
        uint8 number = _numberOf(t, juror);
        _fails(abi.encodeWithSelector(IMarket.TooManyDeclines.selector, juror, 2));
        _declineVote(t, number);
        vm.warp(block.timestamp + 1 days);
        t = _atJuryWith(juror);
        _declineVote(t, _numberOf(t, juror));
    }

    function _atJuryWith(address juror) private returns (Trial memory t) {
        do {
            t = _atJury();
        } while (_numberOf(t, juror) == 0);
    }

    function _numberOf(Trial memory t, address juror) private pure returns (uint8) {
        for (uint8 k; k < JURORS; ++k) {
            if (t.jury.jurors[k] == juror) return 4 + k;
        }
        return 0;
    }

    // ------------------------------------------------------------------ revealVote

    function test_revealVote() public {
        Trial memory t = _atJury();
        Vote memory vote = _vote(t, 0);
        _commitVote(t, 4, vote);
        vm.warp(t.jury.revealDeadline);
        vm.expectEmit(address(market));
        emit IMarket.VoteRevealed(t.jury.execution, 4, t.jury.jurors[0], vote);
        vm.prank(STRANGER);
        market.revealVote(t.jury, 4, vote, _nonce(t.jury.jurors[0]));
    }

    function test_revealVoteInTime() public {
        Trial memory t = _atJury();
        Vote memory vote = _vote(t, 0);
        bytes32 secret = _nonce(t.jury.jurors[0]);
        _commitVote(t, 4, vote);
        uint64 open = t.jury.deadline;
        vm.warp(open);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, open, open));
        market.revealVote(t.jury, 4, vote, secret);
        uint64 end = t.jury.revealDeadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        market.revealVote(t.jury, 4, vote, secret);
        vm.warp(open + 1);
        market.revealVote(t.jury, 4, vote, secret);
    }

    function test_revealVoteOfNobody() public {
        Trial memory t = _atJury();
        _declineVote(t, 5);
        _commitVote(t, 6, _vote(t, 0));
        vm.warp(t.jury.deadline + 1);
        _fails(_status(t, 4, VoteStatus.None, VoteStatus.Committed));
        market.revealVote(t.jury, 4, _vote(t, 0), 0);
        _fails(_status(t, 5, VoteStatus.Declined, VoteStatus.Committed));
        market.revealVote(t.jury, 5, _vote(t, 0), 0);
        _revealVote(t, 6, _vote(t, 0));
        _fails(_status(t, 6, VoteStatus.Revealed, VoteStatus.Committed));
        _revealVote(t, 6, _vote(t, 0));
    }

    /// Each part of a vote is sealed.
    function test_revealAnotherVote() public {
        Trial memory t = _atJury();
        address juror = t.jury.jurors[0];
        _commitVote(t, 4, _vote(t, 0));
        vm.warp(t.jury.deadline + 1);
        Vote memory other = _vote(t, 0);
        other.digest = "another";
        _refusesVote(t, other, _nonce(juror));
        other = _vote(t, 0);
        other.fuel += 1;
        _refusesVote(t, other, _nonce(juror));
        other = _vote(t, 0);
        other.witness = "another";
        _refusesVote(t, other, _nonce(juror));
        _refusesVote(t, _vote(t, 0), "another nonce");
    }

    function _refusesVote(Trial memory t, Vote memory vote, bytes32 secret) private {
        address juror = t.jury.jurors[0];
        bytes32 want = _commitment(t, juror, _vote(t, 0));
        bytes32 have = keccak256(abi.encode(block.chainid, address(market), t.jury.execution, juror, vote, secret));
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongVote.selector, 4, _word(have, VoteStatus.Committed), _word(want, VoteStatus.Committed)
            )
        );
        market.revealVote(t.jury, 4, vote, secret);
    }
}
