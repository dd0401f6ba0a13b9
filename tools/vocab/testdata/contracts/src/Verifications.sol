// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Parameters, Thing} from "./types/Things.sol";

contract Verifications is Part {
    constructor(Parameters memory p) Part(p) {}

    function makeThing(Thing calldata made, bytes calldata) external payable {
        emit IMarket.ThingMade(made.id, msg.sender, made, "");
    }
}
