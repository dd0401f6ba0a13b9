// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./fixture/Check.sol";
import {Game} from "./fixture/Game.sol";
import {Outcome, Status} from "../src/types/Execution.sol";
import {Terms} from "../src/types/Job.sol";
import {Leaf} from "../src/types/Seat.sol";

/// @title What the transactions of whole lives cost, each one a transaction of its own.
/// forge-config: default.isolate = true
contract GasTest is Game {
    event log_named_uint(string name, uint256 gas);

    uint256 private _total;

    /// Counts the last transaction: intrinsic gas and calldata included, refunds taken off.
    function _spent(string memory name) private {
        Vm.Gas memory last = vm.lastCallGas();
        uint256 gas = last.gasTotalUsed - uint64(last.gasRefunded);
        _total += gas;
        emit log_named_uint(name, gas);
    }

    function _sum(string memory name, uint256 most) private {
        emit log_named_uint(name, _total);
        _true(_total <= most, "gas is within its limit");
    }

    function _start(uint32 pieces, uint8 seats, uint16 rate) private returns (Run memory r) {
        Terms memory terms = _terms(pieces, seats, rate);
        terms.bond = 2_000_000;
        _create(terms);
        _spent("createJob");
        r = _accept(terms, 0, pieces);
        _spent("acceptOffer");
    }

    function _commitAny(Run memory r) private {
        Leaf[] memory leaves = new Leaf[](2);
        _commitLeaves(r, leaves);
        _spent("commitResult");
    }

    function test_one() public {
        Run memory r = _start(1, 2, NEVER);
        Leaf[] memory leaves = _leaves(r, r.execution.node, new uint256[](0));
        _commitLeaves(r, leaves);
        _spent("commitResult");
        _settle(r);
        _spent("settle");
        _sum("N = 1, unverified", 225_000);
    }

    function test_oneVerified() public {
        Run memory r = _start(1, 2, ALWAYS);
        Leaf[] memory leaves = _leaves(r, r.execution.node, new uint256[](0));
        _commitLeaves(r, leaves);
        _spent("commitResult");
        _verify(r, 1250, _list(1));
        _spent("verify");
        _draw(r, 2);
        _spent("draw");
        leaves = _leaves(r, r.seats[0].node, r.verification.listed);
        _commitSeatLeaves(r, 2, leaves);
        _spent("commitVerification");
        _settleVerified(r);
        _spent("settleVerified");
        _sum("N = 1, verified lazily", 445_000);
    }

    function test_oneSlashed() public {
        Run memory r = _start(1, 2, ALWAYS);
        Leaf[] memory leaves = _lie(_leaves(r, r.execution.node, new uint256[](0)), 0);
        _commitLeaves(r, leaves);
        _spent("commitResult");
        _verify(r, 1250, _list(1));
        _spent("verify");
        _draw(r, 2);
        _spent("draw");
        leaves = _leaves(r, r.seats[0].node, r.verification.listed);
        _commitSeatLeaves(r, 2, leaves);
        _spent("commitVerification");
        _escalate(r, 0);
        _spent("escalate");
        _draw(r, 3);
        _spent("draw, third seat");
        leaves = _leaves(r, r.seats[1].node, r.verification.listed);
        _commitSeatLeaves(r, 3, leaves);
        _spent("commitVerification, third seat");
        _revealCall(r, _reveal(r, 0));
        _spent("revealKey");
        r.verification.outcome = Outcome.FirstLost;
        r.execution.deadline = uint64(block.timestamp) + _parameters().appealWindow;
        _bind(r, Status.Verdict);
        _timeoutVerdict(r);
        _spent("timeoutVerdict");
        _sum("N = 1, cheat convicted", 815_000);
    }

    function test_thousand() public {
        Run memory r = _start(1000, 2, NEVER);
        _commitAny(r);
        _settle(r);
        _spent("settle");
        _sum("N = 1000, unverified", 245_000);
    }

    function test_thousandVerified() public {
        Run memory r = _start(1000, 2, 1966);
        _commitAny(r);
        uint256[] memory listed = new uint256[](4);
        listed[0] = listed[1] = listed[2] = 0xff << 100;
        listed[3] = 0x3f;
        _verify(r, 1250, listed);
        _spent("verify, 30 pieces");
        _draw(r, 2);
        _spent("draw");
        _commitSeatLeaves(r, 2, new Leaf[](30));
        _spent("commitVerification");
        _settleVerified(r);
        _spent("settleVerified");
        _sum("N = 1000, 3 % verified lazily", 495_000);
    }
}
