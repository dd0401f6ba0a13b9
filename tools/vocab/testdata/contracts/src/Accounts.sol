// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Part} from "./Part.sol";
import {Parameters} from "./types/Things.sol";

contract Accounts is Part {
    constructor(Parameters memory p) Part(p) {}

    function parameters() external pure returns (Parameters memory p) {
        return p;
    }
}
