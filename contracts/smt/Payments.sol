// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Pay} from "../src/lib/Pay.sol";
import {Terms} from "../src/types/Job.sol";

/// @title What must hold of every payment, for all numbers: proven by solc's model checker (`make smt`), never deployed.
contract Payments {
    /// The escrow of an execution covers the most that its node may get.
    function escrowCoversSeatOne(uint96 bid, uint96 fuelPrice, uint32 pieces, uint64 fuel) external pure {
        Terms memory t = _terms(bid, fuelPrice);
        assert(Pay.cap(t, pieces) == uint256(bid) * pieces);
        assert(Pay.firstSeat(t, pieces, fuel) <= uint256(bid) * pieces);
    }

    /// Parts of an execution never cost more than the whole, so returned pieces can be paid from what stays locked.
    function escrowSplits(uint96 bid, uint32 here, uint32 there) external pure {
        require(uint256(here) + there <= type(uint32).max);
        Terms memory t = _terms(bid, 0);
        assert(Pay.cap(t, here) + Pay.cap(t, there) == Pay.cap(t, here + there));
    }

    /// What a client locks for checks covers the verifier's pay, whatever fuel it claims.
    function checksCoverAVerifier(uint96 bid, uint96 fuelPrice, uint96 raised, uint32 pieces, uint64 fuel)
        external
        pure
    {
        require(bid > 0 && raised >= bid);
        assert(Pay.verifierRoundedDown(_terms(bid, fuelPrice), raised, pieces, fuel) <= uint256(raised) * pieces);
    }

    /// A client never loses more than its bond, nothing without a mistake, and all of it when every hit was skipped.
    function burnStaysWithinTheBond(uint96 bond, uint32 wrong, uint32 hits) external pure {
        uint256 burned = Pay.burnRoundedUp(bond, wrong, hits);
        assert(burned <= bond);
        assert(wrong > 0 || burned == 0);
        assert(wrong == 0 || wrong < hits || burned == bond);
    }

    /// What is locked for an unverified execution is split without a rest that is negative.
    function settlementBalances(uint96 bid, uint96 fuelPrice, uint96 bond, uint32 pieces, uint64 fuel, uint32 wrong)
        external
        pure
    {
        Terms memory t = _terms(bid, fuelPrice);
        uint256 due = Pay.firstSeat(t, pieces, fuel);
        uint256 burned = Pay.burnRoundedUp(bond, wrong, pieces);
        assert(due + burned <= Pay.cap(t, pieces) + bond);
    }

    function _terms(uint96 bid, uint96 fuelPrice) private pure returns (Terms memory t) {
        t.bid = bid;
        t.fuelPrice = fuelPrice;
    }
}
