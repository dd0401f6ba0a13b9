// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../types/Job.sol";

/// @title What is owed. Amounts are wei; the product of two 96-bit amounts and 64-bit fuel fits 256 bits.
library Pay {
    /// The most that `pieces` pieces cost.
    function cap(Terms memory terms, uint32 pieces) internal pure returns (uint256) {
        unchecked {
            return uint256(terms.bid) * pieces;
        }
    }

    /// The price cap is the pay, or, if the job is metered, what the fuel costs up to the cap.
    function firstSeat(Terms memory terms, uint32 pieces, uint64 fuel) internal pure returns (uint256) {
        uint256 most = cap(terms, pieces);
        if (terms.fuelPrice == 0) return most;
        unchecked {
            return _min(most, uint256(terms.fuelPrice) * fuel);
        }
    }

    /// As for seat 1, with cap and fuel price raised by bid′ / bid.
    function verifierRoundedDown(Terms memory terms, uint96 raisedBid, uint32 pieces, uint64 fuel)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 most = uint256(raisedBid) * pieces;
            if (terms.fuelPrice == 0) return most;
            return _min(most, (uint256(terms.fuelPrice) * fuel * raisedBid) / terms.bid);
        }
    }

    /// The part of the bond that `wrong` skipped or foreign pieces cost when the dice hit `hits`.
    function burnRoundedUp(uint96 bond, uint256 wrong, uint256 hits) internal pure returns (uint256) {
        uint256 divisor = hits == 0 ? 1 : hits;
        return _min(bond, (uint256(bond) * wrong + divisor - 1) / divisor);
    }

    /// The least bond of an execution: twice the price of its expected hits.
    function leastBondRoundedUp(Terms memory terms, uint32 pieces) internal pure returns (uint256) {
        unchecked {
            return (2 * uint256(terms.bid) * pieces * terms.checkRate + 0xffff) >> 16;
        }
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
