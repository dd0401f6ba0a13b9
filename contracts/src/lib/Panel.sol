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
        Execution execution;
        Verification verification;
        Seat[] seats;
    }

    /// The caller's records without the seats, if they are the present ones.
    function load(
        Records.State storage records,
        bytes32 job,
        Execution calldata execution,
        Verification calldata verification,
        Status want
    ) internal view returns (Case memory) {
        Execution memory e = records.load(job, execution, want);
        Verification memory v = verification;
        Records.requireSame(e.id, e.verification, Records.hash(v));
        return Case(e, v, new Seat[](0));
    }

    /// Adds the seats, which must be the panel's, all and in order.
    function seat(Case memory c, Records.State storage records, Terms calldata terms, Seat[] calldata seats)
        internal
        view
    {
        uint8 length = size(terms, c.verification);
        c.seats = new Seat[](length);
        for (uint8 i; i < length; ++i) {
            if (i == seats.length) revert IMarket.WrongSeat(0, i + 2);
            if (seats[i].number != i + 2) revert IMarket.WrongSeat(seats[i].number, i + 2);
            c.seats[i] = current(c, records, terms, seats[i]);
        }
        if (seats.length > length) revert IMarket.WrongSeat(seats[length].number, 0);
    }

    /// Number of verifiers' seats.
    function size(Terms calldata terms, Verification memory verification) internal pure returns (uint8) {
        return terms.seats == 3 || verification.thirdTarget != 0 ? 2 : 1;
    }

    /// The caller's seat, if it is one of the panel and the present record.
    function current(Case memory c, Records.State storage records, Terms calldata terms, Seat calldata given)
        internal
        view
        returns (Seat memory)
    {
        Seat memory seat_ = given;
        uint8 last = size(terms, c.verification) + 1;
        if (seat_.number < 2 || seat_.number > last) revert IMarket.WrongSeat(seat_.number, last);
        bytes32 key = Records.seatKey(c.execution.id, seat_.number);
        bytes32 want = records.seats[key];
        if (want == 0) want = Records.hash(vacancy(c, terms, seat_.number));
        Records.requireSame(key, want, Records.hash(seat_));
        return seat_;
    }

    /// A seat as it is before its first draw, when its slot is still empty.
    function vacancy(Case memory c, Terms calldata terms, uint8 number) internal pure returns (Seat memory seat_) {
        Verification memory v = c.verification;
        bool escalated = number == 3 && terms.seats == 2;
        seat_.execution = c.execution.id;
        seat_.number = number;
        seat_.status = SeatStatus.Drawing;
        seat_.pieces = escalated ? 1 : v.hits;
        seat_.target = escalated ? v.thirdTarget : v.target;
        seat_.deadline = escalated ? v.thirdDeadline : v.deadline;
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

    function requireStatus(Seat memory seat_, SeatStatus want) internal pure {
        if (seat_.status != want) {
            revert IMarket.WrongSeatStatus(seat_.execution, seat_.number, seat_.status, want);
        }
    }
}
