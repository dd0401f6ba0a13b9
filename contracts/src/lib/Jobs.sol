// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Deadline} from "./Deadline.sol";
import {Pay} from "./Pay.sol";
import {IMarket} from "../IMarket.sol";
import {Offer, Terms} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title What may be asked for and what may be accepted.
library Jobs {
    /// Drawn nodes have a fine locked until the slowest seat of their panel is done, without having been asked.
    uint32 private constant LONGEST_WINDOW = 30 days;
    /// An event has at most 8,192 bytes on Filecoin; `JuryDrawn` lists the jurors. Votes are compared in pairs, too.
    uint8 private constant LARGEST_JURY = 99;
    uint256 private constant TERMS_BYTES = 14 * 32;

    /// Fails with `BadTerms` if a field has bits that its type does not. Jobs are identified by a hash of what lies in
    /// calldata, so this check at the creation makes it superfluous in all later calls.
    function requireEncoded(Terms calldata terms) internal pure {
        uint256[14] calldata words;
        assembly ("memory-safe") {
            words := terms
        }
        uint256 surplus = words[0] >> 160; // client
        surplus |= (words[1] | words[2] | words[5]) >> 32; // nonce, pieces, executeWindow
        surplus |= words[3] >> 16; // checkRate
        surplus |= words[4] >> 8; // seats
        surplus |= words[6] >> 64; // expiry
        surplus |= (words[7] | words[8] | words[9] | words[10]) >> 96; // bid, fuelPrice, fine, bond
        if (surplus != 0) revert IMarket.BadTerms("encoding");
    }

    /// Emits `JobCreated` with the terms as they lie in memory, which is how abi.encode writes them.
    function emitCreated(bytes32 job, Terms memory terms) internal {
        bytes32 selector = IMarket.JobCreated.selector;
        assembly ("memory-safe") {
            log3(terms, TERMS_BYTES, selector, job, mload(terms))
        }
    }

    /// What a market demands of terms: the least check rate, the least seconds, and in between which wei a fine is.
    struct Limits {
        uint16 checkRate;
        uint32 executeWindow;
        uint96 leastFine;
        uint96 mostFine;
    }

    /// Fails with `BadTerms` naming the first field that is out of its range.
    function requireSane(Terms memory terms, Limits memory limits) internal view {
        if (terms.pieces == 0) revert IMarket.BadTerms("pieces");
        if (terms.checkRate < limits.checkRate) revert IMarket.BadTerms("checkRate");
        if (terms.seats != 2 && terms.seats != 3) revert IMarket.BadTerms("seats");
        bool feasible = terms.executeWindow >= limits.executeWindow && terms.executeWindow <= LONGEST_WINDOW;
        if (!feasible) revert IMarket.BadTerms("executeWindow");
        if (terms.expiry < block.timestamp) revert IMarket.BadTerms("expiry");
        if (terms.bid == 0) revert IMarket.BadTerms("bid");
        if (terms.fine < limits.leastFine || terms.fine > limits.mostFine) revert IMarket.BadTerms("fine");
        if (terms.bond < 2 * uint256(terms.bid)) revert IMarket.BadTerms("bond");
    }

    /// Fails unless the offer is for this job, both are still open, and `count` pieces may be assigned with it.
    function requireOpen(Terms memory terms, Offer memory offer, bytes32 job, uint32 count, uint32 most) internal view {
        if (offer.job != job) revert IMarket.WrongJob(offer.job, job);
        if (offer.node == terms.client) revert IMarket.ClientMayNotServe(terms.client);
        Deadline.requireOpen(terms.expiry);
        Deadline.requireOpen(offer.deadline);
        if (offer.pieces < most) most = offer.pieces;
        if (count == 0 || count > most) revert IMarket.BadCount(count, most);
        uint256 least = Pay.leastBondRoundedUp(terms, count);
        if (terms.bond < least) revert IMarket.BondTooSmall(terms.bond, least);
    }

    /// Fails with `BadParameters` naming a field that would make a market useless.
    function requireSane(Parameters memory p) internal pure {
        if (p.settleWindow == 0) revert IMarket.BadParameters("settleWindow");
        if (p.drawWindow == 0) revert IMarket.BadParameters("drawWindow");
        if (p.silentWindow == 0) revert IMarket.BadParameters("silentWindow");
        if (p.appealWindow == 0) revert IMarket.BadParameters("appealWindow");
        bool feasible = p.minExecuteWindow != 0 && p.minExecuteWindow <= LONGEST_WINDOW;
        if (!feasible) revert IMarket.BadParameters("minExecuteWindow");
        if (p.noShowFee > p.minStake) revert IMarket.BadParameters("noShowFee");
        if (p.jurySize % 2 == 0 || p.jurySize > LARGEST_JURY) revert IMarket.BadParameters("jurySize");
        if (p.maxPieces == 0) revert IMarket.BadParameters("maxPieces");
    }
}
