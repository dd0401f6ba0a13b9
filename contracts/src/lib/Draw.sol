// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";
import {Purse} from "./Purse.sol";
import {Randomness} from "./Randomness.sol";
import {Registry} from "./Registry.sol";
import {IMarket} from "../IMarket.sol";
import {Seat} from "../types/Seat.sol";

/// @title Who sits on a panel: a random node among those that can be fined and have no part in the case.
library Draw {
    uint256 private constant PROBES = 32;

    /// Who may sit: none of the excluded wallets, and only nodes that can put up the fine. Amounts are wei.
    struct Rule {
        address[] excluded;
        uint256 minStake;
        uint256 fine;
    }

    /// Candidate k is node keccak256(abi.encode(randomness, k)) modulo the number of nodes, where randomness =
    /// keccak256(abi.encode(block hash, execution, number, redraws)); the first eligible one of 32 sits. A registry of
    /// up to 32 nodes is then searched through from candidate 0 on. Fails with `NobodyEligible`.
    function pick(Registry.State storage registry, Ledger.State storage ledger, Seat memory seat, Rule memory rule)
        internal
        view
        returns (address)
    {
        bytes32 randomness =
            keccak256(abi.encode(Randomness.ofBlock(seat.target), seat.execution, seat.number, seat.redraws));
        uint256 length = registry.nodes.length;
        if (length != 0) {
            uint256 start;
            for (uint256 k; k < PROBES; ++k) {
                uint256 place = uint256(keccak256(abi.encode(randomness, k))) % length;
                if (k == 0) start = place;
                address node = registry.nodes[place];
                if (_eligible(ledger, node, rule)) return node;
            }
            for (uint256 k = 1; length <= PROBES && k < length; ++k) {
                address node = registry.nodes[(start + k) % length];
                if (_eligible(ledger, node, rule)) return node;
            }
        }
        revert IMarket.NobodyEligible(seat.target);
    }

    function _eligible(Ledger.State storage ledger, address node, Rule memory rule) private view returns (bool) {
        for (uint256 i; i < rule.excluded.length; ++i) {
            if (node == rule.excluded[i]) return false;
        }
        Purse purse = ledger.accounts[node].purse;
        return purse.free() >= rule.fine && purse.stake() >= rule.minStake;
    }
}
