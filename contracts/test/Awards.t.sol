// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Court} from "./fixture/Court.sol";
import {IMarket} from "../src/IMarket.sol";
import {Terms} from "../src/types/Job.sol";

/// @title What everybody has in the end, when an appeal is decided.
contract AwardsTest is Court {
    bytes32 private constant LIE = "a lie";
    bytes32 private constant OTHER = "another lie";

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
                seats: [int256(-2 * 7000), 1250, 1250],
                jurors: [int256(1250), 1250, 1250],
                burned: 2 * 7000 - 3 * 1250
            })
        );
    }

    /// A small fine is a small bond: the jurors share it, and what does not divide is burned.
    function test_appealBondShared() public {
        Terms memory terms = _terms(1, 3, ALWAYS);
        terms.fine = 1000;
        _create(terms);
        Run memory r = _accept(terms, 0, 1);
        _toVerdictOver(r, 0, [LIE, 0, 0]);
        Trial memory t = _decided(r, 1, [bytes32(0), 0, 0]);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-2 * 1000), 1250, 1250],
                jurors: [int256(333), 333, 333],
                burned: 1000 + 1
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
        emit IMarket.AppealBondBurned(r.execution.id, r.seats[0].node, 7000 - 2 * 1250);
        _timeoutAppealedCall(t);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -1000 - 1250,
                seats: [int256(1000), -2 * 7000, 1250],
                jurors: [int256(-300), 1250, 1250],
                burned: 2 * 7000 + 300 - 2 * 1250
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
                seats: [int256(-7000), -7000, -2 * 7000],
                jurors: [int256(1250), 1250, 1250],
                burned: 4 * 7000 - 3 * 1250
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
                seats: [int256(-7000), -2 * 7000, 1250],
                jurors: [int256(1250), 1250, 1250],
                burned: 3 * 7000 - 3 * 1250
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
