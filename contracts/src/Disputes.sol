// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Book} from "./lib/Book.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Declines} from "./lib/Declines.sol";
import {Evidence} from "./lib/Evidence.sol";
import {Guard} from "./lib/Guard.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Panel} from "./lib/Panel.sol";
import {Pay} from "./lib/Pay.sol";
import {Records} from "./lib/Records.sol";
import {Settlement} from "./lib/Settlement.sol";
import {Challenge, Execution, Outcome, Status, Verification} from "./types/Execution.sol";
import {Terms} from "./types/Job.sol";
import {Parameters} from "./types/Parameters.sol";
import {Disclosure, Opening, Seat, SeatStatus} from "./types/Seat.sol";

/// @title The part of the facade for those who do not deliver: work called off, given back or missed, withheld leaves,
/// silent clients.
contract Disputes is Part {
    using Book for Book.State;
    using Declines for Declines.State;
    using Ledger for Ledger.State;
    using Panel for Panel.Case;
    using Records for Records.State;
    using Settlement for Ledger.State;

    constructor(Parameters memory p) Part(p) {}

    // ------------------------------------------------------------------ work called off

    function closeJob(Terms calldata terms) external {
        // Check:
        Terms memory t;
        bytes32 job = Guard.requireClientOrExpired(t, terms);
        uint32 from = _book.records.firstPiece(job);
        // Effect:
        delete _book.records.frontiers[job];
        _unlockEscrow(t, t.pieces - from);
        emit IMarket.JobClosed(job, from);
    }

    function closeReturned(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Terms memory t;
        bytes32 job = Guard.requireClientOrExpired(t, terms);
        Execution memory e;
        _book.records.load(e, execution, job, Status.Returned);
        // Effect:
        delete _book.records.executions[e.id];
        _unlockEscrow(t, e.count);
        emit IMarket.ReturnedClosed(e.id);
    }

    function _unlockEscrow(Terms memory terms, uint32 pieces) private {
        uint256 escrow = Pay.cap(terms, pieces);
        _book.ledger.release(terms.client, escrow, escrow);
    }

    // ------------------------------------------------------------------ no result

    function decline(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Terms memory t;
        Execution memory e;
        _book.records.load(e, execution, Records.load(t, terms), Status.Assigned);
        if (msg.sender != e.node) revert IMarket.NotNode(msg.sender, e.node);
        Deadline.requireOpen(Declines.deadlineOf(e.deadline, t.executeWindow));
        // Effect:
        _book.declines.count(e.node, _DECLINES_PER_DAY);
        _book.ledger.release(e.node, t.fine, t.fine);
        emit IMarket.ExecutionDeclined(e.id, e.node);
        _giveBackAll(t, e);
    }

    function timeoutAssigned(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Terms memory t;
        Execution memory e;
        _book.records.load(e, execution, Records.load(t, terms), Status.Assigned);
        Deadline.requirePassed(e.deadline);
        // Effect:
        _book.ledger.burnNoShow(e.id, 1, e.node, t.fine, _NO_SHOW_FEE);
        _giveBackAll(t, e);
    }

    /// Gives all pieces of an execution without a result back to its job, and the bond to the client.
    function _giveBackAll(Terms memory terms, Execution memory e) private {
        _book.ledger.release(terms.client, terms.bond, terms.bond);
        _book.giveBack(e, e.id, e.from, e.count);
    }

    // ------------------------------------------------------------------ withheld leaves

    function challengeLeaf(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 seat,
        uint32 piece
    ) external {
        // Check:
        Panel.Case memory c;
        uint64 end;
        if (execution.verification != 0) {
            _loadPanel(c, Guard.requireClient(c.terms, terms), execution, verification, seats);
            end = c.resolveBy(_SETTLE_WINDOW);
            Deadline.requireOpen(end);
            Evidence.requireListed(c, piece);
        } else {
            Guard.requireConfirmed(_book.records, c.terms, c.execution, terms, execution, _CONFIRMATIONS);
            Panel.requireNoMore(seats, 0);
            end = c.execution.deadline;
            if (piece < c.execution.from || piece - c.execution.from >= c.execution.count) {
                revert IMarket.NotListed(piece);
            }
        }
        if (_leavesOf(c, seat) == 1) revert IMarket.NothingToChallenge(seat);
        // Effect:
        _book.ledger.lock(c.terms.client, _CHALLENGE_PRICE, 0);
        Challenge memory challenge = Challenge({
            execution: c.execution.id,
            seat: seat,
            piece: piece,
            left: end - uint64(block.timestamp),
            back: c.execution.status
        });
        _book.records.disputes[c.execution.id] = Records.hash(challenge);
        _goOn(c, Status.Challenged, Deadline.afterSeconds(_SETTLE_WINDOW));
        emit IMarket.LeafChallenged(c.execution.id, seat, challenge, c.execution.deadline);
    }

    function answerLeaf(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Challenge calldata challenge,
        Opening calldata opening
    ) external {
        // Check:
        Panel.Case memory c;
        Challenge memory asked;
        _loadChallenged(c, asked, terms, execution, verification, seats, challenge);
        Deadline.requireOpen(c.execution.deadline);
        Evidence.Claim memory claim = Evidence.claim(c, asked.seat, asked.piece);
        Evidence.requireProven(claim, opening);
        // Effect:
        _book.ledger.release(c.terms.client, _CHALLENGE_PRICE, 0);
        _book.ledger.release(claim.node, 0, _CHALLENGE_PRICE);
        delete _book.records.disputes[c.execution.id];
        _goOn(c, asked.back, uint64(block.timestamp) + asked.left);
        emit IMarket.LeafAnswered(
            c.execution.id, asked.seat, asked.piece, opening.leaf, opening.proof, c.execution.deadline
        );
    }

    function timeoutChallenged(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Challenge calldata challenge
    ) external {
        // Check:
        Panel.Case memory c;
        Challenge memory asked;
        _loadChallenged(c, asked, terms, execution, verification, seats, challenge);
        Deadline.requirePassed(c.execution.deadline);
        // Effect:
        delete _book.records.disputes[c.execution.id];
        _book.ledger.release(c.terms.client, _CHALLENGE_PRICE, _CHALLENGE_PRICE);
        if (asked.seat == 1) {
            emit IMarket.ChallengeFailed(c.execution.id, 1, c.execution.node);
            _book.records.drop(c.execution.id, c.seats);
            _book.ledger.payVerifiersOnly(c, c.terms.bond);
            _book.giveBack(c.execution, c.execution.id, c.execution.from, c.execution.count);
        } else {
            Seat memory s = c.seats[asked.seat - 2];
            emit IMarket.ChallengeFailed(c.execution.id, s.number, s.node);
            _book.ledger.slash(s.execution, s.number, s.node, c.terms.fine);
            Panel.redraw(s, _REDRAWS, _DRAW_WINDOW);
            _book.storeSeat(s);
            _goOn(c, Status.Verifying, 0);
        }
    }

    // ------------------------------------------------------------------ a silent client

    function timeoutCommitted(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Terms memory t;
        Execution memory e;
        _book.records.load(e, execution, Records.load(t, terms), Status.Committed);
        Deadline.requirePassed(e.deadline);
        // Effect:
        delete _book.records.executions[e.id];
        _book.ledger.payUnverified(t, e, t.bond, true);
    }

    function openSelf(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 seat,
        Disclosure calldata disclosure
    ) external {
        // Check:
        Panel.Case memory c;
        _loadPanel(c, Records.load(c.terms, terms), execution, verification, seats);
        uint64 end = c.resolveBy(_SETTLE_WINDOW);
        Deadline.requirePassed(end);
        Deadline.requireOpen(end + _SILENT_WINDOW);
        _leavesOf(c, seat);
        bytes32 id = c.execution.id;
        bytes32 key = Records.seatKey(id, seat);
        if (_book.records.opened[key] != 0) revert IMarket.AlreadyOpened(seat);
        uint256 named = _book.records.named[id];
        if (named == 0) Evidence.requireComparable(c, disclosure.piece);
        else if (named - 1 != disclosure.piece) revert IMarket.WrongPiece(disclosure.piece, uint32(named - 1));
        (bytes32 digest, bytes32 result) = Evidence.disclose(c, seat, disclosure);
        // Effect:
        if (named == 0) _book.records.named[id] = uint256(disclosure.piece) + 1;
        _book.records.opened[key] = result;
        address node = seat == 1 ? c.execution.node : c.seats[seat - 2].node;
        emit IMarket.SelfOpened(id, seat, node, disclosure.piece, digest, disclosure.opening.leaf.fuel);
    }

    function timeoutSilent(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external {
        // Check:
        Panel.Case memory c;
        _loadPanel(c, Records.load(c.terms, terms), execution, verification, seats);
        Deadline.requirePassed(c.resolveBy(_SETTLE_WINDOW) + _SILENT_WINDOW);
        // Effect:
        (uint32 piece, uint256 opened, bytes32[3] memory results) = _takeOpened(c.execution.id);
        uint8 closed = opened == 2 && c.full() ? _outsideThePair(results) : 0;
        Outcome outcome = opened == 3 ? Evidence.compare(results) : Outcome.Agreed;
        if (outcome != Outcome.Agreed) {
            _book.ledger.settleBond(c.terms, c.execution.id, c.terms.bond);
            _book.reachVerdict(c, outcome, piece, results, _APPEAL_WINDOW);
        } else if (closed == 0) {
            _book.close(c, Settlement.Ruling({loser: 0, bondBurned: c.terms.bond, bondLocked: true, silent: true}));
        } else {
            _book.records.drop(c.execution.id, c.seats);
            _book.ledger.payPair(c, closed);
            if (closed == 1) _book.giveBackAround(c.execution, piece);
        }
    }

    // ------------------------------------------------------------------ checks

    function _loadPanel(
        Panel.Case memory c,
        bytes32 job,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) private view {
        c.load(_book.records, job, execution, verification, Status.Verifying);
        c.load(_book.records, seats);
    }

    function _loadChallenged(
        Panel.Case memory c,
        Challenge memory asked,
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Challenge calldata challenge
    ) private view {
        _book.records.load(c.execution, execution, Records.load(c.terms, terms), Status.Challenged);
        _book.records.load(asked, challenge, c.execution.id);
        if (asked.back == Status.Verifying) {
            Records.load(c.verification, verification, c.execution.id, c.execution.verification);
            c.load(_book.records, seats);
        } else {
            Panel.requireNoMore(seats, 0);
        }
    }

    /// How many leaves a seat has committed to. Fails with `WrongSeat` or `WrongSeatStatus` if there are none.
    function _leavesOf(Panel.Case memory c, uint8 number) private pure returns (uint32) {
        if (number == 1) return c.execution.count;
        uint8 last = uint8(c.seats.length) + 1;
        if (number < 1 || number > last) revert IMarket.WrongSeat(number, last);
        Seat memory seat = c.seats[number - 2];
        Panel.requireStatus(seat, SeatStatus.Committed);
        return seat.pieces;
    }

    /// The seat whose result is missing although the two others are equal; 0 if they are not.
    function _outsideThePair(bytes32[3] memory results) private pure returns (uint8) {
        if (results[0] == 0) return results[1] == results[2] ? 1 : 0;
        if (results[1] == 0) return results[0] == results[2] ? 2 : 0;
        return results[0] == results[1] ? 3 : 0;
    }

    // ------------------------------------------------------------------ effects

    function _goOn(Panel.Case memory c, Status status, uint64 deadline) private {
        c.execution.status = status;
        c.execution.deadline = deadline;
        _book.records.store(c.execution);
    }

    /// What the seats opened, and forgets it.
    function _takeOpened(bytes32 id) private returns (uint32 piece, uint256 opened, bytes32[3] memory results) {
        uint256 named = _book.records.named[id];
        if (named == 0) return (0, 0, results);
        piece = uint32(named - 1);
        for (uint8 i; i < 3; ++i) {
            results[i] = _book.records.opened[Records.seatKey(id, i + 1)];
            if (results[i] != 0) ++opened;
        }
        _book.records.dropOpened(id);
    }
}
