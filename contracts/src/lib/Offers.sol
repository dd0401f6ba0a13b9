// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../IMarket.sol";
import {Offer} from "../types/Job.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title Nodes' signed promises, as EIP-712 typed data.
library Offers {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Bacalhau Market");
    bytes32 private constant VERSION = keccak256("1");
    bytes32 private constant OFFER_TYPE =
        keccak256("Offer(bytes32 job,address node,uint32 pieces,uint32 nonce,uint64 deadline)");

    uint256 private constant OFFER_BYTES = 5 * 32;

    function digest(Offer calldata offer) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this)));
        bytes32 offerType = OFFER_TYPE;
        bytes32 content; // keccak256(abi.encode(OFFER_TYPE, offer)), without decoding what is already encoded
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, offerType)
            calldatacopy(add(preimage, 0x20), offer, OFFER_BYTES)
            content := keccak256(preimage, add(OFFER_BYTES, 0x20))
        }
        return MessageHashUtils.toTypedDataHash(domain, content);
    }

    /// Fills in the offer as it came: what a node signed needs no other check of its encoding.
    function load(Offer memory offer, Offer calldata given) internal pure {
        assembly ("memory-safe") {
            calldatacopy(offer, given, OFFER_BYTES)
        }
    }

    /// Fails with `BadSignature` unless the offer's node signed it (65 bytes, s in the lower half).
    function requireSigned(Offer calldata offer, address node, bytes calldata signature) internal view {
        (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecoverCalldata(digest(offer), signature);
        if (err != ECDSA.RecoverError.NoError || signer != node) revert IMarket.BadSignature(signer, node);
    }
}
