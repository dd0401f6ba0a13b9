// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Absentees} from "./Absentees.sol";
import {Jurors} from "./Jurors.sol";
import {Execution, Outcome, Status} from "../../src/types/Execution.sol";
import {Terms} from "../../src/types/Job.sol";
import {Leaf, Seat, SeatStatus} from "../../src/types/Seat.sol";

/// @title Plays many executions at once, each step of one of them chosen by a number. No step may fail: where the time
/// for an action is over its timeout is taken, so that a state without a working timeout stops the game.
contract Handler is Absentees, Jurors {
    function step(uint256 dice) external {
        _dice = dice;
        ++steps;
        uint256 burnedBefore = market.burned();
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + _roll(3));
        uint256 pick = _roll(12);
        if (pick == 0 && _jobs.length < 3) _createJob();
        else if (pick == 1 && _jobs.length != 0) _useJob(_roll(_jobs.length));
        else if (pick == 2 && _rests.length != 0) _useRest(_roll(_rests.length));
        else if (_runs.length != 0) _play(_roll(_runs.length));
        else if (_jobs.length != 0) _useJob(_roll(_jobs.length));
        else _createJob();
        _true(market.burned() >= burnedBefore, "burned money stays burned");
    }

    // ------------------------------------------------------------------ jobs

    function _createJob() private {
        uint16[3] memory rates = [NEVER, 32768, ALWAYS];
        uint96[3] memory prices = [uint96(0), 9, 1000];
        Terms memory terms = _terms(uint32(1 + _roll(8)), uint8(2 + _roll(2)), rates[_roll(3)]);
        terms.fuelPrice = prices[_roll(3)];
        _create(terms);
        _jobs.push(abi.encode(terms));
        _count(Move.Create);
    }

    function _useJob(uint256 i) private {
        Terms memory terms = abi.decode(_jobs[i], (Terms));
        uint32 left = terms.pieces - (market.frontier(market.jobId(terms)) - 1);
        bool close = block.timestamp > terms.expiry || _roll(5) == 0;
        if (close) {
            vm.prank(client);
            market.closeJob(terms);
            _count(Move.CloseJob);
        } else {
            uint32 count = uint32(1 + _roll(left < 4 ? left : 4));
            _runs.push(abi.encode(_accept(terms, _roll(NODES), count)));
            _count(Move.Accept);
            close = count == left;
        }
        if (close) _remove(_jobs, i);
    }

    function _useRest(uint256 i) private {
        (Terms memory terms, Execution memory rest) = abi.decode(_rests[i], (Terms, Execution));
        if (block.timestamp > terms.expiry || _roll(4) == 0) {
            vm.prank(client);
            market.closeReturned(terms, rest);
            _count(Move.CloseReturned);
            rest.count = 0;
        } else {
            uint32 count = uint32(1 + _roll(rest.count));
            _runs.push(abi.encode(_acceptReturned(terms, rest, _roll(NODES), count)));
            _count(Move.AcceptReturned);
            rest.from += count;
            rest.count -= count;
        }
        if (rest.count == 0) _remove(_rests, i);
        else _rests[i] = abi.encode(terms, rest);
    }

    // ------------------------------------------------------------------ executions

    function _play(uint256 i) private {
        Run memory r = abi.decode(_runs[i], (Run));
        bool over;
        if (r.execution.status == Status.Assigned) over = _playAssigned(r);
        else if (r.execution.status == Status.Committed) over = _playCommitted(r);
        else if (r.execution.status == Status.Verifying) over = _playVerifying(r);
        else if (r.execution.status == Status.Challenged) over = _playChallenged(r);
        else if (r.execution.status == Status.Appealed) over = _playAppealed(r);
        else over = _playVerdict(r);
        if (over) _remove(_runs, i);
        else _runs[i] = abi.encode(r);
        if (!over) ++sittings[_requireDistinct(r)];
    }

    function _playAssigned(Run memory r) private returns (bool over) {
        over = _expired(r.execution.deadline);
        if (over) {
            market.timeoutAssigned(r.terms, r.execution);
            _keepRest(r, r.execution.id, r.execution.from, r.execution.count);
            _count(Move.TimeoutAssigned);
        } else {
            _commitLeaves(r, _mayLie(_leaves(r, r.execution.node, new uint256[](0))));
            _count(Move.Commit);
        }
    }

    function _playCommitted(Run memory r) private returns (bool over) {
        over = true;
        if (_expired(r.execution.deadline)) {
            market.timeoutCommitted(r.terms, r.execution);
            _count(Move.TimeoutCommitted);
        } else if (r.execution.count > 1 && _roll(6) == 0) {
            _demand(r, 1, r.execution.from + uint32(_roll(r.execution.count)));
            over = false;
        } else if (_roll(4) == 0) {
            _settle(r);
            _count(Move.Settle);
        } else {
            _verify(r, uint96(1000 + _roll(500)), _list(1 + _roll((1 << r.execution.count) - 1)));
            _count(Move.Verify);
            over = false;
        }
    }

    function _playVerifying(Run memory r) private returns (bool) {
        uint8 number = uint8(2 + _roll(2));
        for (uint256 i; i < 2; ++i) {
            SeatStatus status = r.seats[number - 2].status;
            if (status == SeatStatus.Drawing) return _playDrawing(r, number);
            if (status == SeatStatus.Running) return _playRunning(r, number);
            number = 5 - number;
        }
        return _playResolving(r);
    }

    function _playDrawing(Run memory r, uint8 number) private returns (bool) {
        Seat memory seat = r.seats[number - 2];
        if (_expired(seat.deadline)) {
            _vacate(r, number);
            _count(Move.TimeoutDrawing);
        } else {
            address failed = seat.node;
            _draw(r, number);
            _true(r.seats[number - 2].node != failed, "who has just failed is passed over");
            _count(failed == address(0) ? Move.Draw : Move.Redraw);
        }
        return false;
    }

    function _playRunning(Run memory r, uint8 number) private returns (bool) {
        Seat memory seat = r.seats[number - 2];
        if (_expired(seat.deadline)) {
            vm.recordLogs();
            market.timeoutSeat(r.terms, r.execution, seat);
            r.seats[number - 2] = _toldSeat();
            _count(Move.TimeoutSeat);
        } else {
            bool third = number == 3 && r.terms.seats == 2;
            uint256[] memory listed = third ? _bit(r.verification.escalated - r.execution.from) : r.verification.listed;
            _commitSeatLeaves(r, number, _mayLie(_leaves(r, seat.node, listed)));
            _count(Move.CommitSeat);
        }
        return false;
    }

    function _playResolving(Run memory r) private returns (bool) {
        bool second = r.seats[0].status == SeatStatus.Committed;
        bool full = second && r.seats[1].status == SeatStatus.Committed;
        if (full && _roll(4) == 0 && block.timestamp <= _decideUntil(r)) _fallSilent(r);
        if (_expired(_decideUntil(r))) return _playSilent(r);
        uint8 asked = _roll(4) == 0 ? _withLeaves(r) : 0;
        if (asked != 0) {
            _demand(r, asked, _anyListed(r));
            return false;
        }
        if (full && _roll(4) != 0) return _playReveal(r);
        if (second && r.seats[1].number == 0 && _roll(4) != 0) {
            _escalate(r, _anyListed(r));
            _count(Move.Escalate);
            return false;
        }
        _settleVerified(r);
        _count(Move.SettleVerified);
        return true;
    }

    function _playReveal(Run memory r) private returns (bool) {
        uint32 piece = r.terms.seats == 2 ? r.verification.escalated : _anyListed(r);
        Outcome outcome = _outcome(r, piece);
        _count(Move.Reveal);
        if (outcome == Outcome.Agreed) {
            _revealCall(r, _reveal(r, piece));
            return true;
        }
        _convict(r, piece, outcome);
        return false;
    }

    function _playVerdict(Run memory r) private returns (bool) {
        if (_mayAppeal(r)) return false;
        vm.warp(block.timestamp > r.execution.deadline ? block.timestamp : r.execution.deadline + 1);
        market.timeoutVerdict(r.terms, r.execution, r.verification, _panel(r));
        _count(Move.TimeoutVerdict);
        if (r.verification.outcome == Outcome.FirstLost) _keepRests(r, r.verification.revealed);
        return true;
    }

    // ------------------------------------------------------------------ what must hold

    /// Every wei is in a wallet or burned.
    function requireConserved() external view {
        _conserved();
    }

    /// Seats and jurors are different nodes, and none is the client.
    function requireSeatsDistinct() external view {
        for (uint256 i; i < _runs.length; ++i) {
            _requireDistinct(abi.decode(_runs[i], (Run)));
        }
    }

    /// How many nodes have a part in the execution.
    function _requireDistinct(Run memory r) private view returns (uint256 sitters) {
        address[] memory sits = new address[](4 + JURORS);
        sits[sitters++] = r.terms.client;
        sits[sitters++] = r.execution.node;
        for (uint256 s; s < 2; ++s) {
            if (_sits(r.seats[s])) sits[sitters++] = r.seats[s].node;
        }
        address[] memory jurors = _jurorsOf(r);
        for (uint256 k; k < jurors.length; ++k) {
            sits[sitters++] = jurors[k];
        }
        for (uint256 i; i < sitters; ++i) {
            _true(sits[i] != address(0), "somebody sits");
            for (uint256 k; k < i; ++k) {
                _true(sits[i] != sits[k], "nobody sits twice");
            }
        }
        --sitters;
    }

    function _sits(Seat memory seat) private pure returns (bool) {
        return seat.status == SeatStatus.Running || seat.status == SeatStatus.Committed;
    }

    /// Locks are exactly what the open records say, wallet by wallet.
    function requireLocksExplained() external view {
        uint256 clients;
        uint256[NODES] memory locks;
        for (uint256 i; i < _jobs.length; ++i) {
            Terms memory terms = abi.decode(_jobs[i], (Terms));
            clients += uint256(terms.bid) * (terms.pieces + 1 - market.frontier(market.jobId(terms)));
        }
        for (uint256 i; i < _rests.length; ++i) {
            (Terms memory terms, Execution memory rest) = abi.decode(_rests[i], (Terms, Execution));
            _eq(market.executionHash(rest.id), keccak256(abi.encode(rest)), "returned record");
            clients += uint256(terms.bid) * rest.count;
        }
        for (uint256 i; i < _runs.length; ++i) {
            Run memory r = abi.decode(_runs[i], (Run));
            _eq(market.executionHash(r.execution.id), keccak256(abi.encode(r.execution)), "record");
            clients += _lockedFor(r);
            _addLock(locks, r.execution.node, r.terms.fine);
            for (uint256 s; s < 2; ++s) {
                if (_sits(r.seats[s])) _addLock(locks, r.seats[s].node, r.terms.fine);
            }
            if (r.execution.status == Status.Appealed) _addAppeal(locks, r);
        }
        _eq(_wallet(client).locked, clients, "client's locks");
        for (uint256 i; i < NODES; ++i) {
            _eq(_wallet(_node(i)).locked, locks[i], "node's locks");
        }
    }

    function _lockedFor(Run memory r) private pure returns (uint256 amount) {
        amount = uint256(r.terms.bid) * r.execution.count;
        bool bondLocked = r.execution.status != Status.Verdict && r.execution.status != Status.Appealed;
        if (bondLocked) amount += r.terms.bond;
        if (r.execution.status == Status.Challenged) amount += PRICE;
        amount += uint256(r.verification.bid) * r.verification.hits * (r.terms.seats - 1);
        if (r.verification.thirdTarget != 0) amount += r.verification.bid;
    }
}
