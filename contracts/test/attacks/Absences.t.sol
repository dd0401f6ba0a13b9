// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Absence} from "../fixture/Absence.sol";
import {Tree} from "../fixture/Tree.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Challenge, Outcome} from "../../src/types/Execution.sol";
import {Terms} from "../../src/types/Job.sol";
import {Disclosure, Leaf, Reveal, Seat, SeatStatus, Sum} from "../../src/types/Seat.sol";

/// @title Those who hope to gain by showing nothing, or by making others show everything.
contract AbsenceAttacks is Absence {
    address private constant ANYBODY = address(0xA7B0D7);

    // ------------------------------------------------------------------ withheld leaves

    /// The node commits to a root and keeps the leaves, so that nobody can show what is wrong with them.
    function test_leavesWithheld() public {
        Run memory r = _atCommitted(4, 2, ALWAYS);
        Challenge memory ch = _challenge(r, 1, 2);
        vm.prank(ANYBODY);
        _expire(r, ch);
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, r.execution.id, 0, 4));
        _over(r);
        _ends(r, Gains({client: 0, first: -7000, second: 0, third: 0, burned: 7000}));
    }

    /// It does so once its check is running: the honest verifiers are paid all the same.
    function test_leavesWithheldFromTheCheck() public {
        Run memory r = _atResolving(4, 3);
        _expire(r, _challenge(r, 1, 2));
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, r.execution.id, 0, 4));
        _over(r);
        _ends(r, Gains({client: -2 * 5000, first: -7000, second: 5000, third: 5000, burned: 7000}));
    }

    /// A drawn verifier commits to anything and keeps the leaves: another one takes its seat.
    function test_leavesWithheldByAVerifier() public {
        Run memory r = _atResolving(4, 2);
        address cheat = r.seats[0].node;
        _expire(r, _challenge(r, 2, 3));
        _dismiss(cheat);
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(_wealth(cheat), PURSE - 7000, "the cheat");
        _eq(_wealth(r.execution.node), PURSE + 4000, "seat 1");
        _eq(_wealth(r.seats[0].node), PURSE + 5000, "seat 2");
        _eq(_wealth(client), PURSE - 4000 - 5000, "client");
        _eq(market.burned(), 7000, "burned");
    }

    /// Takes a node out of the registry, so that the next draw falls on another one.
    function _dismiss(address node) private {
        vm.prank(node);
        market.exit();
    }

    /// A verifier claims more fuel than its leaves add up to. No leaf proves that, and so none can be shown.
    function test_fuelThatDoesNotAddUp() public {
        Run memory r = _atRunning(2, 3);
        _commitSeat(r, 3);
        Seat memory seat = r.seats[0];
        Leaf[] memory leaves = _all(r, seat.node);
        Sum memory root = Tree.root(_sums(leaves));
        vm.prank(seat.node);
        market.commitVerification(seat, root.hash, root.sum + 1, "the CID of the leaves");
        (seat.root, seat.fuel, r.leaves[1]) = (root.hash, root.sum + 1, leaves);
        _finish(seat, SeatStatus.Committed);
        address cheat = seat.node;
        Challenge memory ch = _challenge(r, 2, 1);
        _fails(abi.encodeWithSelector(IMarket.BadProof.selector, 2));
        _answerCall(r, ch, _opening(r, 2, 1));
        _expire(r, ch);
        _dismiss(cheat);
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(_wealth(cheat), PURSE - 7000, "the cheat");
        _eq(_wealth(r.execution.node), PURSE + 2000, "seat 1");
        _eq(_wealth(r.seats[0].node), PURSE + 2500, "seat 2");
        _eq(_wealth(r.seats[1].node), PURSE + 2500, "seat 3");
        _eq(_wealth(client), PURSE - 2000 - 2 * 2500, "client");
        _eq(market.burned(), 7000, "burned");
    }

    /// The client demands every leaf, the first again and again, to put off its payment. Its own clock stands still
    /// meanwhile, so all the time that it gains is what the node takes to answer, and it pays for each answer.
    function test_challengesToStall() public {
        Run memory r = _atCommitted(4, 2, NEVER);
        uint256 start = block.timestamp;
        for (uint32 i; i < 8; ++i) {
            vm.warp(block.timestamp + 10);
            Challenge memory ch = _challenge(r, 1, i % 4);
            _eq(ch.left, 100 - 10 * (i + 1), "the client's clock");
            vm.warp(block.timestamp + 3);
            _answer(r, ch);
        }
        vm.warp(r.execution.deadline + 1);
        market.timeoutCommitted(r.terms, r.execution);
        _eq(block.timestamp, start + 100 + 8 * 3 + 1, "its own window and eight answers");
        _over(r);
        _ends(r, Gains({client: -4000 - 20_000 - 8 * 40, first: 4000 + 8 * 40, second: 0, third: 0, burned: 20_000}));
    }

    /// At its last second the client demands a leaf: with the answer that second is over.
    function test_challengesAtTheLastSecond() public {
        Run memory r = _atResolving(2, 2);
        vm.warp(_resolveUntil(r));
        Challenge memory ch = _challenge(r, 1, 0);
        vm.warp(block.timestamp + 100);
        _answer(r, ch);
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _settleVerified(r);
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -2000 - 2500 - 20_000 - 40, first: 2000 + 40, second: 2500, third: 0, burned: 20_000}));
    }

    /// Whoever has the leaves may answer for the node, and has nothing of it.
    function test_answeredByAThirdParty() public {
        Run memory r = _atCommitted(4, 2, NEVER);
        Challenge memory ch = _challenge(r, 1, 3);
        vm.warp(r.execution.deadline);
        vm.prank(_node(5));
        _answer(r, ch);
        _settle(r);
        _over(r);
        _ends(r, Gains({client: -4000 - 40, first: 4000 + 40, second: 0, third: 0, burned: 0}));
    }

    /// The client demands a leaf and goes away.
    function test_silentOnceChallenged() public {
        Run memory r = _atCommitted(2, 2, ALWAYS);
        Challenge memory ch = _challenge(r, 1, 1);
        vm.warp(block.timestamp + 50);
        _answer(r, ch);
        vm.warp(r.execution.deadline + 1);
        vm.prank(ANYBODY);
        market.timeoutCommitted(r.terms, r.execution);
        _over(r);
        _ends(r, Gains({client: -2000 - 20_000 - 40, first: 2000 + 40, second: 0, third: 0, burned: 20_000}));
    }

    // ------------------------------------------------------------------ a silent client

    /// A cheat that does not open does not lose its fine, but the two honest ones are paid and it is not.
    function test_closedCheat() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _fallSilent(r);
        _open(r, 2, 0);
        _open(r, 3, 0);
        vm.prank(ANYBODY);
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250 - 20_000, first: 0, second: 1250, third: 1250, burned: 20_000}));
    }

    /// A cheat that opens is convicted without the client.
    function test_openCheat() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _fallSilent(r);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            _open(r, seat, 0);
        }
        _endInVerdict(r, 0, Outcome.FirstLost);
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250 - 20_000, first: -7000, second: 1250, third: 1250, burned: 27_000}));
    }

    /// The cheat is the first to open and names a piece that it ran honestly. A limit: then nothing is proved, as if
    /// the client, whose silence it was, had never asked.
    function test_cheatNamesFirst() public {
        Run memory r = _atDispute(2, 1, 1 << 1);
        _fallSilent(r);
        _open(r, 1, 0);
        Disclosure memory d = _disclosure(r, 2, 1);
        _fails(abi.encodeWithSelector(IMarket.WrongPiece.selector, 1, 0));
        _openCall(r, 2, d);
        _open(r, 2, 0);
        _open(r, 3, 0);
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -2000 - 5000 - 20_000, first: 2000, second: 2500, third: 2500, burned: 20_000}));
    }

    /// It names a piece that nobody was asked to verify.
    function test_opensAForeignPiece() public {
        Run memory r = _atAssigned(3, 3, ALWAYS);
        _commitLeaves(r, _lie(_leaves(r, r.execution.node, new uint256[](0)), 0));
        _verify(r, RAISED, _list(5));
        for (uint8 number = 2; number <= 3; ++number) {
            _draw(r, number);
            _commitSeat(r, number);
        }
        _fallSilent(r);
        Disclosure memory d = _disclosure(r, 1, 1);
        _fails(abi.encodeWithSelector(IMarket.NotListed.selector, 1));
        _openCall(r, 1, d);
        _open(r, 2, 0);
        _open(r, 3, 0);
        _endSilence(r);
        _conserved();
        // Of three pieces the first is settled, two return with their price.
        _eq(_wallet(client).locked, 2000, "the price of two pieces");
        _ends(r, Gains({client: -5000 - 20_000, first: 0, second: 2500, third: 2500, burned: 20_000}));
    }

    /// It opens an honest seat for it, with a scalar of its own, to have it say something else.
    function test_opensForSomebodyElse() public {
        Run memory r = _atDispute(1, 0, 1 << 1);
        _fallSilent(r);
        Disclosure memory d = _disclosure(r, 2, 0);
        Disclosure memory own = _disclosure(r, 1, 0);
        (d.r, d.opening.sx, d.opening.sy) = (own.r, own.opening.sx, own.opening.sy);
        _fails(abi.encodeWithSelector(IMarket.WrongScalar.selector, 2));
        vm.prank(r.execution.node);
        _openCall(r, 2, d);
        _fails(abi.encodeWithSelector(IMarket.BadProof.selector, 2));
        vm.prank(r.execution.node);
        _openCall(r, 2, own);
        _open(r, 2, 0);
        _open(r, 3, 0);
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250 - 20_000, first: 0, second: 1250, third: 1250, burned: 20_000}));
    }

    /// Seat 2 published seat 1's ciphertext as its own: it has no scalar for it.
    function test_copierCannotOpen() public {
        Run memory r = _atSecond();
        _commitSeatLeaves(r, 2, _one(r.leaves[0][0]));
        _fallSilent(r);
        _open(r, 1, 0);
        Disclosure memory d = _disclosure(r, 2, 0);
        _fails(abi.encodeWithSelector(IMarket.WrongScalar.selector, 2));
        _openCall(r, 2, d);
        _open(r, 3, 0);
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250 - 20_000, first: 1000, second: 0, third: 1250, burned: 20_000}));
    }

    /// It learns the scalar from seat 1's opening, and opens what it copied: noise, for its own address is in the mask.
    function test_copierLearnsTheScalar() public {
        Run memory r = _atSecond();
        _commitSeatLeaves(r, 2, _one(r.leaves[0][0]));
        _fallSilent(r);
        _open(r, 1, 0);
        _open(r, 3, 0);
        _openCall(r, 2, _disclosure(r, 1, 0));
        Reveal memory reveal = _reveal(r, 0);
        (reveal.openings[1].sx, reveal.openings[1].sy) = (reveal.openings[0].sx, reveal.openings[0].sy);
        _endSilence(r);
        _toVerdict(r, reveal, Outcome.SecondLost);
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 1250 - 20_000, first: 1000, second: -7000, third: 1250, burned: 27_000}));
    }

    /// Two colluders claim the same lie. An honest node that opens has lost its case until it appeals.
    function test_colludersAgainstAnOpenSeat() public {
        Run memory r = _atCollusion();
        _open(r, 1, 0);
        _endInVerdict(r, 0, Outcome.FirstLost);
        _eq(uint256(r.verification.outcome), uint256(Outcome.FirstLost), "two against one");
        _timeoutVerdict(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250 - 20_000, first: -7000, second: 1250, third: 1250, burned: 27_000}));
    }

    /// If it stays closed it keeps its fine and loses its pay.
    function test_colludersAgainstAClosedSeat() public {
        Run memory r = _atCollusion();
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -2 * 1250 - 20_000, first: 0, second: 1250, third: 1250, burned: 20_000}));
    }

    /// Seats 2 and 3 have opened the same lie, seat 1 is honest.
    function _atCollusion() private returns (Run memory r) {
        r = _atRunning(1, 3);
        for (uint8 number = 2; number <= 3; ++number) {
            _commitSeatLeaves(r, number, _one(_leaf(r.execution.id, r.seats[number - 2].node, 0, keccak256("a lie"))));
        }
        _fallSilent(r);
        _open(r, 2, 0);
        _open(r, 3, 0);
    }

    /// The key of the piece is one that nobody knows: nothing can be opened, and everybody is paid.
    function test_nobodyKnowsTheKey() public {
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
        _fallSilent(r);
        Disclosure memory d = _disclosure(r, 1, 0);
        _fails(abi.encodeWithSelector(IMarket.WrongKey.selector, vm.addr(_pieceKey(0)), terms.specRoot));
        _openCall(r, 1, d);
        _endSilence(r);
        _over(r);
        _ends(r, Gains({client: -1000 - 2500 - 20_000, first: 1000, second: 1250, third: 1250, burned: 20_000}));
    }
}
