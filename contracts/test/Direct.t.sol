// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Offer, Terms} from "../src/types/Job.sol";

/// @title Jobs whose offer came directly, and offers that are taken back.
contract DirectTest is Game {
    address private constant STRANGER = address(0x57A);

    function _call(Terms memory terms, Offer memory offer, bytes memory signature, uint32 count) private {
        vm.prank(client);
        market.createJobWithOffer(terms, offer, signature, count, keccak256("sealed"));
    }

    function _refuse(Terms memory terms, Offer memory offer, bytes memory signature, bytes memory why) private {
        _fails(why);
        _call(terms, offer, signature, 1);
    }

    function test_directWhole() public {
        Terms memory terms = _terms(3, 2, NEVER);
        Run memory r = _direct(terms, 1, 3);
        _eq(market.frontier(r.execution.job), 0, "nothing left");
        _eq(_wallet(client).locked, 3000 + 20_000, "price and bond");
        _eq(_wallet(_node(1)).locked, 7000, "fine");
        _eq(market.executionHash(r.execution.id), keccak256(abi.encode(r.execution)), "record");
        _commit(r);
        _settle(r);
        _over(r);
        _fails(abi.encodeWithSelector(IMarket.UnknownJob.selector, r.execution.job));
        vm.prank(client);
        market.closeJob(terms);
    }

    function test_directTold() public {
        Terms memory terms = _terms(3, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 3);
        Run memory r = _assigned(terms, offer.job, 1, 0, 3);
        vm.expectEmit(address(market));
        emit IMarket.JobCreated(offer.job, client, terms);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionAssigned(
            offer.job, r.execution.id, offer.job, _node(1), 0, 3, r.execution.deadline, keccak256("sealed"), offer.nonce
        );
        _call(terms, offer, signature, 3);
    }

    /// The rest goes the usual way.
    function test_directInPart() public {
        Terms memory terms = _terms(3, 2, NEVER);
        Run memory r = _direct(terms, 1, 2);
        _eq(market.frontier(r.execution.job), 3, "frontier");
        Run memory rest = _accept(terms, 2, 1);
        _eq(_wallet(client).locked, 3000 + 2 * 20_000, "price and both bonds");
        _commit(r);
        _settle(r);
        _commit(rest);
        _settle(rest);
        _over(rest);
    }

    function test_directBadTerms() public {
        Terms memory terms = _terms(1, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.createJobWithOffer(terms, offer, signature, 1, "");
        terms.fine = 10_001;
        _refuse(terms, offer, signature, abi.encodeWithSelector(IMarket.BadTerms.selector, "fine"));
        bytes memory encoded = abi.encodeCall(market.createJobWithOffer, (terms, offer, signature, 1, ""));
        encoded[4 + 32 * 3 - 5] = hex"01"; // the terms' pieces
        _fails(abi.encodeWithSelector(IMarket.BadTerms.selector, "encoding"));
        vm.prank(client);
        (bool reverted,) = address(market).call(encoded);
        _true(reverted, "as expected");
    }

    function test_directBadOffer() public {
        Terms memory terms = _terms(1, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        terms.nonce += 7;
        _refuse(
            terms, offer, signature, abi.encodeWithSelector(IMarket.WrongJob.selector, offer.job, market.jobId(terms))
        );
        terms.nonce -= 7;
        _fails(abi.encodeWithSelector(IMarket.BadCount.selector, 2, 1));
        _call(terms, offer, signature, 2);
        bytes memory other = _sign(offer, NODE_KEY + 2);
        _refuse(terms, offer, other, abi.encodeWithSelector(IMarket.BadSignature.selector, _node(2), _node(1)));
        terms.expiry = uint64(block.timestamp) + 10_000;
        (offer, signature) = _offer(terms, 1, 1);
        uint64 end = offer.deadline;
        vm.warp(end + 1);
        _refuse(terms, offer, signature, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
    }

    function test_directOnce() public {
        Terms memory terms = _terms(1, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        _call(terms, offer, signature, 1);
        _refuse(terms, offer, signature, abi.encodeWithSelector(IMarket.NonceSpent.selector, client, terms.nonce));
    }

    /// As if the job had been created first: the deposit stays free then, and the bond comes out of it.
    function test_directPaid() public {
        vm.prank(client);
        market.withdraw(uint96(PURSE - 1000 - 20_000 + 1));
        Terms memory terms = _terms(1, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        _refuse(
            terms, offer, signature, abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, 20_999, 21_000)
        );
        _fund(client, 1);
        _call(terms, offer, signature, 1);
        _eq(_wallet(client).free, 0, "all locked");
    }

    function test_directKeepsTheDeposit() public {
        vm.prank(client);
        market.withdraw(uint96(PURSE - 1000 - 4_999));
        Terms memory terms = _terms(1, 2, NEVER);
        terms.bond = 2000;
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        _refuse(
            terms, offer, signature, abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, 5_999, 6_000)
        );
        _fund(client, 1);
        _call(terms, offer, signature, 1);
        _eq(_wallet(client).free, 3000, "what is left of the deposit");
    }

    // ------------------------------------------------------------------ nonces

    function test_cancelNonce() public {
        Terms memory terms = _terms(1, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 1, 1);
        vm.expectEmit(address(market));
        emit IMarket.NonceCancelled(_node(1), offer.nonce);
        vm.prank(_node(1));
        market.cancelNonce(offer.nonce);
        _refuse(terms, offer, signature, abi.encodeWithSelector(IMarket.NonceSpent.selector, _node(1), offer.nonce));
        _fails(abi.encodeWithSelector(IMarket.NonceSpent.selector, _node(1), offer.nonce));
        vm.prank(_node(1));
        market.cancelNonce(offer.nonce);
        _direct(terms, 1, 1);
    }
}
