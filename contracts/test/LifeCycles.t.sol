// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {Execution, Outcome} from "../src/types/Execution.sol";
import {Leaf} from "../src/types/Seat.sol";

/// @title Whole lives of an execution, with every party's balance at the end.
contract LifeCyclesTest is Game {
    function _gain(address who) private view returns (int256) {
        return int256(_wealth(who)) - int256(PURSE);
    }

    function _gained(address who, int256 want, string memory what) private view {
        _eq(uint256(_gain(who)), uint256(want), what);
    }

    function test_unverified() public {
        Run memory r = _atCommitted(5, 2, NEVER);
        _settle(r);
        _over(r);
        _gained(client, -5000, "client");
        _gained(r.execution.node, 5000, "node");
        _eq(market.burned(), 0, "burned");
    }

    function test_verifiedLazily() public {
        Run memory r = _atResolving(5, 2);
        _settleVerified(r);
        _over(r);
        _gained(client, -5000 - 5 * 1250, "client");
        _gained(r.execution.node, 5000, "node");
        _gained(r.seats[0].node, 5 * 1250, "verifier");
    }

    function test_verifiedEagerly() public {
        Run memory r = _atResolving(1, 3);
        _settleVerified(r);
        _over(r);
        _gained(client, -1000 - 2 * 1250, "client");
        _gained(r.seats[0].node, 1250, "seat 2");
        _gained(r.seats[1].node, 1250, "seat 3");
    }

    function test_agreedOnReveal() public {
        Run memory r = _atResolving(3, 3);
        _revealCall(r, _reveal(r, 1));
        _over(r);
        _gained(client, -3000 - 6 * 1250, "client");
        _gained(r.execution.node, 3000, "node");
        _eq(market.burned(), 0, "burned");
    }

    function test_secondLost() public {
        Run memory r = _atDispute(3, 1, 1 << 2);
        _convict(r, 1, Outcome.SecondLost);
        _timeoutVerdict(r);
        _over(r);
        _gained(client, -3000 - 3 * 1250, "client");
        _gained(r.execution.node, 3000, "node");
        _gained(r.seats[0].node, -7000, "loser");
        _gained(r.seats[1].node, 3 * 1250, "winner");
        _eq(market.burned(), 7000, "burned");
    }

    function test_thirdLost() public {
        Run memory r = _atDispute(1, 0, 1 << 3);
        _convict(r, 0, Outcome.ThirdLost);
        _timeoutVerdict(r);
        _over(r);
        _gained(r.seats[0].node, 1250, "winner");
        _gained(r.seats[1].node, -7000, "loser");
        _gained(client, -1000 - 1250, "client");
    }

    function test_firstLostWithOnePiece() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _convict(r, 0, Outcome.FirstLost);
        _timeoutVerdict(r);
        _over(r);
        _gained(client, -2 * 1250, "client");
        _gained(r.execution.node, -7000, "loser");
        _gained(r.seats[0].node, 1250, "seat 2");
        _gained(r.seats[1].node, 1250, "seat 3");
    }

    /// The settled piece splits the range: both sides are given to another node, which finishes them.
    function test_firstLostInTheMiddle() public {
        Run memory r = _atDispute(5, 2, 1 << 1);
        _convict(r, 2, Outcome.FirstLost);
        _timeoutVerdict(r);
        _eq(_wallet(client).locked, 4000, "escrow of the returned pieces");
        bytes32 behind = keccak256(abi.encode(r.execution.id, uint32(3), "split"));
        Run memory left = _acceptReturned(r.terms, _returned(r.execution, r.execution.id, 0, 2), 1, 2);
        Run memory right = _acceptReturned(r.terms, _returned(r.execution, behind, 3, 2), 2, 2);
        _commit(left);
        _commit(right);
        vm.warp(block.timestamp + 101);
        market.timeoutCommitted(left.terms, left.execution);
        market.timeoutCommitted(right.terms, right.execution);
        _over(left);
        _over(right);
        _eq(market.burned(), 7000 + 2 * 20_000, "fine and two bonds");
        _gained(client, -4000 - 10 * 1250 - 2 * 20_000, "client");
    }

    function test_firstLostAtTheEnds() public {
        Run memory first = _atDispute(3, 0, 1 << 1);
        _convict(first, 0, Outcome.FirstLost);
        _timeoutVerdict(first);
        _closeReturned(first, 1, 2);
        Run memory last = _atDispute(3, 2, 1 << 1);
        _convict(last, 2, Outcome.FirstLost);
        _timeoutVerdict(last);
        _closeReturned(last, 0, 2);
        _over(last);
    }

    function _closeReturned(Run memory r, uint32 from, uint32 count) private {
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, r.execution.id, from, count));
        _over(r);
    }

    function test_allDiffer() public {
        Run memory r = _atDispute(3, 1, 7 << 1);
        _convict(r, 1, Outcome.AllDiffer);
        _timeoutVerdict(r);
        _over(r);
        _gained(client, 0, "client");
        for (uint256 i; i < NODES; ++i) {
            _gained(_node(i), 0, "node");
        }
        _eq(market.burned(), 0, "burned");
    }

    /// Lazy: the two differ, a third seat for the piece decides.
    function test_escalated() public {
        Run memory r = _atAssigned(4, 2, ALWAYS);
        Leaf[] memory leaves = _leaves(r, r.execution.node, new uint256[](0));
        _commitLeaves(r, _lie(leaves, 2));
        _verify(r, 1250, _list(15));
        _draw(r, 2);
        _commitSeat(r, 2);
        _escalate(r, 2);
        _draw(r, 3);
        _true(r.seats[1].node != r.seats[0].node, "seats are distinct");
        _commitSeat(r, 3);
        _convict(r, 2, Outcome.FirstLost);
        _timeoutVerdict(r);
        _gained(r.execution.node, -7000, "cheat");
        _gained(r.seats[0].node, 4 * 1250, "seat 2");
        _gained(r.seats[1].node, 1250, "seat 3");
        _eq(_wallet(client).locked, 3000, "escrow of the returned pieces");
        _conserved();
    }

    function test_escalatedAndSettled() public {
        Run memory r = _atResolving(2, 2);
        _escalate(r, 1);
        _draw(r, 3);
        _commitSeat(r, 3);
        _settleVerified(r);
        _over(r);
        _gained(client, -2000 - 3 * 1250, "client");
    }

    /// A node that does not show up returns its pieces; another one runs them.
    function test_noShow() public {
        Run memory r = _atAssigned(3, 2, NEVER);
        vm.warp(r.execution.deadline + 1);
        market.timeoutAssigned(r.terms, r.execution);
        _gained(r.execution.node, -300, "no-show");
        Execution memory rest = _returned(r.execution, r.execution.id, 0, 3);
        Run memory a = _acceptReturned(r.terms, rest, 1, 1);
        (rest.from, rest.count) = (1, 2);
        Run memory b = _acceptReturned(r.terms, rest, 2, 2);
        _commit(a);
        _commit(b);
        _settle(a);
        _settle(b);
        _over(a);
        _over(b);
        _gained(_node(1), 1000, "second node");
        _gained(_node(2), 2000, "third node");
        _eq(market.burned(), 300, "burned");
    }

    function test_meteredPay() public {
        Run memory r;
        r.terms = _terms(2, 2, NEVER);
        r.terms.fuelPrice = 7;
        _create(r.terms);
        r = _accept(r.terms, 0, 2);
        _commit(r);
        _settle(r);
        _over(r);
        _gained(r.execution.node, 7 * (40 + 41), "fuel");
    }

    function test_meteredVerification() public {
        Run memory r;
        r.terms = _terms(1, 2, ALWAYS);
        r.terms.fuelPrice = 7;
        _create(r.terms);
        r = _accept(r.terms, 0, 1);
        _commit(r);
        _verify(r, 1333, _list(1));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _gained(r.execution.node, 280, "fuel");
        _gained(r.seats[0].node, 373, "raised fuel, rounded down");
    }
}
