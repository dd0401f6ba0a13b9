// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "./fixture/Check.sol";
import {Appeals} from "../src/Appeals.sol";
import {Disputes} from "../src/Disputes.sol";
import {Market} from "../src/Market.sol";
import {Verifications} from "../src/Verifications.sol";
import {Parameters} from "../src/types/Parameters.sol";

/// @title The limits of the EVM and of FEVM on code, bytes.
contract LimitsTest is Check {
    uint256 private constant MOST_CODE = 24_576;

    function test_code() public {
        Parameters memory p;
        (p.settleWindow, p.drawWindow, p.silentWindow, p.appealWindow) = (1, 1, 1, 1);
        (p.minExecuteWindow, p.maxPieces, p.jurySize) = (1, 1, 1);
        Verifications verifications = new Verifications(p);
        Disputes disputes = new Disputes(p);
        _true(address(verifications).code.length <= MOST_CODE, "Verifications");
        _true(address(disputes).code.length <= MOST_CODE, "Disputes");
        Appeals appeals = new Appeals(p);
        _true(address(appeals).code.length <= MOST_CODE, "Appeals");
        _true(address(new Market(p, verifications, disputes, appeals)).code.length <= MOST_CODE, "Market");
    }
}
