// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Wallet} from "../types/Parameters.sol";

/// A wallet in one word, laid out as `Wallet`: free in bits 0 to 95, locked in 96 to 191, registered in 192, paused in 193, the top
/// nonce in 200 to 231, the nonce bits in 232 to 255. All the money in the contract fits 96 bits, so sums of wei never
/// carry into the neighbouring field.
type Purse is uint256;

using PurseLib for Purse global;

/// @title Arithmetic on one wallet. Amounts are wei.
library PurseLib {
    /// Nonces that are told apart: the highest one spent and the 23 below it.
    uint256 internal constant NONCE_WINDOW = 24;

    uint256 private constant REGISTERED = 1 << 192;
    uint256 private constant PAUSED = 1 << 193;
    uint256 private constant NONCES_SHIFT = 200;

    function free(Purse purse) internal pure returns (uint256) {
        return uint96(Purse.unwrap(purse));
    }

    function locked(Purse purse) internal pure returns (uint256) {
        return uint96(Purse.unwrap(purse) >> 96);
    }

    /// Free and locked.
    function stake(Purse purse) internal pure returns (uint256) {
        unchecked {
            return purse.free() + purse.locked();
        }
    }

    function registered(Purse purse) internal pure returns (bool) {
        return Purse.unwrap(purse) & REGISTERED != 0;
    }

    function withRegistered(Purse purse, bool yes) internal pure returns (Purse) {
        uint256 word = Purse.unwrap(purse);
        return Purse.wrap(yes ? word | REGISTERED : word & ~REGISTERED);
    }

    function paused(Purse purse) internal pure returns (bool) {
        return Purse.unwrap(purse) & PAUSED != 0;
    }

    function withPaused(Purse purse, bool yes) internal pure returns (Purse) {
        uint256 word = Purse.unwrap(purse);
        return Purse.wrap(yes ? word | PAUSED : word & ~PAUSED);
    }

    function credit(Purse purse, uint256 amount) internal pure returns (Purse) {
        unchecked {
            assert(amount <= type(uint96).max - purse.free());
            return Purse.wrap(Purse.unwrap(purse) + amount);
        }
    }

    function debit(Purse purse, uint256 amount) internal pure returns (Purse) {
        assert(amount <= purse.free());
        unchecked {
            return Purse.wrap(Purse.unwrap(purse) - amount);
        }
    }

    function lock(Purse purse, uint256 amount) internal pure returns (Purse) {
        assert(amount <= purse.free());
        unchecked {
            return Purse.wrap(Purse.unwrap(purse) - amount + (amount << 96));
        }
    }

    /// Takes `fromLocked` out of the locks and puts `toFree` into the free balance. The caller keeps the books: what
    /// leaves one purse enters another one or is burned.
    function release(Purse purse, uint256 fromLocked, uint256 toFree) internal pure returns (Purse) {
        assert(fromLocked <= purse.locked());
        unchecked {
            return Purse.wrap(Purse.unwrap(purse) - (fromLocked << 96)).credit(toFree);
        }
    }

    /// An anti-replay window as in RFC 4303: bit k of the nonce bits says that nonce top − k is spent. In a fresh
    /// wallet nonce 0 is the top and not spent. Not ok if `nonce` is spent or has fallen out of the window.
    function spend(Purse purse, uint32 nonce) internal pure returns (bool ok, Purse spent) {
        uint256 word = Purse.unwrap(purse);
        uint256 top = uint32(word >> NONCES_SHIFT);
        uint256 bits = word >> (NONCES_SHIFT + 32);
        if (nonce > top) {
            bits = uint24(bits << _min(nonce - top, NONCE_WINDOW)) | 1;
            top = nonce;
        } else {
            uint256 back = top - nonce;
            if (back >= NONCE_WINDOW || (bits >> back) & 1 == 1) return (false, purse);
            bits |= 1 << back;
        }
        uint256 rest = word & ((1 << NONCES_SHIFT) - 1);
        return (true, Purse.wrap(rest | (top << NONCES_SHIFT) | (bits << (NONCES_SHIFT + 32))));
    }

    function unpack(Purse purse) internal pure returns (Wallet memory) {
        uint256 word = Purse.unwrap(purse);
        return Wallet({
            free: uint96(word),
            locked: uint96(word >> 96),
            registered: purse.registered(),
            paused: purse.paused(),
            nonceTop: uint32(word >> NONCES_SHIFT),
            nonceBits: uint24(word >> (NONCES_SHIFT + 32))
        });
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
