// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Multiplication on secp256k1 by way of the ecrecover precompile.
library Secp256k1 {
    /// Order of the group.
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint256 private constant GX = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798;

    /// Address of scalar · (x, y) for the y of the given parity; 0 if there is no such point, if x is not in
    /// [1, N), or if the scalar is not. Recovering the signer of the hash 0 from r = x, s = scalar · x yields
    /// x⁻¹ · (scalar · x · R − 0 · G).
    function addressOfProduct(uint256 x, uint8 parity, uint256 scalar) internal pure returns (address) {
        if (x == 0 || x >= N || parity > 1 || scalar == 0 || scalar >= N) return address(0);
        return ecrecover(0, 27 + parity, bytes32(x), bytes32(mulmod(scalar, x, N)));
    }

    /// Address of scalar · G, or 0 if the scalar is no private key.
    function addressOfKey(uint256 scalar) internal pure returns (address) {
        return addressOfProduct(GX, 0, scalar);
    }

    /// Address of a point. Another pair with the same address would be a second preimage of it.
    function addressOf(uint256 x, uint256 y) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(x, y)))));
    }
}
