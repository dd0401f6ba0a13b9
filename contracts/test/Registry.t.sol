// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Offer, Terms} from "../src/types/Job.sol";

/// @title Who may be given work and who may be drawn.
contract RegistryTest is Game {
    address private constant STRANGER = address(0x57A);

    function test_register() public {
        _fund(STRANGER, 9_999);
        _fails(abi.encodeWithSelector(IMarket.InsufficientStake.selector, STRANGER, 9_999, 10_000));
        vm.prank(STRANGER);
        market.register();
        _fund(STRANGER, 1);
        vm.expectEmit(address(market));
        emit IMarket.NodeRegistered(STRANGER);
        vm.prank(STRANGER);
        market.register();
        _true(_wallet(STRANGER).registered, "registered");
        _eq(market.nodes().length, NODES + 1, "nodes");
        _eq(market.nodes()[NODES], STRANGER, "last node");
        _fails(abi.encodeWithSelector(IMarket.AlreadyRegistered.selector, STRANGER));
        vm.prank(STRANGER);
        market.register();
    }

    function _leave(uint256 i) private {
        vm.prank(_node(i));
        market.exit();
    }

    function _come(uint256 i) private {
        vm.prank(_node(i));
        market.register();
    }

    function test_exit() public {
        vm.expectEmit(address(market));
        emit IMarket.NodeExited(_node(1));
        _leave(1);
        _true(!_wallet(_node(1)).registered, "not registered");
        _eq(market.nodes().length, NODES - 1, "nodes");
        _eq(market.nodes()[1], _node(2), "the others stay in order");
        _fails(abi.encodeWithSelector(IMarket.NotRegistered.selector, _node(1)));
        _leave(1);
        for (uint256 i; i < NODES; ++i) {
            if (i != 1) _leave(i);
        }
        _eq(market.nodes().length, 0, "nobody");
        _come(1);
        _eq(market.nodes()[0], _node(1), "back again");
    }

    /// Nobody moves; the hole that came last is filled first; then the registry grows.
    function test_holesAreFilled() public {
        _leave(4);
        _leave(1);
        _come(4);
        _eq(market.nodes()[1], _node(4), "in the place of 1");
        _fund(STRANGER, 10_000);
        vm.prank(STRANGER);
        market.register();
        _eq(market.nodes()[4], STRANGER, "in the place of 4");
        _come(1);
        _eq(market.nodes()[NODES], _node(1), "in a new place");
        _eq(market.nodes().length, NODES + 1, "nodes");
    }

    /// Locks outlive the registration, and then the money can be taken out.
    function test_exitWithLocks() public {
        Run memory r = _atAssigned(1, 2, NEVER);
        _leave(0);
        _eq(_wallet(_node(0)).locked, 7000, "the fine stays locked");
        vm.prank(_node(0));
        market.withdraw(uint96(PURSE - 7000));
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, _node(0), 0, 1));
        vm.prank(_node(0));
        market.withdraw(1);
        _commit(r);
        _settle(r);
        vm.prank(_node(0));
        market.withdraw(8000);
        _eq(_node(0).balance, PURSE + 1000, "all out");
    }

    // ------------------------------------------------------------------ pause and resume

    function _pause(uint256 i) private {
        vm.prank(_node(i));
        market.pause();
    }

    function _resume(uint256 i) private {
        vm.prank(_node(i));
        market.resume();
    }

    function test_pause() public {
        vm.expectEmit(address(market));
        emit IMarket.NodePaused(_node(1));
        _pause(1);
        _true(_wallet(_node(1)).paused && _wallet(_node(1)).registered, "paused, and still registered");
        _eq(market.nodes()[1], _node(1), "in its place");
        Terms memory terms = _terms(1, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        _fails(abi.encodeWithSelector(IMarket.Paused.selector, _node(1)));
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1, "");
        _resume(1);
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1, "");
    }

    function test_pauseRefused() public {
        _fails(abi.encodeWithSelector(IMarket.NotRegistered.selector, STRANGER));
        vm.prank(STRANGER);
        market.pause();
        _pause(1);
        _fails(abi.encodeWithSelector(IMarket.Paused.selector, _node(1)));
        _pause(1);
    }

    /// What was taken before goes on: a node in seat 1 and one in seat 2 both finish.
    function test_pauseWithWorkInFlight() public {
        Run memory r = _atAssigned(1, 2, ALWAYS);
        _pause(0);
        _commit(r);
        _verify(r, 1250, _list(1));
        _draw(r, 2);
        vm.prank(r.seats[0].node);
        market.pause();
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(_wealth(_node(0)), PURSE + 1000, "seat 1");
        _eq(_wealth(r.seats[0].node), PURSE + 1250, "seat 2");
    }

    function test_exitWhilePaused() public {
        _pause(1);
        _leave(1);
        _come(1);
        _true(!_wallet(_node(1)).paused, "a new start");
    }

    function test_resume() public {
        _fails(abi.encodeWithSelector(IMarket.NotPaused.selector, _node(1)));
        _resume(1);
        _fails(abi.encodeWithSelector(IMarket.NotRegistered.selector, STRANGER));
        vm.prank(STRANGER);
        market.resume();
        _pause(1);
        vm.expectEmit(address(market));
        emit IMarket.NodeResumed(_node(1));
        _resume(1);
        _true(!_wallet(_node(1)).paused, "awake");
    }

    /// It is drawn again for what is asked for after it has resumed.
    function test_resumedIsDrawnLater() public {
        for (uint256 i = 1; i < NODES; ++i) {
            _pause(i);
        }
        Run memory before = _atDrawing(1, 2);
        vm.roll(before.verification.target);
        _resume(2);
        vm.roll(before.verification.target + 1);
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, before.verification.target));
        _drawCall(before, 2);
        Run memory r = _atDrawing(1, 2);
        _draw(r, 2);
        _eq(r.seats[0].node, _node(2), "the only one awake");
    }
}
