// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Juries} from "./Juries.sol";
import {Ledger} from "./Ledger.sol";
import {Panel} from "./Panel.sol";
import {Pay} from "./Pay.sol";
import {Settlement} from "./Settlement.sol";
import {Votes} from "./Votes.sol";
import {IMarket} from "../IMarket.sol";
import {Jury, Vote, VoteStatus} from "../types/Jury.sol";

/// @title Where the locked money goes when a jury has decided. Amounts are wei.
/// @dev Beside what `Settlement` says is locked, the appellant has locked the appeal bond, which is another fine, and every
/// juror that has not declined the fine. The client's bond was settled with the verdict.
library Award {
    using Ledger for Ledger.State;

    /// An appeal whose time is over.
    struct Appeal {
        Panel.Case panel;
        Jury jury;
        /// One for each juror, as `Votes` has them.
        bytes32[] words;
        uint96 noShowFee;
    }

    /// What the majority found: all zero if there is none.
    struct Finding {
        /// The majority's word.
        bytes32 word;
        /// What it makes of the piece, as in `IMarket.VerdictReached`.
        bytes32 result;
        /// Bit k is set if seat k stands by that result.
        uint8 right;
    }

    function find(bytes32[] memory words, bytes32[3] calldata results, Vote[] calldata votes)
        internal
        pure
        returns (Finding memory f)
    {
        (bool found, uint256 place) = Votes.majority(words);
        if (!found) return f;
        f.word = words[place];
        f.result = keccak256(abi.encode(votes[place].digest, votes[place].fuel));
        for (uint256 i; i < 3; ++i) {
            if (results[i] == f.result) f.right |= uint8(2 << i);
        }
    }

    function isRight(Finding memory f, uint8 seat) internal pure returns (bool) {
        return (f.right >> seat) & 1 == 1;
    }

    /// No majority: everybody gets back what it put up, but for jurors that did not vote.
    function refund(Ledger.State storage ledger, Appeal memory a) internal {
        _returnBond(ledger, a);
        Finding memory none;
        _dismiss(ledger, a, none, 0);
        Settlement.refund(ledger, a.panel);
    }

    /// Pays the seats that are right and the jurors of the majority, and fines the others. If seat 1 is wrong the price of
    /// its pieces stays locked for whoever runs them next, but not that of the opened piece if another seat is right.
    function pay(Ledger.State storage ledger, Appeal memory a, Finding memory f) internal {
        Panel.Case memory c = a.panel;
        (uint256 spent, uint256 spare) = _paySeats(ledger, c, f);
        if (isRight(f, a.jury.appellant)) {
            _returnBond(ledger, a);
            spent += _dismiss(ledger, a, f, _shareRoundedDown(spare, a));
        } else {
            _burnBond(ledger, a, _dismiss(ledger, a, f, _shareRoundedDown(c.terms.fine, a)));
        }
        uint256 locked = Settlement.checks(c.terms, c.verification);
        if (isRight(f, 1)) locked += Pay.cap(c.terms, c.execution.count);
        else if (f.right != 0) locked += c.terms.bid;
        ledger.release(c.terms.client, locked, locked - spent);
    }

    /// `spent` is what the client owes the seats that are right; `spare` what it had set aside for runs of the opened
    /// piece by those that are wrong.
    function _paySeats(Ledger.State storage ledger, Panel.Case memory c, Finding memory f)
        private
        returns (uint256 spent, uint256 spare)
    {
        for (uint8 seat = 1; seat <= 3; ++seat) {
            if (!isRight(f, seat)) {
                Settlement.slash(ledger, c.execution.id, seat, Juries.nodeOf(c, seat), c.terms.fine);
                spare += seat == 1 ? c.terms.bid : c.verification.bid;
            } else if (seat == 1) {
                spent += Settlement.payFirst(ledger, c.terms, c.execution, false);
            } else {
                spent += Settlement.payVerifier(ledger, c, c.seats[seat - 2]);
            }
        }
    }

    /// Releases the jurors, each of the majority with its `share`.
    function _dismiss(Ledger.State storage ledger, Appeal memory a, Finding memory f, uint256 share)
        private
        returns (uint256 paid)
    {
        uint96 fine = a.panel.terms.fine;
        bytes32 id = a.jury.execution;
        for (uint256 k; k < a.words.length; ++k) {
            address juror = a.jury.jurors[k];
            uint8 number = uint8(4 + k);
            VoteStatus status = Votes.status(a.words[k]);
            if (status == VoteStatus.Declined) continue;
            if (status != VoteStatus.Revealed) {
                Settlement.burnNoShow(ledger, id, number, juror, fine, a.noShowFee);
            } else if (f.word == 0) {
                ledger.release(juror, fine, fine);
            } else if (a.words[k] != f.word) {
                Settlement.slash(ledger, id, number, juror, fine);
            } else {
                ledger.release(juror, fine, fine + share);
                paid += share;
                emit IMarket.SeatPaid(id, number, juror, uint96(share));
            }
        }
    }

    /// One juror's part of a pot that all of them share, at most what a verifier gets for a piece.
    function _shareRoundedDown(uint256 pot, Appeal memory a) private pure returns (uint256) {
        uint256 share = pot / a.jury.jurors.length;
        return share < a.panel.verification.bid ? share : a.panel.verification.bid;
    }

    function _returnBond(Ledger.State storage ledger, Appeal memory a) private {
        uint256 bond = a.panel.terms.fine;
        ledger.release(Juries.nodeOf(a.panel, a.jury.appellant), bond, bond);
    }

    function _burnBond(Ledger.State storage ledger, Appeal memory a, uint256 paid) private {
        address appellant = Juries.nodeOf(a.panel, a.jury.appellant);
        uint256 bond = a.panel.terms.fine;
        ledger.release(appellant, bond, 0);
        ledger.burn(bond - paid);
        emit IMarket.AppealBondBurned(a.jury.execution, appellant, uint96(bond - paid));
    }
}
