// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Game} from "./fixture/Game.sol";
import {IMarket} from "../src/IMarket.sol";
import {Execution} from "../src/types/Execution.sol";
import {Offer, Terms} from "../src/types/Job.sol";

contract JobsTest is Game {
    address private constant STRANGER = address(0x57A);

    // ------------------------------------------------------------------ create and close

    function test_create() public {
        Terms memory terms = _terms(4, 2, NEVER);
        bytes32 job = keccak256(abi.encode(block.chainid, address(market), terms));
        vm.expectEmit(address(market));
        emit IMarket.JobCreated(job, client, terms);
        _create(terms);
        _eq(market.jobId(terms), job, "id");
        _eq(market.frontier(job), 1, "frontier");
        _eq(_wallet(client).locked, 4000, "locked");
        _conserved();
    }

    function test_createByOther() public {
        Terms memory terms = _terms(4, 2, NEVER);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.createJob(terms);
    }

    function _badTerms(Terms memory terms, string memory field) private {
        _fails(abi.encodeWithSelector(IMarket.BadTerms.selector, field));
        _create(terms);
    }

    function test_createBadTerms() public {
        Terms memory good = _terms(4, 2, NEVER);
        Terms memory terms = _copy(good);
        terms.pieces = 0;
        _badTerms(terms, "pieces");
        terms = _copy(good);
        terms.checkRate = 0;
        _badTerms(terms, "checkRate");
        terms = _copy(good);
        terms.seats = 1;
        _badTerms(terms, "seats");
        terms.seats = 4;
        _badTerms(terms, "seats");
        terms = _copy(good);
        terms.executeWindow = 9;
        _badTerms(terms, "executeWindow");
        terms.executeWindow = 30 days + 1;
        _badTerms(terms, "executeWindow");
        terms = _copy(good);
        terms.expiry = uint64(block.timestamp) - 1;
        _badTerms(terms, "expiry");
        terms = _copy(good);
        terms.bid = 0;
        _badTerms(terms, "bid");
        terms = _copy(good);
        terms.fine = 299;
        _badTerms(terms, "fine");
        terms.fine = 10_001;
        _badTerms(terms, "fine");
        terms = _copy(good);
        terms.bond = 1999;
        _badTerms(terms, "bond");
        _create(good);
    }

    /// Terms are identified by what lies in calldata, so that a number wider than its type would make another job.
    function test_createBadEncoding() public {
        Terms memory terms = _terms(4, 2, NEVER);
        uint8[11] memory bits = [160, 32, 32, 16, 8, 32, 64, 96, 96, 96, 96];
        for (uint256 i; i < bits.length; ++i) {
            bytes memory encoded = abi.encodeCall(market.createJob, (terms));
            encoded[4 + 32 * (i + 1) - 1 - bits[i] / 8] = hex"01";
            _fails(abi.encodeWithSelector(IMarket.BadTerms.selector, "encoding"));
            vm.prank(client);
            (bool reverted,) = address(market).call(encoded);
            _true(reverted, "as expected");
        }
        _create(terms);
    }

    function _copy(Terms memory terms) private pure returns (Terms memory) {
        return abi.decode(abi.encode(terms), (Terms));
    }

    function test_createAtTheLimits() public {
        Terms memory terms = _terms(4, 3, NEVER);
        (terms.expiry, terms.fine, terms.bond) = (uint64(block.timestamp), 300, 2000);
        terms.executeWindow = 30 days;
        _create(terms);
        terms.nonce = nonce++;
        (terms.fine, terms.executeWindow) = (10_000, 10);
        _create(terms);
    }

    function test_createTwice() public {
        Terms memory terms = _terms(4, 2, NEVER);
        _create(terms);
        _fails(abi.encodeWithSelector(IMarket.NonceSpent.selector, client, terms.nonce));
        _create(terms);
    }

    function test_createKeepsTheDeposit() public {
        uint256 price = 4000;
        vm.prank(client);
        market.withdraw(uint96(PURSE - price - 4_999));
        Terms memory terms = _terms(4, 2, NEVER);
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, price + 4_999, price + 5_000));
        _create(terms);
        vm.deal(client, 1);
        vm.prank(client);
        market.deposit{value: 1}();
        _create(terms);
        _eq(_wallet(client).free, 5_000, "minimum deposit");
    }

    /// A price that does not even fit a wallet is simply not there.
    function test_createWithoutOverflow() public {
        Terms memory terms = _terms(1, 2, NEVER);
        (terms.pieces, terms.bid, terms.bond) = (type(uint32).max, type(uint96).max / 2, type(uint96).max);
        uint256 want = uint256(terms.bid) * terms.pieces + 5_000;
        _fails(abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, PURSE, want));
        _create(terms);
    }

    function test_close() public {
        Terms memory terms = _terms(4, 2, NEVER);
        _create(terms);
        Run memory r = _accept(terms, 0, 1);
        vm.expectEmit(address(market));
        emit IMarket.JobClosed(r.execution.job, 1);
        vm.prank(client);
        market.closeJob(terms);
        _eq(market.frontier(r.execution.job), 0, "frontier");
        _eq(_wallet(client).locked, 1000 + terms.bond, "what the execution needs");
        _fails(abi.encodeWithSelector(IMarket.UnknownJob.selector, r.execution.job));
        vm.prank(client);
        market.closeJob(terms);
    }

    function test_closeByOther() public {
        Terms memory terms = _terms(4, 2, NEVER);
        _create(terms);
        vm.warp(terms.expiry);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.closeJob(terms);
        vm.warp(terms.expiry + 1);
        vm.prank(STRANGER);
        market.closeJob(terms);
        _eq(_wallet(client).locked, 0, "locked");
    }

    function test_closeReturned() public {
        Run memory r = _atAssigned(3, 2, NEVER);
        vm.warp(r.execution.deadline + 1);
        market.timeoutAssigned(r.terms, r.execution);
        Execution memory rest = _returned(r.execution, r.execution.id, 0, 3);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.closeReturned(r.terms, rest);
        vm.warp(r.terms.expiry + 1);
        vm.expectEmit(address(market));
        emit IMarket.ReturnedClosed(rest.id);
        vm.prank(STRANGER);
        market.closeReturned(r.terms, rest);
        _over(r);
        bytes32 have = keccak256(abi.encode(rest));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, rest.id, bytes32(0), have));
        market.closeReturned(r.terms, rest);
    }

    // ------------------------------------------------------------------ offers

    function test_postOffer() public {
        (Offer memory offer, bytes memory signature) = _offer(_terms(1, 2, NEVER), 0, 1);
        vm.expectEmit(address(market));
        emit IMarket.OfferPosted(offer.job, offer.node, offer, signature);
        market.postOffer(offer, signature);
    }

    function test_offerDigestIsEip712() public {
        (Offer memory offer,) = _offer(_terms(1, 2, NEVER), 0, 1);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Bacalhau Market"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Offer(bytes32 job,address node,uint32 pieces,uint32 nonce,uint64 deadline)"),
                offer.job,
                offer.node,
                offer.pieces,
                offer.nonce,
                offer.deadline
            )
        );
        _eq(market.offerDigest(offer), keccak256(abi.encodePacked(hex"1901", domain, content)), "digest");
    }

    function test_accept() public {
        Terms memory terms = _terms(5, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 3, 4);
        Run memory r = _assigned(terms, offer.job, 3, 0, 2);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionAssigned(
            offer.job,
            r.execution.id,
            offer.job,
            _node(3),
            0,
            2,
            r.execution.deadline,
            r.execution.seedHash,
            offer.nonce
        );
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 2, r.execution.seedHash);
        _eq(market.frontier(offer.job), 3, "frontier");
        _eq(_wallet(_node(3)).locked, 7000, "fine");
        _eq(_wallet(client).locked, 5000 + 20_000, "escrow and bond");
        _eq(market.executionHash(r.execution.id), keccak256(abi.encode(r.execution)), "record");
    }

    function _refuse(Terms memory terms, Offer memory offer, bytes memory signature, uint32 count, bytes memory why)
        private
    {
        _fails(why);
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, count, "");
    }

    function test_acceptWrongParties() public {
        Terms memory terms = _terms(5, 2, NEVER);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 5);
        _refuse(terms, offer, signature, 1, abi.encodeWithSelector(IMarket.UnknownJob.selector, offer.job));
        _create(terms);
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.acceptOffer(terms, offer, signature, 1, "");

        Offer memory other = Offer(keccak256("other"), offer.node, 5, offer.nonce, offer.deadline);
        _refuse(terms, other, signature, 1, abi.encodeWithSelector(IMarket.WrongJob.selector, other.job, offer.job));

        vm.prank(client);
        market.register();
        other = Offer(offer.job, client, 5, 100, offer.deadline);
        signature = _sign(other, CLIENT_KEY);
        _refuse(terms, other, signature, 1, abi.encodeWithSelector(IMarket.ClientMayNotServe.selector, client));
    }

    function test_acceptBadSignature() public {
        Terms memory terms = _terms(5, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 5);
        bytes memory wrong = _sign(offer, NODE_KEY + 1);
        _refuse(terms, offer, wrong, 1, abi.encodeWithSelector(IMarket.BadSignature.selector, _node(1), offer.node));
        bytes memory unreadable = abi.encodeWithSelector(IMarket.BadSignature.selector, address(0), offer.node);
        _refuse(terms, offer, "", 1, unreadable);
        _refuse(terms, offer, bytes.concat(signature, hex"00"), 1, unreadable);
        // The other signature of the same key, with s in the upper half.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(NODE_KEY, market.offerDigest(offer));
        _refuse(terms, offer, abi.encodePacked(r, ORDER - uint256(s), v ^ 7), 1, unreadable);
    }

    /// What a node signed for another market, as on another chain, is a stranger's signature here.
    function test_acceptForeignSignature() public {
        Terms memory terms = _terms(5, 2, NEVER);
        _create(terms);
        (Offer memory offer,) = _offer(terms, 0, 5);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(NODE_KEY, _deploy(_parameters()).offerDigest(offer));
        address signer = ecrecover(market.offerDigest(offer), v, r, s);
        bytes memory why = abi.encodeWithSelector(IMarket.BadSignature.selector, signer, offer.node);
        _refuse(terms, offer, abi.encodePacked(r, s, v), 1, why);
    }

    function test_acceptDeadlines() public {
        Terms memory terms = _terms(5, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 5);
        uint64 end = offer.deadline;
        vm.warp(end + 1);
        _refuse(terms, offer, signature, 1, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.warp(end);
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1, "");

        end = terms.expiry;
        vm.warp(end);
        (offer, signature) = _offer(terms, 0, 5);
        vm.warp(end + 1);
        _refuse(terms, offer, signature, 1, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.warp(end);
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1, "");
    }

    function test_acceptCounts() public {
        Terms memory terms = _terms(1002, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 3);
        _refuse(terms, offer, signature, 0, abi.encodeWithSelector(IMarket.BadCount.selector, 0, 3));
        _refuse(terms, offer, signature, 4, abi.encodeWithSelector(IMarket.BadCount.selector, 4, 3));
        (offer, signature) = _offer(terms, 0, 5000);
        _refuse(terms, offer, signature, 1001, abi.encodeWithSelector(IMarket.BadCount.selector, 1001, 1000));
        _accept(terms, 0, 1000);
        _refuse(terms, offer, signature, 3, abi.encodeWithSelector(IMarket.BadCount.selector, 3, 2));
        _accept(terms, 0, 2);
        _refuse(terms, offer, signature, 1, abi.encodeWithSelector(IMarket.UnknownJob.selector, offer.job));
    }

    function test_acceptTwice() public {
        Terms memory terms = _terms(5, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 5);
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 1, "");
        bytes memory why = abi.encodeWithSelector(IMarket.NonceSpent.selector, offer.node, offer.nonce);
        _refuse(terms, offer, signature, 1, why);
    }

    function test_acceptSmallBond() public {
        Terms memory terms = _terms(50, 2, 32768);
        terms.bond = 2000;
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 50);
        _refuse(terms, offer, signature, 3, abi.encodeWithSelector(IMarket.BondTooSmall.selector, 2000, 3000));
        vm.prank(client);
        market.acceptOffer(terms, offer, signature, 2, "");
    }

    function test_acceptPoorParties() public {
        address node = _node(0);
        _impoverish(0);
        Terms memory terms = _terms(5, 2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 5);
        bytes memory why = abi.encodeWithSelector(IMarket.InsufficientStake.selector, node, 9_700, 10_000);
        _refuse(terms, offer, signature, 1, why);
        _fund(node, 300);
        _accept(terms, 0, 1);
        (offer, signature) = _offer(terms, 0, 4);
        why = abi.encodeWithSelector(IMarket.InsufficientFree.selector, node, 3_000, 7_000);
        _refuse(terms, offer, signature, 1, why);

        vm.prank(client);
        market.withdraw(uint96(PURSE - 1_000 - 5_000 - 20_000 - 19_999));
        (offer, signature) = _offer(terms, 1, 4);
        why = abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, 19_999, 20_000);
        _refuse(terms, offer, signature, 1, why);

        vm.prank(_node(1));
        market.exit();
        _refuse(terms, offer, signature, 1, abi.encodeWithSelector(IMarket.NotRegistered.selector, _node(1)));
    }

    function test_acceptReturned() public {
        Run memory r = _atAssigned(3, 2, NEVER);
        vm.warp(r.execution.deadline + 1);
        market.timeoutAssigned(r.terms, r.execution);
        Execution memory rest = _returned(r.execution, r.execution.id, 0, 3);
        (Offer memory offer, bytes memory signature) = _offer(r.terms, 1, 9);
        _fails(abi.encodeWithSelector(IMarket.BadCount.selector, 4, 3));
        vm.prank(client);
        market.acceptReturned(r.terms, rest, offer, signature, 4, "");
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.acceptReturned(r.terms, rest, offer, signature, 1, "");
        bytes32 want = keccak256(abi.encode(rest));
        rest.count = 4;
        bytes32 have = keccak256(abi.encode(rest));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, rest.id, want, have));
        vm.prank(client);
        market.acceptReturned(r.terms, rest, offer, signature, 4, "");
        rest.count = 3;
        Run memory again = _acceptReturned(r.terms, rest, 1, 3);
        _eq(market.executionHash(rest.id), 0, "nothing left");
        _eq(market.executionHash(again.execution.id), keccak256(abi.encode(again.execution)), "record");
    }
}
