// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Attack} from "../fixture/Attack.sol";
import {Tree} from "../fixture/Tree.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Outcome} from "../../src/types/Execution.sol";
import {Offer, Terms} from "../../src/types/Job.sol";
import {Reveal, Seat, SeatStatus, Sum} from "../../src/types/Seat.sol";

/// @title Clients that want results for less than they promised, or somebody's stake.
contract ClientAttacks is Attack {
    address private constant ANYBODY = address(0xA7B0D7);

    // ------------------------------------------------------------------ dice

    /// All four pieces are hit and the client verifies none.
    function test_skipsEveryCheck() public {
        Run memory r = _atCommitted(4, 2, ALWAYS);
        _settle(r);
        _over(r);
        _ends(r, Gains({client: -4000 - 20_000, first: 4000, second: 0, third: 0, burned: 20_000}));
    }

    /// It omits one hit of four: a quarter of the bond, which is more than the check would have cost.
    function test_omitsAHit() public {
        Run memory r = _atCommitted(4, 2, ALWAYS);
        _verify(r, RAISED, _list(7));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -4000 - 3 * 1250 - 5000, first: 4000, second: 3 * 1250, third: 0, burned: 5000}));
    }

    /// It picks a piece to check that the dice did not.
    function test_listsANonHit() public {
        Run memory r = _atCommitted(4, 2, NEVER);
        _verify(r, RAISED, _list(1));
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -4000 - 1250 - 20_000, first: 4000, second: 1250, third: 0, burned: 20_000}));
    }

    /// It rolls again with a seed that it likes better.
    function test_choosesAnotherSeed() public {
        Run memory r = _atCommitted(4, 2, ALWAYS);
        bytes32 better = "better";
        _fails(abi.encodeWithSelector(IMarket.WrongSeed.selector, keccak256(abi.encode(better)), r.execution.seedHash));
        vm.prank(client);
        market.settle(r.terms, r.execution, better);
        vm.warp(r.execution.deadline + 1);
        market.timeoutCommitted(r.terms, r.execution);
        _over(r);
        _ends(r, Gains({client: -4000 - 20_000, first: 4000, second: 0, third: 0, burned: 20_000}));
    }

    // ------------------------------------------------------------------ silence

    function test_silentOnceCommitted() public {
        Run memory r = _atCommitted(2, 2, ALWAYS);
        vm.warp(r.execution.deadline + 1);
        vm.prank(ANYBODY);
        market.timeoutCommitted(r.terms, r.execution);
        _over(r);
        _ends(r, Gains({client: -2000 - 20_000, first: 2000, second: 0, third: 0, burned: 20_000}));
    }

    /// It asks for a check and goes away: anybody goes on for it.
    function test_silentOnceVerifying() public {
        Run memory r = _atDrawing(2, 2);
        _draw(r, 2);
        _commitSeat(r, 2);
        _silent(r);
        _ends(r, Gains({client: -2000 - 2500 - 20_000, first: 2000, second: 2500, third: 0, burned: 20_000}));
    }

    /// It sees two different results and goes away.
    function test_silentOnceTheyDiffer() public {
        Run memory r = _atDispute(1, 0, 1 << 2);
        _silent(r);
        _ends(r, Gains({client: -1000 - 2500 - 20_000, first: 1000, second: 1250, third: 1250, burned: 20_000}));
    }

    function _silent(Run memory r) private {
        vm.warp(_silentUntil(r) + 1);
        vm.prank(ANYBODY);
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
        _over(r);
    }

    /// It reveals and goes away, although the verdict is not what it wanted.
    function test_silentOnceRevealed() public {
        Run memory r = _atDispute(1, 0, 1 << 3);
        _convict(r, 0, Outcome.ThirdLost);
        vm.warp(r.execution.deadline + 1);
        vm.prank(ANYBODY);
        market.timeoutVerdict(r.terms, r.execution, r.verification, _panel(r));
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: 1250, third: -7000, burned: 7000}));
    }

    // ------------------------------------------------------------------ panels

    /// It claims that one of its nodes was drawn: the seat is not the one on record.
    function test_namesItsOwnVerifier() public {
        Run memory r = _atDrawing(1, 2);
        Seat memory drawn = abi.decode(abi.encode(r.seats[0]), (Seat));
        (drawn.node, drawn.status) = (_node(5), SeatStatus.Running);
        drawn.deadline = uint64(block.timestamp) + 60;
        bytes32 key = keccak256(abi.encode(r.execution.id, uint8(2)));
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, key, 0, keccak256(abi.encode(drawn))));
        vm.prank(_node(5));
        market.commitVerification(drawn, "root", 1, "");
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250, first: 1000, second: 1250, third: 0, burned: 0}));
    }

    /// Its own node in seat 1 commits to a wrong result, to have the honest verifier convicted: the third seat, which it
    /// cannot choose, tells the truth.
    function test_framesAVerifier() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _convict(r, 0, Outcome.FirstLost);
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250, first: -7000, second: 1250, third: 1250, burned: 7000}));
    }

    /// It wants to know one seat's result while another one could still copy it.
    function test_revealsTooEarly() public {
        Run memory r = _atDrawing(1, 3);
        _draw(r, 2);
        _draw(r, 3);
        _commitSeat(r, 2);
        Reveal memory reveal;
        _fails(abi.encodeWithSelector(IMarket.PanelRunning.selector, 3));
        _revealCall(r, reveal);
        _commitSeat(r, 3);
        _settleVerified(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 2500, first: 1000, second: 1250, third: 1250, burned: 0}));
    }

    /// It reveals a key of its own, under which honest ciphertexts decrypt to noise.
    function test_revealsAWrongKey() public {
        Run memory r = _atResolving(1, 3);
        Reveal memory reveal = _reveal(r, 0);
        reveal.sk = 0xBAD;
        _fails(abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(0xBAD), r.terms.specRoot));
        _revealCall(r, reveal);
        _silent(r);
        _ends(r, Gains({client: -1000 - 2500 - 20_000, first: 1000, second: 1250, third: 1250, burned: 20_000}));
    }

    /// It publishes a key that nobody knows, so that nothing can ever be shown: then nothing is, and everybody is paid.
    function test_keyThatNobodyKnows() public {
        Terms memory terms = _terms(1, 3, ALWAYS);
        Sum[] memory specs = new Sum[](1);
        specs[0].hash = keccak256(abi.encode(uint32(0), _specDigest(0), address(0xdead)));
        terms.specRoot = Tree.root(specs).hash;
        _create(terms);
        Run memory r = _accept(terms, 0, 1);
        _commit(r);
        _verify(r, RAISED, _list(1));
        for (uint8 number = 2; number <= 3; ++number) {
            _draw(r, number);
            _commitSeat(r, number);
        }
        Reveal memory reveal = _reveal(r, 0);
        _fails(abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(reveal.sk), terms.specRoot));
        _revealCall(r, reveal);
        _silent(r);
        _ends(r, Gains({client: -1000 - 2500 - 20_000, first: 1000, second: 1250, third: 1250, burned: 20_000}));
    }

    // ------------------------------------------------------------------ offers

    function _refused(Run memory r, Offer memory offer, bytes memory signature, bytes memory why) private {
        _fails(why);
        vm.prank(client);
        market.acceptOffer(r.terms, offer, signature, 1, "");
    }

    /// It accepts one offer twice, an expired one, and one that was made on another chain.
    function test_usesOffersTheyWereNotMadeFor() public {
        Run memory r;
        r.terms = _terms(3, 2, NEVER);
        _create(r.terms);
        (Offer memory offer, bytes memory signature) = _offer(r.terms, 0, 3);
        vm.prank(client);
        market.acceptOffer(r.terms, offer, signature, 1, "");
        _refused(r, offer, signature, abi.encodeWithSelector(IMarket.NonceSpent.selector, offer.node, offer.nonce));
        uint256 here = block.chainid;
        (offer,) = _offer(r.terms, 0, 3);
        vm.chainId(here + 1);
        signature = _sign(offer, NODE_KEY);
        vm.chainId(here);
        (bytes32 x, bytes32 s, uint8 v) = _parts(signature);
        address signer = ecrecover(market.offerDigest(offer), v, x, s);
        _refused(r, offer, signature, abi.encodeWithSelector(IMarket.BadSignature.selector, signer, offer.node));
        signature = _sign(offer, NODE_KEY);
        uint64 end = offer.deadline;
        vm.warp(end + 1);
        _refused(r, offer, signature, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _eq(_wallet(_node(0)).locked, 7000, "one fine for one execution");
        _ends(r, Gains({client: 0, first: 0, second: 0, third: 0, burned: 0}));
    }

    function _parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
