// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Players} from "./Players.sol";
import {Absence} from "../fixture/Absence.sol";
import {Challenge, Outcome} from "../../src/types/Execution.sol";
import {SeatStatus} from "../../src/types/Seat.sol";

/// @title The steps around leaves that are demanded and clients that stay silent.
abstract contract Absentees is Players, Absence {
    /// What the seats of a silent client have opened.
    struct Silence {
        uint32 piece;
        uint8 opened;
        bool[3] open;
    }

    mapping(bytes32 execution => Challenge) private _challenges;
    mapping(bytes32 execution => Silence) private _silences;

    // ------------------------------------------------------------------ challenges

    function _demand(Run memory r, uint8 seat, uint32 piece) internal {
        _challenges[r.execution.id] = _challenge(r, seat, piece);
        _count(Move.Challenge);
    }

    /// A seat of a panel that may be challenged, or 0.
    function _withLeaves(Run memory r) internal returns (uint8) {
        uint8 number = uint8(1 + _roll(3));
        if (number == 1) return r.execution.count > 1 ? 1 : 0;
        bool committed = r.seats[number - 2].status == SeatStatus.Committed;
        return committed && r.seats[number - 2].pieces > 1 ? number : 0;
    }

    function _playChallenged(Run memory r) internal returns (bool) {
        Challenge memory ch = _challenges[r.execution.id];
        if (!_expired(r.execution.deadline)) {
            _answer(r, ch);
            _count(Move.Answer);
            return false;
        }
        _expire(r, ch);
        _count(Move.TimeoutChallenged);
        if (ch.seat == 1) _keepRest(r, r.execution.id, r.execution.from, r.execution.count);
        return ch.seat == 1;
    }

    // ------------------------------------------------------------------ silence

    function _playSilent(Run memory r) internal returns (bool) {
        Silence storage s = _silences[r.execution.id];
        uint8 seat = _closed(r, s);
        if (seat == 0 || block.timestamp > _openUntil(r) || _roll(s.opened == 2 ? 3 : 12) == 0) {
            return _playSilenceOver(r, s);
        }
        if (s.opened == 0) {
            bool third = r.terms.seats == 2 && r.seats[1].number != 0;
            s.piece = third ? r.verification.escalated : _anyListed(r);
        }
        _open(r, seat, s.piece);
        s.open[seat - 1] = true;
        ++s.opened;
        _count(Move.OpenSelf);
        return false;
    }

    /// A committed seat that has not opened yet, or 0.
    function _closed(Run memory r, Silence storage s) private returns (uint8 seat) {
        seat = uint8(_roll(3));
        for (uint256 i; i < 3; ++i) {
            bool committed = seat == 0 || r.seats[seat - 1].status == SeatStatus.Committed;
            if (committed && !s.open[seat]) return seat + 1;
            seat = (seat + 1) % 3;
        }
        return 0;
    }

    function _playSilenceOver(Run memory r, Silence storage s) private returns (bool) {
        bool full = r.seats[0].status == SeatStatus.Committed && r.seats[1].status == SeatStatus.Committed;
        if (s.opened == 3) {
            Outcome outcome = _outcome(r, s.piece);
            if (outcome != Outcome.Agreed) {
                _endInVerdict(r, s.piece, outcome);
                _count(Move.SilentVerdict);
                return false;
            }
        }
        _endSilence(r);
        if (!full || s.opened != 2 || !_pairAgrees(r, s)) {
            _count(Move.TimeoutSilent);
            return true;
        }
        if (!s.open[0]) _keepRests(r, s.piece);
        _count(Move.SilentPair);
        return true;
    }

    function _pairAgrees(Run memory r, Silence storage s) private returns (bool) {
        uint8 first = s.open[0] ? 1 : 2;
        uint8 last = s.open[2] ? 3 : 2;
        return _saidBy(r, first, s.piece) == _saidBy(r, last, s.piece);
    }
}
