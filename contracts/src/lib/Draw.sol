// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";
import {Purse} from "./Purse.sol";
import {Randomness} from "./Randomness.sol";
import {Registry} from "./Registry.sol";
import {IMarket} from "../IMarket.sol";
import {Source} from "../types/Parameters.sol";
import {Seat} from "../types/Seat.sol";

/// @title Who sits on a panel: a random node among those that can be fined and have no part in the case.
library Draw {
    using Registry for Registry.State;

    uint256 private constant PROBES = 32;

    /// Who may sit: none of the excluded wallets, and only nodes that can put up the fine. Amounts are wei.
    struct Rule {
        Source source;
        address[] excluded;
        uint256 minStake;
        uint256 fine;
    }

    /// Candidate k is at place keccak256(abi.encode(randomness, k)) modulo the number of places, rounded up to a power
    /// of two, where randomness = keccak256(abi.encode(the target's randomness, execution, number, redraws)); the first
    /// eligible one of 32 sits. Up to 32 places are then searched through from candidate 0 on. What happens in the
    /// registry once the target is known changes nothing but that nodes may drop out. Fails with `NobodyEligible`.
    function pick(Registry.State storage registry, Ledger.State storage ledger, Seat memory seat, Rule memory rule)
        internal
        view
        returns (address)
    {
        bytes32 randomness = keccak256(
            abi.encode(Randomness.ofTarget(rule.source, seat.target), seat.execution, seat.number, seat.redraws)
        );
        uint256 mask = registry.maskAt(seat.target);
        uint256 start = _place(randomness, 0, mask);
        for (uint256 k; k < PROBES; ++k) {
            address node = registry.before(_place(randomness, k, mask), seat.target);
            if (_eligible(ledger, node, rule)) return node;
        }
        for (uint256 k = 1; mask < PROBES && k <= mask; ++k) {
            address node = registry.before((start + k) & mask, seat.target);
            if (_eligible(ledger, node, rule)) return node;
        }
        revert IMarket.NobodyEligible(seat.target);
    }

    function _place(bytes32 randomness, uint256 k, uint256 mask) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(randomness, k))) & mask;
    }

    function _eligible(Ledger.State storage ledger, address node, Rule memory rule) private view returns (bool) {
        if (node == address(0)) return false;
        for (uint256 i; i < rule.excluded.length; ++i) {
            if (node == rule.excluded[i]) return false;
        }
        Purse purse = ledger.accounts[node].purse;
        return !purse.paused() && purse.free() >= rule.fine && purse.stake() >= rule.minStake;
    }
}
