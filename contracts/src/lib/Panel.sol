// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deadline} from "./Deadline.sol";
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

    /// Fills in the panel's seats: those that have a record as the caller brings them, which must be all in order, the
    /// others as they are before their first draw.
    function load(Case memory c, Records.State storage records, Seat[] calldata told) internal view {
        uint8 length = size(c);
        c.seats = new Seat[](length);
        uint256 used;
        for (uint8 i; i < length; ++i) {
            bytes32 key = Records.seatKey(c.execution.id, i + 2);
            bytes32 want = records.seats[key];
            if (want == 0) {
                open(c, c.seats[i], i + 2);
                continue;
            }
            if (used == told.length) revert IMarket.WrongSeat(0, i + 2);
            Seat memory seat = c.seats[i];
            Records.copy(seat, told[used++]);
            if (seat.number != i + 2) revert IMarket.WrongSeat(seat.number, i + 2);
            Records.requireSame(key, want, Records.hash(seat));
        }
        requireNoMore(told, used);
    }

    /// The panel's seat of that number, which must be as `want` says.
    function seatOf(Case memory c, uint8 number, SeatStatus want) internal pure returns (Seat memory seat) {
        uint8 last = uint8(c.seats.length) + 1;
        if (number < 2 || number > last) revert IMarket.WrongSeat(number, last);
        seat = c.seats[number - 2];
        requireStatus(seat, want);
    }

    /// Fails with `WrongSeat` if the caller brought more seats than `length`.
    function requireNoMore(Seat[] calldata seats, uint256 length) internal pure {
        if (seats.length > length) revert IMarket.WrongSeat(seats[length].number, 0);
    }

    /// Number of verifiers' seats.
    function size(Case memory c) internal pure returns (uint8) {
        return c.terms.seats == 3 || c.verification.thirdTarget != 0 ? 2 : 1;
    }

    /// Fills in a seat as it is before its first draw, while its slot is still empty.
    function open(Case memory c, Seat memory seat, uint8 number) internal pure {
        Verification memory v = c.verification;
        bool escalated = number == 3 && c.terms.seats == 2;
        seat.execution = c.execution.id;
        seat.number = number;
        seat.status = SeatStatus.Drawing;
        seat.pieces = escalated ? 1 : v.hits;
        seat.target = escalated ? v.thirdTarget : v.target;
        seat.deadline = escalated ? v.thirdDeadline : v.deadline;
    }

    /// Until when the client may decide: `settleWindow` seconds after the last seat was done, or later if a challenge
    /// took some of that time. Fails with `PanelRunning` while a seat is not done.
    function resolveBy(Case memory c, uint32 settleWindow) internal pure returns (uint64 deadline) {
        deadline = c.execution.deadline;
        for (uint256 i; i < c.seats.length; ++i) {
            Seat memory s = c.seats[i];
            if (s.status != SeatStatus.Committed && s.status != SeatStatus.Vacant) {
                revert IMarket.PanelRunning(s.number);
            }
            if (s.doneAt + settleWindow > deadline) deadline = s.doneAt + settleWindow;
        }
    }

    /// Has a seat drawn again, or given up if it was redrawn `most` times. Until then the record keeps the node that did
    /// not do its duty, which is not drawn again at once.
    function redraw(Seat memory seat, uint8 most, uint32 drawWindow) internal view {
        (seat.root, seat.fuel) = (0, 0);
        if (seat.redraws == most) {
            vacate(seat);
        } else {
            seat.status = SeatStatus.Drawing;
            seat.redraws += 1;
            seat.target = uint64(block.number) + 1;
            seat.deadline = Deadline.afterSeconds(drawWindow);
            seat.doneAt = 0;
        }
    }

    /// Gives a seat up.
    function vacate(Seat memory seat) internal view {
        seat.node = address(0);
        finish(seat, SeatStatus.Vacant);
    }

    function finish(Seat memory seat, SeatStatus status) internal view {
        seat.status = status;
        seat.deadline = 0;
        seat.doneAt = uint64(block.timestamp);
    }

    /// All three seats have committed.
    function full(Case memory c) internal pure returns (bool) {
        return
            c.seats.length == 2 && c.seats[0].status == SeatStatus.Committed
                && c.seats[1].status == SeatStatus.Committed;
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
