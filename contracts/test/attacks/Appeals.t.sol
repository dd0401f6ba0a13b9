// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../fixture/Court.sol";
import {IMarket} from "../../src/IMarket.sol";
import {Terms} from "../../src/types/Job.sol";
import {Vote, VoteStatus} from "../../src/types/Jury.sol";

/// @title Those who want a wrong verdict to stand, a right one to fall, or to be paid for a vote without running the piece.
contract AppealAttacks is Court {
    bytes32 private constant LIE = "a lie";
    bytes32 private constant OTHER = "another lie";

    // ------------------------------------------------------------------ wrong verdicts

    /// Two nodes claim, without knowing each other, that the program stopped at once with no output, and the honest third
    /// one is convicted. The jury undoes it.
    function test_twoLazyNodesConvictTheHonestOne() public {
        Run memory r = _atVerdict(1, 0, [bytes32("trapped at once"), "trapped at once", 0]);
        Trial memory t = _decided(r, 3, [bytes32(0), 0, 0]);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -1250 - 3 * 750,
                seats: [int256(-7000), -7000, 1250],
                jurors: [int256(750), 750, 750],
                burned: 2 * 7000
            })
        );
    }

    /// A client whose nodes hold both verifiers' seats wants the work of seat 1 for nothing. Its nodes lose their fines, and
    /// it pays the full price, once.
    function test_clientFramesItsNode() public {
        Run memory r = _atVerdict(4, 2, [bytes32(0), LIE, LIE]);
        Trial memory t = _decided(r, 1, [bytes32(0), 0, 0]);
        _over(r);
        _sentenced(
            t,
            Sentence({
                client: -4000 - 3 * 833,
                seats: [int256(4000), -7000, -7000],
                jurors: [int256(833), 833, 833],
                burned: 2 * 7000
            })
        );
    }

    /// The client also raises the price of the checks beyond all measure, for its own nodes get that back, so that its victim
    /// cannot afford a jury. But a jury is asked for with another fine, and the price is the client's to pay.
    function test_clientPricesTheAppeal() public {
        Run memory r = _atAssigned(1, 3, ALWAYS);
        address victim = r.execution.node;
        uint96 withdrawn = uint96(PURSE - 2 * 7000);
        vm.prank(victim);
        market.withdraw(withdrawn);
        uint96 raised = uint96(PURSE / 4);
        _toVerdictAt(r, raised, 0, [bytes32(0), LIE, LIE]);
        Trial memory t = _decided(r, 1, [bytes32(0), 0, 0]);
        _over(r);
        int256 share = int256(uint256(2 * raised / 3));
        _sentenced(
            t,
            Sentence({
                client: -1000 - 3 * share,
                seats: [1000 - int256(uint256(withdrawn)), -7000, -7000],
                jurors: [share, share, share],
                burned: 2 * 7000
            })
        );
    }

    /// Two liars spoil a panel by telling different lies, so that nobody is convicted. The honest node appeals.
    function test_twoLiarsDiffer() public {
        Trial memory t = _decided(_atVerdict(1, 0, [bytes32(LIE), 0, OTHER]), 2, [bytes32(0), 0, 0]);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -1250 - 3 * 750,
                seats: [int256(-7000), 1250, -7000],
                jurors: [int256(750), 750, 750],
                burned: 2 * 7000
            })
        );
    }

    // ------------------------------------------------------------------ right verdicts

    /// The convicted cheat appeals, to win time or by luck: it loses the appeal bond too.
    function test_cheatAppeals() public {
        Trial memory t = _decided(_atConviction(), 1, [bytes32(0), 0, 0]);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-2 * 7000), 1250, 1250],
                jurors: [int256(1250), 1250, 1250],
                burned: 2 * 7000 - 3 * 1250
            })
        );
    }

    /// The cheat has a friend on the jury, who says what the cheat said.
    function test_jurorVotesForTheLie() public {
        Trial memory t = _decided(_atConviction(), 1, [bytes32(LIE), 0, 0]);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-2 * 7000), 1250, 1250],
                jurors: [int256(-7000), 1250, 1250],
                burned: 3 * 7000 - 2 * 1250
            })
        );
    }

    /// The cheat appeals where nobody can be drawn: that saves its fine, but it is not paid.
    function test_cheatAppealsWhereNobodyIsEligible() public {
        Trial memory t = _appeal(_atConviction(), 1);
        vm.roll(t.jury.target + 1);
        for (uint256 i; i < NODES; ++i) {
            if (_wallet(_node(i)).locked != 0) continue;
            vm.prank(_node(i));
            market.exit();
        }
        _fails(abi.encodeWithSelector(IMarket.NobodyEligible.selector, t.jury.target));
        _drawJuryCall(t);
        _timeoutAppealed(t);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: none, burned: 0}));
    }

    // ------------------------------------------------------------------ jurors

    /// The attacker takes digest and fuel from the revealed piece and does not run it: the salt of the jury is younger
    /// than all it knows, so it can only make the witness up.
    function test_copiedDigest() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        Vote memory copy = _vote(t, 0);
        copy.witness = keccak256(abi.encode("witness", "the salt of another jury", uint32(0), bytes32(0)));
        _commitVote(t, 4, copy);
        _commitVote(t, 5, _vote(t, 0));
        _commitVote(t, 6, _vote(t, 0));
        _revealVote(t, 4, copy);
        _revealVote(t, 5, _vote(t, 0));
        _revealVote(t, 6, _vote(t, 0));
        _timeoutAppealed(t);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-2 * 7000), 1250, 1250],
                jurors: [int256(-7000), 1250, 1250],
                burned: 3 * 7000 - 2 * 1250
            })
        );
    }

    /// Two appeals about the same piece of the same program have different salts.
    function test_replayedWitness() public {
        Trial memory first = _appeal(_atConviction(), 1);
        _drawJury(first);
        Trial memory second = _appeal(_atConviction(), 1);
        _drawJury(second);
        _true(first.jury.salt != second.jury.salt, "fresh salt");
        _true(_vote(first, 0).witness != _vote(second, 0).witness, "fresh witness");
    }

    /// The attacker seals its vote with another juror's commitment, and waits for that one's reveal: it cannot open it.
    function test_copiedCommitment() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        Vote memory vote = _vote(t, 0);
        bytes32 copied = _commitment(t, t.jury.jurors[1], vote);
        _commitVote(t, 5, vote);
        _commitVote(t, 6, vote);
        _commitVoteCall(t, 4, t.jury.jurors[0], copied);
        _revealVote(t, 5, vote);
        _revealVote(t, 6, vote);
        bytes32 secret = _nonce(t.jury.jurors[1]);
        bytes32 have =
            keccak256(abi.encode(block.chainid, address(market), t.jury.execution, t.jury.jurors[0], vote, secret));
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongVote.selector, 4, _word(have, VoteStatus.Committed), _word(copied, VoteStatus.Committed)
            )
        );
        market.revealVote(t.jury, 4, vote, secret);
        _timeoutAppealed(t);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-2 * 7000), 1250, 1250],
                jurors: [int256(-300), 1250, 1250],
                burned: 2 * 7000 + 300 - 2 * 1250
            })
        );
    }

    /// A vote that nobody sealed in time cannot be shown once the others are open.
    function test_voteAfterTheOthers() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        _commitVote(t, 5, _vote(t, 0));
        _revealVote(t, 5, _vote(t, 0));
        uint64 end = t.jury.deadline;
        _fails(abi.encodeWithSelector(IMarket.TooLate.selector, end, end + 1));
        _commitVote(t, 4, _vote(t, 0));
        _fails(
            abi.encodeWithSelector(
                IMarket.WrongVoteStatus.selector, t.jury.execution, 4, VoteStatus.None, VoteStatus.Committed
            )
        );
        market.revealVote(t.jury, 4, _vote(t, 0), 0);
    }

    /// One juror sees how the others voted and withholds its own vote. It is a no-show, and the majority stands.
    function test_oneRevealWithheld() public {
        Trial memory t = _appeal(_atFraming(), 1);
        _drawJury(t);
        for (uint8 number = 4; number <= 6; ++number) {
            _commitVote(t, number, _vote(t, number == 4 ? LIE : bytes32(0)));
        }
        _revealVote(t, 5, _vote(t, 0));
        _revealVote(t, 6, _vote(t, 0));
        _timeoutAppealed(t);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -1000 - 2 * 833,
                seats: [int256(1000), -7000, -7000],
                jurors: [int256(-300), 833, 833],
                burned: 2 * 7000 + 300
            })
        );
    }

    /// Two withhold theirs, so that the liars get away: nobody is convicted then, not even the one that was framed.
    function test_majorityWithheld() public {
        Trial memory t = _appeal(_atFraming(), 1);
        _drawJury(t);
        for (uint8 number = 4; number <= 6; ++number) {
            _commitVote(t, number, _vote(t, 0));
        }
        _revealVote(t, 6, _vote(t, 0));
        _timeoutAppealed(t);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: [int256(-300), -300, 0], burned: 600}));
    }

    /// Nobody on the jury does anything.
    function test_juryOfNoShows() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        _timeoutAppealed(t);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: [int256(-300), -300, -300], burned: 900}));
    }

    /// Everybody declines in time.
    function test_juryOfDecliners() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        for (uint8 number = 4; number <= 6; ++number) {
            _declineVote(t, number);
        }
        _timeoutAppealed(t);
        _over(t.run);
        int256[3] memory none;
        _sentenced(t, Sentence({client: 0, seats: none, jurors: none, burned: 0}));
    }

    /// A juror takes its money out of reach after it was drawn: its fine stays.
    function test_jurorLeaves() public {
        Trial memory t = _appeal(_atConviction(), 1);
        _drawJury(t);
        address juror = t.jury.jurors[0];
        vm.prank(juror);
        market.exit();
        vm.prank(juror);
        market.withdraw(uint96(PURSE - 7000));
        _voteAll(t, [bytes32(LIE), 0, 0]);
        _timeoutAppealed(t);
        _eq(_wealth(juror), 0, "all gone");
    }

    /// What this protocol does not prevent: a jury whose majority colludes decides as it likes. It gains no more than a
    /// verifier's pay each.
    function test_colludingMajority() public {
        Trial memory t = _decided(_atFraming(), 1, [bytes32(LIE), LIE, 0]);
        _over(t.run);
        _sentenced(
            t,
            Sentence({
                client: -2 * 1250,
                seats: [int256(-2 * 7000), 1250, 1250],
                jurors: [int256(1250), 1250, -7000],
                burned: 3 * 7000 - 2 * 1250
            })
        );
    }

    // ------------------------------------------------------------------ amounts

    /// At the smallest prices a jury's share rounds to nothing, and nothing is lost.
    function test_juryAtOneWei() public {
        Terms memory terms = _terms(1, 3, ALWAYS);
        (terms.bid, terms.fine, terms.bond) = (1, 300, 2);
        _create(terms);
        Run memory r = _accept(terms, 0, 1);
        _commitLeaves(r, _twist(_leaves(r, r.execution.node, new uint256[](0)), 0, LIE));
        _verify(r, 1, _list(1));
        _draw(r, 2);
        _draw(r, 3);
        _commitSeat(r, 2);
        _commitSeatLeaves(r, 3, _twist(_all(r, r.seats[1].node), 0, LIE));
        _convict(r, 0, _expected([bytes32(LIE), 0, LIE]));
        Trial memory t = _decided(r, 2, [bytes32(0), 0, 0]);
        _over(r);
        int256[3] memory none;
        _sentenced(t, Sentence({client: -1, seats: [int256(-300), 1, -300], jurors: none, burned: 600}));
    }

    /// Whoever is on the panel never sits on the jury, nor does the client, though all of them are registered.
    function test_clientOnItsOwnJury() public {
        vm.prank(client);
        market.register();
        vm.roll(block.number + 1);
        for (uint256 i; i < 8; ++i) {
            Trial memory t = _appeal(_atConviction(), 1);
            _drawJury(t);
            for (uint256 k; k < JURORS; ++k) {
                _true(t.jury.jurors[k] != client, "not the client");
                for (uint8 seat = 1; seat <= 3; ++seat) {
                    _true(t.jury.jurors[k] != _nodeOf(t.run, seat), "not the panel");
                }
            }
        }
    }
}
