// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";
import {Panel} from "./Panel.sol";
import {Pay} from "./Pay.sol";
import {IMarket} from "../IMarket.sol";
import {Execution, Verification} from "../types/Execution.sol";
import {Terms} from "../types/Job.sol";
import {Seat, SeatStatus} from "../types/Seat.sol";

/// @title Where the locked money goes when an execution ends. Amounts are wei.
/// @dev For an execution the client has locked: bid × count, the bond until it is settled, and the price of the
/// checks; each committed seat, seat 1 included, has locked the fine.
library Settlement {
    using Ledger for Ledger.State;

    /// How an execution ends.
    struct Ruling {
        /// Seat whose result was proved wrong; 0 if none was.
        uint8 loser;
        /// Part of the bond that is burned.
        uint256 bondBurned;
        /// The bond is still locked.
        bool bondLocked;
        /// The client missed its deadline.
        bool silent;
    }

    /// Pays the node of an execution that nobody verified.
    function payUnverified(
        Ledger.State storage ledger,
        Terms memory terms,
        Execution memory e,
        uint256 bondBurned,
        bool silent
    ) internal {
        uint256 due = payFirst(ledger, terms, e, silent);
        unchecked {
            // `due` is at most the cap, and `bondBurned` at most the bond.
            uint256 locked = Pay.cap(terms, e.count) + terms.bond;
            ledger.release(terms.client, locked, locked - due - bondBurned);
        }
        _burnBond(ledger, terms, e.id, bondBurned);
    }

    /// Pays seat 1 and every committed verifier but the loser, 2 or 3, which loses its fine.
    function pay(Ledger.State storage ledger, Panel.Case memory c, Ruling memory ruling) internal {
        Terms memory terms = c.terms;
        Execution memory e = c.execution;
        uint256 spent = payFirst(ledger, terms, e, ruling.silent);
        spent += _payVerifiers(ledger, c, ruling.loser) + ruling.bondBurned;
        uint256 locked = Pay.cap(terms, e.count) + checks(terms, c.verification);
        if (ruling.bondLocked) locked += terms.bond;
        ledger.release(terms.client, locked, locked - spent);
        _burnBond(ledger, terms, e.id, ruling.bondBurned);
    }

    /// Seat 1 was a cheat: it loses its fine, the verifiers are paid. `freed` of the client's lock goes back with the
    /// rest of the price of the checks: the revealed piece's price, or the bond. The price of the pieces that return to
    /// the job stays locked for whoever runs them next.
    function payVerifiersOnly(Ledger.State storage ledger, Panel.Case memory c, uint256 freed) internal {
        slash(ledger, c.execution.id, 1, c.execution.node, c.terms.fine);
        uint256 locked = freed + checks(c.terms, c.verification);
        ledger.release(c.terms.client, locked, locked - _payVerifiers(ledger, c, 1));
    }

    /// A silent client's panel of three, one of which did not open its commitment: it gets its fine back, the two others
    /// are paid, and the bond is burned. If seat 1 is the one, the named piece's price goes back to the client.
    function payPair(Ledger.State storage ledger, Panel.Case memory c, uint8 closed) internal {
        Terms memory terms = c.terms;
        uint256 locked = terms.bond + checks(terms, c.verification);
        uint256 spent = terms.bond;
        if (closed == 1) {
            locked += terms.bid;
            ledger.release(c.execution.node, terms.fine, terms.fine);
        } else {
            locked += Pay.cap(terms, c.execution.count);
            spent += payFirst(ledger, terms, c.execution, true);
        }
        for (uint256 i; i < c.seats.length; ++i) {
            Seat memory seat = c.seats[i];
            if (seat.number == closed) ledger.release(seat.node, terms.fine, terms.fine);
            else spent += payVerifier(ledger, c, seat);
        }
        ledger.release(terms.client, locked, locked - spent);
        _burnBond(ledger, terms, c.execution.id, terms.bond);
    }

    /// Nobody can tell who was right: everybody gets back what it put up.
    function refund(Ledger.State storage ledger, Panel.Case memory c) internal {
        Terms memory terms = c.terms;
        ledger.release(c.execution.node, terms.fine, terms.fine);
        for (uint256 i; i < c.seats.length; ++i) {
            ledger.release(c.seats[i].node, terms.fine, terms.fine);
        }
        uint256 locked = Pay.cap(terms, c.execution.count) + checks(terms, c.verification);
        ledger.release(terms.client, locked, locked);
        emit IMarket.ExecutionRefunded(c.execution.id);
    }

    /// Gives the client its bond back, less what is burned.
    function settleBond(Ledger.State storage ledger, Terms memory terms, bytes32 execution, uint256 burned) internal {
        ledger.release(terms.client, terms.bond, terms.bond - burned);
        _burnBond(ledger, terms, execution, burned);
    }

    /// Burns the fee out of the fine of a node that missed its deadline and gives it the rest back.
    function burnNoShow(
        Ledger.State storage ledger,
        bytes32 execution,
        uint8 number,
        address node,
        uint96 fine,
        uint96 fee
    ) internal {
        ledger.release(node, fine, fine - fee);
        ledger.burn(fee);
        emit IMarket.NoShowBurned(execution, number, node, fee);
    }

    /// Burns the fine of a cheat.
    function slash(Ledger.State storage ledger, bytes32 execution, uint8 number, address node, uint96 fine) internal {
        ledger.release(node, fine, 0);
        ledger.burn(fine);
        emit IMarket.Slashed(execution, number, node, fine);
    }

    /// What the client has locked for verifiers.
    function checks(Terms memory terms, Verification memory v) internal pure returns (uint256) {
        uint256 leaves = uint256(v.hits) * (terms.seats - 1);
        if (v.thirdTarget != 0) ++leaves;
        return v.bid * leaves;
    }

    /// Pays seat 1 out of what the client has locked; the caller takes `due` off it.
    function payFirst(Ledger.State storage ledger, Terms memory terms, Execution memory e, bool silent)
        internal
        returns (uint256 due)
    {
        due = Pay.firstSeat(terms, e.count, e.fuel);
        ledger.release(e.node, terms.fine, terms.fine + due);
        emit IMarket.ExecutionSettled(e.id, uint96(due), silent);
    }

    /// Pays a committed verifier out of what the client has locked; the caller takes `due` off it.
    function payVerifier(Ledger.State storage ledger, Panel.Case memory c, Seat memory seat)
        internal
        returns (uint256 due)
    {
        due = Pay.verifierRoundedDown(c.terms, c.verification.bid, seat.pieces, seat.fuel);
        ledger.release(seat.node, c.terms.fine, c.terms.fine + due);
        emit IMarket.SeatPaid(seat.execution, seat.number, seat.node, uint96(due));
    }

    function _payVerifiers(Ledger.State storage ledger, Panel.Case memory c, uint8 loser)
        private
        returns (uint256 paid)
    {
        for (uint256 i; i < c.seats.length; ++i) {
            Seat memory seat = c.seats[i];
            if (seat.status != SeatStatus.Committed) continue;
            if (seat.number == loser) slash(ledger, seat.execution, loser, seat.node, c.terms.fine);
            else paid += payVerifier(ledger, c, seat);
        }
    }

    function _burnBond(Ledger.State storage ledger, Terms memory terms, bytes32 execution, uint256 amount) private {
        if (amount == 0) return;
        ledger.burn(amount);
        emit IMarket.BondBurned(execution, terms.client, uint96(amount));
    }
}
