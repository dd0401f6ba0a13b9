// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Fate, Parameters, Thing} from "./types/Things.sol";

interface IMarket {
    /// Somebody made a thing.
    event ThingMade(bytes32 indexed thing, address indexed maker, Thing made, string url);

    /// Makes a thing.
    function makeThing(Thing calldata made, bytes calldata proof) external payable;
    function parameters() external view returns (Parameters memory);

    /// It is not in a fit state.
    error WrongFate(bytes32 id, Fate have, string hint);
    error NoThing();
}
