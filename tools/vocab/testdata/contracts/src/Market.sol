// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Fate, Parameters, Thing} from "./types/Things.sol";

contract Market is IMarket {
    constructor(Parameters memory p, Part, Part, Part) {
        if (p.window == 0) revert NoThing();
    }

    function makeThing(Thing calldata made, bytes calldata) external payable {
        if (made.fate != Fate.None) revert WrongFate(made.id, made.fate, "fix it");
        emit ThingMade(made.id, msg.sender, made, "");
    }

    function parameters() external pure returns (Parameters memory p) {
        return p;
    }
}
