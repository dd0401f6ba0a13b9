// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Fate, Parameters, Thing} from "./types/Things.sol";

contract Market is Part {
    constructor(Parameters memory p, Part, Part, Part, Part) Part(p) {
        if (p.window == 0) revert IMarket.NoThing();
    }

    function makeThing(Thing calldata made, bytes calldata) external payable {
        if (made.fate != Fate.None) revert IMarket.WrongFate(made.id, made.fate, "fix it");
        emit IMarket.ThingMade(made.id, msg.sender, made, "");
    }
}
