// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Book} from "./lib/Book.sol";
import {Parameters, Source} from "./types/Parameters.sol";

/// @title A part of the market's code that `Market` runs on its own storage.
/// @notice One contract's code may have 24 KiB, which the whole market exceeds. Called directly a part knows no
/// execution and so refuses everything.
/// @dev The signatures are those of `IMarket`, which documents them. The layout of storage must be that of `Market`: one
/// `Book.State` and nothing else.
abstract contract Part {
    Book.State internal _book;

    /// keccak256(abi.encode(parameters)): a market takes only parts that were made with its own parameters.
    bytes32 public immutable PARAMETERS;

    uint96 internal immutable _MIN_STAKE;
    uint96 internal immutable _NO_SHOW_FEE;
    uint32 internal immutable _SETTLE_WINDOW;
    uint32 internal immutable _DRAW_WINDOW;
    uint32 internal immutable _SILENT_WINDOW;
    uint32 internal immutable _APPEAL_WINDOW;
    uint32 internal immutable _CONFIRMATIONS;
    uint8 internal immutable _REDRAWS;
    uint16 internal immutable _DECLINES_PER_DAY;
    uint96 internal immutable _CHALLENGE_PRICE;
    uint8 internal immutable _JURY_SIZE;
    Source internal immutable _SOURCE;

    constructor(Parameters memory p) {
        PARAMETERS = keccak256(abi.encode(p));
        _MIN_STAKE = p.minStake;
        _NO_SHOW_FEE = p.noShowFee;
        _SETTLE_WINDOW = p.settleWindow;
        _DRAW_WINDOW = p.drawWindow;
        _SILENT_WINDOW = p.silentWindow;
        _APPEAL_WINDOW = p.appealWindow;
        _CONFIRMATIONS = p.confirmations;
        _REDRAWS = p.redraws;
        _DECLINES_PER_DAY = p.declinesPerDay;
        _CHALLENGE_PRICE = p.challengePrice;
        _JURY_SIZE = p.jurySize;
        _SOURCE = p.source;
    }
}
