// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Book} from "./lib/Book.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Panel} from "./lib/Panel.sol";
import {Records} from "./lib/Records.sol";
import {Settlement} from "./lib/Settlement.sol";
import {Execution, Status, Verification} from "./types/Execution.sol";
import {Terms} from "./types/Job.sol";
import {Parameters} from "./types/Parameters.sol";
import {Seat} from "./types/Seat.sol";

/// @title The part of the facade for those who do not answer: withheld leaves and silent clients.
contract Disputes is Part {
    using Book for Book.State;
    using Panel for Panel.Case;

    constructor(Parameters memory p) Part(p) {}

    function timeoutSilent(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Records.load(c.terms, terms), execution, verification, Status.Verifying);
        c.load(_book.records, seats);
        Deadline.requirePassed(Panel.doneAt(c.seats) + _SETTLE_WINDOW + _SILENT_WINDOW);
        // Effect:
        _book.close(c, Settlement.Ruling({loser: 0, bondBurned: c.terms.bond, bondLocked: true, silent: true}));
    }
}
