// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attack} from "../fixture/Attack.sol";
import {Tree} from "../fixture/Tree.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Outcome} from "../../src/types/Execution.sol";
import {Leaf, Reveal, Seat, SeatStatus, Sum} from "../../src/types/Seat.sol";

/// @title Nodes that want to be paid for results they did not compute.
contract ResultAttacks is Attack {
    /// Seat 2 commits to `leaf`, is opened, and loses its fine while the other two are paid.
    function _loses(Run memory r, Leaf memory leaf) private {
        _commitSeatLeaves(r, 2, _one(leaf));
        _convict(r, 0, Outcome.SecondLost);
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: -7000, third: 1250, burned: 7000}));
    }

    function _honest(Run memory r) private returns (Leaf memory) {
        return _leaf(r.execution.id, r.seats[0].node, 0, _truth(0));
    }

    /// The attacker does nothing and claims some result.
    function test_inventedResult() public {
        Run memory r = _atAssigned(1, 2, ALWAYS);
        _commitLeaves(r, _lie(_leaves(r, r.execution.node, new uint256[](0)), 0));
        _verify(r, RAISED, _list(1));
        _draw(r, 2);
        _commitSeat(r, 2);
        _escalate(r, 0);
        _draw(r, 3);
        _commitSeat(r, 3);
        _convict(r, 0, Outcome.FirstLost);
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250, first: -7000, second: 1250, third: 1250, burned: 7000}));
    }

    /// Two nodes claim, without knowing each other, that the program stopped at once with no output. Nobody convicts
    /// them, but a metered job pays them for the one unit of fuel that they claim.
    function test_twoLazyNodesClaimTheSame() public {
        Run memory r;
        r.terms = _terms(1, 2, ALWAYS);
        r.terms.fuelPrice = 10;
        _create(r.terms);
        r = _accept(r.terms, 0, 1);
        _commitLeaves(r, _one(_trap(r, r.execution.node)));
        _verify(r, RAISED, _list(1));
        _draw(r, 2);
        _commitSeatLeaves(r, 2, _one(_trap(r, r.seats[0].node)));
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -10 - 12, first: 10, second: 12, third: 0, burned: 0}));
    }

    function _trap(Run memory r, address node) private returns (Leaf memory leaf) {
        leaf = _leaf(r.execution.id, node, 0, keccak256("trapped at once"));
        leaf.fuel = 1;
    }

    /// The attacker publishes seat 1's ciphertext as its own.
    function test_copiedCiphertext() public {
        Run memory r = _atSecond();
        _commitSeatLeaves(r, 2, _one(r.leaves[0][0]));
        Reveal memory reveal = _reveal(r, 0);
        (reveal.openings[1].sx, reveal.openings[1].sy) = (reveal.openings[0].sx, reveal.openings[0].sy);
        _revealCall(r, reveal);
        _toVerdict(r, reveal, Outcome.SecondLost);
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: -7000, third: 1250, burned: 7000}));
    }

    /// The attacker hopes that a point which is none makes the reveal fail.
    function test_pointOffTheCurve() public {
        Run memory r = _atSecond();
        Leaf memory leaf = _honest(r);
        leaf.rx = 5;
        _loses(r, leaf);
    }

    function test_pointBeyondTheOrder() public {
        Run memory r = _atSecond();
        Leaf memory leaf = _honest(r);
        leaf.rx = ORDER;
        _loses(r, leaf);
    }

    function test_garbageCiphertext() public {
        Run memory r = _atSecond();
        Leaf memory leaf = _honest(r);
        leaf.c = keccak256("garbage");
        _loses(r, leaf);
    }

    /// The attacker knows the right result of an older job over the same piece, whose salt was another one.
    function test_replayedDigest() public {
        Run memory r = _atSecond();
        _loses(r, _leaf(r.execution.id, r.seats[0].node, 0, keccak256(abi.encode("result under last week's salt", 0))));
    }

    /// The right result, with twice the fuel.
    function test_inflatedFuel() public {
        Run memory r = _atSecond();
        Leaf memory leaf = _honest(r);
        leaf.fuel *= 2;
        _loses(r, leaf);
    }

    /// The attacker commits to more fuel than its leaves add up to: its commitment cannot be opened, which blocks a
    /// verdict, but not the others' money. A client that challenges it convicts it (`AbsenceAttacks`).
    function test_fuelThatDoesNotAddUp() public {
        Run memory r = _atDrawing(2, 3);
        _draw(r, 2);
        _draw(r, 3);
        _commitSeat(r, 3);
        Seat memory seat = r.seats[0];
        r.leaves[1] = _all(r, seat.node);
        Sum memory root = Tree.root(_sums(r.leaves[1]));
        (seat.root, seat.fuel) = (root.hash, root.sum + 1);
        Seat memory before = abi.decode(abi.encode(seat), (Seat));
        (before.root, before.fuel) = (0, 0);
        vm.prank(seat.node);
        market.commitVerification(before, seat.root, seat.fuel, "the CID of the leaves");
        _finish(seat, SeatStatus.Committed);
        Reveal memory reveal = _reveal(r, 1);
        _fails(abi.encodeWithSelector(IMarket.BadProof.selector, 2));
        _revealCall(r, reveal);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -2000 - 4 * 1250, first: 2000, second: 2500, third: 2500, burned: 0}));
    }

    /// The attacker waits until it sees that it is checked, and then has its commitment reorganised away: before δ
    /// blocks have followed it there is nothing to see.
    function test_commitReorganisedAway() public {
        Run memory r = _atCommitted(1, 2, ALWAYS);
        uint64 committed = r.execution.committedBlock;
        for (uint64 i; i < 2; ++i) {
            vm.roll(committed + i);
            _fails(abi.encodeWithSelector(IMarket.Unconfirmed.selector, committed, committed + 2, committed + i));
            vm.prank(client);
            market.verify(r.terms, r.execution, RAISED, _list(1));
        }
        vm.roll(committed + 2);
        _verify(r, RAISED, _list(1));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: 1250, third: 0, burned: 0}));
    }

    /// The attacker takes work and never delivers it.
    function test_takenAndDropped() public {
        Run memory r = _atAssigned(1, 2, NEVER);
        vm.warp(r.execution.deadline + 1);
        market.timeoutAssigned(r.terms, r.execution);
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, r.execution.id, 0, 1));
        _over(r);
        _ends(r, Gains({client: 0, first: -300, second: 0, third: 0, burned: 300}));
    }
}
