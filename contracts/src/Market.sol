// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Bitmap} from "./lib/Bitmap.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Dice} from "./lib/Dice.sol";
import {Draw} from "./lib/Draw.sol";
import {Evidence} from "./lib/Evidence.sol";
import {Jobs} from "./lib/Jobs.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Offers} from "./lib/Offers.sol";
import {Panel} from "./lib/Panel.sol";
import {Pay} from "./lib/Pay.sol";
import {Purse} from "./lib/Purse.sol";
import {Records} from "./lib/Records.sol";
import {Registry} from "./lib/Registry.sol";
import {Settlement} from "./lib/Settlement.sol";
import {Execution, Outcome, Status, Verification} from "./types/Execution.sol";
import {Offer, Terms} from "./types/Job.sol";
import {Parameters, Wallet} from "./types/Parameters.sol";
import {Reveal, Seat, SeatStatus} from "./types/Seat.sol";

/// @title The facade: who may call, when, and in which order the rules of `lib` apply.
contract Market is IMarket {
    using Bitmap for uint256[];
    using Dice for uint256[];
    using Ledger for Ledger.State;
    using Panel for Panel.Case;
    using Records for Records.State;
    using Registry for Registry.State;
    using Settlement for Ledger.State;

    Ledger.State private _ledger;
    Records.State private _records;
    Registry.State private _registry;

    uint96 private immutable _MIN_STAKE;
    uint96 private immutable _MIN_DEPOSIT;
    uint96 private immutable _NO_SHOW_FEE;
    uint32 private immutable _SETTLE_WINDOW;
    uint32 private immutable _DRAW_WINDOW;
    uint32 private immutable _APPEAL_WINDOW;
    uint32 private immutable _CONFIRMATIONS;
    uint8 private immutable _REDRAWS;
    uint32 private immutable _MAX_PIECES;
    uint16 private immutable _MIN_CHECK_RATE;

    constructor(Parameters memory p) {
        Jobs.requireSane(p);
        _MIN_STAKE = p.minStake;
        _MIN_DEPOSIT = p.minDeposit;
        _NO_SHOW_FEE = p.noShowFee;
        _SETTLE_WINDOW = p.settleWindow;
        _DRAW_WINDOW = p.drawWindow;
        _APPEAL_WINDOW = p.appealWindow;
        _CONFIRMATIONS = p.confirmations;
        _REDRAWS = p.redraws;
        _MAX_PIECES = p.maxPieces;
        _MIN_CHECK_RATE = p.minCheckRate;
    }

    // ------------------------------------------------------------------ wallets and registry

    function deposit() external payable {
        // Check:
        if (address(this).balance > type(uint96).max) revert TooMuchMoney(address(this).balance, type(uint96).max);
        // Effect:
        _ledger.purses[msg.sender] = _ledger.purses[msg.sender].credit(msg.value);
        emit Deposited(msg.sender, msg.value);
    }

    function withdraw(uint96 amount) external {
        // Check:
        Purse purse = _ledger.purses[msg.sender];
        Ledger.requireFree(msg.sender, purse, amount);
        // Effect:
        _ledger.purses[msg.sender] = purse.debit(amount);
        emit Withdrawn(msg.sender, amount);
        // Interaction:
        (bool ok,) = msg.sender.call{value: amount}("");
        if (!ok) revert TransferFailed(msg.sender, amount);
    }

    function register() external {
        // Check:
        Purse purse = _ledger.purses[msg.sender];
        if (purse.registered()) revert AlreadyRegistered(msg.sender);
        _requireStake(msg.sender, purse);
        // Effect:
        _ledger.purses[msg.sender] = purse.withRegistered(true);
        _registry.add(msg.sender);
        emit NodeRegistered(msg.sender);
    }

    function exit() external {
        // Check:
        Purse purse = _ledger.purses[msg.sender];
        if (!purse.registered()) revert NotRegistered(msg.sender);
        // Effect:
        _ledger.purses[msg.sender] = purse.withRegistered(false);
        _registry.remove(msg.sender);
        emit NodeExited(msg.sender);
    }

    function announce(string calldata url) external {
        emit EndpointAnnounced(msg.sender, url);
    }

    // ------------------------------------------------------------------ jobs and offers

    function createJob(Terms calldata terms) external {
        // Check:
        bytes32 job = _requireClient(terms);
        Jobs.requireSane(terms, _MIN_CHECK_RATE, _NO_SHOW_FEE);
        // Effect:
        _spend(terms.client, terms.nonce);
        _ledger.lock(terms.client, uint256(terms.bid) * terms.pieces, _MIN_DEPOSIT);
        _records.advance(job, 0, terms.pieces);
        emit JobCreated(job, terms.client, terms);
    }

    function closeJob(Terms calldata terms) external {
        // Check:
        bytes32 job = _requireClientOrExpired(terms);
        uint32 from = _firstPiece(job);
        // Effect:
        delete _records.frontiers[job];
        _unlockEscrow(terms, terms.pieces - from);
        emit JobClosed(job, from);
    }

    function closeReturned(Terms calldata terms, Execution calldata execution) external {
        // Check:
        bytes32 job = _requireClientOrExpired(terms);
        Execution memory e = _records.load(job, execution, Status.Returned);
        // Effect:
        delete _records.executions[e.id];
        _unlockEscrow(terms, e.count);
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
        bytes32 job = _requireClient(terms);
        uint32 from = _firstPiece(job);
        _requireOffer(terms, offer, signature, job, count, terms.pieces - from);
        // Effect:
        _records.advance(job, from + count, terms.pieces);
        _assign(terms, offer, job, from, count, seedHash);
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
        bytes32 job = _requireClient(terms);
        Execution memory rest = _records.load(job, returned, Status.Returned);
        _requireOffer(terms, offer, signature, job, count, rest.count);
        // Effect:
        uint32 from = rest.from;
        if (count == rest.count) {
            delete _records.executions[rest.id];
        } else {
            rest.from += count;
            rest.count -= count;
            _records.store(rest);
        }
        _assign(terms, offer, rest.id, from, count, seedHash);
    }

    // ------------------------------------------------------------------ executions

    function commitResult(Execution calldata execution, bytes32 root, uint64 fuel, bytes calldata leaves) external {
        // Check:
        Execution memory e = _records.load(execution, Status.Assigned);
        if (msg.sender != e.node) revert NotNode(msg.sender, e.node);
        Deadline.requireOpen(e.deadline);
        Evidence.requireLeaves(leaves, root, fuel, e.count, e.from, e.from);
        // Effect:
        e.status = Status.Committed;
        e.deadline = Deadline.afterSeconds(_SETTLE_WINDOW);
        e.root = root;
        e.fuel = fuel;
        e.committedBlock = uint64(block.number);
        _records.store(e);
        emit ResultCommitted(e.id, root, fuel, e.deadline, leaves);
    }

    function timeoutAssigned(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Execution memory e = _records.load(Records.jobId(terms), execution, Status.Assigned);
        Deadline.requirePassed(e.deadline);
        // Effect:
        _ledger.burnNoShow(e.id, 1, e.node, terms.fine, _NO_SHOW_FEE);
        _ledger.release(terms.client, terms.bond, terms.bond);
        _return(e, e.id, e.from, e.count);
    }

    function settle(Terms calldata terms, Execution calldata execution, bytes32 seed) external {
        // Check:
        Panel.Case memory c;
        c.execution = _requireConfirmed(terms, execution);
        uint256 loss = _skipped(terms, c, seed);
        // Effect:
        _close(terms, c, Settlement.Ruling({loser: 0, bondBurned: loss, bondLocked: true, silent: false}));
    }

    function timeoutCommitted(Terms calldata terms, Execution calldata execution) external {
        // Check:
        Panel.Case memory c;
        c.execution = _records.load(Records.jobId(terms), execution, Status.Committed);
        Deadline.requirePassed(c.execution.deadline);
        // Effect:
        _close(terms, c, Settlement.Ruling({loser: 0, bondBurned: terms.bond, bondLocked: true, silent: true}));
    }

    // ------------------------------------------------------------------ verification

    function verify(Terms calldata terms, Execution calldata execution, uint96 bid, uint256[] calldata listed)
        external
    {
        // Check:
        Panel.Case memory c;
        c.execution = _requireConfirmed(terms, execution);
        if (bid < terms.bid) revert BidLowered(bid, terms.bid);
        Verification memory v = c.verification;
        v.listed = listed;
        v.hits = v.listed.requireSubset(c.execution.count);
        // Effect:
        v.bid = bid;
        v.target = uint64(block.number) + 1;
        v.deadline = Deadline.afterSeconds(_DRAW_WINDOW);
        _ledger.lock(terms.client, Settlement.checks(terms, v), 0);
        c.execution.deadline = 0;
        _storeVerification(c, Status.Verifying);
        emit VerificationRequested(c.execution.id, v);
    }

    function draw(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat calldata seat,
        Seat calldata other
    ) external {
        // Check:
        Panel.Case memory c = Panel.load(_records, Records.jobId(terms), execution, verification, Status.Verifying);
        Seat memory s = c.current(_records, terms, seat);
        Panel.requireStatus(s, SeatStatus.Drawing);
        Deadline.requireOpen(s.deadline);
        // Effect:
        s.node = Draw.pick(_registry, _ledger, s, _drawRule(terms, c, s.number, other));
        s.status = SeatStatus.Running;
        s.deadline = Deadline.afterSeconds(terms.executeWindow);
        _ledger.lock(s.node, terms.fine, 0);
        _storeSeat(s);
    }

    function commitVerification(Seat calldata seat, bytes32 root, uint64 fuel, bytes calldata leaves) external {
        // Check:
        Seat memory s = seat;
        bytes32 key = Records.seatKey(s.execution, s.number);
        Records.requireSame(key, _records.seats[key], Records.hash(s));
        Panel.requireStatus(s, SeatStatus.Running);
        if (msg.sender != s.node) revert NotNode(msg.sender, s.node);
        Deadline.requireOpen(s.deadline);
        Evidence.requireLeaves(leaves, root, fuel, s.pieces, 0, type(uint32).max);
        // Effect:
        s.root = root;
        s.fuel = fuel;
        _finishSeat(s, SeatStatus.Committed);
        emit SeatCommitted(s.execution, s.number, leaves);
    }

    function timeoutDrawing(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat calldata seat
    ) external {
        // Check:
        Panel.Case memory c = Panel.load(_records, Records.jobId(terms), execution, verification, Status.Verifying);
        Seat memory s = c.current(_records, terms, seat);
        Panel.requireStatus(s, SeatStatus.Drawing);
        Deadline.requirePassed(s.deadline);
        // Effect:
        _finishSeat(s, SeatStatus.Vacant);
    }

    function timeoutSeat(Terms calldata terms, Execution calldata execution, Seat calldata seat) external {
        // Check:
        Execution memory e = _records.load(Records.jobId(terms), execution, Status.Verifying);
        Seat memory s = seat;
        bytes32 key = Records.seatKey(e.id, s.number);
        Records.requireSame(key, _records.seats[key], Records.hash(s));
        Panel.requireStatus(s, SeatStatus.Running);
        Deadline.requirePassed(s.deadline);
        // Effect:
        _ledger.burnNoShow(s.execution, s.number, s.node, terms.fine, _NO_SHOW_FEE);
        s.node = address(0);
        if (s.redraws == _REDRAWS) {
            _finishSeat(s, SeatStatus.Vacant);
        } else {
            s.status = SeatStatus.Drawing;
            s.redraws += 1;
            s.target = uint64(block.number) + 1;
            s.deadline = Deadline.afterSeconds(_DRAW_WINDOW);
            _storeSeat(s);
        }
    }

    function escalate(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat calldata second,
        uint32 piece
    ) external {
        // Check:
        bytes32 job = _requireClient(terms);
        Panel.Case memory c = Panel.load(_records, job, execution, verification, Status.Verifying);
        Verification memory v = c.verification;
        if (Panel.size(terms, v) != 1) revert AlreadyEscalated(v.escalated);
        if (second.number != 2) revert WrongSeat(second.number, 2);
        Seat memory s = c.current(_records, terms, second);
        Panel.requireStatus(s, SeatStatus.Committed);
        Deadline.requireOpen(s.doneAt + _SETTLE_WINDOW);
        Evidence.requireListed(terms, c, piece);
        // Effect:
        v.escalated = piece;
        v.thirdTarget = uint64(block.number) + 1;
        v.thirdDeadline = Deadline.afterSeconds(_DRAW_WINDOW);
        _ledger.lock(terms.client, v.bid, 0);
        _storeVerification(c, Status.Verifying);
        emit VerificationEscalated(c.execution.id, v);
    }

    function settleVerified(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        bytes32 seed
    ) external {
        // Check:
        bytes32 job = _requireClient(terms);
        Panel.Case memory c = Panel.load(_records, job, execution, verification, Status.Verifying);
        c.seat(_records, terms, seats);
        Deadline.requireOpen(Panel.doneAt(c.seats) + _SETTLE_WINDOW);
        uint256 loss = _skipped(terms, c, seed);
        // Effect:
        _close(terms, c, Settlement.Ruling({loser: 0, bondBurned: loss, bondLocked: true, silent: false}));
    }

    function revealKey(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        Reveal calldata reveal
    ) external {
        // Check:
        bytes32 job = _requireClient(terms);
        Panel.Case memory c = Panel.load(_records, job, execution, verification, Status.Verifying);
        c.seat(_records, terms, seats);
        Deadline.requireOpen(Panel.doneAt(c.seats) + _SETTLE_WINDOW);
        Panel.requireFull(c.seats);
        uint256 loss = _skipped(terms, c, reveal.seed);
        bytes32[3] memory digests;
        (c.verification.outcome, digests) = Evidence.judge(terms, c, reveal);
        // Effect:
        c.verification.revealed = reveal.piece;
        if (c.verification.outcome == Outcome.Agreed) {
            _emitRevealed(c, reveal, digests);
            _close(terms, c, Settlement.Ruling({loser: 0, bondBurned: loss, bondLocked: true, silent: false}));
        } else {
            _ledger.settleBond(terms, c.execution.id, loss);
            c.execution.deadline = Deadline.afterSeconds(_APPEAL_WINDOW);
            _storeVerification(c, Status.Verdict);
            _emitRevealed(c, reveal, digests);
        }
    }

    function timeoutResolving(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external {
        // Check:
        Panel.Case memory c = Panel.load(_records, Records.jobId(terms), execution, verification, Status.Verifying);
        c.seat(_records, terms, seats);
        Deadline.requirePassed(Panel.doneAt(c.seats) + _SETTLE_WINDOW);
        // Effect:
        _close(terms, c, Settlement.Ruling({loser: 0, bondBurned: terms.bond, bondLocked: true, silent: true}));
    }

    function timeoutVerdict(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats
    ) external {
        // Check:
        Panel.Case memory c = Panel.load(_records, Records.jobId(terms), execution, verification, Status.Verdict);
        c.seat(_records, terms, seats);
        Deadline.requirePassed(c.execution.deadline);
        // Effect:
        Outcome outcome = c.verification.outcome;
        if (outcome == Outcome.SecondLost || outcome == Outcome.ThirdLost) {
            uint8 loser = outcome == Outcome.SecondLost ? 2 : 3;
            _close(terms, c, Settlement.Ruling({loser: loser, bondBurned: 0, bondLocked: false, silent: false}));
            return;
        }
        _records.drop(c.execution.id, c.seats);
        if (outcome == Outcome.AllDiffer) {
            _ledger.refund(terms, c);
        } else {
            _ledger.payVerifiersOnly(terms, c);
            _returnAround(c.execution, c.verification.revealed);
        }
    }

    // ------------------------------------------------------------------ views

    function wallet(address owner) external view returns (Wallet memory) {
        return _ledger.purses[owner].unpack();
    }

    function nodes() external view returns (address[] memory) {
        return _registry.nodes;
    }

    function parameters() external view returns (Parameters memory) {
        return Parameters({
            minStake: _MIN_STAKE,
            minDeposit: _MIN_DEPOSIT,
            noShowFee: _NO_SHOW_FEE,
            settleWindow: _SETTLE_WINDOW,
            drawWindow: _DRAW_WINDOW,
            appealWindow: _APPEAL_WINDOW,
            confirmations: _CONFIRMATIONS,
            redraws: _REDRAWS,
            maxPieces: _MAX_PIECES,
            minCheckRate: _MIN_CHECK_RATE
        });
    }

    function burned() external view returns (uint256) {
        return _ledger.burnedWei;
    }

    function jobId(Terms calldata terms) external view returns (bytes32) {
        return Records.jobId(terms);
    }

    function offerDigest(Offer calldata offer) external view returns (bytes32) {
        return Offers.digest(offer);
    }

    function frontier(bytes32 job) external view returns (uint32) {
        return uint32(_records.frontiers[job]);
    }

    function executionHash(bytes32 execution) external view returns (bytes32) {
        return _records.executions[execution];
    }

    function seatHash(bytes32 execution, uint8 number) external view returns (bytes32) {
        return _records.seats[Records.seatKey(execution, number)];
    }

    // ------------------------------------------------------------------ who and when

    function _requireClient(Terms calldata terms) private view returns (bytes32 job) {
        if (msg.sender != terms.client) revert NotClient(msg.sender, terms.client);
        return Records.jobId(terms);
    }

    function _requireClientOrExpired(Terms calldata terms) private view returns (bytes32 job) {
        if (block.timestamp <= terms.expiry) return _requireClient(terms);
        return Records.jobId(terms);
    }

    function _requireStake(address node, Purse purse) private view {
        uint256 stake = purse.free() + purse.locked();
        if (stake < _MIN_STAKE) revert InsufficientStake(node, stake, _MIN_STAKE);
    }

    /// First piece of the job that was never assigned.
    function _firstPiece(bytes32 job) private view returns (uint32) {
        uint256 next = _records.frontiers[job];
        if (next == 0) revert UnknownJob(job);
        return uint32(next - 1);
    }

    function _requireOffer(
        Terms calldata terms,
        Offer calldata offer,
        bytes calldata signature,
        bytes32 job,
        uint32 count,
        uint32 left
    ) private view {
        Jobs.requireOpen(terms, offer, job, count, left < _MAX_PIECES ? left : _MAX_PIECES);
        Offers.requireSigned(offer, signature);
        Purse purse = _ledger.purses[offer.node];
        if (!purse.registered()) revert NotRegistered(offer.node);
        _requireStake(offer.node, purse);
    }

    /// The client may act on the commitment: in time, and no reorganisation will take it back.
    function _requireConfirmed(Terms calldata terms, Execution calldata execution)
        private
        view
        returns (Execution memory e)
    {
        e = _records.load(_requireClient(terms), execution, Status.Committed);
        Deadline.requireOpen(e.deadline);
        uint64 want = e.committedBlock + _CONFIRMATIONS;
        if (block.number < want) revert Unconfirmed(e.committedBlock, want, uint64(block.number));
    }

    /// What the client loses of its bond: the dice are rolled again and compared with what was verified.
    function _skipped(Terms calldata terms, Panel.Case memory c, bytes32 seed) private pure returns (uint256) {
        Execution memory e = c.execution;
        bytes32 seedHash = keccak256(abi.encode(seed));
        if (seedHash != e.seedHash) revert WrongSeed(seedHash, e.seedHash);
        uint256[] memory hits = Dice.roll(seed, e.root, e.id, e.count, terms.checkRate);
        return Pay.burnRoundedUp(terms.bond, hits.mistakes(c.verification.listed), hits.size());
    }

    function _drawRule(Terms calldata terms, Panel.Case memory c, uint8 number, Seat calldata other)
        private
        view
        returns (Draw.Rule memory rule)
    {
        uint8 want = Panel.size(terms, c.verification) == 1 ? 0 : 5 - number;
        if (other.number != want) revert WrongSeat(other.number, want);
        rule.client = terms.client;
        rule.first = c.execution.node;
        if (want != 0) rule.other = c.current(_records, terms, other).node;
        rule.minStake = _MIN_STAKE;
        rule.fine = terms.fine;
    }

    // ------------------------------------------------------------------ effects

    function _spend(address owner, uint32 nonce) private {
        (bool ok, Purse purse) = _ledger.purses[owner].spend(nonce);
        if (!ok) revert NonceSpent(owner, nonce);
        _ledger.purses[owner] = purse;
    }

    function _unlockEscrow(Terms calldata terms, uint32 pieces) private {
        uint256 escrow = uint256(terms.bid) * pieces;
        _ledger.release(terms.client, escrow, escrow);
    }

    function _assign(
        Terms calldata terms,
        Offer calldata offer,
        bytes32 parent,
        uint32 from,
        uint32 count,
        bytes32 seedHash
    ) private {
        _spend(offer.node, offer.nonce);
        _ledger.lock(offer.node, terms.fine, 0);
        _ledger.lock(terms.client, terms.bond, 0);
        Execution memory e;
        e.id = Records.executionId(parent, from);
        e.job = offer.job;
        e.node = offer.node;
        e.from = from;
        e.count = count;
        e.status = Status.Assigned;
        e.deadline = Deadline.afterSeconds(terms.executeWindow);
        e.seedHash = seedHash;
        _records.store(e);
        emit ExecutionAssigned(e.job, e.id, parent, e.node, from, count, e.deadline, seedHash, offer.nonce);
    }

    function _storeVerification(Panel.Case memory c, Status status) private {
        c.execution.status = status;
        c.execution.verification = Records.hash(c.verification);
        _records.store(c.execution);
    }

    function _finishSeat(Seat memory s, SeatStatus status) private {
        s.status = status;
        s.deadline = 0;
        s.doneAt = uint64(block.timestamp);
        _storeSeat(s);
    }

    function _storeSeat(Seat memory s) private {
        _records.store(s);
        emit SeatChanged(s.execution, s.number, s.node, s);
    }

    function _emitRevealed(Panel.Case memory c, Reveal calldata reveal, bytes32[3] memory digests) private {
        emit KeyRevealed(c.execution.id, reveal.piece, reveal.sk, digests, c.verification, c.execution.deadline);
    }

    /// Ends the execution with its node paid.
    function _close(Terms calldata terms, Panel.Case memory c, Settlement.Ruling memory ruling) private {
        _records.drop(c.execution.id, c.seats);
        _ledger.pay(terms, c, ruling);
    }

    /// Gives all pieces but the settled one back to the job. The settled one was paid to nobody's seat 1.
    function _returnAround(Execution memory e, uint32 settled) private {
        uint32 end = e.from + e.count;
        bytes32 id = e.id;
        if (settled > e.from) {
            _return(e, id, e.from, settled - e.from);
            id = Records.splitId(id, settled + 1);
        }
        if (settled + 1 < end) _return(e, id, settled + 1, end - settled - 1);
        if (e.count == 1) emit ExecutionSettled(e.id, 0, false);
    }

    function _return(Execution memory e, bytes32 id, uint32 from, uint32 count) private {
        Execution memory rest;
        rest.id = id;
        rest.job = e.job;
        rest.from = from;
        rest.count = count;
        rest.status = Status.Returned;
        _records.store(rest);
        emit ExecutionReturned(e.id, id, from, count);
    }
}
