// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "./IMarket.sol";
import {Part} from "./Part.sol";
import {Bitmap} from "./lib/Bitmap.sol";
import {Book} from "./lib/Book.sol";
import {Deadline} from "./lib/Deadline.sol";
import {Dice} from "./lib/Dice.sol";
import {Draw} from "./lib/Draw.sol";
import {Evidence} from "./lib/Evidence.sol";
import {Guard} from "./lib/Guard.sol";
import {Jobs} from "./lib/Jobs.sol";
import {Ledger} from "./lib/Ledger.sol";
import {Offers} from "./lib/Offers.sol";
import {Panel} from "./lib/Panel.sol";
import {Pay} from "./lib/Pay.sol";
import {Purse} from "./lib/Purse.sol";
import {Records} from "./lib/Records.sol";
import {Registry} from "./lib/Registry.sol";
import {Settlement} from "./lib/Settlement.sol";
import {Execution, Status, Verification} from "./types/Execution.sol";
import {Offer, Terms} from "./types/Job.sol";
import {Parameters} from "./types/Parameters.sol";
import {Seat, SeatStatus} from "./types/Seat.sol";

/// @title The facade: who may call, when, and in which order the rules of `lib` apply.
/// @notice The way of work that goes well is here, and costs least. For everything else it runs the code of its parts on
/// its own storage, for one contract's code may have 24 KiB only. Nobody can replace them.
contract Market is Part {
    using Bitmap for uint256[];
    using Book for Book.State;
    using Ledger for Ledger.State;
    using Panel for Panel.Case;
    using Records for Records.State;
    using Registry for Registry.State;
    using Settlement for Ledger.State;

    address private immutable _ACCOUNTS;
    address private immutable _VERIFICATIONS;
    address private immutable _DISPUTES;
    address private immutable _APPEALS;

    constructor(Parameters memory p, Part accounts, Part verifications, Part disputes, Part appeals) Part(p) {
        Jobs.requireSane(p);
        if (accounts.PARAMETERS() != PARAMETERS) revert IMarket.BadParameters("accounts");
        if (verifications.PARAMETERS() != PARAMETERS) revert IMarket.BadParameters("verifications");
        if (disputes.PARAMETERS() != PARAMETERS) revert IMarket.BadParameters("disputes");
        if (appeals.PARAMETERS() != PARAMETERS) revert IMarket.BadParameters("appeals");
        _ACCOUNTS = address(accounts);
        _VERIFICATIONS = address(verifications);
        _DISPUTES = address(disputes);
        _APPEALS = address(appeals);
    }

    // ------------------------------------------------------------------ money

    function deposit() external payable {
        // Check:
        if (address(this).balance > type(uint96).max) {
            revert IMarket.TooMuchMoney(address(this).balance, type(uint96).max);
        }
        // Effect:
        Purse purse = _book.ledger.accounts[msg.sender].purse;
        _book.ledger.accounts[msg.sender].purse = purse.credit(msg.value);
        // A node with less may be none that a draw takes, and must not become one once it knows whom the draw takes.
        if (purse.registered() && purse.free() < _MIN_STAKE) _book.registry.renew(msg.sender);
        emit IMarket.Deposited(msg.sender, msg.value);
    }

    // ------------------------------------------------------------------ jobs

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
        uint32 from = _book.records.firstPiece(job);
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

    // ------------------------------------------------------------------ results

    function commitResult(Execution calldata execution, bytes32 root, uint64 fuel, bytes calldata leaves) external {
        // Check:
        Execution memory e;
        _book.records.load(e, execution, Status.Assigned);
        if (msg.sender != e.node) revert IMarket.NotNode(msg.sender, e.node);
        Deadline.requireOpen(e.deadline);
        Evidence.requireLeaves(leaves, root, fuel, e.count, e.from, e.from);
        // Effect:
        e.status = Status.Committed;
        e.deadline = Deadline.afterSeconds(_SETTLE_WINDOW);
        e.root = root;
        e.fuel = fuel;
        e.committedBlock = uint64(block.number);
        _book.records.store(e);
        emit IMarket.ResultCommitted(e.id, root, fuel, e.deadline, leaves);
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

    // ------------------------------------------------------------------ checks

    function verify(Terms calldata terms, Execution calldata execution, uint96 bid, uint256[] calldata listed)
        external
    {
        // Check:
        Panel.Case memory c;
        Guard.requireConfirmed(_book.records, c.terms, c.execution, terms, execution, _CONFIRMATIONS);
        if (bid < c.terms.bid) revert IMarket.BidLowered(bid, c.terms.bid);
        Verification memory v = c.verification;
        v.listed = listed;
        v.hits = v.listed.requireSubset(c.execution.count);
        // Effect:
        v.bid = bid;
        v.target = uint64(block.number) + 1;
        v.deadline = Deadline.afterSeconds(_DRAW_WINDOW);
        _book.ledger.lock(c.terms.client, Settlement.checks(c.terms, v), 0);
        c.execution.deadline = 0;
        _book.storeVerification(c, Status.Verifying);
        emit IMarket.VerificationRequested(c.execution.id, bid, listed, v.target, v.deadline);
    }

    function draw(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        uint8 number
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Records.load(c.terms, terms), execution, verification, Status.Verifying);
        c.load(_book.records, seats);
        Seat memory s = c.seatOf(number, SeatStatus.Drawing);
        Deadline.requireOpen(s.deadline);
        // Effect:
        s.node = Draw.pick(_book.registry, _book.ledger, s, _drawRule(c));
        s.status = SeatStatus.Running;
        s.deadline = Deadline.afterSeconds(c.terms.executeWindow);
        _book.ledger.lock(s.node, c.terms.fine, 0);
        _book.records.store(s);
        emit IMarket.SeatDrawn(s.execution, s.number, s.node, s.deadline);
    }

    function commitVerification(Seat calldata seat, bytes32 root, uint64 fuel, bytes calldata leaves) external {
        // Check:
        Seat memory s;
        _book.records.load(s, seat, Records.seatKey(seat.execution, seat.number));
        Panel.requireStatus(s, SeatStatus.Running);
        if (msg.sender != s.node) revert IMarket.NotNode(msg.sender, s.node);
        Deadline.requireOpen(s.deadline);
        Evidence.requireLeaves(leaves, root, fuel, s.pieces, 0, type(uint32).max);
        // Effect:
        s.root = root;
        s.fuel = fuel;
        Panel.finish(s, SeatStatus.Committed);
        _book.records.store(s);
        emit IMarket.SeatCommitted(s.execution, s.number, root, fuel, leaves);
    }

    function settleVerified(
        Terms calldata terms,
        Execution calldata execution,
        Verification calldata verification,
        Seat[] calldata seats,
        bytes32 seed
    ) external {
        // Check:
        Panel.Case memory c;
        c.load(_book.records, Guard.requireClient(c.terms, terms), execution, verification, Status.Verifying);
        c.load(_book.records, seats);
        Deadline.requireOpen(c.resolveBy(_SETTLE_WINDOW));
        uint256 loss = Dice.lossRoundedUp(c.terms, c.execution, c.verification.listed, seed);
        // Effect:
        _book.close(c, Settlement.Ruling({loser: 0, bondBurned: loss, bondLocked: true, silent: false}));
    }

    // ------------------------------------------------------------------ everything else

    function parts()
        external
        view
        returns (address accounts, address verifications, address disputes, address appeals)
    {
        return (_ACCOUNTS, _VERIFICATIONS, _DISPUTES, _APPEALS);
    }

    /// Runs the call, as it came, with the code of its part on this contract's storage.
    fallback() external {
        address code = _partOf(msg.sig);
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }

    /// What no part has is refused by the last one.
    function _partOf(bytes4 call) private view returns (address) {
        if (
            call == IMarket.timeoutSeat.selector || call == IMarket.timeoutDrawing.selector
                || call == IMarket.declineSeat.selector || call == IMarket.escalate.selector
                || call == IMarket.revealKey.selector || call == IMarket.timeoutVerdict.selector
        ) return _VERIFICATIONS;
        if (
            call == IMarket.closeJob.selector || call == IMarket.closeReturned.selector
                || call == IMarket.decline.selector || call == IMarket.timeoutAssigned.selector
                || call == IMarket.timeoutCommitted.selector || call == IMarket.challengeLeaf.selector
                || call == IMarket.answerLeaf.selector || call == IMarket.timeoutChallenged.selector
                || call == IMarket.openSelf.selector || call == IMarket.timeoutSilent.selector
        ) return _DISPUTES;
        if (
            call == IMarket.appeal.selector || call == IMarket.drawJury.selector || call == IMarket.commitVote.selector
                || call == IMarket.declineVote.selector || call == IMarket.revealVote.selector
                || call == IMarket.timeoutAppealed.selector
        ) return _APPEALS;
        return _ACCOUNTS;
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
        Purse purse = _book.ledger.requireRegistered(o.node);
        if (purse.paused()) revert IMarket.Paused(o.node);
        Ledger.requireStake(o.node, purse, _MIN_STAKE);
    }

    /// Neither the client sits on a panel, nor a node twice, nor one that has just failed there.
    function _drawRule(Panel.Case memory c) private view returns (Draw.Rule memory rule) {
        rule.excluded = new address[](2 + c.seats.length);
        rule.excluded[0] = c.terms.client;
        rule.excluded[1] = c.execution.node;
        for (uint256 i; i < c.seats.length; ++i) {
            rule.excluded[2 + i] = c.seats[i].node;
        }
        rule.source = _SOURCE;
        rule.minStake = _MIN_STAKE;
        rule.fine = c.terms.fine;
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
        emit IMarket.ExecutionAssigned(e.job, e.id, parent, e.node, from, count, e.deadline, seedHash, offer.nonce);
    }
}
