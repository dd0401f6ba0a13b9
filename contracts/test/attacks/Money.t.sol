// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attack} from "../fixture/Attack.sol";
import {Rejecting} from "../fixture/Rejecting.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Outcome} from "../../src/types/Execution.sol";
import {Offer, Terms} from "../../src/types/Job.sol";

/// @title Those who want to keep what they may lose, or to take what is not theirs.
contract MoneyAttacks is Attack {
    /// The cheat takes its stake away before it is found out: the fine stays.
    function test_stakeWithdrawnBeforeDetection() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        address cheat = r.execution.node;
        vm.prank(cheat);
        market.exit();
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, cheat, PURSE - 7000, PURSE - 6999));
        vm.prank(cheat);
        market.withdraw(uint96(PURSE - 6999));
        vm.prank(cheat);
        market.withdraw(uint96(PURSE - 7000));
        _convict(r, 0, Outcome.FirstLost);
        _timeoutVerdict(r);
        _eq(_wealth(cheat), 0, "the fine is gone");
        vm.deal(cheat, 0);
        _fund(cheat, PURSE - 7000); // what it took away, to compare
        _over(r);
        _ends(r, Gains({client: -2 * 1250, first: -7000, second: 1250, third: 1250, burned: 7000}));
    }

    /// One stake stands behind as many executions as it has fines.
    function test_oneStakeForAThousandExecutions() public {
        vm.prank(_node(0));
        market.withdraw(uint96(PURSE - 3 * 7000 - 6999));
        Run memory r;
        r.terms = _terms(1000, 2, NEVER);
        _create(r.terms);
        Run[3] memory runs;
        for (uint256 i; i < 3; ++i) {
            runs[i] = _accept(r.terms, 0, 1);
        }
        (Offer memory offer, bytes memory signature) = _offer(r.terms, 0, 1);
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, _node(0), 6999, 7000));
        vm.prank(client);
        market.acceptOffer(r.terms, offer, signature, 1, "");
        for (uint256 i; i < 3; ++i) {
            _commit(runs[i]);
            _settle(runs[i]);
        }
        vm.prank(client);
        market.closeJob(r.terms);
        _eq(_wealth(_node(0)), 3 * 7000 + 6999 + 3 * 1000, "node");
        _eq(_wealth(client), PURSE - 3 * 1000, "client");
        _over(runs[0]);
    }

    /// A wallet that refuses money blocks itself, and nobody else.
    function test_walletThatRejects() public {
        Rejecting node = new Rejecting(market);
        node.deposit{value: 10}();
        _fails(abi.encodeWithSelector(IMarket.TransferFailed.selector, address(node), 10));
        node.withdraw(10, Rejecting.Mood.Refuse);
        _eq(_wealth(address(node)), 10, "nothing lost");
        Run memory r = _atCommitted(1, 2, NEVER);
        _settle(r);
        _eq(_wealth(client), PURSE - 1000, "client");
        _eq(_wealth(r.execution.node), PURSE + 1000, "node");
    }

    /// It withdraws once more from inside of the payment, without having that much.
    function test_reentrantWithdrawal() public {
        Rejecting thief = new Rejecting(market);
        thief.deposit{value: 10}();
        _fails(abi.encodeWithSelector(IMarket.TransferFailed.selector, address(thief), 10));
        thief.withdraw(10, Rejecting.Mood.Again);
        _eq(_wealth(address(thief)), 10, "what it had");
        _eq(address(thief).balance, 0, "and nothing on top");
        _eq(_wealth(client), PURSE, "client");
    }

    /// Prices of one wei: what is rounded off stays with the client, and nobody is paid for nothing.
    function test_roundingAtOneWei() public {
        Run memory r;
        r.terms = _terms(3, 2, ALWAYS);
        (r.terms.bid, r.terms.fuelPrice, r.terms.bond) = (1, 1, 7);
        _create(r.terms);
        r = _accept(r.terms, 0, 3);
        _commit(r); // fuel 40 + 41 + 42, three wei at most
        _verify(r, 1, _list(3));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r); // one hit of three skipped: 7 / 3, rounded up
        _over(r);
        _ends(r, Gains({client: -3 - 2 - 3, first: 3, second: 2, third: 0, burned: 3}));
    }

    /// A million pieces cost no more to create and to close than one; they are assigned a thousand at a time.
    function test_millionPieces() public {
        _fund(client, PURSE);
        Run memory r = _atCommitted(1, 2, NEVER);
        _settle(r);
        Terms memory terms = r.terms;
        (terms.pieces, terms.nonce) = (1_000_000, nonce++);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1_000_000);
        _fails(abi.encodeWithSelector(IMarket.BadCount.selector, 1_000_000, 1000));
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1_000_000, "");
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1000, "");
        vm.prank(client);
        market.closeJob(terms);
        _eq(_wallet(client).locked, 1000 * 1000 + 20_000, "what the thousand need");
        _eq(_wealth(client), 2 * PURSE - 1000, "client");
        _eq(_wealth(_node(0)), PURSE + 1000, "node");
        _eq(_wealth(_node(1)), PURSE, "the other node");
    }
}
