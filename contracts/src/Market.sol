// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Book} from "./lib/Book.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Dice} from "./lib/Dice.sol";
import {Evidence} from "./lib/Evidence.sol";
import {Guard} from "./lib/Guard.sol";
import {Jobs} from "./lib/Jobs.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Offers} from "./lib/Offers.sol";
import {Pay} from "./lib/Pay.sol";
import {Purse} from "./lib/Purse.sol";
import {Records} from "./lib/Records.sol";
import {Registry} from "./lib/Registry.sol";
import {Settlement} from "./lib/Settlement.sol";
import {Challenge, Execution, Status, Verification} from "./types/Execution.sol";
import {Offer, Terms} from "./types/Job.sol";
import {Jury, Vote} from "./types/Jury.sol";
import {Parameters, Source, Wallet} from "./types/Parameters.sol";
import {Disclosure, Opening, Reveal, Seat} from "./types/Seat.sol";

/// @title The facade: who may call, when, and in which order the rules of `lib` apply.
/// @notice Wallets, jobs and executions are here; `Verifications`, `Disputes` and `Appeals` have the rest of the
/// code, for one contract's code may have 24 KiB only. Nobody can replace them.
contract Market is IMarket {
    using Book for Book.State;
    using Ledger for Ledger.State;
    using Records for Records.State;
    using Registry for Registry.State;
    using Settlement for Ledger.State;

    Book.State private _book;
    /// Code that runs on this contract's storage.
    address private immutable _VERIFICATIONS;
    address private immutable _DISPUTES;
    address private immutable _APPEALS;

    uint96 private immutable _MIN_STAKE;
    uint96 private immutable _MIN_DEPOSIT;
    uint96 private immutable _NO_SHOW_FEE;
    uint32 private immutable _SETTLE_WINDOW;
    uint32 private immutable _DRAW_WINDOW;
    uint32 private immutable _SILENT_WINDOW;
    uint32 private immutable _APPEAL_WINDOW;
    uint32 private immutable _MIN_EXECUTE_WINDOW;
    uint32 private immutable _CONFIRMATIONS;
    uint8 private immutable _REDRAWS;
    uint32 private immutable _MAX_PIECES;
    uint16 private immutable _MIN_CHECK_RATE;
    uint16 private immutable _DECLINES_PER_DAY;
    uint96 private immutable _CHALLENGE_PRICE;
    uint8 private immutable _JURY_SIZE;
    Source private immutable _SOURCE;

    constructor(Parameters memory p, Part verifications, Part disputes, Part appeals) {
        Jobs.requireSane(p);
        bytes32 parameters_ = keccak256(abi.encode(p));
        if (verifications.PARAMETERS() != parameters_) revert BadParameters("verifications");
        if (disputes.PARAMETERS() != parameters_) revert BadParameters("disputes");
        if (appeals.PARAMETERS() != parameters_) revert BadParameters("appeals");
        _VERIFICATIONS = address(verifications);
        _DISPUTES = address(disputes);
        _APPEALS = address(appeals);
        _MIN_STAKE = p.minStake;
        _MIN_DEPOSIT = p.minDeposit;
        _NO_SHOW_FEE = p.noShowFee;
        _SETTLE_WINDOW = p.settleWindow;
        _DRAW_WINDOW = p.drawWindow;
        _SILENT_WINDOW = p.silentWindow;
        _APPEAL_WINDOW = p.appealWindow;
        _MIN_EXECUTE_WINDOW = p.minExecuteWindow;
        _CONFIRMATIONS = p.confirmations;
        _REDRAWS = p.redraws;
        _MAX_PIECES = p.maxPieces;
        _MIN_CHECK_RATE = p.minCheckRate;
        _DECLINES_PER_DAY = p.declinesPerDay;
        _CHALLENGE_PRICE = p.challengePrice;
        _JURY_SIZE = p.jurySize;
        _SOURCE = p.source;
    }

    // ------------------------------------------------------------------ wallets and registry

    function deposit() external payable {
        // Check:
        if (address(this).balance > type(uint96).max) revert TooMuchMoney(address(this).balance, type(uint96).max);
        // Effect:
        Purse purse = _book.ledger.accounts[msg.sender].purse;
        _book.ledger.accounts[msg.sender].purse = purse.credit(msg.value);
        // A node with less may be none that a draw takes, and must not become one once it knows whom the draw takes.
        if (purse.registered() && purse.free() < _MIN_STAKE) _book.registry.renew(msg.sender);
        emit Deposited(msg.sender, msg.value);
    }

    function withdraw(uint96 amount) external {
        // Check:
        Purse purse = _book.ledger.accounts[msg.sender].purse;
        Ledger.requireFree(msg.sender, purse, amount);
        purse = purse.debit(amount);
        if (purse.registered()) _requireStake(msg.sender, purse);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse;
        emit Withdrawn(msg.sender, amount);
        // Interaction:
        (bool ok,) = msg.sender.call{value: amount}("");
        if (!ok) revert TransferFailed(msg.sender, amount);
    }

    function register() external {
        // Check:
        Purse purse = _book.ledger.accounts[msg.sender].purse;
        if (purse.registered()) revert AlreadyRegistered(msg.sender);
        _requireStake(msg.sender, purse);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withRegistered(true);
        _book.registry.add(msg.sender);
        emit NodeRegistered(msg.sender);
    }

    function exit() external {
        // Check:
        Purse purse = _requireRegistered(msg.sender);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withRegistered(false).withPaused(false);
        _book.registry.remove(msg.sender);
        emit NodeExited(msg.sender);
    }

    function pause() external {
        // Check:
        Purse purse = _requireRegistered(msg.sender);
        if (purse.paused()) revert Paused(msg.sender);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withPaused(true);
        emit NodePaused(msg.sender);
    }

    function resume() external {
        // Check:
        Purse purse = _requireRegistered(msg.sender);
        if (!purse.paused()) revert NotPaused(msg.sender);
        // Effect:
        _book.ledger.accounts[msg.sender].purse = purse.withPaused(false);
        _book.registry.renew(msg.sender);
        emit NodeResumed(msg.sender);
    }

    function announce(string calldata url) external {
        emit EndpointAnnounced(msg.sender, url);
    }

    // ------------------------------------------------------------------ jobs and offers

    function createJob(Terms calldata terms) external {
        // Check:
        Terms memory t;
        bytes32 job = _loadNewTerms(t, terms);
        // Effect:
        _book.ledger.spendAndLock(t.client, t.nonce, Pay.cap(t, t.pieces), _MIN_DEPOSIT);
        _book.records.advance(job, 0, t.pieces);
        Jobs.emitCreated(job, t);
    }

    function createJobWithOffer(
        Terms calldata terms,
        Offer calldata offer,
        bytes calldata signature,
        uint32 count,
        bytes32 seedHash
    ) external {
        // Check:
        Terms memory t;
        bytes32 job = _loadNewTerms(t, terms);
        Offer memory o;
        _loadOffer(o, t, offer, signature, job, count, t.pieces);
        // Effect:
        uint256 keep = t.bond < _MIN_DEPOSIT ? _MIN_DEPOSIT - t.bond : 0;
        _book.ledger.spendAndLock(t.client, t.nonce, Pay.cap(t, t.pieces) + t.bond, keep);
        if (count != t.pieces) _book.records.advance(job, count, t.pieces);
        Jobs.emitCreated(job, t);
        _assign(t, o, job, 0, count, seedHash);
    }

    function cancelNonce(uint32 nonce) external {
        _book.ledger.spendAndLock(msg.sender, nonce, 0, 0);
        emit NonceCancelled(msg.sender, nonce);
    }

    function closeJob(Terms calldata terms) external {
        // Check:
        Terms memory t;
        bytes32 job = Guard.requireClientOrExpired(t, terms);
        uint32 from = _firstPiece(job);
        // Effect:
        delete _book.records.frontiers[job];
        _unlockEscrow(t, t.pieces - from);
        emit JobClosed(job, from);
    }

    function closeReturned(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Terms memory t;
        bytes32 job = Guard.requireClientOrExpired(t, terms);
        Execution memory e;
        _book.records.load(e, execution, job, Status.Returned);
        // Effect:
        delete _book.records.executions[e.id];
        _unlockEscrow(t, e.count);
        emit ReturnedClosed(e.id);
    }

    function postOffer(Offer calldata offer, bytes calldata signature) external {
        emit OfferPosted(offer.job, offer.node, offer, signature);
    }

    function acceptOffer(
        Terms calldata terms,
        Offer calldata offer,
        bytes calldata signature,
        uint32 count,
        bytes32 seedHash
    ) external {
        // Check:
        Terms memory t;
        bytes32 job = Guard.requireClient(t, terms);
        uint32 from = _firstPiece(job);
        Offer memory o;
        _loadOffer(o, t, offer, signature, job, count, t.pieces - from);
        // Effect:
        _book.records.advance(job, from + count, t.pieces);
        _book.ledger.lock(t.client, t.bond, 0);
        _assign(t, o, job, from, count, seedHash);
    }

    function acceptReturned(
        Terms calldata terms,
        Execution calldata returned,
        Offer calldata offer,
        bytes calldata signature,
        uint32 count,
        bytes32 seedHash
    ) external {
        // Check:
        Terms memory t;
        bytes32 job = Guard.requireClient(t, terms);
        Execution memory rest;
        _book.records.load(rest, returned, job, Status.Returned);
        Offer memory o;
        _loadOffer(o, t, offer, signature, job, count, rest.count);
        // Effect:
        uint32 from = rest.from;
        if (count == rest.count) {
            delete _book.records.executions[rest.id];
        } else {
            rest.from += count;
            rest.count -= count;
            _book.records.store(rest);
        }
        _book.ledger.lock(t.client, t.bond, 0);
        _assign(t, o, rest.id, from, count, seedHash);
    }

    // ------------------------------------------------------------------ executions

    function decline(Terms calldata, Execution calldata) external {
        _run(_DISPUTES);
    }

    function commitResult(Execution calldata execution, bytes32 root, uint64 fuel, bytes calldata leaves) external {
        // Check:
        Execution memory e;
        _book.records.load(e, execution, Status.Assigned);
        if (msg.sender != e.node) revert NotNode(msg.sender, e.node);
        Deadline.requireOpen(e.deadline);
        Evidence.requireLeaves(leaves, root, fuel, e.count, e.from, e.from);
        // Effect:
        e.status = Status.Committed;
        e.deadline = Deadline.afterSeconds(_SETTLE_WINDOW);
        e.root = root;
        e.fuel = fuel;
        e.committedBlock = uint64(block.number);
        _book.records.store(e);
        emit ResultCommitted(e.id, root, fuel, e.deadline, leaves);
    }

    function timeoutAssigned(Terms calldata, Execution calldata) external {
        _run(_DISPUTES);
    }

    function settle(Terms calldata terms, Execution calldata execution, bytes32 seed) external {
        // Check:
        Terms memory t;
        Execution memory e;
        Guard.requireConfirmed(_book.records, t, e, terms, execution, _CONFIRMATIONS);
        uint256 loss = Dice.lossRoundedUp(t, e, new uint256[](0), seed);
        // Effect:
        delete _book.records.executions[e.id];
        _book.ledger.payUnverified(t, e, loss, false);
    }

    function timeoutCommitted(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Terms memory t;
        Execution memory e;
        _book.records.load(e, execution, Records.load(t, terms), Status.Committed);
        Deadline.requirePassed(e.deadline);
        // Effect:
        delete _book.records.executions[e.id];
        _book.ledger.payUnverified(t, e, t.bond, true);
    }

    // ------------------------------------------------------------------ verification

    function verify(Terms calldata, Execution calldata, uint96, uint256[] calldata) external {
        _run(_VERIFICATIONS);
    }

    function draw(Terms calldata, Execution calldata, Verification calldata, Seat calldata, Seat calldata) external {
        _run(_VERIFICATIONS);
    }

    function commitVerification(Seat calldata, bytes32, uint64, bytes calldata) external {
        _run(_VERIFICATIONS);
    }

    function declineSeat(Terms calldata, Execution calldata, Seat calldata) external {
        _run(_VERIFICATIONS);
    }

    function timeoutDrawing(Terms calldata, Execution calldata, Verification calldata, Seat calldata) external {
        _run(_VERIFICATIONS);
    }

    function timeoutSeat(Terms calldata, Execution calldata, Seat calldata) external {
        _run(_VERIFICATIONS);
    }

    function escalate(Terms calldata, Execution calldata, Verification calldata, Seat calldata, uint32) external {
        _run(_VERIFICATIONS);
    }

    function settleVerified(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata, bytes32)
        external
    {
        _run(_VERIFICATIONS);
    }

    function revealKey(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata, Reveal calldata)
        external
    {
        _run(_VERIFICATIONS);
    }

    function timeoutVerdict(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata) external {
        _run(_VERIFICATIONS);
    }

    // ------------------------------------------------------------------ disputes

    function challengeLeaf(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata, uint8, uint32)
        external
    {
        _run(_DISPUTES);
    }

    function answerLeaf(
        Terms calldata,
        Execution calldata,
        Verification calldata,
        Seat[] calldata,
        Challenge calldata,
        Opening calldata
    ) external {
        _run(_DISPUTES);
    }

    function timeoutChallenged(
        Terms calldata,
        Execution calldata,
        Verification calldata,
        Seat[] calldata,
        Challenge calldata
    ) external {
        _run(_DISPUTES);
    }

    function openSelf(
        Terms calldata,
        Execution calldata,
        Verification calldata,
        Seat[] calldata,
        uint8,
        Disclosure calldata
    ) external {
        _run(_DISPUTES);
    }

    function timeoutSilent(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata) external {
        _run(_DISPUTES);
    }

    function appeal(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata, uint8) external {
        _run(_APPEALS);
    }

    function drawJury(Terms calldata, Execution calldata, Verification calldata, Seat[] calldata, Jury calldata)
        external
    {
        _run(_APPEALS);
    }

    function commitVote(Jury calldata, uint8, bytes32) external {
        _run(_APPEALS);
    }

    function declineVote(Terms calldata, Execution calldata, Jury calldata, uint8) external {
        _run(_APPEALS);
    }

    function revealVote(Jury calldata, uint8, Vote calldata, bytes32) external {
        _run(_APPEALS);
    }

    function timeoutAppealed(
        Terms calldata,
        Execution calldata,
        Verification calldata,
        Seat[] calldata,
        Jury calldata,
        bytes32[3] calldata,
        Vote[] calldata
    ) external {
        _run(_APPEALS);
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

    function disputeHash(bytes32 execution) external view returns (bytes32) {
        return _book.records.disputes[execution];
    }

    function parts() external view returns (address verifications, address disputes, address appeals) {
        return (_VERIFICATIONS, _DISPUTES, _APPEALS);
    }

    function seatHash(bytes32 execution, uint8 number) external view returns (bytes32) {
        return _book.records.seats[Records.seatKey(execution, number)];
    }

    // ------------------------------------------------------------------ who and when

    function _requireRegistered(address node) private view returns (Purse purse) {
        purse = _book.ledger.accounts[node].purse;
        if (!purse.registered()) revert NotRegistered(node);
    }

    function _requireStake(address node, Purse purse) private view {
        uint256 stake = purse.stake();
        if (stake < _MIN_STAKE) revert InsufficientStake(node, stake, _MIN_STAKE);
    }

    /// First piece of the job that was never assigned.
    function _firstPiece(bytes32 job) private view returns (uint32) {
        uint256 next = _book.records.frontiers[job];
        if (next == 0) revert UnknownJob(job);
        return uint32(next - 1);
    }

    /// Fills in the terms of a job that may be created, and gives it.
    function _loadNewTerms(Terms memory t, Terms calldata terms) private view returns (bytes32 job) {
        job = Guard.requireClient(t, terms);
        Jobs.requireEncoded(terms);
        Jobs.requireSane(
            t,
            Jobs.Limits({
                checkRate: _MIN_CHECK_RATE,
                executeWindow: _MIN_EXECUTE_WINDOW,
                leastFine: _NO_SHOW_FEE,
                mostFine: _MIN_STAKE
            })
        );
    }

    /// Fills in an offer, which must be good for `count` of the `left` pieces.
    function _loadOffer(
        Offer memory o,
        Terms memory terms,
        Offer calldata offer,
        bytes calldata signature,
        bytes32 job,
        uint32 count,
        uint32 left
    ) private view {
        Offers.load(o, offer);
        Jobs.requireOpen(terms, o, job, count, left < _MAX_PIECES ? left : _MAX_PIECES);
        Offers.requireSigned(offer, o.node, signature);
        Purse purse = _requireRegistered(o.node);
        if (purse.paused()) revert Paused(o.node);
        _requireStake(o.node, purse);
    }

    // ------------------------------------------------------------------ effects

    function _unlockEscrow(Terms memory terms, uint32 pieces) private {
        uint256 escrow = Pay.cap(terms, pieces);
        _book.ledger.release(terms.client, escrow, escrow);
    }

    function _assign(
        Terms memory terms,
        Offer memory offer,
        bytes32 parent,
        uint32 from,
        uint32 count,
        bytes32 seedHash
    ) private {
        _book.ledger.spendAndLock(offer.node, offer.nonce, terms.fine, 0);
        Execution memory e;
        e.id = Records.executionId(parent, from);
        e.job = offer.job;
        e.node = offer.node;
        e.from = from;
        e.count = count;
        e.status = Status.Assigned;
        e.deadline = Deadline.afterSeconds(terms.executeWindow);
        e.seedHash = seedHash;
        _book.records.store(e);
        emit ExecutionAssigned(e.job, e.id, parent, e.node, from, count, e.deadline, seedHash, offer.nonce);
    }

    /// Runs the call, as it came, with the code of a part on this contract's storage.
    function _run(address code) private {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
