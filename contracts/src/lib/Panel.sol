// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Records} from "./Records.sol";
import {IMarket} from "../IMarket.sol";
import {Execution, Status, Verification} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";
import {Seat, SeatStatus} from "../types/Seat.sol";

/// @title The verifiers' seats of one execution: seat 2, and seat 3 of an eager or escalated panel.
library Panel {
    using Records for Records.State;

    /// An execution with all that belongs to its check.
    struct Case {
        Terms terms;
        Execution execution;
        Verification verification;
        Seat[] seats;
    }

    /// Fills in the caller's execution and verification, which must be the present ones.
    function load(
        Case memory c,
        Records.State storage records,
        bytes32 job,
        Execution calldata execution,
        Verification calldata verification,
        Status want
    ) internal view {
        records.load(c.execution, execution, job, want);
        Records.load(c.verification, verification, c.execution.id, c.execution.verification);
    }

    /// Fills in the seats, which must be the panel's, all and in order.
    function load(Case memory c, Records.State storage records, Seat[] calldata seats) internal view {
        uint8 length = size(c);
        c.seats = new Seat[](length);
        for (uint8 i; i < length; ++i) {
            if (i == seats.length) revert IMarket.WrongSeat(0, i + 2);
            if (seats[i].number != i + 2) revert IMarket.WrongSeat(seats[i].number, i + 2);
            load(c, records, c.seats[i], seats[i]);
        }
        if (seats.length > length) revert IMarket.WrongSeat(seats[length].number, 0);
    }

    /// Number of verifiers' seats.
    function size(Case memory c) internal pure returns (uint8) {
        return c.terms.seats == 3 || c.verification.thirdTarget != 0 ? 2 : 1;
    }

    /// Fills in the caller's seat, which must be one of the panel and the present record.
    function load(Case memory c, Records.State storage records, Seat memory seat, Seat calldata given) internal view {
        Records.copy(seat, given);
        uint8 number = seat.number;
        uint8 last = size(c) + 1;
        if (number < 2 || number > last) revert IMarket.WrongSeat(number, last);
        bytes32 key = Records.seatKey(c.execution.id, number);
        bytes32 want = records.seats[key];
        if (want == 0) want = Records.hash(vacancy(c, number));
        Records.requireSame(key, want, Records.hash(seat));
    }

    /// A seat as it is before its first draw, when its slot is still empty.
    function vacancy(Case memory c, uint8 number) internal pure returns (Seat memory seat) {
        Verification memory v = c.verification;
        bool escalated = number == 3 && c.terms.seats == 2;
        seat.execution = c.execution.id;
        seat.number = number;
        seat.status = SeatStatus.Drawing;
        seat.pieces = escalated ? 1 : v.hits;
        seat.target = escalated ? v.thirdTarget : v.target;
        seat.deadline = escalated ? v.thirdDeadline : v.deadline;
    }

    /// When the last seat was done, timestamp in seconds. Fails with `PanelRunning` while one is not.
    function doneAt(Seat[] memory seats) internal pure returns (uint64 last) {
        for (uint256 i; i < seats.length; ++i) {
            Seat memory s = seats[i];
            if (s.status != SeatStatus.Committed && s.status != SeatStatus.Vacant) {
                revert IMarket.PanelRunning(s.number);
            }
            if (s.doneAt > last) last = s.doneAt;
        }
    }

    /// Fails with `PanelNotFull` unless two verifiers have committed.
    function requireFull(Seat[] memory seats) internal pure {
        for (uint8 number = 2; number <= 3; ++number) {
            bool committed = seats.length > number - 2 && seats[number - 2].status == SeatStatus.Committed;
            if (!committed) revert IMarket.PanelNotFull(number);
        }
    }

    function requireStatus(Seat memory seat, SeatStatus want) internal pure {
        if (seat.status != want) {
            revert IMarket.WrongSeatStatus(seat.execution, seat.number, seat.status, want);
        }
    }
}
