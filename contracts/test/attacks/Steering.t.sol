// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attack} from "../fixture/Attack.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Offer} from "../../src/types/Job.sol";
import {SeatStatus} from "../../src/types/Seat.sol";

/// @title Those who know whom a draw takes before it is drawn, and try to make it take another one.
contract SteeringAttacks is Attack {
    uint256 private constant SIBYLS = 12;

    function _sibyl(uint256 i) private pure returns (address) {
        return vm.addr(0x51B71 + i);
    }

    /// A check whose draw everybody can work out, but that nobody has drawn yet.
    function _atKnown(bytes32 hash) private returns (Run memory r) {
        r = _atDrawing(1, 2);
        vm.roll(r.verification.target + 1);
        vm.setBlockhash(r.verification.target, hash);
    }

    /// Draws and takes it back.
    function _whoIsDrawn(Run memory r) private returns (address node) {
        uint256 snapshot = vm.snapshotState();
        Run memory copy = abi.decode(abi.encode(r), (Run));
        _draw(copy, 2);
        node = copy.seats[0].node;
        vm.revertToState(snapshot);
    }

    /// So many new nodes that the registry doubles.
    function testFuzz_registersManyNodes(bytes32 hash) public {
        Run memory r = _atKnown(hash);
        address node = _whoIsDrawn(r);
        for (uint256 i; i < SIBYLS; ++i) {
            if (i == SIBYLS / 2) vm.roll(block.number + 3);
            _fund(_sibyl(i), 10_000);
            vm.prank(_sibyl(i));
            market.register();
            _eq(_whoIsDrawn(r), node, "the node");
        }
    }

    /// All but the node that is going to be drawn, and the one in seat 1, leave one after the other; then the attacker
    /// comes back in the places that are free.
    function testFuzz_leavesAndComesBack(bytes32 hash) public {
        Run memory r = _atKnown(hash);
        address node = _whoIsDrawn(r);
        for (uint256 i = 1; i < NODES; ++i) {
            if (_node(i) == node) continue;
            vm.prank(_node(i));
            market.exit();
            _eq(_whoIsDrawn(r), node, "once it left");
            vm.prank(_node(i));
            market.register();
            _eq(_whoIsDrawn(r), node, "once it is back");
        }
    }

    /// A node that slept when the draw was asked for wakes up.
    function testFuzz_wakesUp(bytes32 hash, uint256 sleeper) public {
        sleeper = _bound(sleeper, 1, NODES - 1);
        vm.prank(_node(sleeper));
        market.pause();
        Run memory r = _atKnown(hash);
        address node = _whoIsDrawn(r);
        vm.prank(_node(sleeper));
        market.resume();
        _eq(_whoIsDrawn(r), node, "the node");
    }

    /// A node that was too poor when the draw was asked for tops up.
    function testFuzz_topsUp(bytes32 hash, uint256 poor) public {
        poor = _bound(poor, 1, NODES - 1);
        _impoverish(poor);
        Run memory r = _atKnown(hash);
        address node = _whoIsDrawn(r);
        _fund(_node(poor), PURSE);
        _eq(_whoIsDrawn(r), node, "the node");
    }

    /// One stake would stand behind many places if it could move on: to the next wallet, or to the one that is drawn.
    function test_oneStakeForManyPlaces() public {
        bytes memory why = abi.encodeWithSelector(IMarket.InsufficientStake.selector, _node(1), 9_999, 10_000);
        _fails(why);
        vm.prank(_node(1));
        market.withdraw(uint96(PURSE - 9_999));
        vm.prank(_node(1));
        market.pause();
        _fails(why);
        vm.prank(_node(1));
        market.withdraw(uint96(PURSE - 9_999));
        vm.prank(_node(1));
        market.exit();
        vm.prank(_node(1));
        market.withdraw(uint96(PURSE));
        _eq(market.nodes().length, NODES - 1, "and its place is empty");
    }

    /// The attacker's node declines whenever it is drawn, in the hope that another one of its nodes is drawn instead:
    /// every time uses up a redraw and one of the few declines that a node has in a day.
    function test_declinesUntilItSuitsIt() public {
        Run memory r = _atDrawing(1, 2);
        for (uint256 i; i < 3; ++i) {
            _draw(r, 2);
            vm.recordLogs();
            vm.prank(r.seats[0].node);
            market.declineSeat(r.terms, r.execution, r.seats[0]);
            r.seats[0] = _toldSeat();
        }
        _eq(uint8(r.seats[0].status), uint8(SeatStatus.Vacant), "no fourth try");
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000, first: 1000, second: 0, third: 0, burned: 0}));
    }

    /// A drawn node that has used up its declines stays away instead, and pays for it.
    function test_declinesTooOften() public {
        for (uint256 i = 2; i < NODES; ++i) {
            vm.prank(_node(i));
            market.exit();
        }
        for (uint256 i; i < 2; ++i) {
            Run memory other = _atRunning(1, 2);
            vm.prank(_node(1));
            market.declineSeat(other.terms, other.execution, other.seats[0]);
        }
        Run memory r = _atRunning(1, 2);
        _fails(abi.encodeWithSelector(IMarket.TooManyDeclines.selector, _node(1), 2));
        vm.prank(_node(1));
        market.declineSeat(r.terms, r.execution, r.seats[0]);
        vm.warp(r.seats[0].deadline + 1);
        market.timeoutSeat(r.terms, r.execution, r.seats[0]);
        _eq(_wealth(_node(1)), PURSE - 300, "the no-show fee");
        _eq(market.burned(), 300, "burned");
        _conserved();
    }

    /// Nobody wants the work: the client has its pieces and its money back.
    function test_everybodyDeclines() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        for (uint256 i; i < NODES; ++i) {
            vm.prank(_node(i));
            market.decline(r.terms, r.execution);
            if (i + 1 == NODES) break;
            r = _acceptReturned(r.terms, _returned(r.execution, r.execution.id, 0, 2), i + 1, 2);
        }
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, r.execution.id, 0, 2));
        _over(r);
        _ends(r, Gains({client: 0, first: 0, second: 0, third: 0, burned: 0}));
    }

    /// A fine that idle nodes could not put up would leave the client to choose who can be drawn; a window too short for
    /// the work would make every drawn node pay for not showing up.
    function test_highFineOrTinyWindow() public {
        Run memory r;
        r.terms = _terms(1, 2, ALWAYS);
        r.terms.fine = 10_001;
        _fails(abi.encodeWithSelector(IMarket.BadTerms.selector, "fine"));
        _create(r.terms);
        (r.terms.fine, r.terms.executeWindow) = (7000, 9);
        _fails(abi.encodeWithSelector(IMarket.BadTerms.selector, "executeWindow"));
        _create(r.terms);
        _ends(r, Gains({client: 0, first: 0, second: 0, third: 0, burned: 0}));
    }

    /// The client accepts an offer that its node has taken back.
    function test_acceptsACancelledOffer() public {
        Run memory r;
        r.terms = _terms(1, 2, NEVER);
        _create(r.terms);
        (Offer memory offer, bytes memory signature) = _offer(r.terms, 0, 1);
        vm.prank(offer.node);
        market.cancelNonce(offer.nonce);
        _fails(abi.encodeWithSelector(IMarket.NonceSpent.selector, offer.node, offer.nonce));
        vm.prank(client);
        market.acceptOffer(r.terms, offer, signature, 1, "");
        _ends(r, Gains({client: 0, first: 0, second: 0, third: 0, burned: 0}));
    }
}
