// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";
import {Players} from "./Players.sol";
import {Check} from "../fixture/Check.sol";

/// @title What holds after every step of any game, of the money and of who sits where.
contract MoneyInvariant is Check {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;

    function setUp() public {
        _handler = new Handler();
        _handler.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), new bytes4[](1));
        targets[0].selectors[0] = Handler.step.selector;
    }

    function invariant_everyWeiIsExplained() public view {
        _handler.requireConserved();
        _handler.requireLocksExplained();
    }

    function invariant_seatsAreDistinct() public view {
        _handler.requireSeatsDistinct();
    }

    /// Every step was a move, and a game of this length is more than openings.
    function afterInvariant() public view {
        uint256 total;
        for (uint256 i; i <= uint256(type(Players.Move).max); ++i) {
            total += _handler.moves(Players.Move(i));
        }
        _eq(total, _handler.steps(), "a step is a move");
        _true(_handler.moves(Players.Move.Accept) != 0, "something was assigned");
        _true(_handler.moves(Players.Move.Commit) != 0, "something was committed");
    }

    /// One long game in which every kind of move happens.
    function test_everyMoveHappens() public {
        for (uint256 i; i < 2400; ++i) {
            _handler.step(uint256(keccak256(abi.encode("long game", i))));
            if (i % 50 == 0) _handler.requireLocksExplained();
        }
        _handler.requireConserved();
        // A node alone, with one verifier and with two, and then with a jury of three.
        for (uint256 nodes = 1; nodes <= 3; ++nodes) {
            _true(_handler.sittings(nodes) != 0, string.concat("nodes ", vm.toString(nodes)));
        }
        _true(_handler.sittings(6) != 0, "a jury beside a panel");
        for (uint256 i; i <= uint256(type(Players.Move).max); ++i) {
            _true(_handler.moves(Players.Move(i)) != 0, string.concat("move ", vm.toString(i)));
        }
    }
}
