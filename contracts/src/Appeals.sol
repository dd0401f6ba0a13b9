// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Part} from "./Part.sol";
import {Parameters} from "./types/Parameters.sol";

/// @title The part of the facade for appeals against a verdict, and their juries.
contract Appeals is Part {
    constructor(Parameters memory p) Part(p) {}
}
