// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Bitmap} from "./lib/Bitmap.sol";
import {Book} from "./lib/Book.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Declines} from "./lib/Declines.sol";
import {Dice} from "./lib/Dice.sol";
import {Draw} from "./lib/Draw.sol";
import {Evidence} from "./lib/Evidence.sol";
import {Guard} from "./lib/Guard.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Panel} from "./lib/Panel.sol";
import {Records} from "./lib/Records.sol";
import {Settlement} from "./lib/Settlement.sol";
import {Execution, Outcome, Status, Verification} from "./types/Execution.sol";
import {Terms} from "./types/Job.sol";
import {Parameters} from "./types/Parameters.sol";
import {Reveal, Seat, SeatStatus} from "./types/Seat.sol";

/// @title The part of the facade for checks that do not go well: seats given back or missed, third seats, verdicts.
contract Verifications is Part {
    using Bitmap for uint256[];
    using Book for Book.State;
    using Declines for Declines.State;
    using Ledger for Ledger.State;
    using Panel for Panel.Case;
    using Records for Records.State;
    using Settlement for Ledger.State;

    constructor(Parameters memory p) Part(p) {}

    function timeoutDrawing(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 number
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Records.load(c.terms, terms), execution, verification, Status.Verifying);
        c.load(_book.records, seats);
        Seat memory s = c.seatOf(number, SeatStatus.Drawing);
        Deadline.requirePassed(s.deadline);
        // Effect:
        Panel.vacate(s);
        _book.storeSeat(s);
    }

    function declineSeat(Terms calldata terms, Execution calldata execution, Seat calldata seat) external {
        // Check:
        (Terms memory t, Seat memory s) = _loadRunning(terms, execution, seat);
        if (msg.sender != s.node) revert IMarket.NotNode(msg.sender, s.node);
        Deadline.requireOpen(Declines.deadlineOf(s.deadline, t.executeWindow));
        // Effect:
        _book.declines.count(s.node, _DECLINES_PER_DAY);
        _book.ledger.release(s.node, t.fine, t.fine);
        emit IMarket.SeatDeclined(s.execution, s.number, s.node);
        Panel.redraw(s, _REDRAWS, _DRAW_WINDOW);
        _book.storeSeat(s);
    }

    function timeoutSeat(Terms calldata terms, Execution calldata execution, Seat calldata seat) external {
        // Check:
        (Terms memory t, Seat memory s) = _loadRunning(terms, execution, seat);
        Deadline.requirePassed(s.deadline);
        // Effect:
        _book.ledger.burnNoShow(s.execution, s.number, s.node, t.fine, _NO_SHOW_FEE);
        Panel.redraw(s, _REDRAWS, _DRAW_WINDOW);
        _book.storeSeat(s);
    }

    function escalate(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint32 piece
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Guard.requireClient(c.terms, terms), execution, verification, Status.Verifying);
        Verification memory v = c.verification;
        if (Panel.size(c) != 1) revert IMarket.AlreadyEscalated(v.escalated);
        c.load(_book.records, seats);
        c.seatOf(2, SeatStatus.Committed);
        Deadline.requireOpen(c.resolveBy(_SETTLE_WINDOW));
        Evidence.requireListed(c, piece);
        // Effect:
        v.escalated = piece;
        v.thirdTarget = uint64(block.number) + 1;
        v.thirdDeadline = Deadline.afterSeconds(_DRAW_WINDOW);
        _book.ledger.lock(c.terms.client, v.bid, 0);
        _book.storeVerification(c, Status.Verifying);
        emit IMarket.VerificationEscalated(c.execution.id, v);
    }

    function revealKey(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Reveal calldata reveal
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Guard.requireClient(c.terms, terms), execution, verification, Status.Verifying);
        c.load(_book.records, seats);
        Deadline.requireOpen(c.resolveBy(_SETTLE_WINDOW));
        Panel.requireFull(c.seats);
        uint256 loss = Dice.lossRoundedUp(c.terms, c.execution, c.verification.listed, reveal.seed);
        bytes32[3] memory digests;
        bytes32[3] memory results;
        Outcome outcome;
        (outcome, digests, results) = Evidence.judge(c, reveal);
        // Effect:
        emit IMarket.KeyRevealed(c.execution.id, reveal.piece, reveal.sk, digests);
        if (outcome == Outcome.Agreed) {
            _book.close(c, Settlement.Ruling({loser: 0, bondBurned: loss, bondLocked: true, silent: false}));
        } else {
            _book.ledger.settleBond(c.terms, c.execution.id, loss);
            _book.reachVerdict(c, outcome, reveal.piece, results, _APPEAL_WINDOW);
        }
    }

    function timeoutVerdict(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Records.load(c.terms, terms), execution, verification, Status.Verdict);
        c.load(_book.records, seats);
        Deadline.requirePassed(c.execution.deadline);
        // Effect:
        Outcome outcome = c.verification.outcome;
        if (outcome == Outcome.SecondLost || outcome == Outcome.ThirdLost) {
            uint8 loser = outcome == Outcome.SecondLost ? 2 : 3;
            _book.close(c, Settlement.Ruling({loser: loser, bondBurned: 0, bondLocked: false, silent: false}));
            return;
        }
        _book.records.drop(c.execution.id, c.seats);
        if (outcome == Outcome.AllDiffer) {
            _book.ledger.refund(c);
        } else {
            _book.ledger.payVerifiersOnly(c, c.terms.bid);
            _book.giveBackAround(c.execution, c.verification.revealed);
        }
    }

    /// The terms and a seat that owes its commitment.
    function _loadRunning(Terms calldata terms, Execution calldata execution, Seat calldata seat)
        private
        view
        returns (Terms memory t, Seat memory s)
    {
        Execution memory e;
        _book.records.load(e, execution, Records.load(t, terms), Status.Verifying);
        _book.records.load(s, seat, Records.seatKey(e.id, seat.number));
        Panel.requireStatus(s, SeatStatus.Running);
    }
}
