// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check} from "../fixture/Check.sol";
import {Purse} from "../../src/lib/Purse.sol";
import {Wallet} from "../../src/types/Parameters.sol";

contract PurseTest is Check {
    function _spent(Purse purse, uint32 nonce) private pure returns (Purse) {
        (bool ok, Purse next) = purse.spend(nonce);
        _true(ok, "nonce is good");
        return next;
    }

    function _refused(Purse purse, uint32 nonce) private pure {
        (bool ok, Purse same) = purse.spend(nonce);
        _true(!ok, "nonce is spent or too old");
        _eq(Purse.unwrap(same), Purse.unwrap(purse), "unchanged");
    }

    function test_firstNonces() public pure {
        Purse purse = _spent(Purse.wrap(0), 0);
        _refused(purse, 0);
        purse = _spent(purse, 1);
        _refused(purse, 0);
        _refused(purse, 1);
    }

    function test_window() public pure {
        Purse purse = _spent(Purse.wrap(0), 100);
        _refused(purse, 76);
        purse = _spent(purse, 77);
        _refused(purse, 77);
        purse = _spent(purse, 101);
        _refused(purse, 77);
        _refused(purse, 100);
        purse = _spent(purse, 78);
        purse = _spent(purse, type(uint32).max);
        _refused(purse, type(uint32).max);
        _refused(purse, 101);
    }

    function test_jumpPastTheWindow() public pure {
        Purse purse = _spent(_spent(Purse.wrap(0), 3), 27);
        _refused(purse, 3);
        purse = _spent(purse, 4);
        _eq(purse.unpack().nonceTop, 27, "top");
    }

    /// Against a plain set of the nonces spent.
    function testFuzz_window(uint8[64] memory nonces) public pure {
        Purse purse;
        bool[256] memory spent;
        uint256 top;
        for (uint256 i; i < nonces.length; ++i) {
            uint32 nonce = nonces[i] % 80;
            bool good = !spent[nonce] && nonce + 24 > top;
            bool ok;
            (ok, purse) = purse.spend(nonce);
            _true(ok == good, "as in the set");
            if (ok) spent[nonce] = true;
            if (ok && nonce > top) top = nonce;
        }
    }

    /// Money never leaks into another field.
    function testFuzz_money(uint96 a, uint96 b, uint96 c, uint32 nonce, bool registered) public pure {
        a = uint96(_bound(a, 0, type(uint96).max / 2));
        b = uint96(_bound(b, 0, a));
        c = uint96(_bound(c, 0, b));
        Purse purse = _spent(Purse.wrap(0).withRegistered(registered), nonce);
        purse = purse.credit(a).lock(b).release(c, c / 2).debit(a - b);
        Wallet memory w = purse.unpack();
        _eq(w.free, c / 2, "free");
        _eq(w.locked, b - c, "locked");
        _true(w.registered == registered, "registered");
        _eq(w.nonceTop, nonce, "top");
        _eq(w.nonceBits, 1, "bits");
    }

    function lockTooMuch() external pure {
        Purse.wrap(5).lock(6);
    }

    function releaseTooMuch() external pure {
        Purse.wrap(5 << 96).release(6, 0);
    }

    function debitTooMuch() external pure {
        Purse.wrap(5).debit(6);
    }

    function creditTooMuch() external pure {
        Purse.wrap(type(uint96).max).credit(1);
    }

    function test_brokenBooksPanic() public {
        bytes memory panic = abi.encodeWithSignature("Panic(uint256)", 1);
        vm.expectRevert(panic);
        this.lockTooMuch();
        vm.expectRevert(panic);
        this.releaseTooMuch();
        vm.expectRevert(panic);
        this.debitTooMuch();
        vm.expectRevert(panic);
        this.creditTooMuch();
    }
}
