// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Book} from "./lib/Book.sol";
import {Parameters, Source} from "./types/Parameters.sol";

/// @title What all code of the market has: its parameters, and the layout of its storage.
/// @notice One contract's code may have 24 KiB, which the whole market exceeds. `Market` has the way of work that goes
/// well, and runs the code of the other parts on its own storage. Called directly, they have books of their own, empty.
/// @dev The signatures are those of `IMarket`, which documents them. A part has no storage but the `Book.State`.
abstract contract Part {
    Book.State internal _book;

    /// keccak256(abi.encode(parameters)): a market takes only parts that were made with its own parameters.
    bytes32 public immutable PARAMETERS;

    uint96 internal immutable _MIN_STAKE;
    uint96 internal immutable _MIN_DEPOSIT;
    uint96 internal immutable _NO_SHOW_FEE;
    uint32 internal immutable _SETTLE_WINDOW;
    uint32 internal immutable _DRAW_WINDOW;
    uint32 internal immutable _SILENT_WINDOW;
    uint32 internal immutable _APPEAL_WINDOW;
    uint32 internal immutable _MIN_EXECUTE_WINDOW;
    uint32 internal immutable _CONFIRMATIONS;
    uint8 internal immutable _REDRAWS;
    uint32 internal immutable _MAX_PIECES;
    uint16 internal immutable _MIN_CHECK_RATE;
    uint16 internal immutable _DECLINES_PER_DAY;
    uint96 internal immutable _CHALLENGE_PRICE;
    uint8 internal immutable _JURY_SIZE;
    Source internal immutable _SOURCE;

    constructor(Parameters memory p) {
        PARAMETERS = keccak256(abi.encode(p));
        _MIN_STAKE = p.minStake;
        _MIN_DEPOSIT = p.minDeposit;
        _NO_SHOW_FEE = p.noShowFee;
        _SETTLE_WINDOW = p.settleWindow;
        _DRAW_WINDOW = p.drawWindow;
        _SILENT_WINDOW = p.silentWindow;
        _APPEAL_WINDOW = p.appealWindow;
        _MIN_EXECUTE_WINDOW = p.minExecuteWindow;
        _CONFIRMATIONS = p.confirmations;
        _REDRAWS = p.redraws;
        _MAX_PIECES = p.maxPieces;
        _MIN_CHECK_RATE = p.minCheckRate;
        _DECLINES_PER_DAY = p.declinesPerDay;
        _CHALLENGE_PRICE = p.challengePrice;
        _JURY_SIZE = p.jurySize;
        _SOURCE = p.source;
    }
}
