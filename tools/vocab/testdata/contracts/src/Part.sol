// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "./types/Things.sol";

abstract contract Part {
    bytes32 public immutable PARAMETERS;

    constructor(Parameters memory p) {
        PARAMETERS = keccak256(abi.encode(p));
    }
}
