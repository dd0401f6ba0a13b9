// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";
import {Purse} from "./Purse.sol";

/// @title The money: every wei is free or locked in some wallet, or burned. Amounts are wei.
library Ledger {
    /// A struct only because storage can be pointed at in structs alone.
    struct Account {
        Purse purse;
    }

    struct State {
        mapping(address wallet => Account) accounts;
        uint256 burnedWei;
    }

    /// Fails with `InsufficientFree` if `keep` would not stay free.
    function lock(State storage self, address wallet, uint256 amount, uint256 keep) internal {
        Account storage account = self.accounts[wallet];
        Purse purse = account.purse;
        requireFree(wallet, purse, _sum(amount, keep));
        account.purse = purse.lock(amount);
    }

    /// As `lock`, and spends a nonce of the wallet. Fails with `NonceSpent`.
    function spendAndLock(State storage self, address wallet, uint32 nonce, uint256 amount, uint256 keep) internal {
        Account storage account = self.accounts[wallet];
        (bool ok, Purse purse) = account.purse.spend(nonce);
        if (!ok) revert IMarket.NonceSpent(wallet, nonce);
        requireFree(wallet, purse, _sum(amount, keep));
        account.purse = purse.lock(amount);
    }

    /// Takes `fromLocked` out of the wallet's locks and makes `toFree` free in it.
    function release(State storage self, address wallet, uint256 fromLocked, uint256 toFree) internal {
        Account storage account = self.accounts[wallet];
        account.purse = account.purse.release(fromLocked, toFree);
    }

    /// Counts money that a release left out. It never moves again.
    function burn(State storage self, uint256 amount) internal {
        self.burnedWei += amount;
    }

    /// What is asked for is at most a product of a 96-bit price and 64-bit counts.
    function _sum(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return a + b;
        }
    }

    /// Gives the purse of a node that is in the registry.
    function requireRegistered(State storage self, address node) internal view returns (Purse purse) {
        purse = self.accounts[node].purse;
        if (!purse.registered()) revert IMarket.NotRegistered(node);
    }

    function requireStake(address node, Purse purse, uint256 want) internal pure {
        uint256 have = purse.stake();
        if (have < want) revert IMarket.InsufficientStake(node, have, want);
    }

    function requireFree(address wallet, Purse purse, uint256 want) internal pure {
        uint256 have = purse.free();
        if (have < want) revert IMarket.InsufficientFree(wallet, have, want);
    }
}
