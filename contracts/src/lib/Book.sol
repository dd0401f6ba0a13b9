// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deadline} from "./Deadline.sol";
import {Declines} from "./Declines.sol";
import {Ledger} from "./Ledger.sol";
import {Panel} from "./Panel.sol";
import {Records} from "./Records.sol";
import {Registry} from "./Registry.sol";
import {Settlement} from "./Settlement.sol";
import {IMarket} from "../IMarket.sol";
import {Execution, Outcome, Status} from "../types/Execution.sol";
import {Seat} from "../types/Seat.sol";

/// @title All that the market stores, and the ways an execution leaves it.
library Book {
    using Records for Records.State;
    using Settlement for Ledger.State;

    struct State {
        Ledger.State ledger;
        Records.State records;
        Registry.State registry;
        Declines.State declines;
    }

    /// Ends an execution with its node paid.
    function close(State storage self, Panel.Case memory c, Settlement.Ruling memory ruling) internal {
        self.records.drop(c.execution.id, c.seats);
        self.ledger.pay(c, ruling);
    }

    /// An opened piece showed that not all seats agree: opens the appeal window.
    function reachVerdict(
        State storage self,
        Panel.Case memory c,
        Outcome outcome,
        uint32 piece,
        bytes32[3] memory results,
        uint32 appealWindow
    ) internal {
        c.verification.outcome = outcome;
        c.verification.revealed = piece;
        c.verification.results = keccak256(abi.encode(results));
        c.execution.deadline = Deadline.afterSeconds(appealWindow);
        storeVerification(self, c, Status.Verdict);
        emit IMarket.VerdictReached(c.execution.id, results, c.verification, c.execution.deadline);
    }

    /// An execution whose verification has changed.
    function storeVerification(State storage self, Panel.Case memory c, Status status) internal {
        c.execution.status = status;
        c.execution.verification = Records.hash(c.verification);
        self.records.store(c.execution);
    }

    /// A seat that is to be drawn again, or that was given up.
    function storeSeat(State storage self, Seat memory seat) internal {
        self.records.store(seat);
        emit IMarket.SeatChanged(seat.execution, seat.number, seat);
    }

    /// Gives the pieces [from, from + count) of an execution back to its job, as the returned execution `id`.
    function giveBack(State storage self, Execution memory e, bytes32 id, uint32 from, uint32 count) internal {
        Execution memory rest;
        rest.id = id;
        rest.job = e.job;
        rest.from = from;
        rest.count = count;
        rest.status = Status.Returned;
        self.records.store(rest);
        emit IMarket.ExecutionReturned(e.id, id, from, count);
    }

    /// Gives all pieces but the settled one back to the job. What is left of the range keeps the execution's id; if
    /// pieces are left on both sides, those behind get a new one.
    function giveBackAround(State storage self, Execution memory e, uint32 settled) internal {
        uint32 next = settled + 1;
        uint32 behind = e.from + e.count - next;
        if (settled == e.from) {
            if (behind == 0) emit IMarket.ExecutionReturned(e.id, e.id, next, 0);
            else giveBack(self, e, e.id, next, behind);
            return;
        }
        giveBack(self, e, e.id, e.from, settled - e.from);
        if (behind != 0) giveBack(self, e, Records.splitId(e.id, next), next, behind);
    }
}
