// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Part} from "./Part.sol";
import {Parameters} from "./types/Things.sol";

contract Verifications is Part {
    constructor(Parameters memory p) Part(p) {}
}
