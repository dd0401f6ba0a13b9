// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Draw} from "./Draw.sol";
import {Ledger} from "./Ledger.sol";
import {Panel} from "./Panel.sol";
import {Records} from "./Records.sol";
import {Registry} from "./Registry.sol";
import {Votes} from "./Votes.sol";
import {IMarket} from "../IMarket.sol";
import {Outcome} from "../types/Execution.sol";
import {Jury, Vote, VoteStatus} from "../types/Jury.sol";
import {Seat} from "../types/Seat.sol";

/// @title The jury of an appealed execution: who appeals, who sits, and what each has said.
library Juries {
    using Ledger for Ledger.State;

    /// Number of the first juror, where seats are numbered.
    uint8 private constant FIRST = 4;

    /// Fails with `WrongSeat`, `NotNode` or `NothingToAppeal` unless the caller sits on `seat` and the seat lost.
    function requireLoser(Panel.Case memory c, uint8 seat) internal view {
        if (seat == 0 || seat > 3) revert IMarket.WrongSeat(seat, 3);
        address node = nodeOf(c, seat);
        if (msg.sender != node) revert IMarket.NotNode(msg.sender, node);
        Outcome outcome = c.verification.outcome;
        Outcome lost = seat == 1 ? Outcome.FirstLost : seat == 2 ? Outcome.SecondLost : Outcome.ThirdLost;
        if (outcome != Outcome.AllDiffer && outcome != lost) revert IMarket.NothingToAppeal(seat);
    }

    /// Node of a seat of a full panel.
    function nodeOf(Panel.Case memory c, uint8 seat) internal pure returns (address) {
        return seat == 1 ? c.execution.node : c.seats[seat - 2].node;
    }

    /// Draws `size` nodes, none of them the client's, the panel's or each other's, and locks the fine of each. Juror k is
    /// drawn as a seat with its number would be. Fails with `NobodyEligible`, `TargetUnknown`.
    function draw(
        Registry.State storage registry,
        Ledger.State storage ledger,
        Panel.Case memory c,
        Jury memory jury,
        Draw.Rule memory rule,
        uint8 size
    ) internal {
        jury.jurors = new address[](size);
        rule.excluded = new address[](4 + size);
        rule.excluded[0] = c.terms.client;
        for (uint8 seat = 1; seat <= 3; ++seat) {
            rule.excluded[seat] = nodeOf(c, seat);
        }
        Seat memory place;
        (place.execution, place.target) = (jury.execution, jury.target);
        for (uint8 k; k < size; ++k) {
            place.number = FIRST + k;
            address juror = Draw.pick(registry, ledger, place, rule);
            ledger.lock(juror, c.terms.fine, 0);
            rule.excluded[FIRST + k] = juror;
            jury.jurors[k] = juror;
        }
    }

    // ------------------------------------------------------------------ records

    /// The caller's jury, which must be the present one of `execution`.
    function load(Records.State storage records, Jury calldata given, bytes32 execution)
        internal
        view
        returns (Jury memory jury)
    {
        jury = given;
        Records.requireSame(execution, records.disputes[execution], _hash(jury));
    }

    function store(Records.State storage records, Jury memory jury) internal {
        records.disputes[jury.execution] = _hash(jury);
    }

    /// Forgets a jury that is done, and what it has said.
    function drop(Records.State storage records, Jury memory jury) internal {
        delete records.disputes[jury.execution];
        for (uint256 k; k < jury.jurors.length; ++k) {
            delete records.votes[key(jury, uint8(FIRST + k))];
        }
    }

    /// Fails with `WrongSeat` unless the jury has a juror of this number.
    function jurorAt(Jury memory jury, uint8 number) internal pure returns (address) {
        uint256 size = jury.jurors.length;
        if (number < FIRST || number - FIRST >= size) revert IMarket.WrongSeat(number, uint8(FIRST - 1 + size));
        return jury.jurors[number - FIRST];
    }

    function key(Jury memory jury, uint8 number) internal pure returns (bytes32) {
        return Records.seatKey(jury.execution, number);
    }

    /// Fails with `WrongVoteStatus` unless the juror's vote stands where it must.
    function requireStatus(Records.State storage records, Jury memory jury, uint8 number, VoteStatus want)
        internal
        view
        returns (bytes32 word)
    {
        word = records.votes[key(jury, number)];
        VoteStatus have = Votes.status(word);
        if (have != want) revert IMarket.WrongVoteStatus(jury.execution, number, have, want);
    }

    /// What the jurors have said. `votes` must be theirs, as far as they have revealed them: otherwise `WrongVote`.
    function words(Records.State storage records, Jury memory jury, Vote[] calldata votes)
        internal
        view
        returns (bytes32[] memory said)
    {
        uint256 size = jury.jurors.length;
        if (votes.length != size) revert IMarket.BadCount(uint32(votes.length), uint32(size));
        said = new bytes32[](size);
        for (uint8 k; k < size; ++k) {
            said[k] = records.votes[key(jury, FIRST + k)];
            if (Votes.status(said[k]) == VoteStatus.Revealed) {
                requireVote(FIRST + k, Votes.revealed(votes[k]), said[k]);
            }
        }
    }

    function requireVote(uint8 number, bytes32 have, bytes32 want) internal pure {
        if (have != want) revert IMarket.WrongVote(number, have, want);
    }

    function _hash(Jury memory jury) private pure returns (bytes32) {
        return keccak256(abi.encode(jury));
    }
}
