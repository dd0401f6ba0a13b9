// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Absence} from "./fixture/Absence.sol";
import {IMarket} from "../src/IMarket.sol";
import {Challenge, Status} from "../src/types/Execution.sol";
import {Leaf, Opening, Seat, SeatStatus} from "../src/types/Seat.sol";

/// @title Leaves that are demanded, shown, and withheld.
contract ChallengesTest is Absence {
    address private constant STRANGER = address(0x57A);

    function _refuse(Run memory r, uint8 seat, uint32 piece, bytes memory why) private {
        _fails(why);
        _challengeCall(r, seat, piece);
    }

    /// The second of two executions of a job, pieces 3 to 5, committed.
    function _atSecondHalf() private returns (Run memory r) {
        r.terms = _terms(6, 2, ALWAYS);
        _create(r.terms);
        _accept(r.terms, 1, 3);
        r = _accept(r.terms, 0, 3);
        _commit(r);
    }

    // ------------------------------------------------------------------ challengeLeaf

    function test_challenge() public {
        Run memory r = _atSecondHalf();
        vm.warp(r.execution.deadline - 7);
        uint256 before = _wallet(client).locked;
        Challenge memory ch = Challenge(r.execution.id, 1, 5, 7, Status.Committed);
        vm.expectEmit(address(market));
        emit IMarket.LeafChallenged(r.execution.id, 1, ch, uint64(block.timestamp) + 100);
        Challenge memory told = _challenge(r, 1, 5);
        _eq(keccak256(abi.encode(told)), keccak256(abi.encode(ch)), "challenge");
        _eq(_wallet(client).locked, before + 40, "price");
    }

    function test_challengeRefused() public {
        Run memory r = _atSecondHalf();
        _fails(abi.encodeWithSelector(IMarket.NotClient.selector, STRANGER, client));
        vm.prank(STRANGER);
        market.challengeLeaf(r.terms, r.execution, r.verification, _seated(r), 1, 3);
        _refuse(r, 0, 3, abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 1));
        _refuse(r, 2, 3, abi.encodeWithSelector(IMarket.WrongSeat.selector, 2, 1));
        _refuse(r, 1, 2, abi.encodeWithSelector(IMarket.NotListed.selector, 2));
        _refuse(r, 1, 6, abi.encodeWithSelector(IMarket.NotListed.selector, 6));
        r.seats[0].number = 2;
        Seat[] memory seats = _panel(r);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 2, 0));
        vm.prank(client);
        market.challengeLeaf(r.terms, r.execution, r.verification, seats, 1, 3);
    }

    function test_challengeConfirmed() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        uint64 block_ = r.execution.committedBlock;
        vm.roll(block_ + 1);
        _refuse(r, 1, 0, abi.encodeWithSelector(IMarket.Unconfirmed.selector, block_, block_ + 2, block_ + 1));
        vm.roll(block_ + 2);
        _challenge(r, 1, 0);
    }

    function test_challengeInTime() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _refuse(r, 1, 0, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.warp(end);
        _challenge(r, 1, 0);
    }

    function test_challengeStatus() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        bytes32 id = r.execution.id;
        bytes4 wrong = IMarket.WrongStatus.selector;
        _refuse(r, 1, 0, abi.encodeWithSelector(wrong, id, Status.Assigned, Status.Committed));
        _commit(r);
        _challenge(r, 1, 0);
        _refuse(r, 1, 0, abi.encodeWithSelector(wrong, id, Status.Challenged, Status.Committed));
        r = _atResolving(2, 2);
        _challenge(r, 1, 0);
        _refuse(r, 1, 0, abi.encodeWithSelector(wrong, r.execution.id, Status.Challenged, Status.Verifying));
    }

    function test_challengePaid() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        vm.prank(client);
        market.withdraw(uint96(PURSE - 2000 - 20_000 - 39));
        _refuse(r, 1, 0, abi.encodeWithSelector(IMarket.InsufficientFree.selector, client, 39, 40));
    }

    function test_challengeOnlyLeaf() public {
        Run memory r = _atCommitted(1, 2, NEVER);
        _refuse(r, 1, 0, abi.encodeWithSelector(IMarket.NothingToChallenge.selector, 1));
        r = _atResolving(2, 2);
        _escalate(r, 1);
        _draw(r, 3);
        _commitSeat(r, 3);
        _refuse(r, 3, 1, abi.encodeWithSelector(IMarket.NothingToChallenge.selector, 3));
    }

    function test_challengePanel() public {
        Run memory r = _atRunning(2, 3);
        _commitSeat(r, 2);
        _refuse(r, 2, 0, abi.encodeWithSelector(IMarket.PanelRunning.selector, 3));
        vm.warp(block.timestamp + 9);
        _commitSeat(r, 3);
        _refuse(r, 0, 0, abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 3));
        _refuse(r, 4, 0, abi.encodeWithSelector(IMarket.WrongSeat.selector, 4, 3));
        uint64 end = r.seats[1].doneAt + 100;
        vm.warp(end + 1);
        _refuse(r, 2, 0, abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        vm.warp(end);
        Challenge memory ch = _challenge(r, 2, 0);
        _eq(uint256(ch.back), uint256(Status.Verifying), "goes back to the panel");
        _eq(ch.left, 0, "no time left");
    }

    function test_challengeUnlisted() public {
        Run memory r = _atCommitted(3, 2, NEVER);
        _verify(r, RAISED, _list(5));
        _draw(r, 2);
        _commitSeat(r, 2);
        _refuse(r, 1, 1, abi.encodeWithSelector(IMarket.NotListed.selector, 1));
        _challenge(r, 1, 2);
    }

    function test_challengeVacantSeat() public {
        Run memory r = _atDrawing(2, 2);
        vm.warp(r.verification.deadline + 1);
        _vacate(r, 2);
        bytes4 wrong = IMarket.WrongSeatStatus.selector;
        bytes memory why = abi.encodeWithSelector(wrong, r.execution.id, 2, SeatStatus.Vacant, SeatStatus.Committed);
        _refuse(r, 2, 0, why);
        _challenge(r, 1, 0);
    }

    // ------------------------------------------------------------------ answerLeaf

    function test_answer() public {
        Run memory r = _atSecondHalf();
        vm.warp(r.execution.deadline - 30);
        Challenge memory ch = _challenge(r, 1, 4);
        vm.warp(r.execution.deadline);
        Opening memory o = _opening(r, 1, 4);
        vm.expectEmit(address(market));
        emit IMarket.LeafAnswered(r.execution.id, 1, 4, o.leaf, o.proof, uint64(block.timestamp) + 30);
        vm.prank(STRANGER);
        _answerCall(r, ch, o);
        r.execution.status = Status.Committed;
        r.execution.deadline = uint64(block.timestamp) + 30;
        _onRecord(r, 0);
        _eq(_wallet(_node(0)).free, PURSE - 7000 + 40, "the node has the price");
        _eq(_wealth(client), PURSE - 40, "the client paid it");
        _conserved();
    }

    /// The time that the client had left is all that it gets, and it gets all of it.
    function test_answerGivesTheTimeBack() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        vm.warp(r.execution.deadline - 30);
        Challenge memory ch = _challenge(r, 1, 0);
        vm.warp(block.timestamp + 77);
        _answer(r, ch);
        vm.warp(block.timestamp + 31);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, r.execution.deadline, r.execution.deadline + 1));
        _settle(r);
        vm.warp(r.execution.deadline);
        _settle(r);
        _over(r);
    }

    function test_answerExtendsResolving() public {
        Run memory r = _atResolving(2, 2);
        vm.warp(_resolveUntil(r) - 30);
        Challenge memory ch = _challenge(r, 2, 1);
        vm.warp(block.timestamp + 77);
        _answer(r, ch);
        uint64 end = r.execution.deadline;
        _eq(end, _resolveUntil(r) + 77, "the time that the challenge took is added");
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _settleVerified(r);
        vm.warp(end);
        _escalate(r, 1);
        _draw(r, 3);
        _commitSeat(r, 3);
        _eq(_decideUntil(r), _resolveUntil(r), "a later seat counts from its own end");
        vm.warp(_resolveUntil(r));
        _settleVerified(r);
        _over(r);
    }

    function test_answerRefused() public {
        Run memory r = _atCommitted(3, 2, NEVER);
        Challenge memory ch = Challenge(r.execution.id, 1, 1, 100, Status.Committed);
        Opening memory o = _opening(r, 1, 1);
        bytes4 wrong = IMarket.WrongStatus.selector;
        _fails(abi.encodeWithSelector(wrong, r.execution.id, Status.Committed, Status.Challenged));
        _answerCall(r, ch, o);
        ch = _challenge(r, 1, 1);
        _fails(abi.encodeWithSelector(IMarket.BadProof.selector, 1));
        _answerCall(r, ch, _opening(r, 1, 2));
        o.proof[0].sum += 1;
        _fails(abi.encodeWithSelector(IMarket.BadProof.selector, 1));
        _answerCall(r, ch, o);
        uint64 end = r.execution.deadline;
        vm.warp(end + 1);
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _answerCall(r, ch, _opening(r, 1, 1));
    }

    function test_answerOtherRecords() public {
        Run memory r = _atResolving(3, 2);
        Challenge memory ch = _challenge(r, 2, 1);
        Opening memory o = _opening(r, 2, 1);
        bytes32 id = r.execution.id;
        bytes32 want = keccak256(abi.encode(ch));
        ch.left += 1000;
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, id, want, keccak256(abi.encode(ch))));
        _answerCall(r, ch, o);
        ch.left -= 1000;
        Seat[] memory none = new Seat[](0);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 0, 2));
        market.answerLeaf(r.terms, r.execution, r.verification, none, ch, o);
        want = keccak256(abi.encode(r.verification));
        r.verification.bid += 1;
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, id, want, keccak256(abi.encode(r.verification))));
        _answerCall(r, ch, o);
        r.verification.bid -= 1;
        r.terms.fine += 1;
        _fails(abi.encodeWithSelector(IMarket.WrongJob.selector, r.execution.job, market.jobId(r.terms)));
        _answerCall(r, ch, o);
    }

    function test_answerWithSeatsThatAreNone() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        Challenge memory ch = _challenge(r, 1, 1);
        r.seats[0].number = 2;
        Seat[] memory seats = _panel(r);
        Opening memory o = _opening(r, 1, 1);
        _fails(abi.encodeWithSelector(IMarket.WrongSeat.selector, 2, 0));
        market.answerLeaf(r.terms, r.execution, r.verification, seats, ch, o);
    }

    /// Shown is shown: what the leaf says is judged when the piece is opened.
    function test_answerWithJunk() public {
        Run memory r = _atAssigned(2, 2, NEVER);
        Leaf[] memory leaves = _leaves(r, r.execution.node, new uint256[](0));
        leaves[1].index = 77;
        leaves[1].parity = 9;
        _commitLeaves(r, leaves);
        _answer(r, _challenge(r, 1, 1));
        _settle(r);
        _over(r);
    }

    /// A verifier's leaf is where its piece is among the listed ones.
    function test_answerOfAVerifier() public {
        Run memory r = _atCommitted(4, 2, NEVER);
        _verify(r, RAISED, _list(13));
        _draw(r, 2);
        _commitSeat(r, 2);
        Challenge memory ch = _challenge(r, 2, 2);
        Opening memory o = _opening(r, 2, 0);
        _fails(abi.encodeWithSelector(IMarket.BadProof.selector, 2));
        _answerCall(r, ch, o);
        _answer(r, ch);
        _eq(_wealth(r.seats[0].node), PURSE + 40, "the verifier has the price");
    }

    // ------------------------------------------------------------------ timeoutChallenged

    function test_withheldOnceCommitted() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        Challenge memory ch = _challenge(r, 1, 1);
        uint64 end = r.execution.deadline;
        vm.warp(end);
        _fails(abi.encodeWithSelector(IMarket.TooEarly.selector, end, end));
        _expireCall(r, ch);
        vm.warp(end + 1);
        vm.expectEmit(address(market));
        emit IMarket.ChallengeFailed(r.execution.id, 1, _node(0));
        vm.expectEmit(address(market));
        emit IMarket.Slashed(r.execution.id, 1, _node(0), 7000);
        vm.expectEmit(address(market));
        emit IMarket.ExecutionReturned(r.execution.id, r.execution.id, 0, 2);
        vm.prank(STRANGER);
        _expire(r, ch);
        _eq(_wallet(client).locked, 2000, "the price of the pieces stays");
        Run memory again = _acceptReturned(r.terms, _returned(r.execution, r.execution.id, 0, 2), 1, 2);
        _commit(again);
        _settle(again);
        _over(r);
        _eq(_wealth(_node(0)), PURSE - 7000, "the fine");
        _eq(_wealth(client), PURSE - 2000, "client");
    }

    function test_withheldRefused() public {
        Run memory r = _atCommitted(2, 2, NEVER);
        Challenge memory ch = Challenge(r.execution.id, 1, 1, 100, Status.Committed);
        bytes4 wrong = IMarket.WrongStatus.selector;
        vm.warp(r.execution.deadline);
        _fails(abi.encodeWithSelector(wrong, r.execution.id, Status.Committed, Status.Challenged));
        _expireCall(r, ch);
        ch = _challenge(r, 1, 1);
        bytes32 want = keccak256(abi.encode(ch));
        ch.seat = 2;
        vm.warp(r.execution.deadline + 1);
        _fails(abi.encodeWithSelector(IMarket.StaleRecord.selector, r.execution.id, want, keccak256(abi.encode(ch))));
        _expireCall(r, ch);
    }

    /// Seat 1's end is not the verifiers': who has committed is paid, an empty seat costs nothing.
    function test_withheldWithVerifiers() public {
        Run memory r = _atDrawing(2, 3);
        _draw(r, 2);
        _commitSeat(r, 2);
        vm.warp(r.verification.deadline + 1);
        _vacate(r, 3);
        _expire(r, _challenge(r, 1, 1));
        _eq(market.seatHash(r.execution.id, 2), 0, "seat 2 is forgotten");
        _eq(market.seatHash(r.execution.id, 3), 0, "seat 3 is forgotten");
        vm.prank(client);
        market.closeReturned(r.terms, _returned(r.execution, r.execution.id, 0, 2));
        _over(r);
        _eq(_wealth(r.seats[0].node), PURSE + 2500, "seat 2");
        _eq(_wealth(client), PURSE - 2500, "client");
    }

    function test_withheldByAVerifier() public {
        Run memory r = _atResolving(2, 2);
        address cheat = r.seats[0].node;
        Challenge memory ch = _challenge(r, 2, 1);
        vm.warp(r.execution.deadline + 1);
        vm.expectEmit(address(market));
        emit IMarket.ChallengeFailed(r.execution.id, 2, cheat);
        _expire(r, ch);
        _eq(uint256(r.seats[0].status), uint256(SeatStatus.Drawing), "drawn again");
        _eq(r.seats[0].redraws, 1, "a redraw is used up");
        _eq(_wealth(cheat), PURSE - 7000, "the fine");
        _draw(r, 2);
        _commitSeat(r, 2);
        _settleVerified(r);
        _over(r);
        _eq(_wealth(client), PURSE - 2000 - 2500, "one verifier is paid");
    }

    function test_withheldWithoutRedraws() public {
        Run memory r = _atResolving(2, 2);
        for (uint256 i; i < 2; ++i) {
            _expire(r, _challenge(r, 2, 1));
            _draw(r, 2);
            _commitSeat(r, 2);
        }
        _expire(r, _challenge(r, 2, 1));
        _eq(uint256(r.seats[0].status), uint256(SeatStatus.Vacant), "vacant");
        vm.warp(r.seats[0].doneAt + 100);
        _settleVerified(r);
        _over(r);
        _eq(market.burned(), 21_000, "three fines");
        _eq(_wealth(client), PURSE - 2000, "client");
    }
}
