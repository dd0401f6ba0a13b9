// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {Pay} from "../../src/lib/Pay.sol";
import {Terms} from "../../src/types/Job.sol";

contract PayTest is Check {
    function first(Terms calldata t, uint32 pieces, uint64 fuel) external pure returns (uint256) {
        return Pay.firstSeat(t, pieces, fuel);
    }

    function verifier(Terms calldata t, uint96 bid, uint32 pieces, uint64 fuel) external pure returns (uint256) {
        return Pay.verifierRoundedDown(t, bid, pieces, fuel);
    }

    function leastBond(Terms calldata t, uint32 pieces) external pure returns (uint256) {
        return Pay.leastBondRoundedUp(t, pieces);
    }

    function _terms(uint96 bid, uint96 fuelPrice) private pure returns (Terms memory t) {
        (t.bid, t.fuelPrice) = (bid, fuelPrice);
    }

    function test_flat() public view {
        _eq(this.first(_terms(10, 0), 3, type(uint64).max), 30, "seat 1");
        _eq(this.verifier(_terms(10, 0), 12, 3, 1), 36, "verifier");
    }

    function test_metered() public view {
        _eq(this.first(_terms(10, 2), 3, 14), 28, "by fuel");
        _eq(this.first(_terms(10, 2), 3, 15), 30, "at the cap");
        _eq(this.first(_terms(10, 2), 3, 16), 30, "capped");
        _eq(this.first(_terms(10, 2), 3, 0), 0, "no fuel, no pay");
        _eq(this.verifier(_terms(10, 3), 11, 1, 3), 9, "9.9 rounded down");
        _eq(this.verifier(_terms(10, 3), 11, 1, 4), 11, "capped");
    }

    /// The highest amounts that there are do not overflow.
    function test_extremes() public view {
        uint96 most = type(uint96).max;
        uint32 pieces = type(uint32).max;
        uint64 fuel = type(uint64).max;
        _eq(this.first(_terms(most, most), pieces, fuel), uint256(most) * pieces, "seat 1");
        _eq(this.verifier(_terms(1, most), most, pieces, fuel), uint256(most) * pieces, "verifier");
    }

    /// Nobody is ever paid more than what is locked for it.
    function testFuzz_neverAboveTheLock(uint96 bid, uint96 raised, uint96 price, uint32 pieces, uint64 fuel)
        public
        view
    {
        bid = uint96(_bound(bid, 1, type(uint96).max));
        _true(this.first(_terms(bid, price), pieces, fuel) <= uint256(bid) * pieces, "seat 1");
        _true(this.verifier(_terms(bid, price), raised, pieces, fuel) <= uint256(raised) * pieces, "verifier");
    }

    function test_burn() public pure {
        _eq(Pay.burnRoundedUp(100, 0, 0), 0, "nothing to check");
        _eq(Pay.burnRoundedUp(100, 1, 3), 34, "a third, rounded up");
        _eq(Pay.burnRoundedUp(100, 3, 3), 100, "all skipped");
        _eq(Pay.burnRoundedUp(100, 5, 3), 100, "never more than the bond");
        _eq(Pay.burnRoundedUp(100, 1, 0), 100, "a foreign piece when none was hit");
        _eq(Pay.burnRoundedUp(type(uint96).max, type(uint32).max, 1), type(uint96).max, "extremes");
    }

    function test_leastBond() public view {
        Terms memory t = _terms(1000, 0);
        t.checkRate = 1966;
        _eq(this.leastBond(t, 1), 60, "59.99 rounded up");
        _eq(this.leastBond(t, 100), 6000, "5999.7 rounded up");
    }
}
