// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Offers} from "./lib/Offers.sol";
import {Purse} from "./lib/Purse.sol";
import {Records} from "./lib/Records.sol";
import {Registry} from "./lib/Registry.sol";
import {Offer, Terms} from "./types/Job.sol";
import {Parameters, Wallet} from "./types/Parameters.sol";

/// @title The part for wallets and the registry of nodes, and for everybody who only looks.
contract Accounts is Part {
    using Ledger for Ledger.State;
    using Registry for Registry.State;

    constructor(Parameters memory p) Part(p) {}

    // ------------------------------------------------------------------ wallets

    function withdraw(uint96 amount) external {
        // Check:
        Purse purse = _book.ledger.accounts[msg.sender].purse;
        Ledger.requireFree(msg.sender, purse, amount);
        purse = purse.debit(amount);
        if (purse.registered()) Ledger.requireStake(msg.sender, purse, _MIN_STAKE);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse;
        emit IMarket.Withdrawn(msg.sender, amount);
        // Interaction:
        (bool ok,) = msg.sender.call{value: amount}("");
        if (!ok) revert IMarket.TransferFailed(msg.sender, amount);
    }

    function cancelNonce(uint32 nonce) external {
        _book.ledger.spendAndLock(msg.sender, nonce, 0, 0);
        emit IMarket.NonceCancelled(msg.sender, nonce);
    }

    function announce(string calldata url) external {
        emit IMarket.EndpointAnnounced(msg.sender, url);
    }

    function postOffer(Offer calldata offer, bytes calldata signature) external {
        emit IMarket.OfferPosted(offer.job, offer.node, offer, signature);
    }

    // ------------------------------------------------------------------ registry

    function register() external {
        // Check:
        Purse purse = _book.ledger.accounts[msg.sender].purse;
        if (purse.registered()) revert IMarket.AlreadyRegistered(msg.sender);
        Ledger.requireStake(msg.sender, purse, _MIN_STAKE);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withRegistered(true);
        _book.registry.add(msg.sender);
        emit IMarket.NodeRegistered(msg.sender);
    }

    function exit() external {
        // Check:
        Purse purse = _book.ledger.requireRegistered(msg.sender);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withRegistered(false).withPaused(false);
        _book.registry.remove(msg.sender);
        emit IMarket.NodeExited(msg.sender);
    }

    function pause() external {
        // Check:
        Purse purse = _book.ledger.requireRegistered(msg.sender);
        if (purse.paused()) revert IMarket.Paused(msg.sender);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withPaused(true);
        emit IMarket.NodePaused(msg.sender);
    }

    function resume() external {
        // Check:
        Purse purse = _book.ledger.requireRegistered(msg.sender);
        if (!purse.paused()) revert IMarket.NotPaused(msg.sender);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withPaused(false);
        _book.registry.renew(msg.sender);
        emit IMarket.NodeResumed(msg.sender);
    }

    // ------------------------------------------------------------------ views

    function wallet(address owner) external view returns (Wallet memory) {
        return _book.ledger.accounts[owner].purse.unpack();
    }

    function nodes() external view returns (address[] memory) {
        return _book.registry.nodes();
    }

    function parameters() external view returns (Parameters memory) {
        return Parameters({
            minStake: _MIN_STAKE,
            minDeposit: _MIN_DEPOSIT,
            noShowFee: _NO_SHOW_FEE,
            settleWindow: _SETTLE_WINDOW,
            drawWindow: _DRAW_WINDOW,
            silentWindow: _SILENT_WINDOW,
            appealWindow: _APPEAL_WINDOW,
            minExecuteWindow: _MIN_EXECUTE_WINDOW,
            confirmations: _CONFIRMATIONS,
            redraws: _REDRAWS,
            maxPieces: _MAX_PIECES,
            minCheckRate: _MIN_CHECK_RATE,
            declinesPerDay: _DECLINES_PER_DAY,
            challengePrice: _CHALLENGE_PRICE,
            jurySize: _JURY_SIZE,
            source: _SOURCE
        });
    }

    function burned() external view returns (uint256) {
        return _book.ledger.burnedWei;
    }

    function jobId(Terms calldata terms) external view returns (bytes32) {
        return Records.jobId(terms);
    }

    function offerDigest(Offer calldata offer) external view returns (bytes32) {
        return Offers.digest(offer);
    }

    function frontier(bytes32 job) external view returns (uint32) {
        return uint32(_book.records.frontiers[job]);
    }

    function executionHash(bytes32 execution) external view returns (bytes32) {
        return _book.records.executions[execution];
    }

    function seatHash(bytes32 execution, uint8 number) external view returns (bytes32) {
        return _book.records.seats[Records.seatKey(execution, number)];
    }

    function disputeHash(bytes32 execution) external view returns (bytes32) {
        return _book.records.disputes[execution];
    }
}
