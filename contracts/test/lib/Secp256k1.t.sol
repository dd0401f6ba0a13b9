// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Check, Vm} from "../fixture/Check.sol";
import {Secp256k1} from "../../src/lib/Secp256k1.sol";

contract Secp256k1Test is Check {
    function testFuzz_product(uint256 a, uint256 b) public {
        a = _bound(a, 1, Secp256k1.N - 1);
        b = _bound(b, 1, Secp256k1.N - 1);
        Vm.Key memory point = vm.createWallet(a);
        vm.assume(point.publicKeyX < Secp256k1.N);
        address have = Secp256k1.addressOfProduct(point.publicKeyX, uint8(point.publicKeyY & 1), b);
        _eq(have, vm.addr(mulmod(a, b, Secp256k1.N)), "product");
        _eq(Secp256k1.addressOf(point.publicKeyX, point.publicKeyY), point.addr, "point");
        _eq(Secp256k1.addressOfKey(a), point.addr, "key");
    }

    function test_outOfRange() public {
        Vm.Key memory point = vm.createWallet(1);
        uint256 x = point.publicKeyX;
        uint8 parity = uint8(point.publicKeyY & 1);
        _true(Secp256k1.addressOfProduct(x, parity, 1) == point.addr, "in range");
        _eq(Secp256k1.addressOfProduct(x, parity, 0), address(0), "scalar 0");
        _eq(Secp256k1.addressOfProduct(x, parity, Secp256k1.N), address(0), "scalar N");
        _eq(Secp256k1.addressOfProduct(0, parity, 1), address(0), "x 0");
        _eq(Secp256k1.addressOfProduct(Secp256k1.N, parity, 1), address(0), "x N");
        _eq(Secp256k1.addressOfProduct(x, 2, 1), address(0), "parity");
        _eq(Secp256k1.addressOfProduct(5, 0, 1), address(0), "no such point");
        _eq(Secp256k1.addressOfKey(0), address(0), "key 0");
        _eq(Secp256k1.addressOfKey(Secp256k1.N), address(0), "key N");
    }
}
