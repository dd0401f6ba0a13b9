// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "./fixture/Check.sol";
import {Market} from "../src/Market.sol";
import {Verifications} from "../src/Verifications.sol";
import {Parameters} from "../src/types/Parameters.sol";

/// @title The limits of the EVM and of FEVM on code, bytes.
contract SizeTest is Check {
    uint256 private constant MOST_CODE = 24_576;
    uint256 private constant MOST_CREATION_CODE = 49_152;

    function test_code() public {
        Parameters memory p;
        (p.settleWindow, p.drawWindow, p.appealWindow, p.maxPieces) = (1, 1, 1, 1);
        _true(address(new Market(p)).code.length <= MOST_CODE, "Market");
        _true(address(new Verifications(p)).code.length <= MOST_CODE, "Verifications");
        uint256 creation = type(Market).creationCode.length + abi.encode(p).length;
        _true(creation <= MOST_CREATION_CODE, "creation code of both");
    }
}
