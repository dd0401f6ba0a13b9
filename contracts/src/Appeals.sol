// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Award} from "./lib/Award.sol";
import {Book} from "./lib/Book.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Declines} from "./lib/Declines.sol";
import {Draw} from "./lib/Draw.sol";
import {Juries} from "./lib/Juries.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Panel} from "./lib/Panel.sol";
import {Randomness} from "./lib/Randomness.sol";
import {Records} from "./lib/Records.sol";
import {Votes} from "./lib/Votes.sol";
import {Execution, Status, Verification} from "./types/Execution.sol";
import {Terms} from "./types/Job.sol";
import {Jury, Vote, VoteStatus} from "./types/Jury.sol";
import {Parameters} from "./types/Parameters.sol";
import {Seat} from "./types/Seat.sol";

/// @title The part of the facade for appeals against a verdict, and their juries.
contract Appeals is Part {
    using Award for Ledger.State;
    using Book for Book.State;
    using Declines for Declines.State;
    using Juries for Jury;
    using Ledger for Ledger.State;
    using Panel for Panel.Case;
    using Records for Records.State;

    constructor(Parameters memory p) Part(p) {}

    function appeal(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 seat
    ) external {
        // Check:
        Panel.Case memory c;
        _load(c, terms, execution, verification, seats, Status.Verdict);
        Juries.requireLoser(c, seat);
        Deadline.requireOpen(c.execution.deadline);
        // Effect:
        _book.ledger.lock(msg.sender, c.terms.fine, 0);
        c.execution.status = Status.Appealed;
        c.execution.deadline = 0;
        _book.records.store(c.execution);
        Jury memory j;
        j.execution = c.execution.id;
        j.appellant = seat;
        j.target = uint64(block.number) + 1;
        j.deadline = Deadline.afterSeconds(_DRAW_WINDOW);
        Juries.store(_book.records, j);
        emit IMarket.VerdictAppealed(j.execution, seat, j);
    }

    function drawJury(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Jury calldata jury
    ) external {
        // Check:
        Panel.Case memory c;
        _load(c, terms, execution, verification, seats, Status.Appealed);
        Jury memory j = Juries.load(_book.records, jury, c.execution.id);
        if (j.jurors.length != 0) revert IMarket.AlreadyDrawn(j.execution);
        Deadline.requireOpen(j.deadline);
        // Effect:
        Draw.Rule memory rule;
        (rule.source, rule.minStake, rule.fine) = (_SOURCE, _MIN_STAKE, c.terms.fine);
        Juries.draw(_book.registry, _book.ledger, c, j, rule, _JURY_SIZE);
        j.salt = keccak256(abi.encode(Randomness.ofTarget(_SOURCE, j.target), j.execution, "jury"));
        j.deadline = Deadline.afterSeconds(c.terms.executeWindow);
        j.revealDeadline = j.deadline + _SETTLE_WINDOW;
        Juries.store(_book.records, j);
        emit IMarket.JuryDrawn(j.execution, j);
    }

    function commitVote(Jury calldata jury, uint8 number, bytes32 commitment) external {
        // Check:
        Jury memory j = Juries.load(_book.records, jury, jury.execution);
        _requireJuror(j, number);
        Juries.requireStatus(_book.records, j, number, VoteStatus.None);
        Deadline.requireOpen(j.deadline);
        // Effect:
        _book.records.votes[j.key(number)] = Votes.committed(commitment);
        emit IMarket.VoteCommitted(j.execution, number, msg.sender, commitment);
    }

    function declineVote(Terms calldata terms, Execution calldata execution, Jury calldata jury, uint8 number)
        external
    {
        // Check:
        Terms memory t;
        Execution memory e;
        _book.records.load(e, execution, Records.load(t, terms), Status.Appealed);
        Jury memory j = Juries.load(_book.records, jury, e.id);
        _requireJuror(j, number);
        Juries.requireStatus(_book.records, j, number, VoteStatus.None);
        Deadline.requireOpen(Declines.deadlineOf(j.deadline, t.executeWindow));
        // Effect:
        _book.declines.count(msg.sender, _DECLINES_PER_DAY);
        _book.records.votes[j.key(number)] = Votes.declined();
        _book.ledger.release(msg.sender, t.fine, t.fine);
        emit IMarket.VoteDeclined(j.execution, number, msg.sender);
    }

    function revealVote(Jury calldata jury, uint8 number, Vote calldata vote, bytes32 nonce) external {
        // Check:
        Jury memory j = Juries.load(_book.records, jury, jury.execution);
        address juror = j.jurorAt(number);
        bytes32 word = Juries.requireStatus(_book.records, j, number, VoteStatus.Committed);
        Deadline.requirePassed(j.deadline);
        Deadline.requireOpen(j.revealDeadline);
        Juries.requireVote(number, Votes.committed(Votes.commitmentOf(j.execution, juror, vote, nonce)), word);
        // Effect:
        _book.records.votes[j.key(number)] = Votes.revealed(vote);
        emit IMarket.VoteRevealed(j.execution, number, juror, vote);
    }

    function timeoutAppealed(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Jury calldata jury,
        bytes32[3] calldata results,
        Vote[] calldata votes
    ) external {
        // Check:
        Award.Appeal memory a;
        _load(a.panel, terms, execution, verification, seats, Status.Appealed);
        _loadJury(a, jury, votes);
        Records.requireSame(a.jury.execution, a.panel.verification.results, keccak256(abi.encode(results)));
        // Effect:
        _close(a, Award.find(a.words, results, votes));
    }

    function _load(
        Panel.Case memory c,
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Status want
    ) private view {
        c.load(_book.records, Records.load(c.terms, terms), execution, verification, want);
        c.load(_book.records, seats);
    }

    /// The jury whose time is over, and what it has said.
    function _loadJury(Award.Appeal memory a, Jury calldata jury, Vote[] calldata votes) private view {
        a.jury = Juries.load(_book.records, jury, a.panel.execution.id);
        Deadline.requirePassed(a.jury.jurors.length == 0 ? a.jury.deadline : a.jury.revealDeadline);
        a.words = Juries.words(_book.records, a.jury, votes);
        a.noShowFee = _NO_SHOW_FEE;
    }

    function _close(Award.Appeal memory a, Award.Finding memory f) private {
        Execution memory e = a.panel.execution;
        Juries.drop(_book.records, a.jury);
        _book.records.drop(e.id, a.panel.seats);
        emit IMarket.AppealDecided(e.id, f.result, f.right);
        if (f.word == 0) {
            Award.refund(_book.ledger, a);
            return;
        }
        Award.pay(_book.ledger, a, f);
        if (Award.isRight(f, 1)) return;
        if (f.right == 0) _book.giveBack(e, e.id, e.from, e.count);
        else _book.giveBackAround(e, a.panel.verification.revealed);
    }

    function _requireJuror(Jury memory jury, uint8 number) private view {
        address juror = jury.jurorAt(number);
        if (msg.sender != juror) revert IMarket.NotNode(msg.sender, juror);
    }
}
