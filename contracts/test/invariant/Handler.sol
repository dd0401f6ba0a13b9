// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "../fixture/Game.sol";
import {Execution, Outcome, Status} from "../../src/types/Execution.sol";
import {Terms} from "../../src/types/Job.sol";
import {Leaf, Seat, SeatStatus} from "../../src/types/Seat.sol";

/// @title Plays many executions at once, each step of one of them chosen by a number. No step may fail: where the time
/// for an action is over its timeout is taken, so that a state without a working timeout stops the game.
contract Handler is Game {
    enum Move {
        Create,
        CloseJob,
        Accept,
        AcceptReturned,
        CloseReturned,
        Commit,
        TimeoutAssigned,
        Settle,
        TimeoutCommitted,
        Verify,
        Draw,
        TimeoutDrawing,
        CommitSeat,
        TimeoutSeat,
        Escalate,
        SettleVerified,
        Reveal,
        TimeoutSilent,
        TimeoutVerdict
    }

    /// Encoded, for the compiler cannot copy structs with arrays of structs into storage.
    bytes[] private _runs;
    bytes[] private _rests;
    bytes[] private _jobs;

    uint256 public steps;
    uint256[19] public moves;
    uint256 private _dice;

    function step(uint256 dice) external {
        _dice = dice;
        ++steps;
        uint256 burnedBefore = market.burned();
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + _roll(12));
        uint256 pick = _roll(6);
        if (pick == 0 && _jobs.length < 3) _createJob();
        else if (pick == 1 && _jobs.length != 0) _useJob(_roll(_jobs.length));
        else if (pick == 2 && _rests.length != 0) _useRest(_roll(_rests.length));
        else if (_runs.length != 0) _play(_roll(_runs.length));
        else if (_jobs.length != 0) _useJob(_roll(_jobs.length));
        else _createJob();
        _true(market.burned() >= burnedBefore, "burned money stays burned");
    }

    /// The next number below `sides`.
    function _roll(uint256 sides) private returns (uint256) {
        _dice = uint256(keccak256(abi.encode(_dice)));
        return _dice % sides;
    }

    function _count(Move move) private {
        ++moves[uint256(move)];
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

    function _keepRest(Run memory r, bytes32 id, uint32 from, uint32 count) private {
        _rests.push(abi.encode(r.terms, _returned(r.execution, id, from, count)));
    }

    function _remove(bytes[] storage list, uint256 i) private {
        list[i] = list[list.length - 1];
        list.pop();
    }

    // ------------------------------------------------------------------ executions

    function _play(uint256 i) private {
        Run memory r = abi.decode(_runs[i], (Run));
        bool over;
        if (r.execution.status == Status.Assigned) over = _playAssigned(r);
        else if (r.execution.status == Status.Committed) over = _playCommitted(r);
        else if (r.execution.status == Status.Verifying) over = _playVerifying(r);
        else over = _playVerdict(r);
        if (over) _remove(_runs, i);
        else _runs[i] = abi.encode(r);
    }

    function _expired(uint64 deadline) private returns (bool) {
        if (_roll(8) == 0 && block.timestamp <= deadline) vm.warp(deadline + 1);
        return block.timestamp > deadline;
    }

    function _mayLie(Leaf[] memory leaves) private returns (Leaf[] memory) {
        return _roll(3) == 0 ? _lie(leaves, _roll(leaves.length)) : leaves;
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
            market.timeoutDrawing(r.terms, r.execution, r.verification, seat);
            _finish(seat, SeatStatus.Vacant);
            _count(Move.TimeoutDrawing);
        } else {
            _draw(r, number);
            _count(Move.Draw);
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
        if (_expired(_resolveUntil(r))) {
            if (block.timestamp <= _silentUntil(r)) vm.warp(_silentUntil(r) + 1);
            market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
            _count(Move.TimeoutSilent);
            return true;
        }
        if (second && r.seats[1].status == SeatStatus.Committed && _roll(4) != 0) return _playReveal(r);
        if (second && r.seats[1].number == 0 && _roll(4) != 0) {
            _escalate(r, _anyListed(r));
            _count(Move.Escalate);
            return false;
        }
        _settleVerified(r);
        _count(Move.SettleVerified);
        return true;
    }

    function _anyListed(Run memory r) private returns (uint32) {
        uint32 k = uint32(_roll(r.execution.count));
        while (!_has(r.verification.listed, k)) k = (k + 1) % r.execution.count;
        return r.execution.from + k;
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

    /// What must come out, from who lied about the piece.
    function _outcome(Run memory r, uint32 piece) private returns (Outcome) {
        bool[3] memory lied;
        uint256 liars;
        for (uint256 i; i < 3; ++i) {
            address node = i == 0 ? r.execution.node : r.seats[i - 1].node;
            bytes32 honest = _leaf(r.execution.id, node, piece, _truth(piece)).c;
            lied[i] = r.leaves[i][_position(r, i, piece)].c != honest;
            if (lied[i]) ++liars;
        }
        if (liars == 0) return Outcome.Agreed;
        if (liars > 1) return Outcome.AllDiffer;
        return lied[0] ? Outcome.FirstLost : lied[1] ? Outcome.SecondLost : Outcome.ThirdLost;
    }

    function _playVerdict(Run memory r) private returns (bool) {
        vm.warp(block.timestamp > r.execution.deadline ? block.timestamp : r.execution.deadline + 1);
        market.timeoutVerdict(r.terms, r.execution, r.verification, _panel(r));
        _count(Move.TimeoutVerdict);
        if (r.verification.outcome == Outcome.FirstLost) _keepRests(r);
        return true;
    }

    function _keepRests(Run memory r) private {
        uint32 next = r.verification.revealed + 1;
        uint32 ahead = r.verification.revealed - r.execution.from;
        uint32 behind = r.execution.from + r.execution.count - next;
        bytes32 id = r.execution.id;
        if (ahead != 0) {
            _keepRest(r, id, r.execution.from, ahead);
            id = keccak256(abi.encode(id, next, "split"));
        }
        if (behind != 0) _keepRest(r, id, next, behind);
    }

    // ------------------------------------------------------------------ what must hold

    /// Every wei is in a wallet or burned.
    function requireConserved() external view {
        _conserved();
    }

    /// Locks are exactly what the open records say, wallet by wallet.
    function requireLocksExplained() external view {
        uint256 clients;
        uint256[NODES] memory fines;
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
            _addFine(fines, r.execution.node, r.terms.fine);
            for (uint256 s; s < 2; ++s) {
                bool sits = r.seats[s].status == SeatStatus.Running || r.seats[s].status == SeatStatus.Committed;
                if (sits) _addFine(fines, r.seats[s].node, r.terms.fine);
            }
        }
        _eq(_wallet(client).locked, clients, "client's locks");
        for (uint256 i; i < NODES; ++i) {
            _eq(_wallet(_node(i)).locked, fines[i], "node's locks");
        }
    }

    function _lockedFor(Run memory r) private pure returns (uint256 amount) {
        amount = uint256(r.terms.bid) * r.execution.count;
        if (r.execution.status != Status.Verdict) amount += r.terms.bond;
        amount += uint256(r.verification.bid) * r.verification.hits * (r.terms.seats - 1);
        if (r.verification.thirdTarget != 0) amount += r.verification.bid;
    }

    function _addFine(uint256[NODES] memory fines, address node, uint256 fine) private pure {
        for (uint256 i; i < NODES; ++i) {
            if (_node(i) == node) fines[i] += fine;
        }
    }
}
