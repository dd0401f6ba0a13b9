// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Absence} from "./fixture/Absence.sol";
import {Vm} from "./fixture/Check.sol";
import {Court} from "./fixture/Court.sol";
import {GasTable} from "./fixture/GasTable.sol";
import {Tree} from "./fixture/Tree.sol";
import {Dice} from "../src/lib/Dice.sol";
import {Challenge, Execution, Outcome} from "../src/types/Execution.sol";
import {Offer, Terms} from "../src/types/Job.sol";
import {Parameters} from "../src/types/Parameters.sol";
import {Leaf, Reveal} from "../src/types/Seat.sol";

/// @title What every transaction costs, each one a transaction of its own: writes GAS.md, or checks that it still holds.
/// forge-config: default.isolate = true
/// forge-config: default.evm_version = "prague"
contract GasTest is Absence, Court {
    using GasTable for GasTable.State;

    string private constant PATH = "GAS.md";
    uint16 private constant THREE_PERCENT = 1966;
    uint96 private constant BID = 0.001 ether;

    GasTable.State private _table;
    uint256 private _total;
    bool private _directly;

    function test_tableHolds() public {
        uint32[4] memory sizes = [uint32(1), 10, 100, 1000];
        for (uint256 i; i < 4; ++i) {
            _table.column = i;
            _unverified(sizes[i], false);
            _unverified(sizes[i], true);
            _verified(sizes[i], false);
            _verified(sizes[i], true);
            _slashed(sizes[i]);
            _absent(sizes[i]);
            _appealed(sizes[i]);
        }
        _table.column = 0;
        _rest();
        string memory table = _table.text();
        if (vm.envOr("GAS_WRITE", false)) vm.writeFile(PATH, table);
        bool same = keccak256(bytes(vm.readFile(PATH))) == keccak256(bytes(table));
        _true(same, "GAS.md says what it costs; if that has changed, run make gas and commit the file");
    }

    /// Counts the last transaction: intrinsic gas and calldata included, refunds taken off.
    function _spent(string memory name) private {
        Vm.Gas memory last = vm.lastCallGas();
        uint256 gas = last.gasTotalUsed - uint64(last.gasRefunded);
        _total += gas;
        _table.addTransaction(name, gas);
    }

    // ------------------------------------------------------------------ lives

    function _unverified(uint32 pieces, bool direct) private {
        _directly = direct;
        Run memory r = _committed(pieces, NEVER, false, false);
        _settle(r);
        _spent("settle");
        _over(r);
        _table.addLife(direct ? "unverified, direct offer" : "unverified", pieces, 0, _total);
        _directly = false;
    }

    function _verified(uint32 pieces, bool direct) private {
        _directly = direct;
        Run memory r = _compared(pieces, false);
        _settleVerified(r);
        _spent("settleVerified");
        _over(r);
        _eq(market.burned(), 0, "nothing burned");
        string memory name = direct ? "verified, agreed, direct offer" : "verified, agreed";
        _table.addLife(name, pieces, r.verification.hits, _total);
        _directly = false;
    }

    function _slashed(uint32 pieces) private {
        Run memory r = _convicted(pieces);
        _timeoutVerdict(r);
        _spent("timeoutVerdict");
        _eq(market.burned(), r.terms.fine, "the cheat's fine");
        _table.addLife("cheat slashed", pieces, r.verification.hits, _total);
    }

    /// The cheat appeals against that, and a jury of three confirms it.
    function _appealed(uint32 pieces) private {
        Run memory r = _convicted(pieces);
        _appealCall(r, 1, r.execution.node);
        _spent("appeal");
        Trial memory t = _toAppealed(r, 1);
        _drawJury(t);
        _spent("drawJury, of 3");
        for (uint8 number = 4; number <= 6; ++number) {
            _commitVote(t, number, _vote(t, 0));
            _spent("commitVote");
        }
        for (uint8 number = 4; number <= 6; ++number) {
            _revealVote(t, number, _vote(t, 0));
            _spent("revealVote");
        }
        vm.warp(t.jury.revealDeadline + 1);
        _timeoutAppealedCall(t);
        _spent("timeoutAppealed, jury of 3");
        uint256 juryPay = 3 * uint256(r.verification.bid);
        _eq(market.burned(), 2 * uint256(r.terms.fine) - juryPay, "the cheat's fine, and the rest of its appeal bond");
        _table.addLife("slashed, appealed", pieces, r.verification.hits, _total);
    }

    /// The client is silent and the seats open their commitments. Before that, if there is more than one leaf, it has
    /// one shown; another node does not show its own.
    function _absent(uint32 pieces) private {
        Run memory r = _full(pieces);
        if (pieces > 1) {
            Challenge memory ch = _demanded(r);
            _answerCall(r, ch, _opening(r, 1, 0));
            _spent("answerLeaf");
            _toAnswered(r, ch);
        }
        _fallSilent(r);
        for (uint8 seat = 1; seat <= 3; ++seat) {
            _open(r, seat, 0);
            _spent(seat == 1 ? "openSelf, the first" : "openSelf, another");
        }
        _endSilence(r);
        _spent("timeoutSilent, a verdict");
        if (pieces == 1) return;
        r = _committed(pieces, NEVER, false, false);
        Challenge memory unanswered = _demanded(r);
        vm.warp(r.execution.deadline + 1);
        _expireCall(r, unanswered);
        _spent("timeoutChallenged");
    }

    function _demanded(Run memory r) private returns (Challenge memory ch) {
        ch = _challengeOf(r, 1, 0);
        _challengeCall(r, 1, 0);
        _spent("challengeLeaf");
        _toChallenged(r);
    }

    /// Up to the verdict against the cheat in seat 1.
    function _convicted(uint32 pieces) private returns (Run memory r) {
        r = _full(pieces);
        Reveal memory reveal = _reveal(r, 0);
        _revealCall(r, reveal);
        _spent("revealKey");
        _toVerdict(r, reveal, Outcome.FirstLost);
    }

    /// A third seat, too, has committed to another result than the cheat in seat 1.
    function _full(uint32 pieces) private returns (Run memory r) {
        r = _compared(pieces, true);
        _escalate(r, 0);
        _spent("escalate");
        _draw(r, 3);
        _spent("draw, seat 3");
        _commitSeatLeaves(r, 3, _published(r, 1, r.seats[1].node));
        _spent("commitVerification, seat 3");
    }

    // ------------------------------------------------------------------ stages

    function _parameters() internal pure override returns (Parameters memory p) {
        p = super._parameters();
        p.minStake = 0.1 ether;
    }

    /// A market as new, whose accounts have been used before, and amounts as people would have them.
    function _purse() internal pure override returns (uint256) {
        return 100 ether;
    }

    function _fresh(uint32 pieces, uint16 rate) private returns (Terms memory terms) {
        nonce = 0;
        setUp();
        _total = 0;
        terms = _terms(pieces, 2, rate);
        (terms.bid, terms.fine, terms.bond) = (BID, 40 * BID, BID * (2 + uint96(pieces) / 10));
    }

    /// A commitment of which the dice hit the first piece, or none. Leaves that are never opened hold anything. The seed
    /// is tried out, for which the commitment must be known beforehand: nobody but a test is client and node at once.
    function _committed(uint32 pieces, uint16 rate, bool hit, bool lie) private returns (Run memory r) {
        Terms memory terms = _fresh(pieces, rate);
        if (!_directly) {
            _create(terms);
            _spent("createJob");
        }
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, pieces);
        r = _assigned(terms, offer.job, 0, 0, pieces);
        Leaf[] memory leaves = _published(r, pieces, r.execution.node);
        if (lie) leaves = _lie(leaves, 0);
        r.verification.listed = _rolled(r, Tree.root(_sums(leaves)).hash, hit);
        r.execution.seedHash = keccak256(abi.encode(r.seed));
        vm.prank(client);
        if (_directly) {
            market.createJobWithOffer(terms, offer, signature, pieces, r.execution.seedHash);
            _spent("createJobWithOffer");
        } else {
            market.acceptOffer(terms, offer, signature, pieces, r.execution.seedHash);
            _spent("acceptOffer");
        }
        _commitLeaves(r, leaves);
        _spent("commitResult");
    }

    function _rolled(Run memory r, bytes32 root, bool hit) private pure returns (uint256[] memory hits) {
        for (uint256 salt;; ++salt) {
            r.seed = keccak256(abi.encode("seed", salt));
            hits = Dice.roll(r.seed, root, r.execution.id, r.execution.count, r.terms.checkRate);
            uint256 any;
            for (uint256 i; i < hits.length; ++i) {
                any |= hits[i];
            }
            if (hit ? _has(hits, 0) : any == 0) return hits;
        }
    }

    /// `count` leaves, of which the first one is the true result of the first piece.
    function _published(Run memory r, uint256 count, address node) private returns (Leaf[] memory leaves) {
        leaves = new Leaf[](count);
        for (uint32 i; i < count; ++i) {
            leaves[i].fuel = _fuel(i);
        }
        leaves[0] = _leaf(r.execution.id, node, 0, _truth(0));
    }

    /// Two of the panel have committed; the dice hit what they compare.
    function _compared(uint32 pieces, bool lie) private returns (Run memory r) {
        r = _committed(pieces, THREE_PERCENT, true, lie);
        _verify(r, BID + BID / 4, r.verification.listed);
        _spent("verify");
        _draw(r, 2);
        _spent("draw, seat 2");
        _commitSeatLeaves(r, 2, _published(r, r.verification.hits, r.seats[0].node));
        _spent("commitVerification, seat 2");
    }

    // ------------------------------------------------------------------ the other transactions

    function _rest() private {
        Terms memory terms = _fresh(2, NEVER);
        _create(terms);
        (Offer memory offer, bytes memory signature) = _offer(terms, 0, 1);
        market.postOffer(offer, signature);
        _spent("postOffer");
        Run memory r = _accept(terms, 0, 1);
        vm.prank(client);
        market.closeJob(terms);
        _spent("closeJob");
        vm.prank(r.execution.node);
        market.decline(terms, r.execution);
        _spent("decline");
        Execution memory rest = _returned(r.execution, r.execution.id, 0, 1);
        r = _acceptReturned(terms, rest, 1, 1);
        _spent("acceptReturned");
        vm.warp(r.execution.deadline + 1);
        market.timeoutAssigned(terms, r.execution);
        _spent("timeoutAssigned");
        vm.prank(client);
        market.closeReturned(terms, _returned(r.execution, r.execution.id, 0, 1));
        _spent("closeReturned");
        _restOfSeats();
        _restOfWallets();
        _restOfVotes();
    }

    function _restOfVotes() private {
        Run memory r = _convicted(1);
        _appealCall(r, 1, r.execution.node);
        Trial memory t = _toAppealed(r, 1);
        _drawJury(t);
        _declineVote(t, 4);
        _spent("declineVote");
    }

    function _restOfSeats() private {
        Run memory r = _committed(1, NEVER, false, false);
        vm.warp(r.execution.deadline + 1);
        market.timeoutCommitted(r.terms, r.execution);
        _spent("timeoutCommitted");
        r = _compared(1, false);
        vm.warp(_silentUntil(r) + 1);
        market.timeoutSilent(r.terms, r.execution, r.verification, _panel(r));
        _spent("timeoutSilent");
        r = _committed(1, THREE_PERCENT, true, false);
        _verify(r, BID, r.verification.listed);
        _draw(r, 2);
        vm.prank(r.seats[0].node);
        vm.recordLogs();
        market.declineSeat(r.terms, r.execution, r.seats[0]);
        _spent("declineSeat");
        r.seats[0] = _toldSeat();
        _draw(r, 2);
        vm.warp(r.seats[0].deadline + 1);
        vm.recordLogs();
        market.timeoutSeat(r.terms, r.execution, r.seats[0]);
        _spent("timeoutSeat");
        r.seats[0] = _toldSeat();
        vm.warp(r.seats[0].deadline + 1);
        _vacate(r, 2);
        _spent("timeoutDrawing");
        _settleVerified(r);
        _over(r);
    }

    function _restOfWallets() private {
        _fund(client, 1 ether);
        _spent("deposit");
        vm.prank(client);
        market.withdraw(0.5 ether);
        _spent("withdraw");
        vm.prank(client);
        market.cancelNonce(nonce++);
        _spent("cancelNonce");
        vm.prank(_node(0));
        market.pause();
        _spent("pause");
        vm.prank(_node(0));
        market.resume();
        _spent("resume");
        vm.prank(_node(0));
        market.exit();
        _spent("exit");
        vm.prank(_node(0));
        market.register();
        _spent("register");
        vm.prank(_node(0));
        market.announce("https://node.example:8080");
        _spent("announce");
    }
}
